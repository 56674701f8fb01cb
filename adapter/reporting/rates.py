"""The rates of one file: of all beneficiaries in it, how many were offered a CMR, received one, and so on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from adapter.reporting.sheet import Sheet


@dataclass(frozen=True)
class Rate:
    """``count`` of ``total`` beneficiaries; ``share`` is a fraction of 1, None when there is nobody."""

    title: str
    count: int
    total: int

    @property
    def share(self) -> float | None:
        """The fraction, or None when there is nobody."""
        return self.count / self.total if self.total else None


RATES: Mapping[str, tuple[str, str, Callable[[Sheet, str], Any]]] = {  # name: title, field, who counts
    "met_criteria": (
        "Met the CMS targeting criteria",
        "met_criteria",
        lambda s, f: s.is_one_of(f, "01", "02", "03"),
    ),
    "offered": ("Offered a CMR", "cmr_offered", lambda s, f: s.is_one_of(f, "Y")),
    "received": ("Received a CMR with a written summary", "cmr_received", lambda s, f: s.is_one_of(f, "Y")),
    "tmr": ("Received a TMR", "tmr_count", lambda s, f: pc.greater(s.number(f), 0)),
    "recommended": ("Recommendation to a prescriber", "recommendations", lambda s, f: pc.greater(s.number(f), 0)),
    "changed": ("Change to drug therapy", "therapy_changes", lambda s, f: pc.greater(s.number(f), 0)),
    "safe_disposal": ("Information on safe disposal", "safe_disposal", lambda s, f: s.is_one_of(f, "Y")),
    "opted_out": ("Opted out", "opted_out_on", lambda s, f: pc.is_valid(s.texts[f])),
}


@dataclass(frozen=True)
class CodeCount:
    """How many rows have one code of an element; ``code`` is "" for those where it is blank."""

    element: str
    title: str
    code: str
    meaning: str
    count: int


FLAGS = {"Y": "yes", "N": "no", "U": "unknown"}


def code_counts(sheet: Sheet) -> tuple[CodeCount, ...]:
    """How often each code of each coded element stands in the file, in the order of the layout; what never occurs is left out."""
    found = []
    for field in sheet.layout.fields:
        if not field.codes or not sheet.has(field.name):
            continue
        counted = {one["values"] or "": one["counts"] for one in pc.value_counts(sheet.texts[field.name]).to_pylist()}
        for code in [*field.codes, *sorted(set(counted) - {*field.codes, ""}), ""]:
            if code in counted:
                meaning = field.values.get(code) or FLAGS.get(code, "none of the codes") if code else "blank"
                found.append(CodeCount(field.element, field.title, code, meaning, counted[code]))
    return tuple(found)


def rates(sheet: Sheet) -> dict[str, Rate]:
    """The rates whose element the layout has, by name."""
    found = {}
    for name, (title, field, who) in RATES.items():
        if sheet.has(field):
            counted = pc.sum(pc.fill_null(who(sheet, field), False)).as_py() or 0
            found[name] = Rate(title, int(counted), sheet.count)
    return found
