"""The form of a record layout: its fields, the settings of its file, the standing of each fact; no positions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import msgspec

Standing = Literal["V", "P+", "P", "U"]
FieldType = Literal["text", "mbi", "contract", "date8", "code", "yn", "ynu", "count", "filler"]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all layout tables: immutable, no key beyond those named."""


class Setting(Strict, frozen=True):
    """One fact about the file as a whole, with its standing."""

    value: str
    standing: Standing
    note: str = ""


class FileForm(Strict, frozen=True):
    """How the file is made around its records."""

    kind: Setting
    line_end: Setting
    encoding: Setting
    header: Setting
    trailer: Setting
    name: Setting  # {contract} and {year} are filled in

    def named(self) -> list[tuple[str, Setting]]:
        """The settings with their keys, in the order of this class."""
        return [(name, getattr(self, name)) for name in self.__struct_fields__]


@dataclass(frozen=True)
class Condition:
    """When a field must be filled: always, or when another field has one of ``values``, is given, or is missing."""

    when: Literal["always", "equal", "given", "missing"]
    field: str = ""
    values: tuple[str, ...] = ()


class Field(Strict, frozen=True):
    """One element of the record; ``start`` and ``end`` count bytes from 1, both included."""

    element: str
    name: str  # of the column that fills it, see records.py
    title: str
    start: int
    end: int
    length: int
    type: FieldType
    standing: Standing  # of the element, its values and its rule
    position_standing: Standing  # of its letter and place in this year
    citation: str
    rule: str = ""
    note: str = ""
    required_when: str = "never"
    values: dict[str, str] = {}  # code in the file -> what it means
    write: dict[str, str] = {}  # code of the adapter -> code in the file, where the two differ
    align: Literal["left", "right"] = "left"
    fill: str = " "
    when_empty: Literal["blank", "zeros"] = "blank"

    @property
    def condition(self) -> Condition | None:
        """When the field must be filled; None when never. Raises ValueError when ``required_when`` cannot be read."""
        return parse_condition(self.required_when)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes that may stand in the file; empty when the type has none."""
        return {"yn": ("Y", "N"), "ynu": ("Y", "N", "U")}.get(self.type, tuple(self.values))

    @property
    def label(self) -> str:
        """Letter and title, for a person to read."""
        return f"{self.element} ({self.title})"


class Layout(Strict, frozen=True):
    """The layout of one reporting year; ``fields`` in the order of their positions."""

    name: str
    title: str
    version: str
    reporting_year: int
    record_length: int
    source: str
    standing: Standing
    file: FileForm
    fields: list[Field]

    def field(self, name: str) -> Field | None:
        """The field called ``name``, or None when this year's record has none."""
        return next((field for field in self.fields if field.name == name), None)


def parse_condition(text: str) -> Condition | None:
    """The condition in ``text``: never, always, ``x == A|B``, ``x given`` or ``x missing``. Raises ValueError."""
    if text == "never":
        return None
    if text == "always":
        return Condition("always")
    if found := re.fullmatch(r"(\w+) == (\w+(?:\|\w+)*)", text):
        return Condition("equal", found[1], tuple(found[2].split("|")))
    if found := re.fullmatch(r"(\w+) (given|missing)", text):
        return Condition("given" if found[2] == "given" else "missing", found[1])
    raise ValueError(f"{text!r} is no condition; write never, always, name == A|B, name given or name missing")
