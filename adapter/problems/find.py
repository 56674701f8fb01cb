"""One rule over the tables of a population: the one way by which every problem is found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

from adapter.measures.ages import is_aged
from adapter.problems.adherence import adherence
from adapter.problems.overlap import duplicate, together
from adapter.problems.rules import Adherence, Ages, Duplicate, Gap, Rule, Unfilled, Use
from adapter.problems.taken import span
from adapter.problems.treatment import gap, use
from adapter.problems.unfilled import unfilled

FOUND, UNDECIDED = "found", "undecided"


@dataclass(frozen=True)
class Data:
    """What the rules read: tables of the persons who are reviewed, on the day of the review.

    ``uses``: drug uses. ``taken``: ``taken.taken`` of them. ``covered``: ``measures.pdc.pdc`` of the year so far. ``diseases``:
    beneficiary, disease, fact, source. ``persons``: beneficiary and birth_date.
    """

    uses: ir.Table
    taken: ir.Table
    covered: ir.Table
    diseases: ir.Table
    persons: ir.Table
    as_of: date


def problems(name: str, rule: Rule, data: Data) -> ir.Table:
    """One row per problem of the rule, in the order of beneficiary and item.

    Columns: rule, outcome (found, or undecided: the data leave it open), and those of ``hits``: beneficiary, item, certain,
    ingredients, names, fact, sources.
    """
    return _of_age(_hits(rule, data), rule.ages, data).mutate(rule=ibis.literal(name)).order_by("beneficiary", "item")


def _hits(rule: Rule, data: Data) -> ir.Table:
    day = data.as_of
    if isinstance(rule, Adherence):
        return adherence(data.covered, rule)
    if isinstance(rule, Unfilled):
        return unfilled(data.uses, rule, day)
    days = span(rule.window, day)
    if isinstance(rule, Use):
        return use(data.taken, data.diseases, rule, days)
    if isinstance(rule, Gap):
        return gap(data.taken, data.diseases, rule, days)
    return duplicate(data.taken, rule, days) if isinstance(rule, Duplicate) else together(data.taken, rule, days)


def _of_age(found: ir.Table, ages: Ages | None, data: Data) -> ir.Table:
    """``found`` of those whose age the rule is for, with ``outcome``; an age that is not known leaves it undecided."""
    if ages is None:
        return found.semi_join(data.persons, "beneficiary").mutate(outcome=_outcome(found.certain))
    on = data.as_of if ages.on == "day" else date(data.as_of.year, 1, 1)
    aged = is_aged(data.persons.birth_date, on, ages.youngest, ages.oldest)
    rows = found.inner_join(data.persons.select("beneficiary", aged=aged), "beneficiary")
    rows = rows.filter(rows.aged.fill_null(True))
    unknown = ibis.ifelse(rows.aged.isnull(), "; the age is not known", "")
    return rows.mutate(
        outcome=_outcome(rows.certain & rows.aged.fill_null(False)), fact=rows.fact.concat(unknown)
    ).drop("aged")


def _outcome(certain: ir.BooleanValue) -> ir.StringValue:
    return ibis.ifelse(certain.fill_null(False), FOUND, UNDECIDED)
