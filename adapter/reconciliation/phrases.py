"""Numbers, spans of time, days and lists in words, in English and Spanish."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from adapter.reconciliation.words import MONTHS, PHRASES, TIMES, Language

_FRACTIONS = {Decimal("0.25"): "¼", Decimal("0.5"): "½", Decimal("0.75"): "¾"}
_TIME_UNITS = {
    "sec": "s", "second": "s", "minute": "min", "hour": "h", "hr": "h", "day": "d", "week": "wk", "month": "mo", "year": "a", "yr": "a",
}  # fmt: skip


def number(value: Any, language: Language, halves: bool = False) -> str:
    """A number as a member reads it, without zeros at the end; with ``halves`` quarters and halves as fractions: "1½".

    US usage in both languages: a point for decimals, a comma for thousands.
    """
    amount = Decimal(str(value))
    whole = amount.to_integral_value(rounding="ROUND_FLOOR")
    if halves and (fraction := _FRACTIONS.get(amount - whole)):
        return f"{whole}{fraction}" if whole else fraction
    text = f"{amount.normalize():f}"
    head, point, tail = text.partition(".")
    return f"{int(head):,}{point}{tail}" if len(head) > 4 else text


def time_unit(code: str) -> str:
    """The UCUM code of a unit of time however it is written (hours, hr, h); the text itself when it is none."""
    plain = code.strip().lower()
    if plain in TIMES["en"]:
        return plain
    return _TIME_UNITS.get(plain.removesuffix("s"), code)


def time_span(value: Any, code: str, language: Language) -> str:
    """A span of time: "8 hours", "1 day", "10 días". A day of 24 hours is told in hours, as labels do."""
    one, many = TIMES[language].get(time_unit(code), (code, code))
    if time_unit(code) == "d" and Decimal(str(value)) == 1:
        one, many = TIMES[language]["h"]
        value = 24
    return f"{number(value, language)} {one if Decimal(str(value)) == 1 else many}"


def time_each(value: Any, code: str, language: Language) -> str:
    """A span of time behind "per": "hour", "2 hours"."""
    return (
        TIMES[language].get(time_unit(code), (code, code))[0]
        if Decimal(str(value)) == 1
        else duration(value, code, language)
    )


def duration(value: Any, code: str, language: Language) -> str:
    """A duration as it is told: "1 day" stays a day."""
    one, many = TIMES[language].get(time_unit(code), (code, code))
    return f"{number(value, language)} {one if Decimal(str(value)) == 1 else many}"


def day(text: str, language: Language) -> str:
    """A FHIR date in words, in its own precision: "January 15, 2023", "enero de 2023"; the text itself when it is no date."""
    match = re.match(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", text)
    if match is None or not 1 <= int(match[2] or 1) <= 12:
        return text
    year, month = match[1], MONTHS[language][int(match[2]) - 1] if match[2] else ""
    if not month:
        return year
    if language == "en":
        return f"{month} {int(match[3])}, {year}" if match[3] else f"{month} {year}"
    return f"el {int(match[3])} de {month} de {year}" if match[3] else f"{month} de {year}"


def listed(items: Sequence[str], language: Language) -> str:
    """ "a", "a and b", "a, b and c"; "a, b y c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {PHRASES[language]['and']} {items[-1]}"
