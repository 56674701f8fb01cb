"""Statements that were written once: what their key depends on, and which file of them is taken."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import partial

import ibis
import pytest

from adapter.engines import statements
from adapter.engines.duckdb import Engine
from adapter.engines.statements import Statement, Statements, cache_folder, key_of

ONE = Statement("SELECT 1", {"a": "int64"})


@dataclass(frozen=True)
class Rule:
    minimum: int
    named: dict


def by_rule(table, rule, *more):
    return table.filter(table.n >= rule.minimum)


def otherwise(table, rule, *more):
    return table


def named(name="t", **columns):
    return ibis.table(columns or {"n": "int64"}, name=name)


BASE = partial(by_rule, named(), Rule(3, {"a": date(2023, 1, 1)}), [None, "x"])


def test_the_same_function_with_equal_arguments_has_the_same_key():
    again = partial(by_rule, named(), Rule(3, {"a": date(2023, 1, 1)}), [None, "x"])
    assert key_of(BASE, "t_1") == key_of(again, "t_1")


@pytest.mark.parametrize(
    "other",
    [
        partial(otherwise, *BASE.args),
        partial(by_rule, named("u"), *BASE.args[1:]),
        partial(by_rule, named(n="string"), *BASE.args[1:]),
        partial(by_rule, named(), Rule(4, {"a": date(2023, 1, 1)}), [None, "x"]),
        partial(by_rule, named(), Rule(3, {"a": date(2023, 1, 2)}), [None, "x"]),
        partial(by_rule, named(), Rule(3, {"b": date(2023, 1, 1)}), [None, "x"]),
        partial(by_rule, named(), Rule(3, {"a": date(2023, 1, 1)}), ["x", None]),
        partial(by_rule, *BASE.args[:2]),
        partial(by_rule, named(), rule=BASE.args[1]),
    ],
    ids=[
        "function",
        "table",
        "columns",
        "field",
        "value in a mapping",
        "name in a mapping",
        "order",
        "fewer",
        "by name",
    ],
)
def test_whatever_a_statement_depends_on_is_in_its_key(other):
    assert key_of(other, "t_1") != key_of(BASE, "t_1")


def test_the_table_that_is_made_is_in_the_key():
    assert key_of(BASE, "t_1") != key_of(BASE, "t_2")


def seeing(least):
    return lambda table: table.filter(table.n >= least)


@pytest.mark.parametrize(
    "asked",
    [
        partial(by_rule, named(), object()),
        partial(seeing(3), named()),
        partial(lambda table: table, named()),
        partial("{}".format, named()),
    ],
    ids=["an object", "a function that sees more than its arguments", "a function without name", "a method"],
)
def test_what_cannot_be_told_is_refused(asked):
    with pytest.raises(TypeError, match="in a statement"):
        key_of(asked, "t_1")


def test_what_one_process_wrote_the_next_one_knows(tmp_path):
    path = tmp_path / "cache" / f"statements-{statements.AT_START}.json"
    first = Statements(path)
    first.put("k", ONE)
    first.save()
    assert Statements(path).get("k") == ONE
    assert Statements(path).get("other") is None
    assert path.stat().st_mode & 0o077 == 0
    assert list(path.parent.iterdir()) == [path]


def test_what_other_versions_left_goes_away(tmp_path):
    old, path = tmp_path / "statements-old.json", tmp_path / "statements-new.json"
    old.write_text("{}")
    own = Statements(path)
    own.put("k", ONE)
    own.save()
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("body", ["", "{", "[]", '{"k": 1}', '{"k": ["a"]}', '{"k": ["a", 3]}'])
def test_a_file_that_is_not_whole_is_not_taken(tmp_path, body):
    path = tmp_path / "statements-x.json"
    path.write_text(body)
    assert Statements(path).get("k") is None


@pytest.mark.parametrize("loose", ["file", "folder"])
def test_a_file_that_others_could_have_written_is_not_taken(tmp_path, loose):
    path = tmp_path / "own" / "statements-x.json"
    path.parent.mkdir(mode=0o700)
    path.write_text(json.dumps({"k": ["SELECT 1", {"a": "int64"}]}))
    path.chmod(0o600)
    assert Statements(path).get("k") == ONE
    (path if loose == "file" else path.parent).chmod(0o777)
    assert Statements(path).get("k") is None


def test_only_the_newest_are_left(tmp_path, monkeypatch):
    monkeypatch.setattr(statements, "MOST", 2)
    path = tmp_path / "statements-x.json"
    own = Statements(path)
    for key in ("a", "b", "c"):
        own.put(key, ONE)
    own.save()
    assert list(json.loads(path.read_text())) == ["b", "c"]


def test_nothing_is_left_when_a_source_changed_meanwhile(tmp_path, monkeypatch):
    path = tmp_path / "statements-x.json"
    own = Statements(path)
    own.put("k", ONE)
    monkeypatch.setattr(statements, "fingerprint", lambda: "another")
    own.save()
    assert not path.exists()


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path):
    (tmp_path / "file").write_text("")
    own = Statements(tmp_path / "file" / "statements-x.json")
    own.put("k", ONE)
    own.save()
    assert own.get("k") == ONE


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"HOME": "/h"}, "/h/.cache/mtm-adapter"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "/c"}, "/c/mtm-adapter"),
        ({"HOME": "/h", "MTM_ADAPTER_CACHE": "/own"}, "/own"),
        ({"HOME": "/h", "MTM_ADAPTER_CACHE": "off"}, "None"),
        ({}, "None"),
    ],
)
def test_where_statements_are_left(environ, folder):
    assert str(cache_folder(environ)) == folder


CALLS: list[int] = []


def counted(table, least):
    CALLS.append(least)
    return table.filter(table.n >= least).order_by("n")


def test_a_statement_is_written_once_and_serves_other_rows():
    CALLS.clear()
    with Engine(threads=1) as engine:
        for rows in ([1, 2, 3], [3, 4]):
            with engine.session():
                table = engine.table([{"n": n} for n in rows], {"n": "int64"}, "given")
                kept = engine.keep(partial(counted, table, 2), "kept")
                assert [row["n"] for row in engine.records(kept.order_by("n"))] == [n for n in rows if n >= 2]
                assert engine.records(partial(counted, kept, 3)) == [{"n": n} for n in rows if n >= 3]
    assert CALLS == [2, 3]
