"""What each paper says, as blocks; what it is refused for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from adapter.documents.blocks import Boxed, Checks, Entry, Fields, Heading, Items, Lines, Paragraph, Table
from adapter.documents.desk import Missing
from adapter.documents.papers import COMPOSERS
from adapter.documents.summary import blank_list
from adapter.documents.texts import LANGUAGES
from adapter.documents.view import Drug, Facts, Fax, Member, Prescriber, Recommendation, Review, Site, Topic

NOBODY = Facts(Member("p", "Ann Lee"))
SITES = (Site("One", "1 Street"), Site("Two", "2 Street", "555-0102", "always"))


def said(paper):
    """All running text of a paper."""
    found = []
    for section in paper.sections:
        for block in section.blocks:
            match block:
                case Paragraph() | Boxed():
                    found.append("".join(span.text for span in block.text))
                case Items():
                    found += ["".join(span.text for span in item) for item in block.items]
                case Heading():
                    found.append(block.text)
    return found


def blocks(paper, kind):
    return [block for section in paper.sections for block in section.blocks if isinstance(block, kind)]


def test_the_summary_is_letter_to_do_list_and_medication_list(facts, desk):
    """Order, orientation and headers of CMS-10396 (reference/cms-rules.md section 4)."""
    paper = COMPOSERS["summary"](replace(facts, sites=()), desk())
    assert [section.landscape for section in paper.sections] == [False, False, True]
    born = "March\u00a014,\u00a01950"
    assert [section.header for section in paper.sections] == [
        "",
        f"Recommended To-Do List for Maria Elena Santos-Rodríguez, DOB: {born}",
        f"Medication List for Maria Elena Santos-Rodríguez, DOB: {born}",
    ]
    assert [(one.text, one.level, one.size) for one in blocks(paper, Heading)] == [
        ("Recommended To-Do List", 1, "title"),
        ("My To-Do List", 2, "heading"),
        ("Medication List", 1, "list_title"),
    ]
    letter = paper.sections[0].blocks
    assert isinstance(letter[-1], Boxed)
    assert "0938-1154" in letter[-1].text[0].text
    assert "40 minutes" in letter[-1].text[0].text


@pytest.mark.parametrize(
    ("told", "held"),
    [
        ("Mon to Fri, 8 a.m. to 8 p.m.", "Mon to Fri, 8~a.m. to 8~p.m."),
        ("de 8 a. m. a 8:30 p. m.", "de 8~a.~m. a 8:30~p.~m."),
        ("8 AM - 8 pm, every day", "8~AM - 8~pm, every day"),
        ("open 7 days a month", "open 7 days a month"),
    ],
)
def test_a_time_of_the_day_is_never_split(desk, told, held):
    assert desk("en", hours={"en": told}).hours == held.replace("~", "\u00a0")


def test_the_letter_names_review_enclosures_contact_and_signer(facts, desk):
    paper = COMPOSERS["summary"](replace(facts, sites=()), desk())
    text = " ".join(said(paper))
    assert "on March 2, 2026 about your health" in text
    call = "call Susan Lee, PharmD at 1-800-555-0177, Monday to Friday, 8\u00a0a.m. to 8\u00a0p.m. (TTY users: 711)"
    assert call in text
    [enclosed] = [one for one in blocks(paper, Items) if one.numbered]
    assert len(enclosed.items) == 2
    signed = blocks(paper, Lines)[-1]
    assert signed == Lines(("Susan Lee, PharmD", "Clinical Pharmacist", "Example MTM Pharmacists"), "Sincerely,")


def test_the_plan_signs_when_nobody_else_is_named(facts, desk):
    alone = replace(facts, review=Review(date(2026, 3, 2)), sites=())
    assert blocks(COMPOSERS["summary"](alone, desk()), Lines)[-1].lines == ("MTM Pharmacy Team", "Example Health Plan")
    bare = desk(provider="", organization="")
    assert blocks(COMPOSERS["summary"](alone, bare), Lines)[-1].lines[0] == "Example Health Plan (HMO)"


def test_with_sites_the_summary_encloses_safe_disposal(facts, desk):
    paper = COMPOSERS["summary"](facts, desk())
    assert len(paper.sections) == 4
    [enclosed] = [one for one in blocks(paper, Items) if one.numbered and len(one.items) == 3]
    assert enclosed.items[2][0].text == "How to Safely Dispose of Unused Prescription Medications"


def test_a_topic_is_one_box_with_check_boxes(desk):
    known = replace(NOBODY, topics=(Topic("Pain", ("Rest.", "Ice.")), Topic("Sleep", ())))
    assert blocks(COMPOSERS["to-do"](known, desk("es")), Table) == [
        Table(("Acerca de lo que hablamos:", "Lo que debo hacer:"), (1, 1), (("Pain", Checks(("Rest.", "Ice."))),)),
        Table(("Acerca de lo que hablamos:", "Lo que debo hacer:"), (1, 1), (("Sleep", Checks(())),)),
    ]


def test_no_topic_is_said_and_no_plan_is_refused(desk):
    paper = COMPOSERS["to-do"](replace(NOBODY, topics=()), desk())
    assert "We did not find anything" in said(paper)[-1]
    with pytest.raises(Missing, match="there is no action plan"):
        COMPOSERS["to-do"](NOBODY, desk())


def test_the_list_has_a_row_a_drug_and_empty_rows(desk):
    known = replace(NOBODY, drugs=(Drug("warfarin 5 mg tablet", "Take 1 tablet", "", "Dr. A"),))
    [table] = blocks(COMPOSERS["pml"](known, desk(blank_rows=5)), Table)
    assert table.columns == ("Medication", "How I take it", "Why I use it", "Prescriber")
    assert table.rows == (
        ("warfarin 5\u00a0mg tablet", "Take 1\u00a0tablet", "", "Dr. A"),
    )  # a number and its unit stay together
    assert table.blank == 5


def test_what_is_not_known_is_left_to_fill_in(desk):
    known = replace(NOBODY, drugs=(), allergies=("Penicillin (hives)",))
    entries = blocks(COMPOSERS["pml"](known, desk()), Entry)
    assert [(one.values, one.blank) for one in entries] == [(("Penicillin (hives)",), 0), ((), 1), ((), 1), ((), 3)]
    assert COMPOSERS["pml"](known, desk()).sections[0].header == "Medication List for Ann Lee, DOB: —"


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("pml", {}, "there is no reviewed medication list"),
        ("pml", {"drugs": (), "lost_drugs": 2}, "does not hold 2 of the statements"),
        ("summary", {"drugs": (), "topics": ()}, "there is no Comprehensive Medication Review"),
        ("summary", {"review": Review(date(2026, 3, 2)), "topics": ()}, "there is no reviewed medication list"),
        ("summary", {"review": Review(date(2026, 3, 2)), "drugs": ()}, "there is no action plan"),
        (
            "summary",
            {"review": Review(date(2026, 3, 2)), "drugs": (), "topics": (), "listed_on": date(2026, 3, 1)},
            "list is older than the last Comprehensive Medication Review",
        ),
        ("invitation", {}, "there is no enrollment"),
        ("safe-disposal", {"sites": SITES[:1]}, "1 take-back sites are known"),
        ("prescriber-fax", {}, "there is no recommendation"),
    ],
)
def test_a_paper_that_the_facts_do_not_carry_is_refused(desk, kind, changes, reason):
    with pytest.raises(Missing, match=reason) as raised:
        COMPOSERS[kind](replace(NOBODY, **changes), desk())
    assert "Ann" not in str(raised.value)


def test_a_list_of_the_day_of_the_review_is_not_older(facts, desk):
    known = replace(facts, listed_on=facts.review.on)
    assert COMPOSERS["summary"](known, desk()).kind == "summary"


@pytest.mark.parametrize("language", LANGUAGES)
def test_safe_disposal_says_all_that_the_rule_asks_for(desk, language):
    """42 CFR 422.111(j)(1) to (6)."""
    known = replace(NOBODY, sites=SITES)
    paper = COMPOSERS["safe-disposal"](known, desk(language))
    links = {span.link for block in blocks(paper, Paragraph) for span in block.text if span.link}
    assert links == {
        "https://www.deatakeback.com",
        "https://apps2.deadiversion.usdoj.gov/pubdispsearch/spring/main?execution=e2s1",
        "https://www.hhs.gov/opioids/prevention/safely-dispose-drugs/index.html",
    }
    text = " ".join(said(paper))
    words = {
        "en": (
            "as soon as possible",
            "preferred way",
            "mail unused prescription",
            "trash",
            "Flush",
            "personal information",
            "a kit",
        ),
        "es": (
            "lo antes posible",
            "forma preferida",
            "por correo",
            "basura",
            "inodoro",
            "información personal",
            "un producto",
        ),
    }
    assert [word for word in words[language] if word not in text] == []
    assert "One, 1 Street" in text
    assert "Two, 2 Street, 555-0102, always" in text
    without = " ".join(said(COMPOSERS["safe-disposal"](known, desk(language, deactivation_kit=False))))
    assert words[language][-1] not in without


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_invitation_tells_of_enrollment_price_and_opt_out(facts, desk, language):
    """42 CFR 423.153(d)(1)(v): opt-out only."""
    text = " ".join(said(COMPOSERS["invitation"](facts, desk(language))))
    words = {
        "en": ("automatically on February 1, 2026", "The program is free.", "You can leave the program at any time"),
        "es": (
            "automáticamente el 1 de febrero de 2026",
            "El programa es gratis.",
            "dejar el programa en cualquier momento",
        ),
    }
    assert [word for word in words[language] if word not in text] == []
    assert text.count("1-800-555-0100") == 2


def test_the_fax_has_a_section_for_each_prescriber_and_lines_for_what_is_unknown(desk):
    told = (Recommendation("No statin", "Consider one"),)
    known = replace(NOBODY, faxes=(Fax(Prescriber("Dr. A", "Clinic", "1", "2"), told), Fax(Prescriber(""), told)))
    paper = COMPOSERS["prescriber-fax"](known, desk())
    assert len(paper.sections) == 2
    one, other = blocks(paper, Fields)
    assert ("To:", "Dr. A, Clinic") in one.pairs
    assert ("Return by fax to:", "1-800-555-0101") in one.pairs
    assert ("To:", " ") in other.pairs
    assert ("Fax:", " ") in other.pairs
    decisions = Checks(("I agree", "I do not agree", "Other:"))
    assert blocks(paper, Table)[0].rows == (("No statin", "Consider one", decisions),)


def test_a_fax_needs_a_number_to_return_it_to(desk):
    known = replace(NOBODY, faxes=(Fax(Prescriber("Dr. A"), (Recommendation("", "x"),)),))
    with pytest.raises(Missing, match="add fax"):
        COMPOSERS["prescriber-fax"](known, desk(fax=""))


def test_the_blank_list_names_nobody(desk):
    paper = blank_list(desk())
    [table] = blocks(paper, Table)
    assert (table.rows, table.blank) == ((), 15)
    [fields] = blocks(paper, Fields)
    assert {value for _, value in fields.pairs} == {" "}
    assert paper.sections[0].landscape
