"""Sums over the rows of a measure; most of them stand in tests/spec/measures."""

from __future__ import annotations

from decimal import Decimal

from adapter.measures.rows import SUMMARY, Total, summary_rows, total

ROW = {
    "measure": "m",
    "in_denominator": True,
    "in_numerator": True,
    "excluded": False,
    "reason": "",
    "shortfall": "",
    "n": 1,
}


def made(*rows, least=1):
    return total("m", "A measure", "H1234", 2023, least, [ROW | row for row in rows])


def test_each_row_is_counted_once_where_it_belongs():
    one = made(
        {"n": 20},
        {"in_numerator": False, "shortfall": "no_cmr", "n": 9},
        {"in_numerator": None, "shortfall": "cmr_day_unknown", "n": 2},
        {"in_denominator": None, "in_numerator": None, "reason": "age_unknown", "n": 3},
        {"in_denominator": False, "in_numerator": False, "excluded": True, "reason": "hospice", "n": 4},
        {"in_denominator": False, "in_numerator": False, "reason": "under_18", "n": 5},
        {"measure": "another", "n": 1000},
    )
    assert (one.population, one.excluded, one.undecided, one.denominator, one.numerator, one.numerator_undecided) == (
        43, 4, 3, 31, 20, 2,
    )  # fmt: skip
    assert one.reasons == (("under_18", 5), ("hospice", 4), ("age_unknown", 3))
    assert one.shortfalls == (("no_cmr", 9), ("cmr_day_unknown", 2))
    assert one.rate == Decimal("0.645161")
    assert one.remark.startswith("3 beneficiaries are undecided and not in the denominator; 2 in the denominator")


def test_a_rate_is_rounded_half_up():
    assert made({"n": 1}, {"in_numerator": False, "n": 63}).rate == Decimal("0.015625")
    assert Total("m", "", "H1234", 2023, 0, 0, 0, 2_000_000, 1, 0, 31).rate == Decimal("0.000001")


def test_nobody_gives_zero_and_no_rate():
    one = made()
    assert (one.population, one.denominator, one.rate) == (0, 0, None)


def test_a_summary_row_has_every_column():
    (row,) = summary_rows([made({})])
    assert set(row) == set(SUMMARY)
