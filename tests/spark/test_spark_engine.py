"""The engine on Spark reads as strictly as DuckDB, keeps text as text, and answers in the same way."""

from __future__ import annotations

import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import ibis
import pyarrow.parquet as pq
import pytest

from adapter.engines.backend import ReadFault
from adapter.engines.choose import open_engine

SHAPE = {"id": "string", "flag": "boolean", "list": ["string"], "end": {"start": "string"}, "of": [{"flag": "boolean"}]}

# What both read, and read alike.
GOOD = {
    "all": b'{"id":"a","flag":true,"list":["x"],"end":{"start":"y"},"of":[{"flag":false},null,{}]}',
    "no line end, mark and CR LF": b'\xef\xbb\xbf{"id":"a"}\r\n\r\n{"id":"b"}',
    "null": b'{"id":null,"end":null}',
    "other elements": b'{"other":{"deep":[1]}}',
    "a name in other letters": b'{"ID":"a"}',
    "no cent is lost": b'{"id":9999999999.99,"end":{"start":4935.01},"list":[1,null,true]}',
    "a long number": b'{"id":12345678901234567890123}',
    "a carriage return within": b'{"id":"a",\r"end":{"start":"y"}}',
    "an escaped name": b'{"\\u0069d":"a\\u00e9\\ud83d\\ude00"}',
    "a word for true": b'{"id":"a","flag":"yes","of":[{"flag":"TRUE"},{"flag":1}]}',
    "a word for false": b'{"id":"a","flag":0,"of":[{"flag":"No"},{"flag":"f"},{"flag":0.0}]}',
    "empty": b"",
    "blank": b"\n\n",
}

# What stops the read of both.
FAULTS = {
    "cut off": b'{"id":"a"',
    "no JSON": b"oops",
    "text for a list": b'{"id":"a","list":"x"}',
    "list for an object": b'{"id":"a","end":["x"]}',
    "object for a list": b'{"id":"a","of":{"flag":true}}',
    "object for a boolean": b'{"id":"a","flag":{"x":1}}',
    "word for a boolean": b'{"id":"a","flag":"maybe"}',
    "word for a boolean, deep": b'{"id":"a","of":[{"flag":"maybe"}]}',
    "an abbreviation for a boolean": b'{"id":"a","flag":"y"}',
    "two objects": b'{"id":"a"}{"id":"b"}',
    "something behind": b'{"id":"a"},',
    "a list of objects": b'[{"id":"a"}]',
    "an empty list": b"[]",
    "a number": b"5",
    "a key twice": b'{"id":"a","id":"b"}',
    "a key twice, deep": b'{"end":{"start":"1","start":"2"}}',
    "single quotes": b"{'id':'a'}",
    "a comment": b'{"id":"a" /* x */}',
    "a bare control character": b'{"id":"a\tb"}',
    "no UTF-8": b'{"id":"a\xff"}',
    "no UTF-8 where nothing is read": b'{"id":"a","z":"\xff"}',
    "half a character": b'{"id":"\\ud800"}',
    "broken where nothing is read": b'{"id":"a","z":{"q":[1,}}',
}


def write(folder, data, name="a.ndjson"):
    path = folder / name
    path.write_bytes(data)
    return path


def kept(engine, *paths, **options):
    return engine.records(engine.keep(engine.read_ndjson(paths, SHAPE, **options)).order_by("id"))


def test_what_is_good_is_read_as_duckdb_reads_it(engine, spark, tmp_path):
    paths = [write(tmp_path, data, f"{n}.ndjson") for n, data in enumerate(GOOD.values())]
    expected = sorted(map(repr, kept(engine, *paths)))
    assert len(expected) == len(GOOD) - 2 + 1  # two files without a line, one with two
    assert sorted(map(repr, kept(spark, *paths))) == expected
    assert sorted(map(repr, kept(spark, *paths, sifted=True))) == expected


@pytest.mark.parametrize("title", FAULTS)
def test_what_stops_duckdb_stops_spark(engine, spark, tmp_path, title):
    path = write(tmp_path, b'{"id":"good"}\n' + FAULTS[title] + b"\n")
    for one in (engine, spark):
        with pytest.raises(ReadFault):
            kept(one, path)


def test_a_fault_says_nothing_of_the_line(spark, tmp_path):
    with pytest.raises(ReadFault) as caught:
        kept(spark, write(tmp_path, b'{"id":"Secret","list":"Secret"}'))
    assert "Secret" not in f"{caught.value}{caught.value.__cause__}"


