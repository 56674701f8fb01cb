"""The papers as HTML: valid structure, nothing of a text is markup, nothing is loaded."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from lxml import html as lxml_html

from adapter.documents.html import html
from adapter.documents.papers import COMPOSERS
from adapter.documents.summary import blank_list
from adapter.documents.texts import LANGUAGES
from adapter.documents.view import Drug, Topic

HOSTILE = "<script>alert(1)</script> <b> &amp; \" ' #x *y* $z$ \\ 😀"


@pytest.fixture(scope="module")
def page(desk):
    def of(kind, facts, language="en", **more):
        return lxml_html.document_fromstring(html(COMPOSERS[kind](facts, desk(language)), **more))

    return of


@pytest.mark.parametrize("kind", COMPOSERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_paper_has_a_language_a_title_and_one_first_heading(page, facts, kind, language):
    root = page(kind, facts, language)
    assert root.get("lang") == language
    assert root.findtext(".//title")
    assert len(root.findall(".//h1")) == 1
    levels = [int(one.tag[1]) for one in root.iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert root.findall(".//script") == []
    assert [one.get("src") for one in root.iter("img") if not one.get("src").startswith("data:")] == []


def test_tables_have_scopes(page, facts):
    root = page("pml", facts)
    [table] = root.findall(".//table")
    assert [one.get("scope") for one in table.find("thead").iter("th")] == ["col"] * 4
    rows = table.find("tbody").findall("tr")
    assert [row[0].get("scope") for row in rows if row.get("class") != "blank"] == ["row"] * 12
    blank = [row for row in rows if row.get("class") == "blank"]
    assert len(blank) == 3
    assert blank[0].text_content() == "(to fill in)"


def test_no_text_becomes_markup(page, facts):
    hostile = replace(
        facts,
        member=replace(facts.member, name=HOSTILE),
        drugs=(Drug(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        topics=(Topic(HOSTILE, (HOSTILE,)),),
        allergies=(HOSTILE, HOSTILE + "2"),
    )
    root = page("summary", hostile)
    assert root.findall(".//script") == root.findall(".//b") == []
    assert root.text_content().count(HOSTILE) == 13  # letter 2, headers 3, drug 4, topic 2, allergies 2


def test_logo_large_print_and_links(page, facts, desk):
    root = page("invitation", facts, logo="data:image/png;base64,AA==", large_print=True)
    [picture] = root.findall(".//img")
    assert (picture.get("alt"), picture.get("src")) == ("Example Health Plan", "data:image/png;base64,AA==")
    assert root.find("body").get("class") == "large"
    links = page("safe-disposal", facts).findall(".//a")
    assert [one.get("href") == one.text_content() for one in links] == [True] * 3


def test_check_boxes_have_labels(page, facts):
    boxes = page("to-do", facts).findall(".//label/input")
    assert [one.get("type") for one in boxes] == ["checkbox"] * 6
    assert boxes[0].getparent().text_content() == "Take lisinopril every morning, also on days when you feel well."


def test_lines_to_write_on_are_told_to_those_who_do_not_see_them(desk):
    root = lxml_html.document_fromstring(html(blank_list(desk("es"))))
    assert root.text_content().count("(para completar)") == 15 + 3 + 3 + 3
