"""The two universes that an auditor asks for: the enrollees of a contract with their services, and the members who may have been
eligible and were not enrolled (reference/cms-rules.md 7).

The second rests on targeting asked again at each month's end of the year: a member is in it who met the criteria of the program,
or is undecided, on a day on which no enrollment stood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from adapter.reporting.enrolled import enrolled, of_contract
from adapter.targeting.decision import CRITERIA

PERSON = ("mbi", "last_name", "first_name", "birth_date")
COUNTS: Mapping[str, str] = {  # kind of service: the column that counts it
    "invitation": "invitations", "cmr_offer": "cmr_offers", "cmr": "cmrs", "summary_sent": "summaries_sent", "tmr": "tmrs",
    "safe_disposal": "safe_disposals", "recommendation": "recommendations", "resolution": "resolutions",
}  # fmt: skip
FIRSTS: Mapping[str, str] = {
    "cmr_offer": "first_cmr_offer_on", "cmr": "first_cmr_on", "summary_sent": "first_summary_on", "tmr": "first_tmr_on",
    "safe_disposal": "first_safe_disposal_on",
}  # fmt: skip
ENROLLEES = (
    "beneficiary", *PERSON, "contract", "year", "enrolled_on", "criteria_met_on", "met_criteria", "opted_out_on",
    "opt_out_reason", "opted_out_without_a_day", *COUNTS.values(), *FIRSTS.values(), "sources",
)  # fmt: skip
SERVICES = (
    "beneficiary", *PERSON, "contract", "plan_year", "kind", "on_day", "within_enrollment", "method", "provider", "recipient",
    "cognitively_impaired", "ltc_facility", "minutes", "answer", "changed", "about", "source", "version",
)  # fmt: skip
JUDGED = tuple(column for name in CRITERIA for column in (f"{name}_outcome", f"{name}_observed"))
NOT_ENROLLED = (
    "beneficiary", *PERSON, "contract", "pbp", "finding", "first_eligible_month", "first_missed_month", "missed_months", "doors",
    "reason_code", *JUDGED, "why", "enrolled_on", "days_to_enrollment", "opted_out_on", "opt_out_reason",
)  # fmt: skip
WHY = {
    "never_enrolled": "no enrollment in the contract in this year",
    "enrolled_later": "enrolled after that month's end; days_to_enrollment tells how long after",
    "opted_out": "opted out on or before that month's end",
    "opt_out_day_unknown": "the enrollment was ended and does not tell when",
    "enrollment_day_unknown": "the enrollment does not tell its first day",
}
MISSING = ("beneficiary", "month", "criterion", "fact", "source")
UNLISTED = "(not on a list"  # begins what targeting says of a drug that may count; see targeting/criteria.py
NO_CLAIM = "drugs are taken and no claim tells their cost"
NO_FACT = "the data leave it open"


def month_ends(year: int) -> list[date]:
    """The last day of each month of ``year``."""
    return [date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1) for month in range(1, 13)]


def persons_shown(beneficiaries: ir.Table) -> ir.Table:
    """How an auditor identifies a beneficiary: beneficiary, mbi, last_name, first_name, birth_date (as FHIR gave it)."""
    return beneficiaries.select(
        "beneficiary", "mbi", "birth_date", last_name=beneficiaries.family, first_name=beneficiaries.given
    )


def services_of(services: ir.Table, enrollments: ir.Table, persons: ir.Table, contract: str, year: int) -> ir.Table:
    """One row per service of the contract and year, of whomever, with the columns of ``SERVICES``.

    ``within_enrollment``: Y when it lies between the first and the last day of the enrollment, both counted, N when not, U when its
    day is not known. A written summary is within when its CMR is, whatever its own day.
    """
    rows = services.filter(services.contract == contract)
    rows = rows.filter(ibis.coalesce(rows.plan_year == year, rows.on_day.year() == year, False))
    days = enrolled(enrollments, contract, year).select("beneficiary", "first_day", "last_day")
    reviewed = services.filter(services.kind == "cmr").select(_cmr="source", _held="on_day")
    rows = rows.left_join(reviewed, rows.about == reviewed._cmr)
    summary = (rows.kind == "summary_sent") & rows._cmr.notnull()
    rows = rows.mutate(judged=ibis.ifelse(summary, rows._held, rows.on_day))
    rows = _joined(rows, days)
    inside = rows.judged.between(rows.first_day, rows.last_day)
    within = ibis.cases((rows.first_day.isnull(), "N"), (inside.isnull(), "U"), (inside, "Y"), else_="N")
    return _joined(rows.mutate(within_enrollment=within), persons_shown(persons)).select(*SERVICES)


def enrollees(services: ir.Table, enrollments: ir.Table, persons: ir.Table, contract: str, year: int) -> ir.Table:
    """One row per beneficiary enrolled in the contract at any time of the year, with the columns of ``ENROLLEES``.

    ``services`` is the table of ``services_of``: those within the enrollment are counted.
    """
    within = services.filter(services.within_enrollment == "Y")
    counts = {name: (within.kind == kind).sum().cast("int64") for kind, name in COUNTS.items()}
    firsts = {name: within.on_day.min(where=within.kind == kind) for kind, name in FIRSTS.items()}
    sums = within.group_by("beneficiary").agg(**counts, **firsts)
    own = of_contract(enrollments, contract, year)
    plans = own.group_by("beneficiary").agg(plans=own.source.collect(distinct=True, order_by="source"))
    rows = _joined(enrolled(enrollments, contract, year), sums)
    rows = _joined(_joined(rows, plans), persons_shown(persons))
    rows = rows.mutate({name: rows[name].fill_null(0) for name in COUNTS.values()})
    return rows.mutate(
        contract=ibis.literal(contract),
        year=ibis.literal(year),
        opted_out_without_a_day=ibis.ifelse(rows.unexplained.fill_null(False), "Y", "N"),
        sources=rows.plans.join(";"),
    ).select(*ENROLLEES)  # fmt: skip


def judged(targeting: ir.Table, standing: ir.Table, day: date) -> ir.Table:
    """The members who are targeted or undecided on ``day``, with ``missed``: whether no enrollment stood on that day.

    ``targeting``: the table of that day; ``standing``: ``enrolled`` of the contract and year.
    """
    rows = targeting.filter(targeting.outcome.isin(["targeted", "unknown"]))
    rows = rows.select("beneficiary", "contract", "pbp", "outcome", "doors", "reason_code", *JUDGED)
    known = standing.select("beneficiary", "enrolled_on", "opted_out_on", "unexplained")
    rows = _joined(rows, known)
    begun = (rows.enrolled_on <= day).fill_null(False)
    out = (rows.opted_out_on <= day).fill_null(False) | rows.unexplained.fill_null(False)
    missed = ~begun | out
    return rows.mutate(day=ibis.date(day), missed=missed).drop("enrolled_on", "opted_out_on", "unexplained")


def not_enrolled(months: ir.Table, standing: ir.Table, persons: ir.Table) -> ir.Table:
    """One row per member who may have been eligible and was not enrolled, with the columns of ``NOT_ENROLLED`` and ``day``.

    ``months``: the rows of ``judged`` of all months. ``finding``: eligible (targeted at a month's end without an enrollment), or
    undecided (never that, and undecided at one). Criteria, doors and ``why`` are those of the first such month (``day``).
    """
    first = months.filter(months.outcome == "targeted").group_by("beneficiary").agg(first_eligible=ibis._.day.min())
    rows = months.filter(months.missed)
    order = [(rows.outcome != "targeted"), rows.day]
    rows = rows.mutate(
        place=ibis.row_number().over(group_by="beneficiary", order_by=order), month=rows.day.strftime("%Y-%m")
    )
    listed = rows.group_by("beneficiary", "outcome").agg(
        missed_months=rows.month.group_concat(";", order_by=rows.month)
    )
    chosen = rows.filter(rows.place == 0).left_join(listed, ["beneficiary", "outcome"])
    chosen = chosen.drop("beneficiary_right", "outcome_right")
    chosen = _joined(_joined(chosen, first), standing)
    chosen = _joined(chosen, persons_shown(persons))
    later = (chosen.enrolled_on > chosen.day).fill_null(False)
    why = ibis.cases(
        (chosen.first_day.isnull(), "never_enrolled"),
        (chosen.enrolled_on.isnull(), "enrollment_day_unknown"),
        (later, "enrolled_later"),
        (chosen.unexplained.fill_null(False), "opt_out_day_unknown"),
        else_="opted_out",
    )
    days = chosen.enrolled_on.delta(chosen.day, unit="day")
    return chosen.mutate(
        finding=ibis.ifelse(chosen.outcome == "targeted", "eligible", "undecided"),
        first_eligible_month=chosen.first_eligible.strftime("%Y-%m"),
        first_missed_month=chosen.month,
        why=why,
        days_to_enrollment=ibis.ifelse(later, days, ibis.null("int64")),
    ).select("day", *NOT_ENROLLED)


def missing(universe: ir.Table, evidence: ir.Table, day: date) -> ir.Table:
    """What leaves those of ``universe`` undecided whose first such month ends on ``day``: the columns of ``MISSING``.

    One row per fact; an unknown criterion to which no fact belongs has one row that says so. ``evidence``: that of the day.
    """
    open_ones = universe.filter((universe.finding == "undecided") & (universe.day == day))
    unknown = [
        open_ones.filter(open_ones[f"{name}_outcome"] == "unknown").select("beneficiary", criterion=ibis.literal(name))
        for name in CRITERIA
    ]
    asked = ibis.union(*unknown)
    uncertain = (evidence.item == "unpriced") | evidence.fact.contains(UNLISTED)
    facts = evidence.filter(uncertain).select("beneficiary", "criterion", "fact", "source").distinct()
    rows = asked.left_join(facts, ["beneficiary", "criterion"]).drop("beneficiary_right", "criterion_right")
    none = ibis.ifelse(rows.criterion == "drug_cost", NO_CLAIM, NO_FACT)
    told = rows.mutate(
        month=ibis.literal(f"{day:%Y-%m}"), fact=ibis.coalesce(rows.fact, none), source=ibis.coalesce(rows.source, "")
    )
    return told.select(*MISSING)


def month_counts(months: ir.Table) -> ir.Table:
    """day, outcome (targeted or unknown), missed, n."""
    return months.group_by("day", "outcome", "missed").agg(n=months.count()).order_by("day", "outcome", "missed")


def ordered(rows: ir.Table, columns: Sequence[str]) -> ir.Table:
    """``rows`` in an order of their own."""
    return rows.select(*columns).order_by(*columns)


def _joined(rows: ir.Table, more: ir.Table) -> ir.Table:
    shared = [name for name in more.columns if name in rows.columns and name != "beneficiary"]
    return rows.left_join(more.drop(*shared), "beneficiary").drop("beneficiary_right")
