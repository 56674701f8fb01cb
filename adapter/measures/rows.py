"""The one shape of what a measure says of each beneficiary, and its sums: the same for the CMR rate and for adherence.

Every answer is three-valued: NULL is "the data do not decide it", which is told and counted and never taken for no.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import ibis
import ibis.expr.types as ir

COLUMNS = (
    "measure", "beneficiary", "in_denominator", "in_numerator", "excluded", "reason", "shortfall", "days", "days_covered",
    "proportion", "sources",
)  # fmt: skip
REASONS = {  # why a beneficiary is not in the denominator
    "under_18": "younger than the measure is for",
    "criteria_not_met": "met none of CMS's targeting criteria",
    "under_60_days": "enrolled for fewer days than the measure asks for, and no CMR",
    "one_fill": "too few fills on different days",
    "late_start": "the first fill too near the end of the treatment period",
    "hospice": "in hospice in the year",
    "esrd": "end-stage renal disease in the year",
    "insulin": "a claim for insulin in the year",
    "sacubitril": "a claim for sacubitril/valsartan in the year",
    "age_unknown": "undecided: the birth date is not known",
    "criteria_unknown": "undecided: the enrollment does not tell which criteria were met",
    "days_unknown": "undecided: the first or last day of the enrollment is not known",
    "fills_unknown": "undecided: a fill has no full date",
}
SHORTFALLS = {  # why one in the denominator is not in the numerator
    "no_cmr": "no CMR in the enrollment",
    "no_summary": "a CMR without a written summary",
    "cmr_day_unknown": "undecided: the day of a CMR is not known",
    "below_threshold": "fewer days covered than the measure asks for",
    "fills_unknown": "undecided: a fill has no full date or no usable days supply",
}
RATE = Decimal("0.000001")


@dataclass(frozen=True)
class Total:
    """One measure of one contract and year, added up.

    ``population``: who was looked at. ``excluded``: those in the denominator but for an exclusion, who are not in it.
    ``denominator`` and ``numerator``: those who are in it for sure; ``undecided``: those who may be in the denominator,
    ``numerator_undecided``: those in the denominator who may be in the numerator. ``reasons``: how many are not in the
    denominator, by reason.
    """

    measure: str
    title: str
    contract: str
    year: int
    population: int
    excluded: int
    undecided: int
    denominator: int
    numerator: int
    numerator_undecided: int
    least_denominator: int
    reasons: tuple[tuple[str, int], ...] = ()
    shortfalls: tuple[tuple[str, int], ...] = ()

    @property
    def rate(self) -> Decimal | None:
        """Numerator by denominator with six decimals; None when the denominator is too small. A least value while some are undecided."""
        if self.denominator < self.least_denominator:
            return None
        return (Decimal(self.numerator) / Decimal(self.denominator)).quantize(RATE, ROUND_HALF_UP)

    @property
    def remark(self) -> str:
        """What a reader of the rate must know, or ""."""
        told = []
        if self.denominator < self.least_denominator:
            told.append(f"not enough: {self.denominator} in the denominator, a rate needs {self.least_denominator}")
        if self.undecided:
            told.append(f"{self.undecided} beneficiaries are undecided and not in the denominator")
        if self.numerator_undecided:
            told.append(f"{self.numerator_undecided} in the denominator are undecided and not in the numerator")
        return "; ".join(told)


def told(rows: ir.Table) -> ir.Table:
    """``rows`` in the order in which they are written: measure, beneficiary."""
    return rows.select(*COLUMNS).order_by("measure", "beneficiary")


def counted(rows: ir.Table) -> ir.Table:
    """How many rows there are of each kind: measure, in_denominator, in_numerator, excluded, reason, shortfall, n."""
    keys = ("measure", "in_denominator", "in_numerator", "excluded", "reason", "shortfall")
    return rows.group_by(*keys).agg(n=rows.count()).order_by(*keys)


def total(
    measure: str, title: str, contract: str, year: int, least_denominator: int, counts: Sequence[dict[str, Any]]
) -> Total:
    """The sums of one measure over the rows of ``counted``; zero of everything when there are none."""
    mine = [row for row in counts if row["measure"] == measure]

    def number(**wanted: bool | None) -> int:
        return sum(row["n"] for row in mine if all(row[key] is value for key, value in wanted.items()))

    return Total(
        measure, title, contract, year,
        population=number(),
        excluded=number(excluded=True),
        undecided=number(in_denominator=None),
        denominator=number(in_denominator=True),
        numerator=number(in_denominator=True, in_numerator=True),
        numerator_undecided=number(in_denominator=True, in_numerator=None),
        least_denominator=least_denominator,
        reasons=_by(mine, "reason", REASONS),
        shortfalls=_by(mine, "shortfall", SHORTFALLS),
    )  # fmt: skip


def _by(rows: Sequence[dict[str, Any]], column: str, known: dict[str, str]) -> tuple[tuple[str, int], ...]:
    found = {name: sum(row["n"] for row in rows if row[column] == name) for name in known}
    return tuple((name, n) for name, n in found.items() if n)


def summary_rows(totals: Sequence[Total]) -> list[dict[str, Any]]:
    """One row per measure for a table or a page: the columns of ``SUMMARY``; ``rate`` is a fraction of 1 or None.

    For ``measures.csv``, and for whoever shows the rates beside something else.
    """
    return [
        {
            "measure": one.measure, "title": one.title, "contract": one.contract, "year": one.year,
            "population": one.population, "excluded": one.excluded, "undecided": one.undecided,
            "denominator": one.denominator, "numerator": one.numerator, "numerator_undecided": one.numerator_undecided,
            "rate": one.rate, "remark": one.remark,
            "not_in_denominator": "; ".join(f"{name} {n}" for name, n in one.reasons),
            "not_in_numerator": "; ".join(f"{name} {n}" for name, n in one.shortfalls),
        }
        for one in totals
    ]  # fmt: skip


SUMMARY = (
    "measure", "title", "contract", "year", "population", "excluded", "undecided", "denominator", "numerator",
    "numerator_undecided", "rate", "remark", "not_in_denominator", "not_in_numerator",
)  # fmt: skip


def yes(value: ir.BooleanValue) -> ir.BooleanValue:
    """Whether ``value`` is true for sure."""
    return value.fill_null(False)


def no(value: ir.BooleanValue) -> ir.BooleanValue:
    """Whether ``value`` is false for sure."""
    return ~value.fill_null(True)


NO_DAYS = ibis.null("int64")
NO_SHARE = ibis.null("decimal(9,6)")
