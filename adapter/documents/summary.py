"""The written summary of a CMR in CMS's Standardized Format (CMS-10396, 2022 and later): letter, to-do list, medication list.

42 CFR 423.153(d)(1)(vii)(D). Fields, order and sizes follow section 4 of the rules (one published template, standing P).
"""

from __future__ import annotations

import re

from adapter.documents.blocks import (
    Block,
    Boxed,
    Checks,
    Entry,
    Fields,
    Heading,
    Items,
    Letterhead,
    Lines,
    Paper,
    Paragraph,
    Section,
    Table,
)
from adapter.documents.characters import clean
from adapter.documents.desk import NO_BREAK, TO_FILL_IN, Desk, Missing, address_of, prepared_on, words
from adapter.documents.letters import disposal_section
from adapter.documents.view import Drug, Facts, Member, Provider, Review

DRUG_WIDTHS = (2.6, 3.2, 1.8, 1.6)  # inches of the nine that a landscape page has, in proportion
LARGE_DRUG_WIDTHS = (2.9, 2.9, 1.8, 1.6)  # "hydrochlorothiazide" stays whole
BLANK_LIST_ROWS = 15
NOTE_LINES = 3
_NUMBER = re.compile(r"(\d) ([^\W\d])")
NOBODY = Facts(Member("", ""))


def summary(facts: Facts, desk: Desk) -> Paper:
    """Cover letter, Recommended To-Do List, Medication List, and safe disposal when take-back sites are known.

    Raises Missing without a CMR, a reviewed list or an action plan.
    """
    if facts.review is None:
        raise Missing("there is no Comprehensive Medication Review; record or review one first")
    if facts.listed_on and facts.listed_on < facts.review.on:
        raise Missing(
            "the reviewed medication list is older than the last Comprehensive Medication Review; review it first"
        )
    sections: tuple[Section, ...] = (_letter(facts, facts.review, desk), _to_do(facts, desk), _list(facts, desk))
    if facts.sites:
        sections = (*sections, disposal_section(facts, desk))
    return desk.paper("summary", desk.texts.plain("cover_document"), sections)


def to_do_list(facts: Facts, desk: Desk) -> Paper:
    """The Recommended To-Do List by itself. Raises Missing without an action plan."""
    return desk.paper("to-do", desk.texts.plain("to_do_title"), (_to_do(facts, desk),))


def medication_list(facts: Facts, desk: Desk) -> Paper:
    """The Medication List by itself. Raises Missing without a reviewed list."""
    return desk.paper("pml", desk.texts.plain("list_title"), (_list(facts, desk),))


def blank_list(desk: Desk) -> Paper:
    """A Personal Medication List to fill in by hand, for download (42 CFR 423.153(d)(1)(vii) asks for no such page; plans offer it)."""
    texts = desk.texts
    asked = tuple((texts.plain(name), TO_FILL_IN) for name in ("list_name", "list_birth_date", "list_updated"))
    blocks: tuple[Block, ...] = (
        Heading(texts.plain("list_blank_title"), 1, "list_title"),
        Fields(asked),
        Items((texts.text("list_tip_all"), texts.text("list_tip_take"), texts.text("list_tip_change"))),
        _drugs((), desk, BLANK_LIST_ROWS),
        *_below(NOBODY, desk),
    )
    section = Section(blocks, texts.plain("list_blank_header"), desk.footer, landscape=True)
    return desk.paper("blank-pml", texts.plain("list_blank_title"), (section,))


