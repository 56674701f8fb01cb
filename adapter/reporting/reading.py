"""The bytes of a file back to rows by a layout: the texts of its cells, or the facts that they stand for."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from adapter.errors import ReportError
from adapter.reporting.form import Field, Layout
from adapter.reporting.frame import must_be

OTHER_LAYOUT = "give the layout that the file was made by"


def parse(data: bytes, layout: Layout) -> list[dict[str, str]]:
    """The rows of a file by ``layout``: the text of each field without its padding, "" for an empty one.

    Raises ReportError that names the line when the bytes are not such a file.
    """
    rows: list[dict[str, str]] = pc_filled(read_texts(data, layout)).to_pylist()
    return rows


def pc_filled(texts: Any) -> Any:
    """``texts`` with "" in place of NULL."""
    return pa.table({name: pc.fill_null(texts[name], "") for name in texts.column_names})


def read_texts(data: bytes, layout: Layout) -> Any:
    """The rows of a file as a pyarrow table of texts, NULL for an empty cell; fillers are not read. See ``parse``."""
    return texts_of(*_records(data, layout), layout)


def texts_of(lines: list[str], first: int, layout: Layout) -> Any:
    """The texts of the lines of records, of which the file's line ``first`` is the first; see ``read_texts``."""
    if layout.delimited:
        columns = _delimited(lines, first, layout)
    else:
        whole = pa.array(lines, pa.large_string())
        _must_have_length(whole, lines, first, layout)
        columns = {f.name: pc.utf8_slice_codeunits(whole, start=f.start - 1, stop=f.end) for f in layout.fields}
    read = {f.name: _unpadded(columns[f.name], f) for f in layout.fields if f.type != "filler"}
    return pa.table(read)


def typed(texts: Any, layout: Layout) -> Any:
    """The facts of ``texts`` as the records hold them: dates, whole numbers, the adapter's own codes; NULL where unclear.

    The reverse of ``file.texts`` for every fact that fits into its field.
    """
    kinds = {"date8": (day_of, pa.date32()), "count": (number_of, pa.int64())}
    columns = {}
    for field in layout.fields:
        if field.type == "filler":
            continue
        own = {written: fact for fact, written in field.write.items()}
        function, kind = kinds.get(field.type, (lambda text, own=own: own.get(text, text), pa.string()))
        columns[field.name] = each(texts[field.name], function, kind)
    return pa.table(columns)


def each(column: Any, function: Any, kind: Any) -> Any:
    """``function`` of every text of a column, each distinct one computed once; NULL stays NULL."""
    if not len(column) or column.null_count == len(column):
        return pa.nulls(len(column), kind)
    coded = pa.chunked_array(column.chunks).combine_chunks().dictionary_encode()
    values = [None if text is None else function(text) for text in coded.dictionary.to_pylist()]
    return pa.array(values, kind).take(coded.indices)


def day_of(text: str) -> date | None:
    """The day of the calendar that YYYYMMDD names, or None."""
    if len(text) != 8 or not text.isascii() or not text.isdigit():
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def number_of(text: str) -> int | None:
    """The whole number of a text of digits, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _records(data: bytes, layout: Layout) -> tuple[list[str], int]:
    """The lines of the records, and the number of the first of them in the file."""
    end = layout.file.line_end.value
    try:
        lines = data.decode(layout.file.encoding.value).split(end)
    except UnicodeDecodeError as error:
        message = f"byte {error.start + 1} of the file is not {layout.file.encoding.value}; {OTHER_LAYOUT}"
        raise ReportError(message) from None
    if lines.pop() != "":
        raise ReportError(f"the last line of the file does not end with {end!r}, it may be cut off; {OTHER_LAYOUT}")
    first = 1
    framing = [which for which in ("header", "trailer") if getattr(layout.file, which).value != "none"]
    if len(lines) < len(framing):
        raise ReportError(
            f"the file has no {' and '.join(framing)}, which the layout {layout.name} asks for; {OTHER_LAYOUT}"
        )
    ends = {which: lines.pop(0 if which == "header" else -1) for which in framing}
    for which, line in ends.items():
        must_be(line, layout, which, len(lines))
        first += which == "header"
    return lines, first


def _must_have_length(whole: Any, lines: list[str], first: int, layout: Layout) -> None:
    wrong = pc.indices_nonzero(pc.not_equal(pc.utf8_length(whole), layout.record_length))
    if len(wrong):
        place = wrong[0].as_py()
        raise ReportError(
            f"line {place + first} of the file has {len(lines[place])} bytes, and the layout {layout.name} asks for "
            f"{layout.record_length}; {OTHER_LAYOUT}"
        )


def _delimited(lines: Iterable[str], first: int, layout: Layout) -> dict[str, Any]:
    reader = csv.reader(lines, delimiter=layout.file.delimiter.value, strict=True, **quoting(layout))
    wide = len(layout.fields)
    cells: list[list[str]] = [[] for _ in range(wide)]
    try:
        for number, row in enumerate(reader, start=first):
            if len(row) != wide:
                raise ReportError(
                    f"line {number} of the file has {len(row)} fields, and the layout {layout.name} asks for {wide}; {OTHER_LAYOUT}"
                )
            for column, cell in zip(cells, row, strict=True):
                column.append(cell)
    except csv.Error:
        raise ReportError(
            f"the quotes of line {reader.line_num + first - 1} of the file do not pair; {OTHER_LAYOUT}"
        ) from None
    return {f.name: pa.array(column, pa.large_string()) for f, column in zip(layout.fields, cells, strict=True)}


def quoting(layout: Layout) -> dict[str, Any]:
    """How the cells of a delimited file are quoted, as Python's csv is told it."""
    quote = layout.file.quote.value
    return {"quoting": csv.QUOTE_NONE} if quote == "none" else {"quotechar": quote, "doublequote": True}


def _unpadded(cells: Any, field: Field) -> Any:
    if field.when_empty == "zeros":
        cells = pc.if_else(pc.equal(cells, "0" * field.length), None, cells)
    trim = pc.utf8_rtrim if field.align == "left" else pc.utf8_trim
    bare = trim(cells, characters=" ")
    return pa.chunked_array([pc.if_else(pc.equal(bare, ""), None, bare).cast(pa.string())])
