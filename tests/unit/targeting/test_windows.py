"""Which day a window begins, which fills lie in it, and what a likely cost is reckoned from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import pytest

from adapter.targeting.windows import in_window, likely_cost, months_before, window_start

AS_OF = date(2023, 9, 30)


@pytest.mark.parametrize(
    ("as_of", "months", "first"),
    [
        (date(2023, 12, 31), 3, date(2023, 10, 1)),
        (date(2023, 12, 31), 12, date(2023, 1, 1)),
        (date(2023, 9, 30), 12, date(2022, 10, 1)),
        (date(2023, 6, 15), 12, date(2022, 6, 16)),
        (date(2024, 2, 29), 12, date(2023, 3, 1)),
        (date(2023, 2, 28), 12, date(2022, 3, 1)),
        (date(2025, 2, 28), 12, date(2024, 3, 1)),
        (date(2024, 2, 28), 12, date(2023, 2, 28)),  # the day after would be 29 February, which 2023 lacks
        (date(2023, 5, 30), 3, date(2023, 2, 28)),
        (date(2023, 1, 1), 24, date(2021, 1, 2)),
        (date(2023, 11, 30), 12, date(2022, 12, 1)),
        (date(2023, 12, 30), 12, date(2022, 12, 31)),
    ],
)
def test_months_end_on_the_day(as_of, months, first):
    assert months_before(as_of, months) == first


@pytest.mark.parametrize(
    ("window", "first"),
    [
        ("plan_year_to_date", date(2023, 1, 1)),
        ("trailing_12_months", date(2022, 10, 1)),
        ("trailing_24_months", date(2021, 10, 1)),
    ],
)
def test_a_window_has_a_first_day(window, first):
    assert window_start(window, AS_OF) == first


MARCH = (date(2023, 3, 1), date(2023, 3, 31))

# (kind, first day, last day, end, recorded) -> whether it lies in the plan year to 2023-09-30
USES = {
    ("claim", date(2023, 1, 1), date(2023, 1, 1), None, None): True,
    ("claim", date(2022, 12, 31), date(2022, 12, 31), None, None): False,
    ("claim", AS_OF, AS_OF, None, None): True,
    ("claim", date(2023, 10, 1), date(2023, 10, 1), None, None): False,
    ("claim", *MARCH, None, None): True,
    ("claim", date(2023, 1, 1), date(2023, 12, 31), None, None): None,
    ("claim", date(2023, 9, 1), date(2023, 9, 30), None, None): True,
    ("claim", date(2022, 12, 1), date(2023, 11, 30), None, None): None,
    ("claim", None, None, None, None): None,
    ("dispense", date(2022, 12, 31), date(2022, 12, 31), None, None): False,
    ("dispense", *MARCH, None, None): True,
    ("request", date(2015, 1, 1), date(2015, 1, 1), None, None): True,
    ("request", date(2023, 10, 1), date(2023, 10, 1), None, None): False,
    ("request", None, None, None, None): True,
    ("statement", None, None, AS_OF, None): True,
    ("statement", None, None, date(2023, 9, 29), None): False,
    ("statement", date(2023, 1, 1), date(2023, 12, 31), date(2023, 12, 31), None): True,
    ("statement", MARCH[0], MARCH[0], None, AS_OF): True,
    ("statement", MARCH[0], MARCH[0], None, date(2023, 10, 1)): False,
}
COLUMNS = ("kind", "day_first", "day_last", "ends", "recorded")


@pytest.fixture(scope="module")
def inside(engine):
    rows = [dict(zip(COLUMNS, use, strict=True)) for use in USES]
    table = engine.table(rows, {"kind": "string"} | dict.fromkeys(COLUMNS[1:], "date"))
    found = engine.records(table.mutate(inside=in_window(table, "plan_year_to_date", AS_OF)))
    return {tuple(row[name] for name in COLUMNS): row["inside"] for row in found}


@pytest.mark.parametrize("use", USES)
def test_a_fill_lies_in_the_window_and_an_order_stands_on_the_day(inside, use):
    assert inside[use] is USES[use]


# (method, day) -> (first, factor, share)
METHODS = {
    ("year_to_date", AS_OF): (date(2023, 1, 1), Decimal(1), 1),
    ("trailing_12_months", AS_OF): (date(2022, 10, 1), Decimal(1), 1),
    ("projected", date(2023, 12, 31)): (date(2023, 1, 1), Decimal(1), 1),
    ("projected", date(2023, 1, 1)): (date(2023, 1, 1), Decimal(365), 1),
    ("projected", date(2024, 6, 30)): (date(2024, 1, 1), Decimal(366) / Decimal(182), 1),
    ("quarter", date(2023, 12, 31)): (date(2023, 10, 1), Decimal(1), 4),
}


@pytest.mark.parametrize(("method", "as_of"), METHODS)
def test_a_likely_cost_is_reckoned_as_the_program_says(program_2023, method, as_of):
    rule = msgspec.structs.replace(program_2023.drug_cost, method=method)
    likely = likely_cost(rule, as_of)
    assert (likely.first, likely.factor, likely.share) == METHODS[method, as_of]
    assert likely.dollars == Decimal("4935.00")
