"""What can be wrong with a layout whose every key can be read: positions, widths, codes, conditions and settings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from adapter.reporting.form import Condition, Field, Layout
from adapter.reporting.frame import frame_faults

Found = Iterator[tuple[str, str]]  # where, and what with its remedy

WIDTHS = {"date8": 8, "yn": 1, "ynu": 1}  # the types whose width is part of what they are
LEAST_WIDTHS = {"mbi": 11, "contract": 5}
ENCODINGS = ("ascii", "cp1252", "iso-8859-1", "utf-8")
SETTINGS = {  # what this version can write; another value is refused rather than ignored
    "kind": ("fixed_width", "delimited"),
    "line_end": ("\r\n", "\n"),
    "encoding": ENCODINGS,
    "delimiter": ("|", ",", ";", "\t", "~", "^"),
    "quote": ('"', "none"),
}


def faults_of(layout: Layout) -> Found:
    """Every fault of ``layout``: the key, and a sentence with the remedy."""
    yield from _settings(layout)
    yield from frame_faults(layout)
    yield from _duplicates(layout)
    yield from _columns(layout) if layout.delimited else _positions(layout)
    for field in layout.fields:
        for fault in [*_width(field, layout), *_codes(field), *_padding(field), *_conditions(field, layout)]:
            yield f"fields.{field.name}", fault


def _settings(layout: Layout) -> Found:
    for name, setting in layout.file.named():
        known = SETTINGS.get(name)
        if known and setting.value not in known:
            choices = " or ".join(map(repr, known))
            yield f"file.{name}", f"{setting.value!r} cannot be written by this version; use {choices}"
    if layout.file.encoding.value == "utf-8" and not layout.delimited:
        yield (
            "file.encoding",
            "utf-8 has letters of several bytes, which would move the positions; use a one-byte encoding",
        )
    pattern = layout.file.name.value
    unknown = sorted(set(re.findall(r"\{(.*?)\}", pattern)) - {"contract", "year"})
    if unknown:
        yield "file.name", f"{{{unknown[0]}}} is not known in a file name; use {{contract}} and {{year}}"
    if "{contract}" not in pattern or "/" in pattern or "\\" in pattern:
        yield "file.name", "the name must hold {contract}, since each contract has its own file, and no folder"


def _duplicates(layout: Layout) -> Found:
    if not layout.fields:
        yield "fields", "the layout has no field; write each as a table [[fields]]"
    for key in ("name", "element"):
        counts = Counter(getattr(field, key) for field in layout.fields)
        for value in sorted(value for value, count in counts.items() if count > 1):
            yield "fields", f"the {key} {value!r} stands twice; give each field its own"


def _positions(layout: Layout) -> Found:
    """Gaps and overlaps: the fields must cover the record from byte 1 to its length, each byte once."""
    last = 0
    for field in sorted(layout.fields, key=lambda field: field.start):
        place, gap = f"fields.{field.name}", f"bytes {last + 1} to {field.start - 1}"
        if field.start <= last:
            yield place, f"it starts at {field.start} and overlaps the field before it, which ends at {last}"
        elif field.start > last + 1:
            yield place, f"{gap} before it belong to no field; add a field of type filler"
        last = max(last, field.end)
    if layout.fields and last != layout.record_length:
        yield "record_length", f"{layout.record_length} bytes, but the last field ends at {last}; correct one of them"


def _columns(layout: Layout) -> Found:
    """The columns of a delimited file: all fields have one, counted from 1 without a gap, or none has."""
    columns = [field.column for field in layout.fields]
    if any(columns) and sorted(columns) != list(range(1, len(columns) + 1)):
        yield "fields", f"the columns must be 1 to {len(columns)}, each once; correct them, or leave all of them out"
    if not any(columns) and len({field.start for field in layout.fields}) != len(columns):
        yield "fields", "the order of the fields is not told; give each a column"


def _width(field: Field, layout: Layout) -> Iterator[str]:
    if not layout.delimited and (field.end - field.start + 1 != field.length or field.length < 1):
        yield f"positions {field.start} to {field.end} are not {field.length} bytes; correct start, end or length"
    exact, least = WIDTHS.get(field.type), LEAST_WIDTHS.get(field.type, 1)
    if exact not in (None, field.length):
        yield f"a field of type {field.type} has {exact} bytes, not {field.length}"
    if field.length < least:
        yield f"a field of type {field.type} needs {least} bytes or more, not {field.length}"


def _codes(field: Field) -> Iterator[str]:
    if (field.type == "code") != bool(field.values):
        yield "a field of type code needs values, and no other type may have them"
    for code in field.values:
        if not 1 <= len(code) <= field.length or not code.isascii() or code != code.strip():
            yield f"the code {code!r} does not fit into {field.length} bytes of ASCII"
    for code in field.write.values():
        if code not in field.codes:
            yield f"write gives {code!r}, which is none of the values {', '.join(field.codes) or 'of a code field'}"
    for code, count in sorted(Counter(field.write.values()).items()):
        if count > 1:
            yield f"write gives {code!r} for {count} facts; a file could not be read back"


def _padding(field: Field) -> Iterator[str]:
    if len(field.fill) != 1 or not " " <= field.fill <= "~":
        yield f"fill must be one ASCII character, not {field.fill!r}"
    if field.align == "left" and field.fill != " ":
        yield "a field that is filled on the right can only be filled with blanks"
    if field.when_empty == "zeros" and field.type != "date8":
        yield "only a date may be zeros when it is empty; an unknown count or code must not look like a known one"


def _conditions(field: Field, layout: Layout) -> Iterator[str]:
    for key in ("required_when", "only_when"):
        try:
            condition = field.condition if key == "required_when" else field.permission
        except ValueError as error:
            yield f"{key}: {error}"
            continue
        if condition is not None and condition.when != "always":
            yield from _condition(key, condition, layout)


def _condition(key: str, condition: Condition, layout: Layout) -> Iterator[str]:
    other = layout.field(condition.field)
    if other is None:
        yield f"{key} names {condition.field!r}, and the layout has no such field"
    elif condition.when == "above" and other.type != "count":
        yield f"{key} asks whether {other.name} is above a number, and it is no count"
    elif strange := sorted(set(condition.values) - set(other.codes)):
        yield f"{key} asks whether {other.name} is {strange[0]!r}, which is none of its codes"
