"""Lists of persons as CSV, as real exports are: byte-order mark, semicolons, quoted cells, blanks, dates in three forms.

A row that cannot be told apart is given with its fault and its number; the rest goes on.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from adapter.errors import ConfigError

DATE_FORMS = (  # year, month, day
    re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"),
    re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"),
    re.compile(r"(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})"),
)


def lines_of(
    name: str, data: bytes, columns: Sequence[str], what: str
) -> Iterator[tuple[int, dict[str, str], str | None]]:
    """Number, cells by column and fault of form (None when there is none) of each row of the CSV ``data``; row 1 is the header.

    The last of ``columns`` may lack in a row. ``what`` is the list in words, for messages. Raises ConfigError when the file is
    not UTF-8 or its header lacks a column.
    """
    try:
        lines = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    except UnicodeDecodeError:
        raise ConfigError(f"The {what} {name} is not UTF-8; save it as CSV UTF-8") from None
    delimiter = delimiter_of(lines[0])
    header = _cells(lines[0], delimiter) or []
    places = _columns(name, header, columns, what)
    needed = 1 + max(at for column, at in places.items() if column != columns[-1])
    for number, line in enumerate(lines[1:], start=2):
        found = _cells(line, delimiter)
        if found is None or any(found):
            row = {column: found[at] if found and at < len(found) else "" for column, at in places.items()}
            yield number, row, _form_fault(found, len(header), needed)


def _cells(line: str, delimiter: str) -> list[str] | None:
    """The cells of one line without blanks around them, or None when its quotes do not pair."""
    try:
        return [
            cell.strip()
            for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True), [])
        ]
    except csv.Error:
        return None


def _columns(name: str, header: Sequence[str], columns: Sequence[str], what: str) -> dict[str, int]:
    """Where each column stands in the header. Raises ConfigError when one lacks or stands twice."""
    titles = [title.lower() for title in header]
    for column in columns:
        if titles.count(column) != 1:
            how = "names twice" if column in titles else "lacks" if any(titles) else "is empty and lacks"
            raise ConfigError(f"The {what} {name} {how} the column {column}; its header must be {','.join(columns)}")
    return {column: titles.index(column) for column in columns}


def _form_fault(cells: Sequence[str] | None, width: int, needed: int) -> str | None:
    """Why a row cannot be told apart into its columns; blank cells beyond the last column do no harm."""
    if cells is None:
        return "the quotes do not pair on this line; write each row on one line and a quote within a cell twice"
    if any(cells[width:]) or len(cells) < needed:
        return f"the row has {len(cells)} cells, the header {width}; quote a cell that holds the delimiter"
    return None


def delimiter_of(header: str) -> str:
    """The delimiter that the header holds most often: comma, semicolon or tab."""
    return max(",;\t", key=header.count)


def days_fault(cells: Mapping[str, str]) -> str | None:
    """What is wrong with the days of the cells ``start`` and ``end``, or None; an empty cell is an open end."""
    for column in ("start", "end"):
        if cells[column] and day_of(cells[column]) is None:
            return f"the {column} is no date of the calendar"
    starts, ends = day_of(cells["start"]), day_of(cells["end"])
    if starts is not None and ends is not None and ends < starts:
        return "the end lies before the start"
    return None


def day_of(text: str) -> date | None:
    """The day of a cell, written 2023-01-31, 20230131 or 1/31/2023; None for anything else."""
    for form in DATE_FORMS:
        if found := form.fullmatch(text):
            try:
                return date(int(found["year"]), int(found["month"]), int(found["day"]))
            except ValueError:
                return None
    return None
