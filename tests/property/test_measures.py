"""What must hold of the days covered whatever the fills are, by the measure itself and by a plain count day by day.

Each example is a population of random persons, so that few examples hold many cases. They are the same in every run.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.engines.duckdb import Engine
from adapter.measures.pdc import Covered, Period, pdc

YEAR = Period(date(2023, 1, 1), date(2023, 12, 31))
PERSONS = 60
USE = {
    "kind": "string", "source": "string", "beneficiary": "string", "drug": "string", "route": "string", "brand": "string",
    "name": "string", "listed": "boolean", "measures": "array<string>", "day_first": "date", "day_last": "date",
    "days_supply": "decimal(9,2)",
}  # fmt: skip
CLASSED = {"drug": "string", "route": "string", "ingredient": "string", "adherence_measure": "string"}
PERSON = {"beneficiary": "string", "birth_date": "string", "died_by": "date"}
Fill = tuple[str, int, int]  # drug, day of the year from 0, days supply

few = settings(max_examples=5, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
seeds = st.integers(0, 2**32)


def fills_of(dice: random.Random) -> list[Fill]:
    """Random fills of one person: two drugs of the class, often early, sometimes on one day."""
    return [
        (
            dice.choice("12"),
            dice.choice([dice.randint(0, 364), dice.randint(0, 60), 364]),
            dice.choice([1, 7, 28, 30, 90, 365]),
        )
        for _ in range(dice.randint(1, 8))
    ]


def population(seed: int) -> dict[str, list[Fill]]:
    dice = random.Random(seed)
    return {f"p{number}": fills_of(dice) for number in range(PERSONS)}


def measured(
    engine: Engine, persons: dict[str, list[Fill]], order: random.Random | None = None
) -> dict[str, dict[str, Any]]:
    """The row of each person by the measure."""
    uses = [
        {
            "kind": "claim", "source": f"{who}.{place}", "beneficiary": who, "drug": drug, "route": "oral", "brand": "",
            "name": drug, "listed": True, "measures": ["statins"], "day_first": YEAR.first + timedelta(days=day),
            "day_last": YEAR.first + timedelta(days=day), "days_supply": Decimal(supply),
        }
        for who, fills in persons.items()
        for place, (drug, day, supply) in enumerate(fills)
    ]  # fmt: skip
    if order:
        order.shuffle(uses)
    classed = [{"drug": one, "route": "oral", "ingredient": one, "adherence_measure": "PDC-STA"} for one in "12"]
    people = [{"beneficiary": who, "birth_date": "1950-01-01", "died_by": None} for who in persons]
    covered = Covered(engine.table(uses, USE), engine.table(classed, CLASSED), engine.table(people, PERSON))
    return {row["beneficiary"]: row for row in engine.records(pdc(covered, YEAR))}


def by_hand(fills: list[Fill]) -> int:
    """Days covered, counted day by day: of each drug as many days are used up as there is supply at hand."""
    days: set[int] = set()
    for drug in {drug for drug, _, _ in fills}:
        stock = 0
        for day in range(365):
            stock += sum(supply for name, on, supply in fills if (name, on) == (drug, day))
            if stock:
                days.add(day)
                stock -= 1
    return len(days)


@few
@given(seed=seeds)
def test_the_days_covered_are_those_of_a_count_day_by_day(engine: Engine, seed: int) -> None:
    persons = population(seed)
    assert {who: row["days_covered"] for who, row in measured(engine, persons).items()} == {
        who: by_hand(fills) for who, fills in persons.items()
    }


@few
@given(seed=seeds)
def test_the_proportion_is_a_fraction_of_the_treatment_period(engine: Engine, seed: int) -> None:
    persons = population(seed)
    for who, row in measured(engine, persons).items():
        assert 0 <= row["pdc"] <= 1
        assert 1 <= row["days_covered"] <= row["days"] == 365 - min(day for _, day, _ in persons[who])


@few
@given(seed=seeds)
def test_one_more_fill_of_a_drug_never_takes_a_day_away(engine: Engine, seed: int) -> None:
    persons, dice = population(seed), random.Random(seed + 1)
    more = {
        who: [*fills, (dice.choice(fills)[0], dice.randint(0, 364), dice.choice([1, 30, 90]))]
        for who, fills in persons.items()
    }
    before, after = measured(engine, persons), measured(engine, more)
    assert all(after[who]["days_covered"] >= before[who]["days_covered"] for who in persons)


@few
@given(seed=seeds)
def test_the_order_of_the_fills_changes_nothing(engine: Engine, seed: int) -> None:
    persons = population(seed)
    assert measured(engine, persons, random.Random(seed)) == measured(engine, persons)
