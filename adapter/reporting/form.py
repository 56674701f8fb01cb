"""The form of a record layout: its fields, the settings of its file, the standing of each fact; no positions of any year."""

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
    """How the file is made around its records. ``header`` and ``trailer``: none, or a line with fillings (``frame.py``)."""

    kind: Setting  # fixed_width or delimited
    line_end: Setting
    encoding: Setting
    header: Setting  # "names" too in a delimited file: the names of the fields
    trailer: Setting
    name: Setting  # {contract} and {year} are filled in
    delimiter: Setting = Setting(value="|", standing="U")  # between the fields of a delimited file
    quote: Setting = Setting(value='"', standing="U")  # around a field that holds the delimiter; none: it is left out

    def named(self) -> list[tuple[str, Setting]]:
        """The settings that this kind of file uses with their keys, in the order of this class."""
        unused = () if self.kind.value == "delimited" else ("delimiter", "quote")
        return [(name, getattr(self, name)) for name in self.__struct_fields__ if name not in unused]


@dataclass(frozen=True)
class Condition:
    """Always, or when another field has one of ``values``, is given, is missing, or is a count above ``least``."""

    when: Literal["always", "equal", "given", "missing", "above"]
    field: str = ""
    values: tuple[str, ...] = ()
    least: int = 0


class Field(Strict, frozen=True):
    """One element of the record.

    ``start`` and ``end`` count bytes from 1, both included, and are not used in a delimited file, where ``column`` counts
    from 1 (without any ``column`` the order of the starts holds). ``length`` is the most that the field holds.
    """

    element: str
    name: str  # of the column that fills it, see records.py
    title: str
    length: int
    type: FieldType
    standing: Standing  # of the element, its values and its rule
    position_standing: Standing  # of its letter and place in this year
    citation: str
    start: int = 0
    end: int = 0
    column: int = 0
    rule: str = ""
    note: str = ""
    required_when: str = "never"  # when it must be filled
    only_when: str = "always"  # when it may be filled
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
    def permission(self) -> Condition | None:
        """When the field may be filled; None when never. Raises ValueError when ``only_when`` cannot be read."""
        return parse_condition(self.only_when)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes that may stand in the file; empty when the type has none."""
        return {"yn": ("Y", "N"), "ynu": ("Y", "N", "U")}.get(self.type, tuple(self.values))

    @property
    def label(self) -> str:
        """Letter and title, for a person to read."""
        return f"{self.element} ({self.title})"


class Layout(Strict, frozen=True):
    """The layout of one reporting year; ``fields`` in the order of their positions or columns."""

    name: str
    title: str
    version: str
    reporting_year: int
    record_length: int
    source: str
    standing: Standing
    file: FileForm
    fields: list[Field]

    @property
    def delimited(self) -> bool:
        """Whether the fields are told apart by a delimiter and not by their positions."""
        return self.file.kind.value == "delimited"

    def field(self, name: str) -> Field | None:
        """The field called ``name``, or None when this year's record has none."""
        return next((field for field in self.fields if field.name == name), None)


def parse_condition(text: str) -> Condition | None:
    """The condition in ``text``: never, always, ``x == A|B``, ``x > 0``, ``x given`` or ``x missing``. Raises ValueError."""
    if text == "never":
        return None
    if text == "always":
        return Condition("always")
    if found := re.fullmatch(r"(\w+) == (\w+(?:\|\w+)*)", text):
        return Condition("equal", found[1], tuple(found[2].split("|")))
    if found := re.fullmatch(r"(\w+) > (\d+)", text):
        return Condition("above", found[1], least=int(found[2]))
    if found := re.fullmatch(r"(\w+) (given|missing)", text):
        return Condition("given" if found[2] == "given" else "missing", found[1])
    raise ValueError(
        f"{text!r} is no condition; write never, always, name == A|B, name > 0, name given or name missing"
    )
