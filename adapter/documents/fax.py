"""The fax to a prescriber: the recommendations of a review, each with a decision to mark and send back."""

from __future__ import annotations

from adapter.documents.blocks import Block, Checks, Entry, Fields, Heading, Paper, Paragraph, Section, Table
from adapter.documents.characters import clean
from adapter.documents.desk import TO_FILL_IN, Desk, Missing
from adapter.documents.view import Facts, Fax

WIDTHS, LARGE_WIDTHS = (2.2, 2.7, 1.6), (2.1, 2.3, 2.1)  # inches of the line
COMMENT_LINES = 2


def prescriber_fax(facts: Facts, desk: Desk) -> Paper:
    """The recommendations, a section for each prescriber. Raises Missing without one, or when the plan has no fax to return to."""
    if not facts.faxes:
        raise Missing("there is no recommendation to a prescriber; record one first")
    if not desk.plan.fax:
        raise Missing("the plan file names no fax for the answer; add fax to it")
    sections = tuple(_section(fax, facts, desk) for fax in facts.faxes)
    return desk.paper("prescriber-fax", desk.texts.plain("fax_title"), sections)


def _section(fax: Fax, facts: Facts, desk: Desk) -> Section:
    texts, plan = desk.texts, clean(desk.plan.name)
    columns = tuple(texts.plain(name) for name in ("fax_about", "fax_recommendation", "fax_decision"))
    choices = Checks(tuple(texts.plain(name) for name in ("fax_agree", "fax_disagree", "fax_other")))
    rows = tuple((one.about, one.recommendation, choices) for one in fax.recommendations)
    blocks: tuple[Block, ...] = (
        Heading(texts.plain("fax_title"), 1, "title"),
        Fields(_head(fax, facts, desk)),
        Paragraph(texts.text("fax_intro", plan=plan)),
        Table(columns, LARGE_WIDTHS if desk.large_print else WIDTHS, rows),
        Entry(texts.plain("fax_comments"), (), COMMENT_LINES),
        Entry(texts.plain("fax_signature"), (), 1),
        Entry(texts.plain("fax_signed_on"), (), 1),
        Paragraph(texts.text("fax_confidential", call=desk.call()), "small"),
    )
    return Section(blocks, footer=desk.footer)


def _head(fax: Fax, facts: Facts, desk: Desk) -> tuple[tuple[str, str], ...]:
    """Whom to and from, about whom. Name and fax of the prescriber are left to fill in when unknown."""
    texts, to = desk.texts, fax.prescriber
    provider = facts.review.provider if facts.review and facts.review.provider else None
    sender = ", ".join(
        dict.fromkeys(part for part in (provider.name if provider else "", clean(desk.plan.name)) if part)
    )
    pairs = (
        ("fax_to", ", ".join(part for part in (to.name, to.organization) if part) or TO_FILL_IN),
        ("fax_from", sender),
        ("fax_fax", to.fax or TO_FILL_IN),
        ("fax_return", clean(desk.plan.fax)),
        ("fax_phone", to.phone),
        ("fax_date", texts.day(desk.on)),
        ("fax_patient", facts.member.name),
        ("fax_birth_date", texts.partial_day(facts.member.birth_date)),
    )
    return tuple((texts.plain(name), value) for name, value in pairs if value)
