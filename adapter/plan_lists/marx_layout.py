"""The record of the MARx Daily Transaction Reply Report (DTRR) as data, read strictly from ``mappings/layouts/marx/``.

The code knows which fields and codes it needs (``USED``, ``Codes``), the file where they stand and what supports that.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from adapter.errors import Fault, MappingError
from adapter.mappings.folder import mappings_folder
from adapter.reporting.form import Standing, Strict

FILE = "layouts/marx/dtrr.toml"

USED: dict[str, str] = {  # the fields that are read, and the type that each must have
    "mbi": "mbi", "record_type": "code", "contract": "contract", "reply_code": "code", "transaction_code": "code",
    "effective_date": "date8", "transaction_date": "date8", "flag": "code", "drug_class": "text",
    "pos_edit": "yn", "prescriber_limit": "yn", "pharmacy_limit": "yn",
    "notification_start": "date8", "notification_end": "date8",
    "implementation_start": "date8", "implementation_end": "date8",
}  # fmt: skip

WIDTHS = {"mbi": 12, "contract": 5, "date8": 8, "yn": 1}
CODED_BY = {  # which field the values of a code list stand in
    "record_type": "record_type", "transaction": "transaction_code", "accepted": "reply_code", "new_plan": "reply_code",
    "deleted": "reply_code", "refused": "reply_code", "add": "flag", "update": "flag", "delete": "flag",
}  # fmt: skip
DISJOINT = (("accepted", "deleted", "refused"), ("add", "update", "delete"))


class Values(Strict, frozen=True):
    """The values of one kind, with what supports them."""

    values: list[str]
    standing: Standing
    note: str = ""


class Codes(Strict, frozen=True):
    """Which values mean what; ``new_plan`` is a part of ``accepted``."""

    record_type: Values
    transaction: Values
    accepted: Values
    new_plan: Values
    deleted: Values
    refused: Values
    add: Values
    update: Values
    delete: Values
    no_date: Values


class MarxField(Strict, frozen=True):
    """One field of the record; ``start`` and ``end`` count bytes from 1, both included."""

    name: str
    title: str
    start: int
    end: int
    type: Literal["text", "mbi", "contract", "date8", "code", "yn"]
    standing: Standing
    note: str = ""

    @property
    def place(self) -> slice:
        """Where the field stands in the bytes of a record."""
        return slice(self.start - 1, self.end)


class MarxLayout(Strict, frozen=True):
    """The layout of the DTRR record and the codes of its CARA transactions."""

    title: str
    version: str
    source: str
    standing: Standing
    record_length: int
    open_years: int  # how long a limitation without an end lasts
    codes: Codes
    fields: list[MarxField]

    def field(self, name: str) -> MarxField:
        """The field called ``name``, which is one of ``USED``."""
        return next(field for field in self.fields if field.name == name)


def load_marx_layout(folder: Path | None = None) -> MarxLayout:
    """The layout of the DTRR in the mappings ``folder``, by default ``mappings_folder()``. Raises MappingError with every fault."""
    layout, faults = _read((folder or mappings_folder()) / FILE)
    if layout is None or faults:
        raise MappingError([Fault(FILE, *found) for found in faults])
    return layout


def marx_layout_faults(folder: Path) -> list[Fault]:
    """Every fault of the layout in the mappings ``folder``; a folder without one has none."""
    return [Fault(FILE, *found) for found in _read(folder / FILE)[1]] if (folder / FILE).is_file() else []


def _read(path: Path) -> tuple[MarxLayout | None, list[tuple[str, str]]]:
    """The layout, if its keys can be read, and the faults of the file."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, [("", "there is no such file; copy it from the adapter's own mappings")]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return None, [("", f"this is not valid TOML: {error}")]
    fields, faults = _fields(raw.get("fields", []))
    try:
        layout = msgspec.convert({**raw, "fields": []}, MarxLayout)
    except msgspec.ValidationError as error:
        return None, [_in_words(error), *faults]
    layout = msgspec.structs.replace(layout, fields=fields)
    return layout, faults or list(faults_of(layout))


def _fields(raw: Any) -> tuple[list[MarxField], list[tuple[str, str]]]:
    """The fields that can be read, and one fault for each that cannot."""
    fields: list[MarxField] = []
    faults: list[tuple[str, str]] = []
    for number, item in enumerate(raw if isinstance(raw, list) else [], start=1):
        try:
            fields.append(msgspec.convert(item, MarxField))
        except msgspec.ValidationError as error:
            faults.append(_in_words(error, f"fields.{number}"))
    return fields, faults


def _in_words(error: msgspec.ValidationError, under: str = "") -> tuple[str, str]:
    what, _, place = str(error).partition(" - at ")
    what = what.replace("Object contains unknown field", "there is no key called")
    key = place.strip("`").removeprefix("$").removeprefix(".")
    return ".".join(part for part in (under, key) if part), f"{what}; correct it"


def faults_of(layout: MarxLayout) -> Iterator[tuple[str, str]]:
    """Every fault of a layout whose keys can be read: the key, and a sentence with the remedy."""
    yield from _settings(layout)
    yield from _places(layout)
    yield from _names(layout)
    yield from _codes(layout)


def _settings(layout: MarxLayout) -> Iterator[tuple[str, str]]:
    if layout.record_length < 1:
        yield "record_length", "a record has at least one byte; give its length"
    if layout.open_years < 1:
        yield "open_years", "a limitation without an end lasts at least one year; give 1 or 2 (42 CFR 423.153(f))"


def _names(layout: MarxLayout) -> Iterator[tuple[str, str]]:
    names = [field.name for field in layout.fields]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"fields.{name}", "the name stands twice; give each field its own"
    for name in USED:
        if name not in names:
            yield f"fields.{name}", "the field is needed and missing; add it"
    for field in layout.fields:
        if USED.get(field.name, field.type) != field.type:
            yield f"fields.{field.name}", f"the type must be {USED[field.name]}, not {field.type}; correct it"


def _places(layout: MarxLayout) -> Iterator[tuple[str, str]]:
    """Widths, overlaps and the end of the record; gaps are allowed, since most of the record is of no use here."""
    last = 0
    for field in sorted(layout.fields, key=lambda field: field.start):
        width = WIDTHS.get(field.type, field.end - field.start + 1)
        if field.start < 1 or field.end < field.start or field.end - field.start + 1 != width:
            yield f"fields.{field.name}", f"positions {field.start} to {field.end} do not fit its type; correct them"
        elif field.start <= last:
            yield f"fields.{field.name}", f"it overlaps the field before it, which ends at {last}; correct one of them"
        elif field.end > layout.record_length:
            yield f"fields.{field.name}", f"it ends after the {layout.record_length} bytes of the record; correct it"
        last = max(last, field.end)


def _codes(layout: MarxLayout) -> Iterator[tuple[str, str]]:
    widths = {field.name: field.end - field.start + 1 for field in layout.fields}
    for name, field in CODED_BY.items():
        values = getattr(layout.codes, name).values
        wrong = [value for value in values if len(value) != widths.get(field, len(value)) or not value.isascii()]
        if wrong or not values:
            yield f"codes.{name}", f"{(wrong or [''])[0]!r} does not fill the field {field}; correct it"
    for group in DISJOINT:
        every = [value for name in group for value in getattr(layout.codes, name).values]
        for value in sorted({value for value in every if every.count(value) > 1}):
            yield "codes", f"{value!r} stands in two of {', '.join(group)}; keep one"
    if not set(layout.codes.new_plan.values) <= set(layout.codes.accepted.values):
        yield "codes.new_plan", "each of its codes must be one of accepted too; add it there"
