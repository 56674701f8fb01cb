"""What can be wrong with a layout whose every key can be read: positions, widths, codes, conditions and settings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from adapter.reporting.form import Field, Layout

Found = Iterator[tuple[str, str]]  # where, and what with its remedy

WIDTHS = {"date8": 8, "yn": 1, "ynu": 1}  # the types whose width is part of what they are
LEAST_WIDTHS = {"mbi": 11, "contract": 5}
SETTINGS = {  # what this version can write; another value is refused rather than ignored
    "kind": ("fixed_width",),
    "line_end": ("\r\n", "\n"),
    "encoding": ("ascii",),
    "header": ("none",),
    "trailer": ("none",),
}


def faults_of(layout: Layout) -> Found:
    """Every fault of ``layout``: the key, and a sentence with the remedy."""
    yield from _settings(layout)
    yield from _duplicates(layout)
    yield from _positions(layout)
    for field in layout.fields:
        for fault in [*_width(field), *_codes(field), *_padding(field), *_condition(field, layout)]:
            yield f"fields.{field.name}", fault


def _settings(layout: Layout) -> Found:
    for name, setting in layout.file.named():
        known = SETTINGS.get(name)
        if known and setting.value not in known:
            choices = " or ".join(map(repr, known))
            yield f"file.{name}", f"{setting.value!r} cannot be written by this version; use {choices}"
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


def _width(field: Field) -> Iterator[str]:
    if field.end - field.start + 1 != field.length or field.length < 1:
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


def _padding(field: Field) -> Iterator[str]:
    if len(field.fill) != 1 or not " " <= field.fill <= "~":
        yield f"fill must be one ASCII character, not {field.fill!r}"
    if field.align == "left" and field.fill != " ":
        yield "a field that is filled on the right can only be filled with blanks"
    if field.when_empty == "zeros" and field.type != "date8":
        yield "only a date may be zeros when it is empty; an unknown count or code must not look like a known one"


def _condition(field: Field, layout: Layout) -> Iterator[str]:
    try:
        condition = field.condition
    except ValueError as error:
        yield f"required_when: {error}"
        return
    if condition is None or condition.when == "always":
        return
    other = layout.field(condition.field)
    if other is None:
        yield f"required_when names {condition.field!r}, and the layout has no such field"
    elif strange := sorted(set(condition.values) - set(other.codes)):
        yield f"required_when asks whether {other.name} is {strange[0]!r}, which is none of its codes"
