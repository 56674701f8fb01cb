"""Windows of time in a program: which fills lie in one, which orders stand, and what "likely yearly cost" is reckoned from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from adapter.targeting.program import DrugCost, Window


def in_window(uses: ir.Table, window: Window, as_of: date) -> ir.BooleanValue:
    """Whether a fill lies in the window, or an order or statement stands on ``as_of``; NULL when a partial date leaves it open."""
    return since(uses, window_start(window, as_of), as_of)


def since(uses: ir.Table, first: date, as_of: date) -> ir.BooleanValue:
    """As ``in_window``, for the window from ``first`` to ``as_of``. What was recorded after ``as_of`` does not stand."""
    inside = (uses.day_first >= first) & (uses.day_last <= as_of)
    outside = (uses.day_last < first) | (uses.day_first > as_of)
    filled = ibis.cases((inside, True), (outside, False), else_=ibis.null("boolean"))
    begun = uses.day_first.isnull() | (uses.day_first <= as_of)
    known = uses.recorded.isnull() | (uses.recorded <= as_of)
    stands = begun & known & (uses.ends.isnull() | (uses.ends >= as_of))
    return ibis.ifelse(uses.kind.isin(["claim", "dispense"]), filled, stands)


def window_start(window: Window, as_of: date) -> date:
    """The first day of a window that ends on ``as_of``: 1 January, or the day after the same day one or two years before."""
    if window == "plan_year_to_date":
        return date(as_of.year, 1, 1)
    return months_before(as_of, 24 if window == "trailing_24_months" else 12)


def months_before(as_of: date, months: int) -> date:
    """The first day of the ``months`` months that end on ``as_of``: 2023-10-01 for 3 months that end on 2023-12-31."""
    following = as_of + timedelta(days=1)
    year, month = divmod(following.year * 12 + following.month - 1 - months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(following.day, last))


@dataclass(frozen=True)
class LikelyCost:
    """How the cost that is likely in a year is reckoned: fills since ``first``, times ``factor``, against ``dollars``."""

    first: date
    factor: Decimal  # of the sum of fills; 1 when it is compared as it is
    dollars: Decimal
    share: int  # the threshold is divided by this: 4 for a quarter


def likely_cost(rule: DrugCost, as_of: date) -> LikelyCost:
    """The reckoning that the program names. "Likely to incur" is the sponsor's to define (42 CFR 423.153(d)(2)(i)(C)).

    year_to_date and trailing_12_months compare the sum as it is; projected carries the daily cost of the year so far to its end;
    quarter compares the last three months with a quarter of the threshold.
    """
    if rule.method == "quarter":
        return LikelyCost(months_before(as_of, 3), Decimal(1), rule.dollars, 4)
    if rule.method == "trailing_12_months":
        return LikelyCost(months_before(as_of, 12), Decimal(1), rule.dollars, 1)
    first = date(as_of.year, 1, 1)
    days = Decimal((date(as_of.year, 12, 31) - first).days + 1)
    elapsed = Decimal((as_of - first).days + 1)
    return LikelyCost(first, days / elapsed if rule.method == "projected" else Decimal(1), rule.dollars, 1)
