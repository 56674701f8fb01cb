"""Days together, against a count of days one by one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.problems.overlap import UNKNOWN, duplicate, together
from adapter.problems.rules import DrugSet, Duplicate, Together
from adapter.problems.taken import Span

DAYS = Span(date(2023, 7, 3), date(2023, 9, 30))
SCHEMA = {
    "beneficiary": "string", "kind": "string", "source": "string", "drug": "string", "name": "string", "listed": "boolean",
    "route": "string", "ingredient": "string", "ingredient_name": "string", "drug_class": "string", "day_first": "date",
    "day_last": "date", "ends": "date", "recorded": "date", "supply": "int64",
}  # fmt: skip
WORDS = {
    "title": "t", "severity": "low", "contacts": ["prescriber"], "recommendation": "r", "basis": "pharmacology",
    "source": "s", "standing": "U", "window": "90 days",
}  # fmt: skip


def row(drug, day, supply, *, drug_class="A", number=0, person="b", **changes):
    values = {
        "beneficiary": person, "kind": "claim", "source": f"c{number}", "drug": drug, "name": drug, "listed": True,
        "route": "oral", "ingredient": drug, "ingredient_name": drug, "drug_class": drug_class, "day_first": day,
        "day_last": day, "ends": None, "recorded": None, "supply": supply,
    }  # fmt: skip
    return values | changes


def rule(kind=Duplicate, days=1, fills=1, groups=("A",)):
    return kind(groups=[DrugSet(name=name, classes=[name]) for name in groups], days=days, minimum_fills=fills, **WORDS)


fill = st.tuples(st.sampled_from("xyz"), st.integers(-40, 95), st.integers(1, 60))


def days_by_hand(fills):
    """How many days of the window have fills of two different drugs."""
    on = {}
    for drug, first, supply in fills:
        for day in range(max(first, 0), min(first + supply, DAYS.days)):
            on.setdefault(day, set()).add(drug)
    return sum(len(drugs) > 1 for drugs in on.values())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(fill, max_size=6), min_size=1, max_size=12))
def test_days_together_are_those_counted_one_by_one(engine, people):
    rows = [
        row(drug, DAYS.first + timedelta(days=first), supply, number=f"{person}-{n}", person=str(person))
        for person, fills in enumerate(people)
        for n, (drug, first, supply) in enumerate(fills)
    ]
    found = engine.records(duplicate(engine.table(rows, SCHEMA), rule(), DAYS))
    told = {hit["beneficiary"]: int(hit["fact"].split()[0]) for hit in found}
    counted = {str(person): days_by_hand(fills) for person, fills in enumerate(people)}
    assert told == {person: n for person, n in counted.items() if n}
    assert all(hit["certain"] for hit in found)


@pytest.fixture
def found(engine):
    """A function of rows and a rule: the hits."""

    def hits(rows, of):
        kind = duplicate if isinstance(of, Duplicate) else together
        return engine.records(kind(engine.table(rows, SCHEMA), of, DAYS))

    return hits


D = DAYS.first


def test_only_those_that_overlap_are_named(found):
    rows = [row("x", D, 10, number=1), row("y", D, 10, number=2), row("z", D + timedelta(days=40), 10, number=3)]
    (hit,) = found(rows, rule(days=10))
    assert hit["ingredients"] == ["x", "y"]
    assert hit["sources"] == ["c1", "c2"]


def test_one_product_with_two_ingredients_of_the_group_is_no_duplicate(found):
    assert found([row("x;y", D, 30, ingredient="x"), row("x;y", D, 30, ingredient="y")], rule()) == []


def test_one_product_of_both_groups_is_not_taken_together(found):
    rows = [row("x;y", D, 30, ingredient="x"), row("x;y", D, 30, ingredient="y", drug_class="B")]
    assert found(rows, rule(Together, groups=("A", "B"))) == []


def test_two_drugs_of_one_group_are_not_together(found):
    assert found([row("x", D, 30), row("y", D, 30, number=1)], rule(Together, groups=("A", "B"))) == []


def test_an_unlisted_drug_may_be_of_either_group(found):
    unlisted = row("text:q", D, 30, number=1, listed=False, ingredient=None, drug_class=None)
    for drug_class in ("A", "B"):
        (hit,) = found([row("x", D, 30, drug_class=drug_class), unlisted], rule(Together, groups=("A", "B")))
        assert (hit["certain"], hit["sources"]) == (False, ["c0", "c1"]), "what a person must look at is named"
        assert hit["fact"] == "no day together is sure; 30 are possible: no list knows one of the drugs"
    assert found([row("x", D, 30, drug_class="C"), unlisted], rule(Together, groups=("A", "B"))) == []


def test_unlisted_drugs_are_told_once_and_not_for_every_group(found):
    unlisted = [
        row(f"text:{n}", D, 30, number=n, listed=False, ingredient=None, drug_class=None, name=f"Q{n}") for n in (1, 2)
    ]
    (hit,) = found(unlisted, rule(groups=("A", "B", "C")))
    assert (hit["item"], hit["certain"], hit["names"]) == (UNKNOWN, False, ["Q1", "Q2"])
    beside = found([*unlisted, row("x", D, 30, drug_class="B")], rule(groups=("A", "B", "C")))
    assert sorted(hit["item"] for hit in beside) == ["B", UNKNOWN]
    (alone,) = found(unlisted, rule(groups=("A",)))
    assert alone["item"] == "A"


def test_a_statement_recorded_after_the_day_is_not_known_yet(found):
    told = row("y", D, None, number=1, kind="statement", recorded=DAYS.last)
    (hit,) = found([row("x", D, 30), told], rule())
    assert hit["certain"]
    assert found([row("x", D, 30), told | {"recorded": DAYS.last + timedelta(days=1)}], rule()) == []


def test_a_fill_without_days_supply_is_named_with_the_reason(found):
    (hit,) = found([row("x", D, 30), row("y", D, None, number=1)], rule())
    assert (hit["certain"], hit["sources"]) == (False, ["c0", "c1"])
    assert hit["fact"].endswith("a fill has no days supply, no full date, or too few are told")


def test_enough_fills_of_each_side(found):
    x = [row("x", D, 15, number=1), row("x", D + timedelta(days=15), 15, number=2)]
    y = row("y", D, 30, number=3)
    assert found([*x, y], rule(fills=2)) == []
    (hit,) = found([*x, y, row("y", D + timedelta(days=30), 1, number=4)], rule(fills=2, days=30))
    assert hit["certain"]


def test_a_fill_before_the_window_counts_for_its_days_and_not_as_a_fill_of_the_window(found):
    rows = [row("x", D - timedelta(days=10), 30, number=1), row("y", D, 30, number=2)]
    (hit,) = found(rows, rule(days=20))
    assert hit["fact"].startswith("20 days together")
    assert found(rows, rule(days=20, fills=2)) == []


def test_nothing_gives_nothing(found):
    assert found([], rule()) == []
