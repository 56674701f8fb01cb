"""Rows to the bytes of a fixed-width file by a layout, and back. What is wrong with the rows is told by ``checks.py``.

Rows are a pyarrow table with a column for each field of the layout; the work goes column by column, because a contract
may have a million enrollees.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from adapter.errors import ReportError
from adapter.reporting.form import Field, Layout
from adapter.reporting.names import ascii_name, each_name

LINES_AT_ONCE = 100_000  # rows that are joined at a time; bounds the memory beside the file itself
OTHER_LAYOUT = "give the layout that the file was made by"


def file_name(layout: Layout, contract: str, year: int) -> str:
    """The name of the file of one contract, by the layout's pattern."""
    return layout.file.name.value.replace("{contract}", contract).replace("{year}", str(year))


def render(rows: Any, layout: Layout) -> bytes:
    """The file: one line of exactly ``record_length`` bytes per row, each ended by the layout's line end.

    ``rows`` is a pyarrow table or a list of dictionaries. A value longer than its field is cut: it never moves another.
    """
    return joined(texts(as_table(rows, layout), layout), layout)


def as_table(rows: Any, layout: Layout) -> Any:
    """``rows`` as a pyarrow table that has a column for each field. Raises ReportError when a column is missing."""
    names = [field.name for field in layout.fields if field.type != "filler"]
    if isinstance(rows, list):
        rows = pa.table({name: [row.get(name) for row in rows] for name in names})
    missing = [name for name in names if name not in rows.column_names]
    if missing:
        raise ReportError(
            f"the layout {layout.name} has the field {missing[0]!r}, which this version cannot fill; "
            "correct its name in the layout, or give it the type filler"
        )
    return rows


def texts(rows: Any, layout: Layout) -> Any:
    """What each cell says in printable ASCII, before it is cut and padded: a pyarrow table of texts, NULL if empty."""
    nothing = pa.nulls(rows.num_rows, pa.string())
    return pa.table({f.name: nothing if f.type == "filler" else _text(rows[f.name], f) for f in layout.fields})


def joined(cells: Any, layout: Layout) -> bytes:
    """The file of the texts of ``texts``."""
    parts = []
    for start in range(0, cells.num_rows, LINES_AT_ONCE):
        batch = cells.slice(start, LINES_AT_ONCE).combine_chunks()
        columns = [padded(batch[field.name].combine_chunks(), field) for field in layout.fields]
        lines = pc.binary_join_element_wise(*columns, layout.file.line_end.value, "")
        parts.append("".join(lines.to_pylist()).encode(layout.file.encoding.value))
    return b"".join(parts)


def padded(text: Any, field: Field) -> Any:
    """The cells of ``field``: each text cut or padded to its length; empty ones blank or zeros as the layout says."""
    cut = pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(text, start=0, stop=field.length))
    pad = pc.utf8_lpad if field.align == "right" else pc.utf8_rpad
    empty = ("0" if field.when_empty == "zeros" else " ") * field.length
    return pc.fill_null(pad(cut, width=field.length, padding=field.fill), empty)


def _text(column: Any, field: Field) -> Any:
    plain = column.cast(pa.string())
    if pa.types.is_date(column.type):
        plain = pc.replace_substring(plain, pattern="-", replacement="")  # 2023-09-30 -> 20230930
    if field.type == "text":
        plain = each_name(plain.chunks, ascii_name, pa.string()) if column.length() else plain
    else:
        plain = pc.replace_substring_regex(pc.utf8_trim_whitespace(plain), pattern="[^ -~]", replacement="?")
    for own, written in field.write.items():
        plain = pc.if_else(pc.equal(plain, own), written, plain)
    return pc.if_else(pc.equal(plain, ""), None, plain)


def parse(data: bytes, layout: Layout) -> list[dict[str, str]]:
    """The rows of a file by ``layout``: the text of each field without its padding, "" for an empty one.

    Raises ReportError that names the line when the bytes are not such a file.
    """
    end = layout.file.line_end.value
    try:
        lines = data.decode(layout.file.encoding.value).split(end)
    except UnicodeDecodeError as error:
        message = f"byte {error.start + 1} of the file is not {layout.file.encoding.value}; {OTHER_LAYOUT}"
        raise ReportError(message) from None
    if lines.pop() != "":
        raise ReportError(f"the last line of the file does not end with {end!r}, it may be cut off; {OTHER_LAYOUT}")
    return [_row(line, number, layout) for number, line in enumerate(lines, start=1)]


def _row(line: str, number: int, layout: Layout) -> dict[str, str]:
    if len(line) != layout.record_length:
        raise ReportError(
            f"line {number} of the file has {len(line)} bytes, and the layout {layout.name} asks for "
            f"{layout.record_length}; {OTHER_LAYOUT}"
        )
    fields = (field for field in layout.fields if field.type != "filler")
    return {field.name: _unpadded(line[field.start - 1 : field.end], field) for field in fields}


def _unpadded(cell: str, field: Field) -> str:
    if field.when_empty == "zeros" and cell == "0" * field.length:
        return ""
    return cell.rstrip(" ") if field.align == "left" else cell.strip(" ")
