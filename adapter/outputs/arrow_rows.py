"""Rows of Arrow tables as a sequence of dictionaries that are made as they are asked for: the rows of a large contract fit so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import pyarrow as pa

AT_ONCE = 10_000  # rows that are dictionaries at a time


class ArrowRows(Sequence[dict[str, Any]]):
    """The rows of ``tables`` (pyarrow), one after the other; each time they are gone through they are made anew."""

    def __init__(self, *tables: pa.Table) -> None:
        self._tables = tables

    def sorted_by(self, column: str) -> ArrowRows:
        """The rows in the order of a column of texts; those with the same text stay in theirs."""
        return ArrowRows(pa.concat_tables(self._tables).sort_by(column)) if self._tables else self

    def __len__(self) -> int:
        return sum(table.num_rows for table in self._tables)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for table in self._tables:
            for batch in table.to_batches(AT_ONCE):
                yield from batch.to_pylist()

    @overload
    def __getitem__(self, at: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, at: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, at: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        places = range(len(self))[at]
        if isinstance(places, range):
            return [self[place] for place in places]
        for table in self._tables:
            if places < table.num_rows:
                row: dict[str, Any] = table.slice(places, 1).to_pylist()[0]
                return row
            places -= table.num_rows
        raise IndexError(at)
