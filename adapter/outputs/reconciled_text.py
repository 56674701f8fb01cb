"""A Personal Medication List as text for a pharmacist to read, and as JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from adapter.reconciliation.entry import Entry
from adapter.reconciliation.pml import PersonalMedicationList
from adapter.reconciliation.review import TO_BE_SETTLED

STATES = {
    "unsure": "UNSURE, see the questions",
    "on_hold": "on hold",
    "planned": "not begun yet",
    "unknown": "not told whether it is taken",
    "past": "not taken lately by any record",
    "stopped": "stopped",
    "settled": "settled in a review as another line tells",
}
KINDS = {
    "otc": "over the counter",
    "vitamin": "vitamin",
    "mineral": "mineral",
    "herbal": "herbal",
    "other_supplement": "supplement",
    "unknown": "not on any drug list",
}
BLANK = "________"  # to be filled in with the member


def as_json(pml: PersonalMedicationList) -> str:
    """The list with all its sources, questions and allergies as one JSON object."""
    return json.dumps(plain(pml), indent=2, ensure_ascii=False)


def plain(pml: PersonalMedicationList) -> dict[str, Any]:
    """The list as plain values."""
    values: dict[str, Any] = msgspec.to_builtins(pml)
    return values


def as_text(pml: PersonalMedicationList, spanish: bool = False) -> str:
    """The list in lines of text: what is taken, what is not, questions, allergies."""
    lines = [f"Personal Medication List of beneficiary {pml.beneficiary}, as of {pml.as_of}, before a review"]
    if not pml.fills_known:
        lines.append("No claim or dispense is there: whether orders were filled is not known.")
    taken = [line for line in pml.entries if line.state in ("current", "unsure")]
    for title, entries in (
        ("Taken", taken),
        ("Not taken, or not told", [line for line in pml.entries if line not in taken]),
    ):
        if entries:
            lines += ["", f"{title} ({len(entries)})"]
        for number, line in enumerate(entries, start=1):
            lines += _entry(number, line, spanish)
    lines += ["", *_questions(pml), "", *_allergies(pml)]
    return "\n".join(lines)


def _entry(number: int, line: Entry, spanish: bool) -> Iterator[str]:
    marks = [
        KINDS.get(line.kind, ""),
        STATES.get(line.state, ""),
        "added by the member" if line.added_by_member else "",
    ]
    told = "; ".join(mark for mark in marks if mark)
    yield f"{number:>3}. {line.name}{f'  [{told}]' if told else ''}"
    use = line.use_es if spanish else line.use
    note = "" if not spanish or line.use_es_translated else "  (not translated)"
    yield f"     How: {use or BLANK}{note}"
    yield f"     Why: {line.why or BLANK}   Prescriber: {line.prescriber or BLANK}"
    dates = [("started", line.started), ("stopped", line.stopped), ("last filled", line.last_filled)]
    yield "     " + ("   ".join(f"{name} {day}" for name, day in dates if day) or f"started {BLANK}")
    yield f"     From: {', '.join(line.sources)}"


def _questions(pml: PersonalMedicationList) -> Iterator[str]:
    yield f"Questions for the pharmacist ({len(pml.questions)})"
    for question in pml.questions:
        yield f"  ? {question.text}"
        yield f"    {', '.join(question.sources)}"


def _allergies(pml: PersonalMedicationList) -> Iterator[str]:
    yield f"Allergies and side effects ({len(pml.allergies.known)})"
    for one in pml.allergies.known:
        told = ", ".join(part for part in (one.kind.replace("_", " "), one.severity) if part)
        yield f"  {one.substance}: {one.reaction or 'reaction not told'}{f' ({told})' if told else ''}  {one.source}"
    if pml.allergies.none_known and not pml.allergies.known:
        yield f"  None known ({', '.join(pml.allergies.none_known)})"
    elif not pml.allergies.known:
        yield f"  No record. {BLANK}"


def as_form(pml: PersonalMedicationList, spanish: bool = False) -> str:
    """The list as a form of a review to be filled in (docs/review.md): every line that must be settled, as the records tell it.

    What only a person knows is left empty, and ``mtm-adapter review`` refuses the form until it is filled in.
    """
    lines = [line for line in pml.entries if line.state in TO_BE_SETTLED]
    form = {
        "pharmacist": {"family": "", "given": [""], "suffix": [], "npi": "", "organization": "", "title": "", "phone": ""},
        "cmr": {
            "date": pml.as_of.isoformat(), "method": "", "provider": "", "recipient": "", "cognitively_impaired": "", "ltc_facility": "",
            "minutes": None,
        },
        "medications": [_medication(line, spanish) for line in lines],
        "to_do": [{"topic": "", "actions": [""]}],
        "problems": [],
        "allergies": [],
        "allergies_confirmed": False,
        "no_known_allergies": False,
        "other": [],
        "language": "es" if spanish else "en",
    }  # fmt: skip
    return json.dumps(form, indent=2, ensure_ascii=False)


def _medication(line: Entry, spanish: bool) -> dict[str, str]:
    told = {
        "how": line.use_es if spanish else line.use,
        "why": line.why,
        "prescriber": line.prescriber,
        "started": line.started,
    }
    return {"name": line.name, "change": "kept", "entry": line.key, **told}
