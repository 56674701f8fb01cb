"""Medication adherence of one contract and year: of those who fill drugs of a class, how many have enough days covered.

Part D Star Ratings, by PQA (reference/cms-rules.md 6). The days covered are ``pdc.py``'s; here stands who is judged, in which
contract and by which threshold. The figures stand in mappings/measures/pdc_*.toml.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from adapter.measures.care_status import in_period
from adapter.measures.pdc import Covered, Method, Period, pdc
from adapter.measures.rows import COLUMNS, yes
from adapter.measures.settings import EXCLUDING_DRUGS, STATUSES, Pdc

SPELL = {"beneficiary": "string", "starts": "date", "ends": "date", "sources": "array<string>"}


def memberships(coverages: ir.Table, contract: str, period: Period) -> ir.Table:
    """beneficiary, starts, ends, sources: the longest time within the period as a member of ``contract``, by Part D Coverage.

    Coverages that overlap or follow each other without a day between are one. Of two of the same length the later counts. That
    the longest counts is this project's choice (U): CMS counts each and weighs by member-years.
    """
    cover = coverages.filter(coverages.part_d & (coverages.contract == contract))
    first, last = ibis.date(period.first), ibis.date(period.last)
    cover = cover.mutate(
        starts=ibis.greatest(ibis.coalesce(cover.starts, first), first),
        ends=ibis.least(ibis.coalesce(cover.ends, last), last),
    )
    cover = cover.filter(cover.starts <= cover.ends)
    order = [cover.starts, cover.ends, cover.source]
    before = ibis.window(group_by="beneficiary", order_by=order, preceding=(None, 1))
    cover = cover.mutate(until=cover.ends.max().over(before))
    fresh = cover.until.isnull() | (cover.starts.delta(cover.until, unit="day") > 1)
    cover = cover.mutate(fresh=fresh.cast("int64"))
    running = ibis.cumulative_window(group_by="beneficiary", order_by=[cover.starts, cover.ends, cover.source])
    cover = cover.mutate(spell=cover.fresh.sum().over(running))
    spells = cover.group_by("beneficiary", "spell").agg(
        starts=cover.starts.min(),
        ends=cover.ends.max(),
        sources=cover.source.collect(distinct=True, order_by="source"),
    )
    spells = spells.mutate(days=spells.ends.delta(spells.starts, unit="day"))
    rank = ibis.row_number().over(group_by="beneficiary", order_by=[ibis.desc(spells.days), ibis.desc(spells.starts)])
    ranked = spells.mutate(rank=rank)
    return ranked.filter(ranked["rank"] == 0).select(*SPELL)


def everybody(persons: ir.Table, period: Period) -> ir.Table:
    """As ``memberships``, when the source holds no Coverage: all are members of the contract that is asked about."""
    return persons.select(
        "beneficiary",
        starts=ibis.date(period.first),
        ends=ibis.date(period.last),
        sources=ibis.literal([], type="array<string>"),
    )


def of_members(uses: ir.Table, members: ir.Table) -> ir.Table:
    """The drug uses of ``members`` that do not lie before their membership for sure."""
    rows = uses.inner_join(members.select("beneficiary", _since="starts"), "beneficiary")
    return rows.filter((rows.day_last >= rows._since).fill_null(True)).drop("_since", *_right(rows, uses))


def _right(rows: ir.Table, left: ir.Table) -> list[str]:
    return [name for name in rows.columns if name.endswith("_right") and name not in left.columns]


def pdc_rate(covered: Covered, members: ir.Table, facts: ir.Table, rule: Pdc, name: str, period: Period) -> ir.Table:
    """One row per member with a fill of the class in the membership, with the columns of ``rows.COLUMNS``.

    ``covered``: the drug uses of the members (``of_members``) with classes, persons and refused brands; its exclusions and ends
    are made here. ``days`` are those of the treatment period. A fill without a full date leaves the numerator undecided; one
    without a usable days supply leaves it so only where the other fills do not reach the threshold, since a fill never takes
    a day away. ``sources``: the fills, and what told an exclusion.
    """
    statuses = [one for one in rule.exclusions.value if one in STATUSES]
    found = in_period(facts, period, statuses)
    given = found.select("beneficiary", measure=ibis.literal(""), reason="reason")
    asked = Covered(
        uses=covered.uses,
        classed=covered.classed,
        persons=covered.persons,
        exclusions=given,
        ends=members.select("beneficiary", "ends"),
        refused_brands=tuple(rule.refused_brands.value),
    )
    method = Method(
        youngest=rule.youngest.value,
        fewest_fills=rule.fewest_fills.value,
        latest_start=rule.latest_start.value,
        exclusions=tuple(one for one in rule.exclusions.value if one in EXCLUDING_DRUGS),
    )
    rows = pdc(asked, period, method)
    rows = rows.filter(rows.measure == rule.drugs)
    rows = rows.left_join(
        found.select("beneficiary", "reason", telling="sources"),
        [rows.beneficiary == found.beneficiary, rows.excluded == found.reason],
    )
    return _answered(rows.drop("beneficiary_right"), rule, name, method)


def _answered(rows: ir.Table, rule: Pdc, name: str, method: Method) -> ir.Table:
    """The answers: a fill that has no full date leaves open whether there are enough, and the day of the first."""
    enough = (rows.fills >= method.fewest_fills) & (rows.days > method.latest_start)
    none, open_ = ibis.literal(False), ibis.null("boolean")
    counted = ibis.cases(
        (rows.excluded == "age_unknown", open_),
        (rows.excluded != "", none),
        (yes(enough), ibis.literal(True)),
        else_=open_,
    )
    reached = rows.days_covered * 100 >= rows.days * rule.threshold.value
    adherent = ibis.cases(
        (rows.undated, open_), (yes(reached), ibis.literal(True)), (rows.undecided, open_), else_=none
    )
    rows = rows.mutate(counted=counted, adherent=adherent)
    shortfall = ibis.cases(
        (~yes(rows.counted) | yes(rows.adherent), ""),
        (rows.adherent.isnull(), "fills_unknown"),
        else_="below_threshold",
    )
    nothing = ibis.literal([], type="array<string>")
    return rows.select(
        "beneficiary", "days", "days_covered",
        measure=ibis.literal(name),
        in_denominator=rows.counted,
        in_numerator=rows.counted & rows.adherent,
        excluded=rows.excluded.isin([*STATUSES, *EXCLUDING_DRUGS]),
        reason=ibis.ifelse((rows.excluded == "") & rows.counted.isnull(), "fills_unknown", rows.excluded),
        shortfall=shortfall,
        proportion=rows.pdc,
        sources=rows.sources.concat(ibis.coalesce(rows.telling, nothing)).unique().sort(),
    ).select(*COLUMNS)  # fmt: skip


def year_of(year: int) -> Period:
    """The measurement period of ``year``."""
    return Period(date(year, 1, 1), date(year, 12, 31))
