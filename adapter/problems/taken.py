"""Which drugs are taken on which days: the drug uses by ingredient and class, each with the days that it is for.

Three-valued: the days that are sure, and the days that may be. A drug that no list knows may be of any class, and a fill
without days supply or full date may last to the day of the review; neither is ever taken for sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

import ibis
import ibis.expr.types as ir

from adapter.problems.rules import DrugSet
from adapter.tables.drug_list import class_rows
from adapter.targeting.program import Window
from adapter.targeting.windows import window_start

FILLS = ("claim", "dispense")
LONGEST_SUPPLY = 365  # days; more cannot be right (as in tables/findings.py), and so is not known


@dataclass(frozen=True)
class Span:
    """The days that a rule looks at, both counted."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days these are."""
        return (self.last - self.first).days + 1


def span(window: str, as_of: date) -> Span:
    """The window of a rule on ``as_of``: "plan_year_to_date", "trailing_12_months" or "90 days"."""
    if window.endswith(" days"):
        return Span(as_of - timedelta(days=int(window.removesuffix(" days")) - 1), as_of)
    return Span(window_start(cast(Window, window), as_of), as_of)


def taken(uses: ir.Table, classes: ir.Table) -> ir.Table:
    """One row per drug use and class of each of its ingredients; a drug that no list knows has one row without ingredient.

    Columns: beneficiary, kind, source, drug, name, listed, route, ingredient, ingredient_name, drug_class (NULL when the list has
    none for this ingredient by this route), day_first, day_last, ends and recorded (as in the drug uses), supply (whole days of a fill;
    NULL when not told or not possible).
    """
    classed = class_rows(uses.filter(uses.listed).select("drug", "route").distinct(), classes)
    # A row of another route says nothing of this product: budesonide capsules are no inhaled corticosteroid.
    classed = classed.mutate(drug_class=ibis.ifelse(classed.elsewhere, ibis.null("string"), classed.drug_class))
    named = classed.select("drug", "route", "ingredient", "ingredient_name", "drug_class").distinct()
    parts = uses.mutate(part=ibis.ifelse(uses.listed, uses.drug.split(";"), ibis.array([ibis.null("string")])).unnest())
    rows = parts.left_join(
        named, (parts.drug == named.drug) & (parts.route == named.route) & (parts.part == named.ingredient)
    )
    days = rows.days_supply.round().cast("int64")
    return rows.select(
        "beneficiary", "kind", "source", "name", "listed", "drug_class", "day_first", "day_last", "ends", "recorded",
        drug=rows.drug,
        route=rows.route,
        ingredient=rows.part,
        ingredient_name=ibis.coalesce(rows.ingredient_name, rows.name),
                supply=ibis.ifelse(days.between(1, LONGEST_SUPPLY), days, ibis.null("int64")),
    )  # fmt: skip


def members(rows: ir.Table, sets: Sequence[DrugSet]) -> ir.Table:
    """The rows of ``taken`` by the set that they belong to (``set``, its name), one per use and ingredient.

    ``sure`` is False for a drug that no list knows: it may belong to any of the sets.
    """
    named = [ibis.ifelse(_inside(rows, drugs) | ~rows.listed, drugs.name, "") for drugs in sets]
    found = rows.mutate(set=ibis.array(named).filter(lambda name: name != "").unnest(), sure=rows.listed)
    return found.drop("drug_class").distinct()


def _inside(rows: ir.Table, drugs: DrugSet) -> ir.BooleanValue:
    by_class = rows.drug_class.isin(drugs.classes) if drugs.classes else ibis.literal(False)
    by_name = rows.ingredient.isin(drugs.ingredient_ids) if drugs.ingredients else ibis.literal(False)
    inside = by_class.fill_null(False) | by_name.fill_null(False)
    if drugs.without:
        inside = inside & ~rows.ingredient.isin(drugs.without_ids).fill_null(False)
    if drugs.without_routes:
        inside = inside & ~rows.route.isin(drugs.without_routes)
    return inside


def of_kinds(rows: ir.Table, kinds: Sequence[str]) -> ir.Table:
    """``rows`` of these kinds (claim, dispense, request, statement)."""
    return rows.filter(rows.kind.isin(list(kinds)))


def in_days(rows: ir.Table, days: Span) -> ir.Table:
    """``rows`` with the days of ``days`` that each use is for, counted from 0; without those that cannot be for any.

    ``from_may`` to ``to_may`` are all days that may be; ``from_sure`` to ``to_sure`` those that are sure, NULL when none is. A
    fill is for its days supply from the fill date on. An order or statement is for the days from its start to its end, or to
    the last of ``days``; without a start it stands on the last day for sure. What was recorded later was not known by then.
    """
    end = days.days - 1
    rows = rows.filter(rows.recorded.isnull() | (rows.recorded <= ibis.date(days.last)))
    rows = rows.mutate(
        a=rows.day_first.delta(ibis.date(days.first), unit="day"),
        b=rows.day_last.delta(ibis.date(days.first), unit="day"),
        z=ibis.coalesce(rows.ends.delta(ibis.date(days.first), unit="day"), end),
    )
    fill = rows.kind.isin(FILLS)
    last = ibis.ifelse(fill, rows.b + rows.supply - 1, rows.z)
    begins = ibis.ifelse(fill, rows.a, ibis.coalesce(rows.b, end))
    rows = rows.mutate(
        known=rows.sure & ibis.ifelse(fill, (rows.a == rows.b) & rows.supply.notnull(), True),
        from_sure=ibis.greatest(begins, 0),
        to_sure=ibis.least(last, end),
        from_may=ibis.greatest(ibis.coalesce(rows.a, 0), 0),
        to_may=ibis.least(ibis.coalesce(last, end), end),
    )
    real = (rows.known & (rows.from_sure <= rows.to_sure)).fill_null(False)
    none = ibis.null("int64")
    return (
        rows.mutate(from_sure=ibis.ifelse(real, rows.from_sure, none), to_sure=ibis.ifelse(real, rows.to_sure, none))
        .filter(rows.from_may <= rows.to_may)
        .drop("a", "b", "z", "known")
    )


def fill_days(rows: ir.Table, where: ir.BooleanValue) -> ir.IntegerValue:
    """On how many different days a group may have been filled: those told as a day, and one for each that is not."""
    whole = (rows.day_first == rows.day_last).fill_null(False)
    return rows.day_first.nunique(where=where & whole) + rows.source.nunique(where=where & ~whole)


def written(day: ir.DateValue) -> ir.StringValue:
    """The day as text; NULL without one."""
    return day.strftime("%Y-%m-%d")
