"""Where the bytes of a file are not of the form that its layout asks for: every place, for a file that others made.

``reading.py`` refuses such a file at its first fault, so that nobody works on rows that are not what they seem. Whoever
checks a file wants every fault instead, and the edits of its rows as far as they can be read: here the lines are brought
into form, and each change is told. Rows are counted from 1, without header and blank lines.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Any

from adapter.errors import ReportError
from adapter.reporting.form import Layout
from adapter.reporting.frame import must_be
from adapter.reporting.reading import quoting, texts_of

LEAST_IN_FORM = 0.5  # of the lines; with fewer the file is of another layout, or no such file at all (own choice)
UTF8_MARK = b"\xef\xbb\xbf"
EDITS = ("byte_order_mark", "bad_line_end", "blank_line", "bad_frame", "bad_encoding", "bad_line_length")


@dataclass(frozen=True)
class Deviation:
    """One fault of form: the edit that it breaks, the rule, and the row where there is one."""

    edit: str
    rule: str
    row: int | None = None


def read_in_form(data: bytes, layout: Layout) -> tuple[Any, tuple[Deviation, ...]]:
    """The rows as ``reading.read_texts`` gives them, of lines brought into form, and every deviation of ``data``.

    Raises ReportError when fewer than half of the lines are as ``layout`` says.
    """
    told: list[Deviation] = []
    if data.startswith(UTF8_MARK):
        told.append(Deviation("byte_order_mark", "the file begins with the byte order mark of UTF-8"))
    lines = _lines(data.removeprefix(UTF8_MARK), layout, told)
    lines = _without_frame(lines, layout, told)
    texts = [_decoded(line, row, layout, told) for row, line in enumerate(lines, start=1)]
    before = len(told)
    in_form = _columns if layout.delimited else _length
    texts = [in_form(line, row, layout, told) for row, line in enumerate(texts, start=1)]
    if len(told) - before > (1 - LEAST_IN_FORM) * len(texts):
        raise ReportError(f"most of its lines are not as the layout {layout.name} says; give the layout it was made by")
    return texts_of(texts, 1, layout), tuple(told)


def _lines(data: bytes, layout: Layout, told: list[Deviation]) -> list[bytes]:
    """The lines that are not blank, without their ends, whichever these are."""
    wanted = layout.file.line_end.value
    lines = data.split(b"\n")
    last = lines.pop()
    strange = sum(line.endswith(b"\r") != (wanted == "\r\n") for line in lines)
    if strange:
        told.append(Deviation("bad_line_end", f"{strange:,} of {len(lines):,} lines do not end with {wanted!r}"))
    if last:
        told.append(Deviation("bad_line_end", "the last line has no line end; the file may be cut off"))
        lines.append(last)
    bare = [line.removesuffix(b"\r") for line in lines]
    blank = [number for number, line in enumerate(bare, start=1) if not line.strip()]
    told += [Deviation("blank_line", f"line {number:,} of the file is blank") for number in blank]
    return [line for line in bare if line.strip()]


def _without_frame(lines: list[bytes], layout: Layout, told: list[Deviation]) -> list[bytes]:
    """The records: without header and trailer, as far as the layout has them. A record in their place stays one."""
    for which in ("header", "trailer"):
        if getattr(layout.file, which).value == "none":
            continue
        line, rest = _apart(lines, which)
        try:
            must_be(line, layout, which, len(rest) - (which == "header" and layout.file.trailer.value != "none"))
        except ReportError as error:
            told.append(Deviation("bad_frame", str(error).partition(";")[0]))
        if not line or not _looks_like_a_record(line, layout):
            lines = rest
    return lines


def _apart(lines: list[bytes], which: str) -> tuple[str, list[bytes]]:
    if not lines:
        return "", []
    one, rest = (lines[0], lines[1:]) if which == "header" else (lines[-1], lines[:-1])
    return one.decode("latin-1"), rest


def _looks_like_a_record(line: str, layout: Layout) -> bool:
    """Whether the line begins with a contract number, as the records of all layouts known do."""
    first = layout.fields[0]
    return first.type == "contract" and line[:1] in "HSRE" and line[1:5].isdigit()


def _decoded(line: bytes, row: int, layout: Layout, told: list[Deviation]) -> str:
    """The text of a line; a character that the encoding does not have becomes '?'."""
    encoding = layout.file.encoding.value
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        told.append(Deviation("bad_encoding", f"the line has bytes that are not {encoding}", row))
    letters, places = line.decode("utf-8", "replace"), line.decode("latin-1")
    # Whoever wrote UTF-8 may have counted letters or bytes; the positions are right where the length is.
    text = letters if len(letters) == layout.record_length or layout.delimited else places
    return text.encode(encoding, "replace").decode(encoding)


def _length(line: str, row: int, layout: Layout, told: list[Deviation]) -> str:
    wanted = layout.record_length
    if len(line) != wanted:
        told.append(Deviation("bad_line_length", f"the line has {len(line)} bytes in place of {wanted}", row))
    return line[:wanted].ljust(wanted)


def _columns(line: str, row: int, layout: Layout, told: list[Deviation]) -> str:
    wanted, delimiter = len(layout.fields), layout.file.delimiter.value
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True, **quoting(layout)))
    except csv.Error:
        told.append(Deviation("bad_line_length", "the quotes of the line do not pair", row))
        cells = line.replace('"', "").split(delimiter)
    else:
        if len(cells) == wanted:
            return line
        told.append(Deviation("bad_line_length", f"the line has {len(cells)} fields in place of {wanted}", row))
    plain = [cell.replace(delimiter, " ").replace('"', "") for cell in cells]
    return delimiter.join([*plain, *[""] * wanted][:wanted])