def test_a_sifted_line_that_spark_cannot_read_is_a_row_of_nothing(spark, tmp_path):
    rows = kept(spark, write(tmp_path, b'{"id":"a"}\n{"id":"b","list":"x"}\nnull\n'), sifted=True)
    assert [row["id"] for row in rows] == ["a", None, None]
    assert rows[1]["list"] is None


def test_packed_and_plain_files_are_read_together_from_a_folder_of_any_name(spark, tmp_path):
    folder = tmp_path / "a [1]{x} *?\\ b%20"
    folder.mkdir()
    plain, packed = write(folder, b'{"id":"a"}'), write(folder, gzip.compress(b'{"id":"b"}\n'), "b.ndjson.gz")
    assert [one["id"] for one in kept(spark, plain, packed)] == ["a", "b"]


def test_a_damaged_packed_file_stops_the_read(spark, tmp_path):
    packed = gzip.compress(b"".join(b'{"id":"%d"}\n' % n for n in range(20_000)))
    with pytest.raises(ReadFault):
        kept(spark, write(tmp_path, packed[: len(packed) // 2], "a.ndjson.gz"))


def test_no_file_is_a_table_without_rows(spark):
    table = spark.keep(spark.read_ndjson([], SHAPE, "nothing"))
    assert (spark.records(table), list(table.columns), spark.count(table)) == ([], list(SHAPE), 0)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_list_is_read_as_duckdb_reads_it(engine, spark, tmp_path, name):
    data = b'\xef\xbb\xbfcode,n\n00123,\n"a,""b\nc",NULL\n,NA\n'
    path = write(tmp_path, gzip.compress(data) if name.endswith("gz") else data, name)
    expected = engine.records(engine.read_list(path).order_by("code"))
    assert [row["code"] for row in expected] == ["", "00123", 'a,"b\nc']
    assert spark.records(spark.read_list(path).order_by("code")) == expected


SCHEMA = {"a": "string", "b": "int64", "c": "decimal(12,2)", "d": "date", "e": "array<struct<x: string>>"}
ROWS = [
    {"a": "it's \\ \x0b", "b": 1, "c": Decimal("1.10"), "d": date(2023, 2, 28), "e": [{"x": "y"}, None]},
    {"a": None, "b": None, "c": None, "d": None, "e": None},
]


def test_rows_become_a_table_and_come_back(spark):
    table = spark.keep(spark.table(ROWS, SCHEMA))
    ordered = table.order_by("b")
    assert spark.records(ordered) == ROWS
    assert spark.count(table) == 2
    assert (spark.number(table.count()), spark.number(table.filter(table.a == "none").b.sum())) == (2, 0)
    assert spark.rows(table, a="it's \\ \x0b") == ROWS[:1]
    assert spark.rows(table, a="none") == []
    assert spark.records(spark.table([], SCHEMA)) == []


def test_a_long_result_comes_in_its_order_batch_by_batch(spark, tmp_path):
    many = spark.table([{"n": n} for n in range(45_000)], {"n": "int64"}, "many")
    backwards = many.mutate(twice=many.n * 2).order_by(ibis.desc("n"))
    with spark.stream(backwards) as reader:
        batches = list(reader)
    assert [row["n"] for batch in batches for row in batch.to_pylist()] == list(range(44_999, -1, -1))
    assert max(batch.num_rows for batch in batches) < 45_000
    spark.write_parquet(backwards, tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet")["twice"].to_pylist() == list(range(89_998, -1, -2))


def test_a_released_table_is_gone(spark):
    table = spark.keep(spark.table(ROWS, SCHEMA))
    spark.release(table)
    with pytest.raises(Exception, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.count(table)


def test_a_sum_that_overflows_stops_the_run(spark):
    table = spark.table([{"n": 2**62}, {"n": 2**62}], {"n": "int64"})
    with pytest.raises(Exception, match="ARITHMETIC_OVERFLOW"):
        spark.number(table.n.sum())


def test_a_second_engine_leaves_the_first_one_running(spark):
    with open_engine("spark") as other:
        assert Path(other._scratch.name).is_dir()
        with other.session() as session:
            session.expect(10**12)
            assert session.records(session.table([{"n": 1}], {"n": "int64"}, "own")) == [{"n": 1}]
    assert not Path(other._scratch.name).exists()
    assert spark.number(spark.table([{"n": 3}], {"n": "int64"}).n.sum()) == 3
