"""MTM Program Completion Rate for CMR: of those who met CMS's criteria and were enrolled long enough, how many received a CMR.

Part D Star Ratings and display measure, by PQA; as CMS computes it from the beneficiary-level file (reference/cms-rules.md 6,
standing P+). The figures stand in mappings/measures/cmr_completion.toml.

- Per contract: a beneficiary of two contracts is judged in each by the enrollment and the CMRs of that contract alone.
- Days of enrollment in the year: the day of enrollment counts, the day of opt-out does not. Several enrollments in one contract are
  one, from the earliest first day to the last end (``reporting/enrolled.py``), as the file tells them.
- With fewer days than asked for, a beneficiary counts only when a CMR was received; then in denominator and numerator.
- A CMR between enrollment and opt-out counts, also before the day on which the criteria were met.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

from adapter.measures.ages import is_aged
from adapter.measures.care_status import in_period
from adapter.measures.pdc import Period
from adapter.measures.rows import COLUMNS, NO_DAYS, NO_SHARE, no, yes
from adapter.measures.settings import CMR, CmrCompletion
from adapter.reporting.enrolled import enrolled, of_contract


@dataclass(frozen=True)
class Enrolled:
    """What the rate is computed over.

    ``enrollments`` and ``services``: tables/mtm_events.py and mtm_services.py. ``persons``: beneficiary, birth_date. ``facts``:
    measures/care_status.py; None when nothing is known of hospice.
    """

    enrollments: ir.Table
    services: ir.Table
    persons: ir.Table
    facts: ir.Table | None = None


def cmr_completion(given: Enrolled, rule: CmrCompletion, contract: str, year: int) -> ir.Table:
    """One row per beneficiary enrolled in the program of ``contract`` at any time of ``year``, with the columns of ``rows.COLUMNS``.

    ``days`` are those of enrollment; ``sources`` the enrollments, the CMRs that count with their summaries, and what told hospice.
    An enrollment of unknown first or last day (revoked without a day) leaves the days NULL, and undecided what depends on them.
    """
    period = Period(date(year, 1, 1), date(year, 12, 31))
    people = _enrolled_days(given.enrollments, rule, contract, year)
    rows = _joined(people, given.persons.select("beneficiary", "birth_date"))
    rows = _joined(rows, _reviews(people, given.services, rule, contract))
    rows = _joined(rows, _hospice(given, rule, period))
    rows = _joined(rows, _plans(given.enrollments, contract, year))
    received = ibis.coalesce(rows.received, ibis.ifelse(yes(rows.undated), ibis.null("boolean"), False))
    # Without the days of the enrollment nobody can say that the CMR lies between them.
    received = ibis.ifelse(rows.days.isnull() & yes(received), ibis.null("boolean"), received)
    adult = is_aged(rows.birth_date, period.first, rule.youngest.value)
    met = rows.met_criteria.isin(rule.reasons.value)
    long = rows.days >= rule.least_days.value
    if rule.fewer_days_with_cmr.value:
        long = long | received
    hospice = rows.hospice.notnull()
    rows = rows.mutate(adult=adult, met=met, long=long, received=received, in_hospice=hospice)
    rows = rows.mutate(eligible=rows.adult & rows.met & rows.long)
    return _answered(rows)


def _answered(rows: ir.Table) -> ir.Table:
    counted = rows.eligible & ~rows.in_hospice
    reason = ibis.cases(
        (no(rows.adult), "under_18"),
        (no(rows.met), "criteria_not_met"),
        (no(rows.long), "under_60_days"),
        (rows.in_hospice, "hospice"),
        (rows.adult.isnull(), "age_unknown"),
        (rows.met.isnull(), "criteria_unknown"),
        (rows.long.isnull(), "days_unknown"),
        else_="",
    )
    shortfall = ibis.cases(
        (~yes(counted) | yes(rows.received), ""),
        (rows.received.isnull(), "cmr_day_unknown"),
        (yes(rows.unwritten), "no_summary"),
        else_="no_cmr",
    )
    nothing = ibis.literal([], type="array<string>")
    lists = [ibis.coalesce(rows[name], nothing) for name in ("plans", "cmrs", "hospice")]
    return rows.select(
        "beneficiary", "days",
        measure=ibis.literal(CMR),
        in_denominator=counted,
        in_numerator=counted & rows.received,
        excluded=reason == "hospice",
        reason=reason,
        shortfall=shortfall,
        days_covered=NO_DAYS,
        proportion=NO_SHARE,
        sources=lists[0].concat(*lists[1:]).unique().sort(),
    ).select(*COLUMNS)  # fmt: skip


def _enrolled_days(enrollments: ir.Table, rule: CmrCompletion, contract: str, year: int) -> ir.Table:
    """beneficiary, met_criteria, first_day and last_day (between which CMRs count), days of enrollment in the year."""
    rows = enrolled(enrollments, contract, year)
    on_last = (rows.opted_out_on == rows.last_day).fill_null(False)
    lost = ibis.ifelse(on_last, 0 if rule.opt_out_day.value else 1, 0)
    days = ibis.greatest(rows.last_day.delta(rows.first_day, unit="day") + 1 - lost, 0)
    known = rows.enrolled_on.notnull() & ~rows.unexplained.fill_null(False)
    last = rows.last_day
    if not rule.cmr_on_opt_out_day.value:
        last = ibis.ifelse(on_last, (rows.last_day - ibis.interval(days=1)).cast("date"), rows.last_day)
    return rows.select(
        "beneficiary", "met_criteria", "first_day", last_day=last, days=ibis.ifelse(known, days, NO_DAYS).cast("int64")
    )


def _reviews(people: ir.Table, services: ir.Table, rule: CmrCompletion, contract: str) -> ir.Table:
    """beneficiary, received (TRUE or NULL), undated (a CMR of unknown day), unwritten (one without summary), cmrs (sources)."""
    own = services.filter((services.contract == contract) & (services.kind == "cmr"))
    sent = services.filter((services.kind == "summary_sent") & services.about.notnull())
    sent = sent.group_by(_cmr=sent.about).agg(summary=sent.source.min())
    rows = own.left_join(sent, own.source == sent._cmr)
    rows = rows.inner_join(people.select("beneficiary", "first_day", "last_day"), "beneficiary")
    written = rows.summary.notnull() if rule.written_summary.value else ibis.literal(True)
    inside = rows.on_day.between(rows.first_day, rows.last_day).fill_null(False)
    counts = inside & written
    summary = ibis.coalesce(rows.summary, rows.source)
    rows = rows.mutate(
        counts=counts, undated=rows.on_day.isnull() & written, unwritten=inside & ~written, summary=summary
    )
    pairs = rows.filter(rows.counts | rows.undated | rows.unwritten)
    return pairs.group_by("beneficiary").agg(
        received=ibis.ifelse(pairs.counts.any(), ibis.literal(True), ibis.null("boolean")),
        undated=pairs.undated.any(),
        unwritten=pairs.unwritten.any(),
        cmrs=ibis.array([pairs.source, pairs.summary]).collect().flatten().unique(),
    )


def _hospice(given: Enrolled, rule: CmrCompletion, period: Period) -> ir.Table:
    """beneficiary, hospice (the sources that tell it)."""
    if given.facts is None:
        nobody = given.persons.filter(ibis.literal(False))
        return nobody.select("beneficiary", hospice=ibis.literal([], type="array<string>"))
    found = in_period(given.facts, period, rule.exclusions.value)
    return found.group_by("beneficiary").agg(hospice=found.sources.collect().flatten())


def _plans(enrollments: ir.Table, contract: str, year: int) -> ir.Table:
    rows = of_contract(enrollments, contract, year)
    return rows.group_by("beneficiary").agg(plans=rows.source.collect(distinct=True))


def _joined(rows: ir.Table, more: ir.Table) -> ir.Table:
    return rows.left_join(more, "beneficiary").drop("beneficiary_right")
