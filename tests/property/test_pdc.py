"""PDC against a simulation that takes one tablet a day, for any fills of any persons."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.measures.pdc import Covered, Period, pdc
from tests.unit.measures.test_pdc import CLASSED, PERSON, USE, use

YEAR = Period(date(2023, 1, 1), date(2023, 12, 31))
DRUGS = ("1", "2")
fill = st.tuples(st.sampled_from(DRUGS), st.integers(0, 364), st.integers(1, 120))


def simulated(fills: list[tuple[str, int, int]]) -> int:
    """Days of the year with a tablet of any drug: each drug has a stock of its own, and one tablet is taken a day."""
    stock, covered = dict.fromkeys(DRUGS, 0), 0
    for day in range(365):
        for drug, filled, supply in fills:
            stock[drug] += supply if filled == day else 0
        covered += any(stock.values())
        stock = {drug: max(left - 1, 0) for drug, left in stock.items()}
    return covered


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(fill, min_size=1, max_size=8), min_size=1, max_size=10))
def test_days_covered_are_those_of_the_simulation(engine, people) -> None:
    uses = [
        use(f"c{person}-{n}", YEAR.first + timedelta(days=day), str(supply), beneficiary=str(person), drug=drug)
        for person, fills in enumerate(people)
        for n, (drug, day, supply) in enumerate(fills)
    ]
    classed = [{"drug": drug, "route": "oral", "ingredient": drug, "adherence_measure": "PDC-STA"} for drug in DRUGS]
    persons = [
        {"beneficiary": str(person), "birth_date": "1950-01-01", "died_by": None} for person, _ in enumerate(people)
    ]
    covered = Covered(engine.table(uses, USE), engine.table(classed, CLASSED), engine.table(persons, PERSON))
    rows = {row["beneficiary"]: row for row in engine.records(pdc(covered, YEAR))}
    assert {person: row["days_covered"] for person, row in rows.items()} == {
        str(person): simulated(fills) for person, fills in enumerate(people)
    }
    assert all(Decimal(0) < row["pdc"] <= 1 for row in rows.values())
