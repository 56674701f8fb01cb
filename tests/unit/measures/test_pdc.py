"""The shape of the PDC table; what it says stands in tests/spec/measures/pdc."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from adapter.measures.pdc import Covered, Period, pdc

YEAR = Period(date(2023, 1, 1), date(2023, 12, 31))
USE = {
    "kind": "string", "source": "string", "beneficiary": "string", "drug": "string", "route": "string", "brand": "string",
    "name": "string", "listed": "boolean", "measures": "array<string>", "day_first": "date", "day_last": "date",
    "days_supply": "decimal(9,2)",
}  # fmt: skip
CLASSED = {"drug": "string", "route": "string", "ingredient": "string", "adherence_measure": "string"}
PERSON = {"beneficiary": "string", "birth_date": "string", "died_by": "date"}


def use(source, day, days="30", **changes):
    values = {
        "kind": "claim", "source": source, "beneficiary": "b", "drug": "1", "route": "oral", "brand": "", "name": "a statin",
        "listed": True, "measures": ["statins"], "day_first": day, "day_last": day, "days_supply": Decimal(days),
    }  # fmt: skip
    return values | changes


@pytest.fixture
def rows(engine):
    """A function of the drug uses: the rows of the PDC table."""

    def found(uses, born="1950-01-01"):
        classed = [{"drug": "1", "route": "oral", "ingredient": "1", "adherence_measure": "PDC-STA"}]
        covered = Covered(
            uses=engine.table(uses, USE),
            classed=engine.table(classed, CLASSED),
            persons=engine.table([{"beneficiary": "b", "birth_date": born, "died_by": None}], PERSON),
        )
        return engine.records(pdc(covered, YEAR))

    return found


def test_one_row_per_beneficiary_and_measure(rows):
    (row,) = rows([use("c1", date(2023, 1, 1)), use("c2", date(2023, 1, 31))])
    assert row == {
        "beneficiary": "b", "measure": "statins", "fills": 2, "days_covered": 60, "excluded": "", "names": ["a statin"],
        "sources": ["c1", "c2"], "days": 365, "pdc": Decimal("0.164384"), "undecided": False, "undated": False,
        "first_fill": date(2023, 1, 1), "ends": date(2023, 12, 31),
    }  # fmt: skip


def test_a_fill_without_any_full_date_gives_no_first_day(rows):
    (row,) = rows([use("c1", date(2023, 1, 1), day_last=date(2023, 1, 31))])
    assert (row["fills"], row["first_fill"], row["pdc"], row["undecided"], row["excluded"]) == (0, None, None, True, "")


def test_orders_and_dispenses_are_no_fills(rows):
    assert rows([use("r1", date(2023, 1, 1), kind="request"), use("d1", date(2023, 2, 1), kind="dispense")]) == []


def test_nothing_gives_nothing(rows):
    assert rows([]) == []
