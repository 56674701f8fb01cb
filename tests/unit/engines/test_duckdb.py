"""The engine reads strictly, keeps text as text, and leaves nothing behind."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from adapter.engines.duckdb import Engine, ReadFault, column_type

SHAPE = {"id": "string", "flag": "boolean", "list": ["string"], "end": {"start": "string"}}


def write(folder, data, name="a.ndjson"):
    path = folder / name
    path.write_bytes(data)
    return path


def kept(engine, *paths):
    return engine.records(engine.keep(engine.read_ndjson(paths, SHAPE)).order_by("id"))


def row(key, **more):
    return {"id": key, "flag": None, "list": None, "end": None} | more


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'{"id":"a","flag":true,"list":["x"],"end":{"start":"y"}}\n', [row("a", flag=True, list=["x"], end={"start": "y"})]),
        (b'{"id":"a"}', [row("a")]),
        (b'\xef\xbb\xbf{"id":"a"}\r\n\r\n{"id":"b"}\r\n', [row("a"), row("b")]),
        (b'{"id":null,"end":null}\n', [row(None)]),
        (b'{"other":{"deep":[1]}}\n', [row(None)]),
        (b'{"id":"1.10","end":{"start":4935.01}}\n', [row("1.10", end={"start": "4935.01"})]),
        (b'{"id":"a","end":{"start":9999999999.99}}\n', [row("a", end={"start": "9999999999.99"})]),
        (b"", []),
        (b"\n\n", []),
    ],
    ids=["all", "no line end", "mark and CR LF", "null", "other elements", "a number is a text", "no cent is lost",
         "empty", "blank"],
)  # fmt: skip
def test_a_file_of_resources_is_a_table(engine, tmp_path, data, rows):
    assert kept(engine, write(tmp_path, data)) == rows


def test_packed_and_plain_files_are_read_together(engine, tmp_path):
    plain, packed = write(tmp_path, b'{"id":"a"}'), write(tmp_path, gzip.compress(b'{"id":"b"}\n'), "b.ndjson.gz")
    assert [one["id"] for one in kept(engine, plain, packed)] == ["a", "b"]


def test_no_file_is_a_table_without_rows(engine):
    table = engine.keep(engine.read_ndjson([], SHAPE))
    assert (engine.records(table), list(table.columns)) == ([], list(SHAPE))


@pytest.mark.parametrize(
    "data",
    [
        b'{"id":"a"\n',
        b"oops\n",
        b'{"id":"a","list":"x"}\n',
        b'{"id":"a","end":["x"]}\n',
        b'{"id":"a","flag":{"x":1}}\n',
    ],
    ids=["cut off", "no JSON", "text for a list", "list for an object", "object for a boolean"],
)
def test_what_is_not_as_the_shape_says_stops_the_read(engine, tmp_path, data):
    path = write(tmp_path, b'{"id":"good"}\n' + data)
    with pytest.raises(ReadFault):
        kept(engine, path)


def test_a_damaged_packed_file_stops_the_read(engine, tmp_path):
    packed = gzip.compress(b"".join(b'{"id":"%d"}\n' % n for n in range(20_000)))
    with pytest.raises(ReadFault):
        kept(engine, write(tmp_path, packed[: len(packed) // 2], "a.ndjson.gz"))


def test_a_list_is_read_as_texts_and_empty_cells_as_empty(engine, tmp_path):
    table = engine.read_list(write(tmp_path, b'code,n\n00123,\n"a,b",5\n', "a.csv"))
    assert engine.records(table.order_by("code")) == [{"code": "00123", "n": ""}, {"code": "a,b", "n": "5"}]


def test_rows_become_a_table_of_their_types(engine):
    table = engine.table([{"a": "x", "b": 1}, {"a": None, "b": None}], {"a": "string", "b": "int64"})
    assert engine.records(table.order_by("b")) == [{"a": "x", "b": 1}, {"a": None, "b": None}]
    assert engine.number(table.count()) == 2
    assert engine.number(table.filter(table.a == "none").b.sum()) == 0


def test_the_scratch_folder_goes_with_the_engine():
    with Engine(threads=1) as own:
        [[folder]] = own.backend.raw_sql("SELECT current_setting('temp_directory')").fetchall()
        assert Path(folder).is_dir()
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ("string", "VARCHAR"),
        ("boolean", "BOOLEAN"),
        (["string"], "VARCHAR[]"),
        ({"end": "string", "a": ["boolean"]}, 'STRUCT("end" VARCHAR, "a" BOOLEAN[])'),
        ([{"type": {"x": "string"}}], 'STRUCT("type" STRUCT("x" VARCHAR))[]'),
    ],
)
def test_a_shape_is_a_column_type(shape, kind):
    assert column_type(shape) == kind
