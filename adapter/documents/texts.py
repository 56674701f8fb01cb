"""The texts of the papers in one language, read strictly from ``mappings/documents/*.toml``, and filled in.

Only the texts of that file are read for markup (**bold**, <address>), before anything is filled in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from string import Formatter
from typing import Any, Literal

import msgspec

from adapter.documents import strict
from adapter.documents.blocks import Span, Text
from adapter.errors import Fault, MappingError
from adapter.mappings.extended import read_toml

Language = Literal["en", "es"]
LANGUAGES: tuple[Language, ...] = ("en", "es")
Standing = Literal["V", "P+", "P", "U"]

# The texts that the papers use, and what each may name in braces.
NEEDED: Mapping[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "inner_header": "section name date", "prepared_on": "date", "salutation": "name", "sign_off": "",
        "call": "phone hours tty", "page": "page pages", "form_number": "", "to_fill_in": "",
        "cover_thanks": "date", "cover_contact": "provider call", "cover_document": "", "cover_enclosed": "", "cover_to_do": "",
        "cover_list": "", "cover_disposal": "", "cover_closing": "", "paperwork": "",
        "to_do_title": "", "to_do_heading": "", "to_do_topic": "", "to_do_action": "", "to_do_intro": "", "to_do_tip": "",
        "to_do_none": "",
        "list_title": "", "list_medication": "", "list_how": "", "list_why": "", "list_prescriber": "", "list_allergies": "",
        "list_side_effects": "", "list_other": "", "list_notes": "", "list_blank_header": "", "list_blank_title": "",
        "list_tip_take": "", "list_tip_change": "", "list_tip_all": "", "list_name": "", "list_birth_date": "", "list_updated": "",
        "disposal_title": "", "disposal_section": "",
        "disposal_soon_title": "", "disposal_soon": "", "disposal_sites_title": "", "disposal_sites": "",
        "disposal_search": "", "disposal_mail_title": "", "disposal_mail": "", "disposal_home_title": "", "disposal_home": "",
        "disposal_home_mix": "", "disposal_home_seal": "", "disposal_home_trash": "", "disposal_home_label": "",
        "disposal_flush": "", "disposal_kit": "", "disposal_more_title": "", "disposal_more": "",
        "disposal_questions": "plan call",
        "invitation_title": "", "invitation_enrolled": "plan date", "invitation_free": "", "invitation_services_title": "",
        "invitation_cmr": "", "invitation_tmr": "", "invitation_disposal": "", "invitation_next_title": "",
        "invitation_next": "call", "invitation_opt_out_title": "", "invitation_opt_out": "call",
        "fax_title": "", "fax_to": "", "fax_from": "", "fax_fax": "", "fax_phone": "", "fax_return": "", "fax_date": "",
        "fax_patient": "", "fax_birth_date": "", "fax_intro": "plan", "fax_about": "", "fax_recommendation": "",
        "fax_decision": "", "fax_agree": "", "fax_disagree": "", "fax_other": "", "fax_comments": "", "fax_signature": "",
        "fax_signed_on": "", "fax_confidential": "call",
    }.items()
}  # fmt: skip
_MARKUP = re.compile(r"\*\*(?P<bold>.+?)\*\*|<(?P<link>https?://[^<>\s]+)>")


class Format(strict.Strict, frozen=True):
    """How dates are written: ``date`` with month, day and year, ``month`` with month and year."""

    date: str
    month: str
    months: list[str]


class Group(strict.Strict, frozen=True):
    """Texts of one standing and source."""

    standing: Standing
    source: str
    texts: dict[str, str]


class _File(strict.Strict, frozen=True):
    language: Language
    title: str
    version: str
    format: Format
    group: list[Group]


@dataclass(frozen=True)
class Texts:
    """The texts of one language."""

    language: Language
    version: str
    format: Format
    texts: Mapping[str, str]
    standings: Mapping[str, Standing]

    def plain(self, name: str, /, **values: str) -> str:
        """The text without markup, filled in."""
        return "".join(span.text for span in self.text(name, **values))

    def text(self, name: str, /, **values: str) -> Text:
        """The text as spans, filled in. What is filled in stands as it is, never read as markup."""
        return tuple(Span(_filled(span.text, values), span.bold, span.link) for span in self._spans[name])

    @cached_property
    def _spans(self) -> dict[str, Text]:
        return {name: spans(text) for name, text in self.texts.items()}

    def day(self, on: date) -> str:
        """A day in full, such as March 5, 2026."""
        return self.format.date.format(month=self.format.months[on.month - 1], day=on.day, year=on.year)

    def partial_day(self, on: str) -> str:
        """A FHIR date (YYYY, YYYY-MM or YYYY-MM-DD) as precise as it is; "" for none."""
        if len(on) == 10:
            return self.day(date.fromisoformat(on))
        if len(on) == 7:
            return self.format.month.format(month=self.format.months[int(on[5:]) - 1], year=on[:4])
        return on

    def unverified(self) -> list[str]:
        """The names of the texts whose wording was not read in an official text, in order."""
        return sorted(name for name, standing in self.standings.items() if standing != "V")


def spans(text: str) -> Text:
    """``text`` of a language file split at its markup: **bold** and <address>."""
    found: list[Span] = []
    end = 0
    for match in _MARKUP.finditer(text):
        found.append(Span(text[end : match.start()]))
        bold, link = match["bold"], match["link"]
        found.append(Span(bold, bold=True) if bold else Span(link, link=link))
        end = match.end()
    found.append(Span(text[end:]))
    return tuple(span for span in found if span.text)


def _filled(text: str, values: Mapping[str, str]) -> str:
    return text.format(**values) if "{" in text else text


def load_texts(language: str, folder: Path) -> Texts:
    """The texts of ``language`` from ``folder``. Raises MappingError with every fault of the file."""
    path = folder / f"{language}.toml"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in folder.glob("*.toml"))) or "none"
        raise MappingError(
            [Fault(f"documents/{path.name}", "", f"there are no texts in {language!r}; known are: {known}")]
        )
    raw = read_toml(path)
    faults = strict.faults(raw, _File)
    file = msgspec.convert(raw, _File) if not faults else None
    faults = faults or _faults(file, language)
    if file is None or faults:
        raise MappingError([Fault(f"documents/{path.name}", place, fault) for place, fault in faults])
    texts = {name: text for group in file.group for name, text in group.texts.items()}
    standings = {name: group.standing for group in file.group for name in group.texts}
    return Texts(file.language, file.version, file.format, texts, standings)


def _faults(file: Any, language: str) -> list[tuple[str, str]]:
    """What is missing, stands twice, is known by no paper, or names what is not filled in."""
    faults = [] if file.language == language else [("language", f"the file is named {language}; say so here")]
    if len(file.format.months) != 12:
        faults.append(("format.months", f"there are {len(file.format.months)} months; name twelve"))
    faults += _field_faults("format.date", file.format.date, frozenset(("month", "day", "year")))
    faults += _field_faults("format.month", file.format.month, frozenset(("month", "year")))
    names = [name for group in file.group for name in group.texts]
    faults += [(name, "the text is missing; add it") for name in NEEDED if name not in names]
    faults += [(name, "no paper uses such a text; correct its name") for name in names if name not in NEEDED]
    faults += [(name, "the text stands twice; keep one") for name in sorted(set(names)) if names.count(name) > 1]
    for group in file.group:
        for name, text in group.texts.items():
            faults += _field_faults(name, text, NEEDED.get(name, frozenset()))
    return faults


def _field_faults(name: str, text: str, allowed: frozenset[str]) -> list[tuple[str, str]]:
    try:
        fields = {field for _, field, _, _ in Formatter().parse(text) if field is not None}
    except ValueError as error:
        return [(name, f"the braces do not pair ({error}); write each name as {{name}}")]
    known = ", ".join(sorted(allowed)) or "none"
    faults = [
        (name, f"{{{field}}} is not filled in here; known are: {known}")
        for field in sorted(fields)
        if field not in allowed
    ]
    missing = [(name, f"the text does not name {{{field}}}; add it") for field in sorted(allowed - fields)]
    return faults + missing
