"""Rows to the bytes of a file by a layout, fixed width or delimited. What is wrong with the rows is told by ``checks.py``.

Rows are a pyarrow table with a column for each field of the layout; the work goes column by column, because a contract
may have a million enrollees, and few values are distinct.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from adapter.errors import ReportError
from adapter.reporting.form import Field, Layout
from adapter.reporting.frame import Frame, file_name, line_of
from adapter.reporting.names import each_name, written_name

__all__ = ["as_table", "file_name", "joined", "render", "texts"]

LINES_AT_ONCE = 100_000  # rows that are joined at a time; bounds the memory beside the file itself


def render(rows: Any, layout: Layout, contract: str = "") -> bytes:
    """The file: one line per row, each ended by the layout's line end, between its header and trailer if it has them.

    ``rows`` is a pyarrow table or a list of dictionaries. In a fixed width each line has exactly ``record_length``
    bytes; a value longer than its field is cut: it never moves another.
    """
    return joined(texts(as_table(rows, layout), layout), layout, contract)


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
    """What each cell says in the characters of the file, before it is cut and padded: pyarrow texts, NULL if empty."""
    nothing = pa.nulls(rows.num_rows, pa.string())
    return pa.table({f.name: nothing if f.type == "filler" else _text(rows[f.name], f, layout) for f in layout.fields})


def joined(cells: Any, layout: Layout, contract: str = "") -> bytes:
    """The file of the texts of ``texts``; ``contract`` fills header and trailer."""
    end, encoding = layout.file.line_end.value, layout.file.encoding.value
    frame = Frame(contract, layout.reporting_year, cells.num_rows)
    head, tail = (line_of(layout, which, frame) for which in ("header", "trailer"))
    parts = [] if head is None else [f"{head}{end}".encode(encoding)]
    for start in range(0, cells.num_rows, LINES_AT_ONCE):
        batch = cells.slice(start, LINES_AT_ONCE).combine_chunks()
        columns = [batch[field.name].combine_chunks() for field in layout.fields]
        lines = _delimited(columns, layout) if layout.delimited else _fixed(columns, layout)
        parts.append(_one_text(lines).encode(encoding))
    return b"".join(parts if tail is None else [*parts, f"{tail}{end}".encode(encoding)])


def _one_text(lines: Any) -> str:
    """All lines in one; nothing is made of each by itself."""
    whole: str = pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), "")[0].as_py()
    return whole


def _fixed(columns: list[Any], layout: Layout) -> Any:
    cells = [padded(column, field) for column, field in zip(columns, layout.fields, strict=True)]
    return pc.binary_join_element_wise(*cells, layout.file.line_end.value, "")


def _delimited(columns: list[Any], layout: Layout) -> Any:
    """Lines of a delimited file. Counts are filled as in a fixed width; other cells are only cut to their length."""
    cells = [_cell(column, field, layout) for column, field in zip(columns, layout.fields, strict=True)]
    lines = pc.binary_join_element_wise(*cells, layout.file.delimiter.value)
    return pc.binary_join_element_wise(lines, layout.file.line_end.value, "")


def _cell(text: Any, field: Field, layout: Layout) -> Any:
    cut = pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(text, start=0, stop=field.length))
    if field.align == "right":
        cut = pc.utf8_lpad(cut, width=field.length, padding=field.fill)
    empty = "0" * field.length if field.when_empty == "zeros" else ""
    cut = pc.fill_null(cut, empty)
    quote, delimiter = layout.file.quote.value, layout.file.delimiter.value
    if quote == "none":
        return cut
    inside = pc.or_(pc.match_substring(cut, pattern=delimiter), pc.match_substring(cut, pattern=quote))
    doubled = pc.replace_substring(cut, pattern=quote, replacement=quote * 2)
    return pc.if_else(inside, pc.binary_join_element_wise(quote, doubled, quote, ""), cut)


def padded(text: Any, field: Field) -> Any:
    """The cells of ``field``: each text cut or padded to its length; empty ones blank or zeros as the layout says."""
    cut = pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(text, start=0, stop=field.length))
    pad = pc.utf8_lpad if field.align == "right" else pc.utf8_rpad
    empty = ("0" if field.when_empty == "zeros" else " ") * field.length
    return pc.fill_null(pad(cut, width=field.length, padding=field.fill), empty)


def _text(column: Any, field: Field, layout: Layout) -> Any:
    """The texts of a column; each distinct value is worked on once."""
    if pa.types.is_null(column.type) or not len(column):
        return pa.nulls(len(column), pa.string())
    whole = pa.chunked_array(column.chunks).combine_chunks()
    coded = whole.dictionary_encode()
    return _plain(coded.dictionary, field, layout).take(coded.indices)


def _plain(values: Any, field: Field, layout: Layout) -> Any:
    plain, delimiter = values.cast(pa.string()), layout.file.delimiter.value
    if pa.types.is_date(values.type):
        plain = pc.replace_substring(plain, pattern="-", replacement="")  # 2023-09-30 -> 20230930
    if field.type == "text":
        encoding = layout.file.encoding.value
        plain = each_name([plain], lambda name: written_name(name, encoding), pa.string())
    else:
        plain = pc.replace_substring_regex(pc.utf8_trim_whitespace(plain), pattern="[^ -~]", replacement="?")
    if layout.delimited and layout.file.quote.value == "none":
        plain = each_name([plain], lambda text: " ".join(text.replace(delimiter, " ").split()), pa.string())
    for own, written in field.write.items():
        plain = pc.if_else(pc.equal(plain, own), written, plain)
    return pc.if_else(pc.equal(plain, ""), None, plain)
