"""Tables read strictly: every fault at once, each with its key."""

from __future__ import annotations

import msgspec

from adapter.documents import strict


class Inner(strict.Strict, frozen=True):
    number: int
    word: str = ""


class Outer(strict.Strict, frozen=True):
    name: str
    one: Inner | None = None
    many: list[Inner] = msgspec.field(default_factory=list)
    words: list[str] | None = None
    by_key: dict[str, str] = msgspec.field(default_factory=dict)


def test_a_good_table_has_no_fault():
    assert strict.faults({"name": "x", "one": {"number": 1}, "many": [{"number": 2}], "words": None}, Outer) == []


def test_every_fault_is_told_with_its_key():
    raw = {
        "nmae": "x",
        "one": {"number": "1", "more": 1},
        "many": [{"number": 1}, {}, 3],
        "words": "x",
        "by_key": {"a": 1},
    }
    found = dict(strict.faults(raw, Outer))
    assert found == {
        "nmae": "there is no such key; known are: name, one, many, words, by_key",
        "name": "the key is missing; add it",
        "one.more": "there is no such key; known are: number, word",
        "one.number": "Expected `int`, got `str`; correct it",
        "many[1].number": "the key is missing; add it",
        "many[2]": "Expected `object`, got `int`; correct it",
        "words": "Expected `array | null`, got `str`; correct it",
        "by_key[...]": "Expected `str`, got `int`; correct it",
    }


def test_a_table_that_is_none():
    assert strict.faults([], Outer) == [("", "Expected `object`, got `array`; correct it")]
