"""Proportion of days covered (PDC) in the classes of the Star adherence measures: diabetes, RAS antagonists, statins.

The method is PQA's as CMS describes it (Medicare Part C & D Star Ratings Technical Notes; reference/cms-rules.md 6). The drugs
are an own ingredient list (mappings/drugs/classes.csv): PQA's drug tables are licensed and were not used. Only claims count: a
dispense beside the claim of the same fill would be counted twice.

- Two fills on different dates; 18 or older on the first day of the period.
- The treatment period goes from the first fill to the end of the period, of enrollment, or death, whichever comes first;
  the first fill lies at least 91 days before that end.
- A fill covers its days supply. A fill of the same ingredient before the supply runs out is shifted behind it, so no tablet is
  lost; one of another ingredient of the class is not shifted. Each day counts once. Supply from before the period is not
  carried over, supply beyond its end is cut off.
- PQA's public demonstration of the measure (pqaalliance.org, assets/Measures/pdc-dr.js.txt) shifts so: 90 days filled on
  2018-01-01 and on 2018-03-25 cover 2018-01-01 to 2018-06-29.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

from adapter.measures.ages import is_aged
from adapter.tables.drug_list import MEASURES

LONGEST_SUPPLY = 365  # days; more cannot be right (as in tables/findings.py), and so is not known
EXCLUDING = {"PDC-DR-EXCL": ("diabetes", "insulin"), "PDC-RASA-EXCL": ("ras_antagonists", "sacubitril")}
EXCLUSIONS = {"beneficiary": "string", "measure": "string", "reason": "string"}
ENDS = {"beneficiary": "string", "ends": "date"}


@dataclass(frozen=True)
class Period:
    """The measurement period, both days counted: a year, or the year so far."""

    first: date
    last: date


@dataclass(frozen=True)
class Method:
    """The figures of the measure; mappings/measures/pdc_*.toml tells where each comes from.

    ``exclusions``: which of the drugs of ``EXCLUDING`` exclude; a reason that the caller gives always does.
    """

    youngest: int = 18  # years, on the first day of the period
    fewest_fills: int = 2  # on different days
    latest_start: int = 91  # days from the first fill to the end of the treatment period, at least
    exclusions: tuple[str, ...] = ("insulin", "sacubitril")


METHOD = Method()


@dataclass(frozen=True)
class Covered:
    """What PDC is computed over.

    ``uses``: the table of drug uses. ``classed``: ``drug_list.class_rows`` of its drugs and routes. ``persons``: beneficiary,
    birth_date, died_by. ``exclusions``: beneficiary, measure ("" is every one), reason; such as esrd or hospice. ``ends``:
    beneficiary and last day of enrollment, for those whose enrollment ended. ``refused_brands`` are for other uses (Wegovy).
    """

    uses: ir.Table
    classed: ir.Table
    persons: ir.Table
    exclusions: ir.Table | None = None
    ends: ir.Table | None = None
    refused_brands: tuple[str, ...] = ()


def pdc(covered: Covered, period: Period, method: Method = METHOD) -> ir.Table:
    """One row per beneficiary and measure with any fill in the period.

    Columns: beneficiary, measure, fills (different days), first_fill, ends (of the treatment period), days, days_covered, pdc
    (days_covered / days, DECIMAL(9,6)), undecided (a fill has no full date or no usable days supply, so that days_covered is a
    least value), undated (a fill has no full date, so that first_fill may be earlier too), excluded ("" or why the person is not
    counted: under_18, one_fill, late_start, insulin, sacubitril, the reason given, age_unknown: an exclusion is told of those who
    would be counted without it), names and sources of the fills. Compare by ``days_covered * 100 >= 80 * days``, which is exact.
    """
    fills = _in_treatment(measure_fills(covered), covered, period)
    counted = fills.group_by("beneficiary", "measure").agg(
        fills=fills.day.nunique(),
        begins=fills.day.min(),
        stops=fills.stops.max(),
        undated=fills.day.isnull().any(),
        unsupplied=fills.supply.isnull().any(),
        names=fills.name.collect(distinct=True, order_by="name"),
        sources=fills.source.collect(distinct=True, order_by="source"),
    )
    covering = _days_covered(fills.filter(fills.day.notnull()))
    rows = counted.left_join(covering, ["beneficiary", "measure"]).drop("beneficiary_right", "measure_right")
    rows = _with_exclusions(rows, covered, period, method)
    days = rows.stops - rows.begins + 1
    share = rows.days_covered.cast("decimal(18,6)") / days.cast("decimal(18,6)")
    return rows.select(
        "beneficiary", "measure", "fills", "days_covered", "excluded", "undated", "names", "sources",
        days=days,
        pdc=share.cast("decimal(9,6)"),
        undecided=rows.undated | rows.unsupplied,
        first_fill=_date(rows.begins, period),
        ends=_date(rows.stops, period),
    )  # fmt: skip


def measure_fills(covered: Covered) -> ir.Table:
    """One row per claim and target ingredient: beneficiary, measure, ingredient, source, name, day_first, day_last, supply."""
    codes = ibis.cases(*[(covered.classed.adherence_measure == c, name) for c, name in MEASURES.items()], else_="")
    targets = covered.classed.mutate(target=codes)
    targets = targets.filter(targets.target != "").select("drug", "route", "ingredient", "target").distinct()
    claims = _claims(covered)
    refused = claims.brand.lower().isin([brand.lower() for brand in covered.refused_brands])
    rows = claims.filter(~refused).inner_join(targets, ["drug", "route"])
    # A product that also holds what excludes (sacubitril/valsartan) is none of the measure: drug_uses says so.
    return rows.filter(rows.measures.contains(rows.target)).select(
        "beneficiary",
        "ingredient",
        "source",
        "name",
        "day_first",
        "day_last",
        measure=rows.target,
        supply=_supply(rows),
    )


def _claims(covered: Covered) -> ir.Table:
    return covered.uses.filter((covered.uses.kind == "claim") & covered.uses.listed)


def _supply(rows: ir.Table) -> ir.IntegerValue:
    """The days supply as whole days; NULL when it is not told or cannot be right."""
    days = rows.days_supply.round().cast("int64")
    return ibis.ifelse(days.between(1, LONGEST_SUPPLY), days, ibis.null("int64"))


def _in_treatment(fills: ir.Table, covered: Covered, period: Period) -> ir.Table:
    """``fills`` from the first day of the period to the end of each person's treatment.

    ``day`` and ``stops`` count the days since the first day of the period; ``day`` is NULL when the date is partial.
    """
    people = covered.persons.select("beneficiary", "died_by")
    rows = fills.left_join(people, "beneficiary").drop("beneficiary_right")
    stops = ibis.least(ibis.date(period.last), ibis.coalesce(rows.died_by, ibis.date(period.last)))
    if covered.ends is not None:
        ended = covered.ends.group_by("beneficiary").agg(ended=covered.ends.ends.max())
        rows = rows.mutate(stops=stops).left_join(ended, "beneficiary").drop("beneficiary_right")
        stops = ibis.least(rows.stops, ibis.coalesce(rows.ended, rows.stops))
    rows = rows.mutate(stops=stops.delta(ibis.date(period.first), unit="day"))
    first = rows.day_first.delta(ibis.date(period.first), unit="day")
    last = rows.day_last.delta(ibis.date(period.first), unit="day")
    rows = rows.mutate(day=ibis.ifelse(first == last, first, ibis.null("int64")))
    return rows.filter(((last >= 0) & (first <= rows.stops)).fill_null(True)).select(
        "beneficiary", "measure", "ingredient", "source", "name", "day", "stops", "supply"
    )


def _days_covered(fills: ir.Table) -> ir.Table:
    """beneficiary, measure, days_covered: days of the treatment period with any drug of the class at hand."""
    known = fills.mutate(supply=fills.supply.fill_null(0))
    same_drug = ibis.cumulative_window(group_by=["beneficiary", "measure", "ingredient"], order_by=["day", "source"])
    known = known.mutate(filled=known.supply.sum().over(same_drug))
    # Where a chain of fills without a gap begins: behind the longest wait so far. DESIGN.md, "Days covered".
    known = known.mutate(chain=(known.day - known.filled + known.supply).max().over(same_drug))
    known = known.mutate(until=known.chain + known.filled)  # the first day without supply
    known = known.mutate(since=known.until - known.supply, until=ibis.least(known.until, known.stops + 1))
    before = ibis.window(
        group_by=["beneficiary", "measure"], order_by=["since", "until", "source", "ingredient"], preceding=(None, 1)
    )
    known = known.mutate(earlier=known.until.max().over(before))
    fresh = known.until - ibis.greatest(known.since, ibis.coalesce(known.earlier, known.since))
    added = known.mutate(fresh=ibis.greatest(fresh, 0))
    return added.group_by("beneficiary", "measure").agg(days_covered=added.fresh.sum())


def _with_exclusions(rows: ir.Table, covered: Covered, period: Period, method: Method) -> ir.Table:
    """``rows`` with ``excluded``; a fill without full date may be the second or the first one, and so leaves both open."""
    people = covered.persons.select(
        "beneficiary", adult=is_aged(covered.persons.birth_date, period.first, method.youngest)
    )
    rows = rows.left_join(people, "beneficiary").drop("beneficiary_right")
    why = _reasons(covered, period, method)
    rows = rows.left_join(why, ["beneficiary", "measure"]).drop("beneficiary_right", "measure_right")
    excluded = ibis.cases(
        (~rows.adult, "under_18"),
        (~rows.undated & (rows.fills < method.fewest_fills), "one_fill"),
        (~rows.undated & (rows.stops - rows.begins < method.latest_start), "late_start"),
        (rows.reason.notnull(), rows.reason),
        (rows.adult.isnull(), "age_unknown"),
        else_="",
    )
    return rows.mutate(excluded=excluded)


def _reasons(covered: Covered, period: Period, method: Method) -> ir.Table:
    """beneficiary, measure, reason: the reasons given, and the fills of the period that exclude."""
    claims = _claims(covered)
    inside = (claims.day_last >= period.first) & (claims.day_first <= period.last)
    found = []
    for code, (measure, reason) in EXCLUDING.items():
        if reason in method.exclusions:
            drugs = covered.classed.filter(covered.classed.adherence_measure == code).select("drug", "route").distinct()
            takers = claims.filter(inside).semi_join(drugs, ["drug", "route"]).select("beneficiary").distinct()
            found.append(takers.mutate(measure=ibis.literal(measure), reason=ibis.literal(reason)))
    if covered.exclusions is not None:
        given = covered.exclusions
        every = ibis.literal(list(MEASURES.values()))
        listed = ibis.ifelse(given.measure == "", every, ibis.array([given.measure]))
        found.append(given.select("beneficiary", measure=listed.unnest(), reason=given.reason))
    if not found:
        nobody = claims.filter(ibis.literal(False)).select("beneficiary")
        found.append(nobody.mutate(measure=ibis.literal(""), reason=ibis.literal("")))
    return ibis.union(*found).group_by("beneficiary", "measure").agg(reason=lambda t: t.reason.min())


def _date(days: ir.IntegerValue, period: Period) -> ir.DateValue:
    # DuckDB's date + interval is a timestamp, which Ibis takes for a date and so would not cast.
    return (ibis.date(period.first) + days.as_interval("D")).cast("timestamp").cast("date")
