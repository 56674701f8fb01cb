"""Files of code lists in each of their kinds."""

from __future__ import annotations

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adapter.mappings.lists import list_columns, list_rows

ROWS = [{"code": "00123", "name": 'a "b", c'}, {"code": "", "name": "é"}]
TEXT = '\ufeffcode,name\n00123,"a ""b"", c"\n,é\n'


@pytest.fixture(params=["a.csv", "a.csv.gz", "a.parquet"])
def path(request, tmp_path):
    path = tmp_path / request.param
    if request.param == "a.parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    else:
        path.write_bytes(gzip.compress(TEXT.encode()) if path.suffix == ".gz" else TEXT.encode())
    return path


def test_columns_and_rows_are_the_same_in_every_kind(path):
    assert list_columns(path) == ["code", "name"]
    assert list_rows(path) == ROWS


def test_the_backend_reads_the_same(path, engine):
    assert engine.records(engine.read_list(path).order_by("name")) == ROWS