def _letter(facts: Facts, review: Review, desk: Desk) -> Section:
    texts, member = desk.texts, facts.member
    provider = review.provider or _of_plan(desk)
    enclosed = [texts.text("cover_to_do"), texts.text("cover_list")]
    if facts.sites:
        enclosed.append(texts.text("cover_disposal"))
    blocks: tuple[Block, ...] = (
        Letterhead(desk.letterhead, texts.day(desk.on)),
        address_of(member),
        Paragraph(words(texts.plain("salutation", name=member.name))),
        Paragraph(texts.text("cover_thanks", date=texts.day(review.on))),
        Paragraph(texts.text("cover_enclosed")),
        Items(tuple(enclosed), numbered=True),
        Paragraph(texts.text("cover_contact", provider=provider.name, call=desk.call(provider.phone))),
        Paragraph(texts.text("cover_closing"), held=True),
        Lines(_signed(provider, desk), texts.plain("sign_off")),
        Boxed(texts.text("paperwork")),
    )
    footer = " | ".join(part for part in (texts.plain("form_number"), desk.footer) if part)
    return Section(blocks, footer=footer)


def _signed(provider: Provider, desk: Desk) -> tuple[str, ...]:
    """Name, title and organization of who signs, those that are known."""
    organization = provider.organization or clean(desk.plan.organization)
    return tuple(line for line in (provider.name, provider.title, organization) if line)


def _of_plan(desk: Desk) -> Provider:
    """Who signs when no practitioner is named: the plan's own provider, else the plan."""
    plan = desk.plan
    return Provider(
        clean(plan.provider or plan.name), clean(plan.provider_title), clean(plan.organization or plan.name)
    )


def _to_do(facts: Facts, desk: Desk) -> Section:
    if facts.topics is None:
        raise Missing("there is no action plan of a review; review the beneficiary first")
    texts = desk.texts
    columns = (texts.plain("to_do_topic"), texts.plain("to_do_action"))
    boxes: list[Block] = [Table(columns, (1, 1), ((topic.topic, Checks(topic.actions)),)) for topic in facts.topics]
    blocks: tuple[Block, ...] = (
        Heading(texts.plain("to_do_title"), 1, "title"),
        prepared_on(desk),
        Paragraph(texts.text("to_do_intro"), "intro"),
        Paragraph(texts.text("to_do_tip")),
        Heading(texts.plain("to_do_heading"), 2, "heading"),
        *(boxes or [Paragraph(texts.text("to_do_none"))]),
    )
    return Section(blocks, desk.inner_header(texts.plain("to_do_title"), facts.member), desk.footer)


def _list(facts: Facts, desk: Desk) -> Section:
    if facts.drugs is None:
        raise Missing("there is no reviewed medication list; review the beneficiary first")
    if facts.lost_drugs:
        raise Missing(f"the source does not hold {facts.lost_drugs} of the statements that the reviewed list points at")
    texts = desk.texts
    blocks: tuple[Block, ...] = (
        Heading(texts.plain("list_title"), 1, "list_title"),
        prepared_on(desk),
        Items((texts.text("list_tip_take"), texts.text("list_tip_change"))),
        _drugs(facts.drugs, desk, desk.plan.blank_rows),
        *_below(facts, desk),
    )
    header = desk.inner_header(texts.plain("list_title"), facts.member)
    return Section(blocks, header, desk.footer, landscape=True)


def _drugs(drugs: tuple[Drug, ...], desk: Desk, blank: int) -> Table:
    names = ("list_medication", "list_how", "list_why", "list_prescriber")
    columns = tuple(desk.texts.plain(name) for name in names)
    rows = tuple((_held(drug.name), _held(drug.how), drug.why, drug.prescriber) for drug in drugs)
    return Table(columns, LARGE_DRUG_WIDTHS if desk.large_print else DRUG_WIDTHS, rows, blank)


def _below(facts: Facts, desk: Desk) -> tuple[Block, ...]:
    """What stands below the table. What is not known is left to fill in: nothing here says "none"."""
    entries = (
        ("list_allergies", facts.allergies),
        ("list_side_effects", facts.side_effects),
        ("list_other", facts.other),
    )
    known = tuple(Entry(desk.texts.plain(name), values, 0 if values else 1) for name, values in entries)
    return (*known, Entry(desk.texts.plain("list_notes"), (), NOTE_LINES))


def _held(text: str) -> str:
    """``text`` with each number held to the word behind it: "5" at the end of a line and "mg" on the next is read wrongly."""
    return _NUMBER.sub(rf"\1{NO_BREAK}\2", text)
