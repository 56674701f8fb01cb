"""Drugs taken on the same days: two of one group (duplicate), or of two groups (together)."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from adapter.problems.hits import hits, texts
from adapter.problems.rules import DrugSet, Duplicate, Together
from adapter.problems.taken import FILLS, Span, fill_days, in_days, members, of_kinds, written

_KEY = ["beneficiary", "item"]
UNKNOWN = "Drugs that no list knows"


def duplicate(rows: ir.Table, rule: Duplicate, days: Span) -> ir.Table:
    """Hits for two different ingredients of one group; ``item`` is the group. ``rows`` as of ``taken.taken``.

    One product alone is no duplicate, whatever it holds, nor is one ingredient in two products.
    """
    found = _by_group(of_kinds(rows, rule.sources), rule.groups)
    sided = found.rename(item="set").mutate(side=ibis.coalesce(found.ingredient, found.drug))
    return _overlapping(sided, rule, days)


def _by_group(rows: ir.Table, groups: Sequence[DrugSet]) -> ir.Table:
    """The rows of ``members``, but one of a drug that no list knows only in those groups of which the person has a listed drug.

    It may be of any group: in all of them it would be told once for each. Among themselves these drugs are one more group.
    """
    if len(groups) == 1:
        return members(rows, groups)
    listed = members(rows.filter(rows.listed), groups)
    loose = rows.filter(~rows.listed).drop("drug_class").distinct().mutate(sure=False)
    beside = loose.inner_join(listed.select("beneficiary", "set").distinct(), "beneficiary")
    among = loose.mutate(set=ibis.literal(UNKNOWN))
    return listed.union(beside.select(*listed.columns), among.select(*listed.columns))


def together(rows: ir.Table, rule: Together, days: Span) -> ir.Table:
    """Hits for drugs of two of the groups; one ``item`` per person. ``rows`` as of ``taken.taken``."""
    found = members(of_kinds(rows, rule.sources), rule.groups)
    return _overlapping(found.rename(side="set").mutate(item=ibis.literal("")), rule, days)


def _overlapping(rows: ir.Table, rule: Duplicate | Together, days: Span) -> ir.Table:
    """The hits among ``rows`` with ``item`` and ``side``: two sides, from two products, on at least ``days`` days."""
    rows = _filled_enough(in_days(rows, days), rule.minimum_fills, days)
    several = rows.group_by(_KEY).agg(two=_two(rows.side) & _two(rows.drug))
    rows = rows.semi_join(several.filter(several.two), _KEY)
    rows = rows.semi_join(_long_enough(rows, rule.days), _KEY)
    daily = rows.mutate(day=ibis.range(rows.from_may, rows.to_may + 1).unnest())
    daily = daily.mutate(surely=daily.day.between(daily.from_sure, daily.to_sure).fill_null(False))
    by_day = daily.group_by([*_KEY, "day"]).agg(
        both=_two(daily.side, daily.surely) & _two(daily.drug, daily.surely),
        perhaps=_two(daily.side) & _two(daily.drug),
    )
    counted = by_day.group_by(_KEY).agg(
        n=by_day.both.sum(),
        possible=by_day.perhaps.sum(),
        first=by_day.day.min(where=by_day.both),
        last=by_day.day.max(where=by_day.both),
    )
    counted = counted.filter(counted.possible >= rule.days)
    counted = counted.mutate(certain=(counted.n >= rule.days).fill_null(False))
    told = _told(daily.inner_join(counted.select(*_KEY, "certain"), _KEY), by_day)
    found = counted.left_join(told, _KEY).drop("beneficiary_right", "item_right")
    return hits(found.mutate(fact=_fact(found, days)))


def _long_enough(rows: ir.Table, fewest: int) -> ir.Table:
    """The keys that may have ``fewest`` days together: on each of these there is a drug of another side than the longest one."""
    sides = rows.group_by([*_KEY, "side"]).agg(length=(rows.to_may - rows.from_may + 1).sum())
    every = sides.group_by(_KEY).agg(left=sides.length.sum() - sides.length.max())
    return every.filter(every.left >= fewest)


def _told(daily: ir.Table, by_day: ir.Table) -> ir.Table:
    """By key the drugs that are together on the days that are sure; where too few are, those that may be, and ``unlisted`` ones."""
    involved = daily.filter(daily.surely | ~daily.certain)
    shown = by_day.filter(by_day.both | by_day.perhaps).select(*_KEY, "day", "both")
    involved = involved.inner_join(shown, [*_KEY, "day"])
    involved = involved.filter(involved.both | ~involved.certain)
    return involved.group_by(_KEY).agg(
        ingredients=texts(involved.ingredient), names=texts(involved.name), sources=texts(involved.source),
        unlisted=(~involved.listed).any(),
    )  # fmt: skip


def _two(column: ir.StringValue, where: ir.BooleanValue | None = None) -> ir.BooleanValue:
    """Whether a group has two different values: the least and the greatest differ, which is found faster than counted."""
    return (column.min(where=where) != column.max(where=where)).fill_null(False)


def _filled_enough(rows: ir.Table, fewest: int, days: Span) -> ir.Table:
    """``rows`` of the sides with at least ``fewest`` fills on different days of ``days``, or with an order or statement.

    A side that has only perhaps as many is not sure.
    """
    if fewest == 1:
        return rows
    inside = rows.kind.isin(FILLS) & (rows.day_last >= days.first).fill_null(True)
    standing = ~rows.kind.isin(FILLS)
    key = [*_KEY, "side"]
    counted = rows.group_by(key).agg(
        surely=rows.day_first.nunique(where=inside & rows.sure & (rows.day_first == rows.day_last)),
        perhaps=fill_days(rows, inside),
        standing=(standing & rows.sure).any(),
        may_stand=standing.any(),
    )
    counted = counted.filter((counted.perhaps >= fewest) | counted.may_stand)
    joined = rows.inner_join(counted, key)
    enough = (joined.surely >= fewest) | joined.standing
    none = ibis.null("int64")
    return joined.mutate(
        from_sure=ibis.ifelse(enough, joined.from_sure, none), to_sure=ibis.ifelse(enough, joined.to_sure, none)
    ).drop("surely", "perhaps", "standing", "may_stand")


def _fact(found: ir.Table, days: Span) -> ir.StringValue:
    first, last = (written(ibis.date(days.first) + day.as_interval("D")) for day in (found.first, found.last))
    said = found.n.cast("string").concat(" days together, from ", first, " to ", last)
    why = ibis.ifelse(
        found.unlisted, "no list knows one of the drugs", "a fill has no days supply, no full date, or too few are told"
    )
    doubt = ibis.literal("; ").concat(found.possible.cast("string"), " are possible: ", why)
    return ibis.coalesce(said, "no day together is sure").concat(ibis.ifelse(found.certain, "", doubt))
