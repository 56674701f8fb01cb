"""The invitation to the program and the information on safe disposal."""

from __future__ import annotations

from adapter.documents.blocks import Block, Heading, Items, Letterhead, Lines, Paper, Paragraph, Section, Text
from adapter.documents.characters import clean
from adapter.documents.desk import Desk, Missing, address_of, prepared_on, words
from adapter.documents.view import Facts, Site

FEWEST_SITES = 2  # 42 CFR 422.111(j)(4): "the location of two or more take back sites"


def invitation(facts: Facts, desk: Desk) -> Paper:
    """The letter that tells a member of the enrollment: automatic, free, what it brings, how to leave.

    42 CFR 423.153(d)(1)(v): enrollment is by opt-out only. Raises Missing without an enrollment.
    """
    if facts.enrolled_on is None:
        raise Missing("there is no enrollment with a day that it began on; screen and write the enrollment first")
    texts, call, plan = desk.texts, desk.call(), clean(desk.plan.name)
    services = ("invitation_cmr", "invitation_tmr", "invitation_disposal")
    blocks: tuple[Block, ...] = (
        Letterhead(desk.letterhead, texts.day(desk.on)),
        address_of(facts.member),
        Heading(texts.plain("invitation_title"), 1, "title"),
        Paragraph(words(texts.plain("salutation", name=facts.member.name))),
        Paragraph(texts.text("invitation_enrolled", plan=plan, date=texts.day(facts.enrolled_on))),
        Paragraph(texts.text("invitation_free")),
        Heading(texts.plain("invitation_services_title"), 2, "heading"),
        Items(tuple(texts.text(name) for name in services)),
        Heading(texts.plain("invitation_next_title"), 2, "heading"),
        Paragraph(texts.text("invitation_next", call=call)),
        Heading(texts.plain("invitation_opt_out_title"), 2, "heading"),
        Paragraph(texts.text("invitation_opt_out", call=call), held=True),
        Lines((texts.plain("sign_off"), plan)),
    )
    return desk.paper("invitation", texts.plain("invitation_title"), (Section(blocks, footer=desk.footer),))


def safe_disposal(facts: Facts, desk: Desk) -> Paper:
    """The information on safe disposal by itself. Raises Missing with fewer than two take-back sites."""
    return desk.paper("safe-disposal", desk.texts.plain("disposal_title"), (disposal_section(facts, desk),))


def disposal_section(facts: Facts, desk: Desk) -> Section:
    """All that 42 CFR 422.111(j)(1) to (6) asks for. Raises Missing with fewer than two take-back sites."""
    if len(facts.sites) < FEWEST_SITES:
        raise Missing(
            f"{len(facts.sites)} take-back sites are known in the community of the member, and 42 CFR 422.111(j)(4) asks for"
            f" {FEWEST_SITES}; add them to the file of --sites"
        )
    texts = desk.texts
    blocks: tuple[Block, ...] = (
        Heading(texts.plain("disposal_title"), 1, "list_title"),
        prepared_on(desk),
        _about(desk, "disposal_soon_title"),
        Paragraph(texts.text("disposal_soon")),  # (j)(1)
        _about(desk, "disposal_sites_title"),
        Paragraph(texts.text("disposal_sites")),  # (j)(3)
        Items(tuple(_site(site) for site in facts.sites)),  # (j)(4)
        Paragraph(texts.text("disposal_search")),  # (j)(2), the search page
        _about(desk, "disposal_mail_title"),
        Paragraph(texts.text("disposal_mail")),  # (j)(2), mailing back
        *_at_home(desk),
        _about(desk, "disposal_more_title"),
        Paragraph(texts.text("disposal_more")),  # (j)(6)
        Paragraph(texts.text("disposal_questions", plan=clean(desk.plan.name), call=desk.call())),
    )
    return Section(blocks, desk.inner_header(texts.plain("disposal_section"), facts.member), desk.footer)


def _at_home(desk: Desk) -> tuple[Block, ...]:
    """(j)(5): disposal at home, personal information, and kits where the plan offers them."""
    texts = desk.texts
    steps = ("disposal_home_mix", "disposal_home_seal", "disposal_home_trash", "disposal_home_label")
    kit = (Paragraph(texts.text("disposal_kit")),) if desk.plan.deactivation_kit else ()
    return (
        _about(desk, "disposal_home_title"),
        Paragraph(texts.text("disposal_home")),
        Items(tuple(texts.text(name) for name in steps), numbered=True),
        Paragraph(texts.text("disposal_flush")),
        *kit,
    )


def _about(desk: Desk, name: str) -> Heading:
    return Heading(desk.texts.plain(name), 2, "heading")


def _site(site: Site) -> Text:
    more = ", ".join(part for part in (site.address, site.phone, site.hours) if part)
    return (*words(site.name, bold=True), *words(f", {more}" if more else ""))
