"""The papers as PDF: conform to PDF/UA-1, tagged, of the fonts of the package; pages break where they should; text is text.

The compiler itself refuses what is not PDF/UA-1; here its claims are looked at from outside.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest

from adapter.documents.characters import clean
from adapter.documents.papers import COMPOSERS
from adapter.documents.view import Drug, Topic
from tests.unit.documents.conftest import ON, pages_of, text_of

GOLDEN = Path(__file__).parents[2] / "golden" / "documents"
LETTER = (612, 792)  # points: 8.5 by 11 inches
HOSTILE = (
    "#strong[x] *bold* _it_ [c] $x^2$ <lab> <b>&amp; \\ \"q\" 'a' `raw` @ref = h // no ~ -- #{1+1} #pagebreak() {name}",
    "= Heading",
    "- item + enum / term: x",
    "#image(\"/etc/passwd\")",
)  # fmt: skip


def opened(pdf):
    return pikepdf.open(BytesIO(pdf))


def roles(pdf):
    """How often each kind of structure element stands in the tree, and the alternate texts of figures."""
    counts, alternates = Counter(), []

    def walk(node):
        if isinstance(node, pikepdf.Array):
            for one in node:
                walk(one)
        elif isinstance(node, pikepdf.Dictionary):
            if "/S" in node:
                counts[str(node.S)] += 1
                if str(node.S) == "/Figure":
                    alternates.append(str(node.Alt))
            if "/K" in node:
                walk(node.K)

    with opened(pdf) as document:
        walk(document.Root.StructTreeRoot.K)
    return counts, alternates


def scopes(pdf):
    """The scopes of all header cells."""
    with opened(pdf) as document:
        found = [one for one in document.objects if isinstance(one, pikepdf.Dictionary) and one.get("/S") == "/TH"]
        attributes = [one.A if isinstance(one.A, pikepdf.Array) else [one.A] for one in found]
        return [str(each.Scope) for group in attributes for each in group if "/Scope" in each]


@pytest.mark.parametrize("kind", COMPOSERS)
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("large_print", [False, True], ids=["regular", "large"])
def test_every_paper_is_tagged_and_says_its_language_and_title(printed, facts, kind, language, large_print):
    pdf = printed(kind, facts, language, large_print)
    with opened(pdf) as document, document.open_metadata() as metadata:
        assert document.Root.MarkInfo.Marked
        assert str(document.Root.Lang).split("-")[0] == language
        assert document.Root.ViewerPreferences.DisplayDocTitle
        assert metadata["{http://www.aiim.org/pdfua/ns/id/}part"] == "1"
        assert metadata["{http://purl.org/dc/elements/1.1/}title"]
    counts, _ = roles(pdf)
    assert counts["/H1"] >= 1
    assert counts["/P"] >= 1


def test_all_fonts_are_embedded_and_of_the_package(printed, facts):
    with opened(printed("summary", facts)) as document:
        fonts = [font for page in document.pages for font in page.Resources.get("/Font", {}).values()]
        assert {str(font.BaseFont).split("+")[1] for font in fonts} == {"LiberationSans", "LiberationSans-Bold"}
        assert all("/FontFile2" in font.DescendantFonts[0].FontDescriptor for font in fonts)


def test_tables_lists_headings_links_and_the_logo_are_what_they_are(printed, facts):
    counts, alternates = roles(printed("summary", facts))
    assert alternates == ["Example Health Plan"]
    assert counts["/Table"] == 4  # three boxes of the to-do list, one list of medications
    assert counts["/TH"] == 3 * 2 + 4
    assert counts["/TR"] == 3 * 2 + 1 + 12 + 3
    assert counts["/H1"] == 3
    assert counts["/Link"] == 3
    assert counts["/LI"] >= 6  # the check boxes are items of lists
    assert set(scopes(printed("summary", facts))) == {"/Column"}


def test_letter_size_with_the_list_in_landscape(printed, facts):
    with opened(printed("summary", replace(facts, sites=()))) as document:
        sizes = [tuple(round(float(side)) for side in page.MediaBox[2:]) for page in document.pages]
    assert sizes[:2] == [LETTER, LETTER]
    assert set(sizes[2:]) == {LETTER[::-1]}


def test_forty_drugs_repeat_the_header_and_split_no_row(printed, facts):
    how = "Take one tablet by mouth every morning with a full glass of water, and call us when you feel dizzy. " * 2
    drugs = tuple(
        Drug(f"drug number {n:02} 10 mg tablet", f"First {n:02}. {how[:185]} Last {n:02}.") for n in range(40)
    )
    pages = pages_of(printed("pml", replace(facts, drugs=drugs)))
    assert len(pages) > 8
    rows = [page for page in pages if "First" in page]
    assert all("Medication List for Maria Elena Santos-Rodríguez, DOB:" in page for page in pages)
    assert all("How I take it" in page for page in rows)
    for n in range(40):
        [page] = [page for page in pages if f"First {n:02}." in page]
        assert f"Last {n:02}." in page


def test_a_row_taller_than_a_page_goes_on_on_the_next(printed, facts):
    topic = Topic("Begin. " + "Very long. " * 600 + "End.", ("Do it.",))
    pages = pages_of(printed("to-do", replace(facts, topics=(topic,))))
    assert "Begin." in pages[0]
    assert any("End." in page for page in pages[1:])


def test_a_box_of_half_a_page_is_not_split(printed, facts):
    """Four and a half of the nine inches: the second box goes to the next page whole."""
    topics = tuple(
        Topic(f"Topic {n}", tuple(f"First {n}." if m == 0 else f"Do {n}." for m in range(11))) for n in range(2)
    )
    pages = pages_of(printed("to-do", replace(facts, topics=topics)))
    assert [page.count("Do 1.") for page in pages] == [0, 10]


def test_no_heading_stands_alone_at_the_foot_of_a_page(printed, facts):
    """The heading above the boxes goes with the first box to the next page."""
    tip = tuple(Topic(f"Topic {n}", tuple(f"Action {n}.{m}" for m in range(8))) for n in range(6))
    for page in pages_of(printed("to-do", replace(facts, topics=tip), large_print=True)):
        lines = [line for line in page.splitlines() if line.strip()]
        body = [line for line in lines if not line.startswith(("H1234", "Page "))]
        assert body[-1] != "My To-Do List"


@pytest.mark.parametrize("large_print", [False, True], ids=["regular", "large"])
def test_no_text_becomes_typst(printed, facts, large_print):
    drugs = tuple(Drug(text, text, text, text) for text in HOSTILE)
    topics = tuple(Topic(text, (text,)) for text in HOSTILE)
    known = replace(
        facts,
        member=replace(facts.member, name=HOSTILE[0]),
        drugs=drugs,
        topics=topics,
        allergies=HOSTILE,
        other=HOSTILE[:1],
    )
    text = text_of(printed("summary", known, large_print=large_print)).replace(" ", "")
    assert [one for one in HOSTILE if text.count(one.replace(" ", "")) < 7] == []  # drug 4, topic 2, allergy 1


def test_long_words_stay_on_the_page_and_whole_where_they_fit(printed, facts):
    word = "Hydrochlorothiazide"
    known = replace(facts, drugs=(Drug("x" * 300, "y" * 100, "z" * 90, "Q" * 60), Drug(word, word)))
    pdf = printed("pml", known)
    text = text_of(pdf).replace(" ", "")
    assert [
        letter for letter, times in zip("xyzQ", (300, 100, 90, 60), strict=True) if text.count(letter) < times
    ] == []
    assert sum(page.count(word) for page in pages_of(pdf)) == 2
    assert sum(page.count(word) for page in pages_of(printed("pml", known, large_print=True))) == 2


def test_words_of_other_scripts_stay_whole_where_they_fit(printed, facts):
    words = ("Παπαδόπουλος", "Александрович", "Nguyễn")
    text = text_of(printed("pml", replace(facts, drugs=tuple(Drug(word, word, word, word) for word in words))))
    assert [text.split().count(word) for word in words] == [4, 4, 4]


def test_the_closing_of_a_letter_is_never_alone_on_a_page(printed, facts):
    """The Spanish invitation of the example is one line too long for its page."""
    pages = pages_of(printed("invitation", facts, "es"))
    assert len(pages) == 2
    assert pages[1].startswith("Si no desea participar")
    assert "Atentamente," in pages[1]


def test_hebrew_with_numbers_keeps_its_order(press, desk, facts):
    """A sentence from right to left stands in marks of its own; without them "20" and "mg" change sides."""
    drug = Drug("a", clean("קח 20 mg בבוקר"))
    data, unshown = press.data(COMPOSERS["pml"](replace(facts, drugs=(drug,)), desk()), False)
    assert unshown == ""
    assert "\u2068קח 20\u00a0mg בבוקר\u2069" in data
    assert "mg" in text_of(press.pdf(data, ON))


def test_large_print_of_the_fax_splits_no_row_and_no_word(printed, facts):
    pages = pages_of(printed("prescriber-fax", facts, "es", large_print=True))
    assert [page.count("No estoy de") for page in pages if "Estoy de" in page] == [
        page.count("Otra:") for page in pages if "Estoy de" in page
    ]
    assert sum(page.count("acuerdo") for page in pages) == 4


def test_equal_papers_are_equal_bytes(printed, facts):
    assert printed("to-do", facts) == printed("to-do", facts)


def test_what_the_fonts_cannot_show_is_told(press, desk, facts):
    known = replace(facts, member=replace(facts.member, name="张伟 😀 שלום"))
    paper = COMPOSERS["to-do"](known, desk())
    data, unshown = press.data(paper, False)
    assert unshown == "张伟😀"
    assert "□□ □ שלום" in text_of(press.pdf(data, ON)) or "□□ □ םולש" in text_of(press.pdf(data, ON))


@pytest.mark.parametrize("kind", COMPOSERS)
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_text_is_that_of_the_golden_file(printed, facts, kind, language):
    """Each page as it is read out; renew with: python -m tests.unit.documents.renew"""
    pages = pages_of(printed(kind, facts, language))
    assert "\f\n".join(pages) + "\n" == (GOLDEN / f"{kind}-{language}.txt").read_text(encoding="utf-8")
