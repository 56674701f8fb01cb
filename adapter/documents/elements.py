"""Elements of FHIR resources as plain values, tolerant of what a source may send: another shape reads as absent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from adapter.documents.characters import clean

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
OUT_OF_USE = ("old", "temp", "anonymous", "nickname", "maiden")  # uses of names and addresses that no letter takes
NAME_USES = ("official", "usual", "")
ADDRESS_USES = ("home", "", "work", "billing")


def dicts(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a list; one object by itself counts as a list of one."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def string(value: Any) -> str:
    """A text, clean; "" for anything else."""
    return clean(value) if isinstance(value, str) else ""


def strings(value: Any) -> list[str]:
    """The texts in a list, clean, without empty ones."""
    return [text for text in map(string, value if isinstance(value, list) else []) if text]


def words_of(concept: Any) -> str:
    """A CodeableConcept as people read it: its text, else the first display."""
    found = [string(one.get("text")) for one in dicts(concept)]
    found += [string(coding.get("display")) for one in dicts(concept) for coding in dicts(one.get("coding"))]
    return next(filter(None, found), "")


def codes(concept: Any) -> set[str]:
    """The codes of a CodeableConcept."""
    return {string(coding.get("code")) for one in dicts(concept) for coding in dicts(one.get("coding"))}


def partial_date(value: Any) -> str:
    """A FHIR date or the day of an instant, as precise as it is; "" for what is no date of the calendar."""
    text = string(value)[:10]
    if not _DATE.fullmatch(text):
        return ""
    try:
        date.fromisoformat(text + "-01-01"[len(text) - 4 :] if len(text) < 10 else text)
    except ValueError:
        return ""
    return text


def day(value: Any) -> date | None:
    """The day of a FHIR date or instant; None for a partial one."""
    text = partial_date(value)
    return date.fromisoformat(text) if len(text) == 10 else None


def target(reference: Any, kind: str) -> str:
    """The id that a Reference to ``kind`` points at, relative or absolute; "" for none."""
    text = string(reference.get("reference")) if isinstance(reference, dict) else ""
    parts = text.split("/_history/")[0].split("/")
    return parts[-1] if len(parts) > 1 and parts[-2] == kind else ""


def best(values: Any, uses: tuple[str, ...], on: date) -> Mapping[str, Any]:
    """The name or address to use: in force on that day, by the order of ``uses``; an empty one when there is none."""
    known = [one for one in dicts(values) if string(one.get("use")) not in OUT_OF_USE and _in_force(one, on)]
    order = {use: n for n, use in enumerate(uses)}
    ranked = sorted(known, key=lambda one: order.get(string(one.get("use")), len(uses)))
    return ranked[0] if ranked else {}


def _in_force(value: Mapping[str, Any], on: date) -> bool:
    """Whether the period of ``value`` holds the day; a partial date is all of its month or year, no date is open."""
    today = on.isoformat()
    for period in dicts(value.get("period")):
        start, end = partial_date(period.get("start")), partial_date(period.get("end"))
        if (start and start > today[: len(start)]) or (end and end < today[: len(end)]):
            return False
    return True


def full_name(resource: Mapping[str, Any], on: date) -> str:
    """The name of a person on a day as a letter writes it: "Dr. Ana Ruiz, MD" or its text; "" when there is none."""
    name = best(resource.get("name"), NAME_USES, on)
    parts = [*strings(name.get("prefix")), *strings(name.get("given")), string(name.get("family"))]
    built = ", ".join([" ".join(filter(None, parts)), *strings(name.get("suffix"))])
    return (built if any(parts) else "") or string(name.get("text"))


def telecom(resource: Mapping[str, Any], system: str) -> str:
    """The first phone or fax of a person that is in use."""
    found = [one for one in dicts(resource.get("telecom")) if one.get("system") == system and one.get("use") != "old"]
    return next(filter(None, (string(one.get("value")) for one in found)), "")
