"""Rows of Arrow tables as a sequence, and the file of them."""

import pyarrow as pa
import pytest

from adapter.outputs import arrow_rows
from adapter.outputs.arrow_rows import ArrowRows
from adapter.outputs.files import csv_bytes, csv_file

ROWS = [{"a": "y", "n": 1}, {"a": "x", "n": 2}, {"a": "y", "n": 3}, {"a": None, "n": 4}, {"a": 'a\r\nb,"c"', "n": 5}]


@pytest.fixture
def rows(monkeypatch):
    monkeypatch.setattr(arrow_rows, "AT_ONCE", 2)
    return ArrowRows(pa.Table.from_pylist(ROWS[:3]), pa.Table.from_pylist([], pa.schema([("a", "string"), ("n", "int64")])),
                     pa.Table.from_pylist(ROWS[3:]))  # fmt: skip


def test_they_are_a_sequence(rows):
    assert list(rows) == ROWS == list(rows) and len(rows) == 5
    assert (rows[0], rows[3], rows[-1]) == (ROWS[0], ROWS[3], ROWS[4]) and rows[1:4] == ROWS[1:4]
    with pytest.raises(IndexError):
        rows[5]
    assert list(ArrowRows()) == [] and len(ArrowRows()) == 0 and not ArrowRows()


def test_sorted_they_keep_the_order_of_equals(rows):
    assert [row["n"] for row in rows.sorted_by("a")][:4] == [5, 2, 1, 3]
    assert list(ArrowRows().sorted_by("a")) == []


def test_the_file_of_them_is_that_of_the_bytes(rows, tmp_path):
    csv_file(("n", "a"), rows)(tmp_path / "f.csv")
    assert (tmp_path / "f.csv").read_bytes() == csv_bytes(("n", "a"), ROWS)
