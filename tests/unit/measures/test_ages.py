"""Ages on a day, with birth dates that are whole, partial or not known."""

from __future__ import annotations

from datetime import date

import pytest

from adapter.measures.ages import is_aged

DAY = date(2023, 6, 30)

# birth date -> whether 40 to 75 on 2023-06-30
CASES = {
    "1983-06-30": True,  # 40 today
    "1983-07-01": False,  # 40 tomorrow
    "1948-06-30": True,  # 75 today
    "1947-07-01": True,  # 76 tomorrow
    "1947-06-30": False,  # 76 today
    "1983": None,
    "1983-06": True,
    "1983-07": False,
    "1947-06": False,
    "1947": None,
    "1960": True,
    "2001": False,
    "": None,
    None: None,
}


@pytest.mark.parametrize("born", CASES)
def test_40_to_75(engine, born):
    table = engine.table([{"born": born}], {"born": "string"})
    (row,) = engine.records(table.select(aged=is_aged(table.born, DAY, 40, 75)))
    assert row["aged"] is CASES[born]


@pytest.mark.parametrize(
    ("born", "on", "aged"),
    [
        ("1958-02-28", date(2023, 2, 28), True),
        ("1960-02-29", date(2025, 2, 28), False),
        ("1960-02-29", date(2025, 3, 1), True),
        ("1959-02-28", date(2024, 2, 29), True),
        ("1959-03-01", date(2024, 2, 29), False),
    ],
)
def test_65_around_the_end_of_february(engine, born, on, aged):
    table = engine.table([{"born": born}], {"born": "string"})
    (row,) = engine.records(table.select(aged=is_aged(table.born, on, 65)))
    assert row["aged"] is aged
