"""Expressions as Spark's SQL: what is refused rather than answered otherwise. What the SQL means is asked of Spark in tests/spark."""

from __future__ import annotations

import ibis
import pytest
from ibis.common.exceptions import UnsupportedOperationError

from adapter.engines.spark_sql import as_shaped, column_type, read_type, spark_sql

T = ibis.table({"a": "string", "n": "int64", "list": "array<string>"}, name="t")

REFUSED = {
    "collected by another column": T.agg(x=T.a.collect(order_by="n")),
    "collected downwards": T.agg(x=T.a.collect(order_by=ibis.desc("a"))),
    "collected by two columns": T.agg(x=T.a.collect(order_by=["a", "n"])),
    "put together by another column": T.agg(x=T.a.group_concat(order_by="n")),
    "collected with NULL": T.agg(x=T.a.collect(include_null=True)),
    "a range in steps of two": T.select(x=ibis.range(0, T.n, 2)),
}


@pytest.mark.parametrize("title", REFUSED)
def test_what_spark_would_answer_otherwise_is_refused(title):
    with pytest.raises(UnsupportedOperationError):
        spark_sql(REFUSED[title])


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("^a$", r"'^a\\z'"),
        (r"a\$", r"'a\\$'"),
        ("(?i)a", "'(?iu)a'"),
        ("a", "'a'"),
        (r"\s+x", r"'[\\t\\n\\f\\r ]+x'"),
        (r"[\s.]\\s", r"'[\\t\\n\\f\\r .]\\\\s'"),
        (r"\[\s", r"'\\[[\\t\\n\\f\\r ]'"),
        (r"\[([^\]]*)\]", r"'\\[([^\\]]*)\\]'"),
    ],
)
def test_a_pattern_is_written_as_java_means_it(pattern, written):
    assert f"RLIKE {written}" in spark_sql(T.filter(T.a.re_search(pattern)))


SHAPE = {"end": "string", "of": [{"flag": "boolean"}]}


def test_a_shape_is_read_as_texts_and_has_its_own_types():
    assert read_type(SHAPE) == "STRUCT<`end`: STRING, `of`: ARRAY<STRUCT<`flag`: STRING>>>"
    assert column_type(SHAPE) == "STRUCT<`end`: STRING, `of`: ARRAY<STRUCT<`flag`: BOOLEAN>>>"


def test_only_what_holds_a_boolean_is_put_together_anew():
    assert as_shaped("`a`", ["string"], "NULL") == "`a`"
    assert as_shaped("`a`", SHAPE, "NULL").startswith(
        "IF(`a` IS NULL, NULL, named_struct('end', `a`.`end`, 'of', transform("
    )
