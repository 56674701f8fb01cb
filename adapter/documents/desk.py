"""What every paper is made with, the same for every member: the plan, the texts of one language, the day on the paper."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from adapter.documents.blocks import Block, Lines, Paper, Paragraph, Section, Span, Text
from adapter.documents.characters import clean
from adapter.documents.plan import Plan
from adapter.documents.texts import Texts
from adapter.documents.view import Member


class Missing(Exception):
    """The facts of a member do not carry the paper that was asked for; the text says what is missing."""


TO_FILL_IN = " "  # a value that is not known is a line to write on
NO_BREAK = "\u00a0"
_CLOCK = re.compile(r"\d [ap](m|\.? ?m\.?)", re.IGNORECASE)  # 8 a.m., 8 pm, 8 a. m.: on one line


@dataclass(frozen=True)
class Desk:
    """What is the same for every member: the plan, the texts of a language, the day on the paper, whether it is large print."""

    plan: Plan
    texts: Texts
    on: date
    large_print: bool = False

    @property
    def language(self) -> str:
        return self.texts.language

    @property
    def hours(self) -> str:
        return _CLOCK.sub(lambda time: time[0].replace(" ", NO_BREAK), clean(self.plan.hours[self.language]))

    def call(self, phone: str = "") -> str:
        """The phone with its hours and TTY, as sentences name it."""
        tty, own = clean(self.plan.tty), clean(self.plan.phone)
        return self.texts.plain("call", phone=phone or own, hours=self.hours, tty=tty)

    @property
    def letterhead(self) -> tuple[str, ...]:
        return (clean(self.plan.name), *(clean(line) for line in self.plan.address))

    @property
    def footer(self) -> str:
        return clean(self.plan.material_id)

    def paper(self, kind: str, title: str, sections: tuple[Section, ...]) -> Paper:
        plan, texts = self.plan, self.texts
        fill_in = texts.plain("to_fill_in")
        logo = clean(plan.logo_alt[self.language]) if plan.logo else ""
        return Paper(kind, self.language, title, clean(plan.name), texts.texts["page"], fill_in, sections, logo)

    def inner_header(self, section: str, member: Member) -> str:
        """ "<section> for {name}, DOB: {date}": what stands on each inner page."""
        born = (self.texts.partial_day(member.birth_date) or "—").replace(" ", NO_BREAK)
        return self.texts.plain("inner_header", section=section, name=member.name, date=born)


def words(text: str, bold: bool = False) -> Text:
    """A text without markup."""
    return (Span(text, bold),)


def prepared_on(desk: Desk) -> Block:
    """The line "Prepared on:"."""
    return Paragraph(words(desk.texts.plain("prepared_on", date=desk.texts.day(desk.on))))


def address_of(member: Member) -> Block:
    """Name and address of the member, as an envelope with a window shows them."""
    return Lines((member.name, *member.address))
