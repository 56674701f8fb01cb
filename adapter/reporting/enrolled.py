"""Who was enrolled in a contract at any time of a year, since when, until when and why: one row per beneficiary."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

SEVERAL = ";"  # between the resources that a fact rests on
COLUMNS = (
    "beneficiary", "enrolled_on", "criteria_met_on", "met_criteria", "opted_out_on", "opt_out_reason", "status", "_ends",
)  # fmt: skip


def versioned(source: ir.StringValue, version: ir.StringValue) -> ir.StringValue:
    """The versioned reference ``Type/id/_history/n``; without the version when the source does not tell it."""
    return ibis.ifelse(version.isnull(), source, source.concat("/_history/", version))


def enrolled(enrollments: ir.Table, contract: str, year: int) -> ir.Table:
    """One row per beneficiary enrolled in ``contract`` at any time of ``year``; several enrollments are one.

    Columns: beneficiary, enrolled_on (the earliest; NULL when one is unknown), criteria_met_on, met_criteria, first_day and
    last_day (between which services count, never NULL), opted_out_on, opt_out_reason, unexplained (the last enrollment is
    revoked and tells no day of an opt-out). Practice [P], reference/cms-rules.md 5: one row per beneficiary and contract,
    from the earliest enrollment to the last end.
    """
    rows = of_contract(enrollments, contract, year)
    several = _several(rows)
    one = rows.anti_join(several, "beneficiary").rename(met_criteria="reason_code").select(*COLUMNS)
    return _ended(one.union(_merged(rows.semi_join(several, "beneficiary"))), year)


def carriers(enrollments: ir.Table, contract: str, year: int) -> ir.Table:
    """One row per beneficiary of ``enrolled``: enrollments (versioned references, joined by ';') and last, the last of them."""
    rows = of_contract(enrollments, contract, year)
    rows = rows.select("beneficiary", source=versioned(rows.source, rows.version_id), order=_order(rows))
    several = _several(rows)
    one = rows.anti_join(several, "beneficiary").select("beneficiary", enrollments="source", last="source")
    more = rows.semi_join(several, "beneficiary")
    merged = more.group_by("beneficiary").agg(
        enrollments=more.source.group_concat(SEVERAL, order_by=more.source), last=more.source.argmax(more.order)
    )
    return one.union(merged)


def _several(rows: ir.Table) -> ir.Table:
    """The beneficiaries with more than one enrollment: few, and only theirs are merged."""
    return rows.group_by("beneficiary").agg(_n=rows.count()).filter(lambda t: t._n > 1)


def _order(rows: ir.Table) -> ir.StringValue:
    return ibis.coalesce(rows.enrolled_on.cast("string"), "").concat(rows.source)


def _merged(rows: ir.Table) -> ir.Table:
    """One row per beneficiary with the opt-out and the status of the last enrollment."""
    cms = rows.reason_code.isin(["01", "02", "03"])
    last = ibis.struct({"on": rows.opted_out_on, "reason": rows.opt_out_reason, "status": rows.status})
    merged = rows.group_by("beneficiary").agg(
        enrolled_on=_earliest(rows.enrolled_on, rows.enrolled_on.isnull()),
        criteria_met_on=_earliest(rows.criteria_met_on, cms & rows.criteria_met_on.isnull()),
        met_criteria=_reason(rows.reason_code),
        _ends=rows._ends.max(),
        _last=last.argmax(_order(rows)),
    )
    told = {
        "opted_out_on": merged._last["on"],
        "opt_out_reason": merged._last["reason"],
        "status": merged._last["status"],
    }
    return merged.mutate(**told).select(*COLUMNS)


def _ended(rows: ir.Table, year: int) -> ir.Table:
    """With the opt-out that counts, and the days between which services count.

    Practice [P], reference/cms-rules.md 3: an opt-out 02 (disenrollment) dated 31 December is not an opt-out, 01 (death)
    is; services count only between enrollment and end and within the year. The day of opt-out itself counts (U).
    """
    none = ((rows.opt_out_reason == "02") & (rows.opted_out_on == date(year, 12, 31))).fill_null(False)
    opted = ibis.ifelse(none, ibis.null("date"), rows.opted_out_on)
    new_year, year_end = ibis.literal(date(year, 1, 1)), ibis.literal(date(year, 12, 31))
    return rows.select(
        "beneficiary", "enrolled_on", "criteria_met_on", "met_criteria",
        first_day=ibis.greatest(ibis.coalesce(rows.enrolled_on, new_year), new_year),
        last_day=ibis.least(ibis.coalesce(rows._ends, year_end), ibis.coalesce(opted, year_end), year_end),
        opted_out_on=opted,
        opt_out_reason=ibis.ifelse(none, ibis.null("string"), rows.opt_out_reason),
        unexplained=((rows.status == "revoked") & rows.opted_out_on.isnull()).fill_null(False),
    )  # fmt: skip


def of_contract(enrollments: ir.Table, contract: str, year: int) -> ir.Table:
    """The enrollments in ``contract`` that cover a day of ``year``, each with its last day by plan year, ``_ends``.

    An enrollment without an end lasts to the end of its plan year, never into the next: each year the beneficiary must
    qualify anew (42 CFR 423.153(d)(1)). One of unknown start counts for its plan year, so that it shows in the
    findings.
    """
    own = enrollments.filter(enrollments.contract == contract)
    plan_year = ibis.coalesce(own.plan_year, own.enrolled_on.year().cast("int64"))
    end_of_plan_year = ibis.date(plan_year.cast("int32"), 12, 31)
    ends_on = ibis.least(ibis.coalesce(own.ends_on, end_of_plan_year), ibis.coalesce(end_of_plan_year, own.ends_on))
    by_days = (own.enrolled_on <= date(year, 12, 31)) & (ends_on >= date(year, 1, 1))
    return own.mutate(_ends=ends_on).filter(ibis.coalesce(by_days, plan_year == year, False))


def _earliest(day: ir.DateColumn, unknown: ir.BooleanColumn) -> ir.DateScalar:
    """The earliest ``day``, or NULL when one that counts is unknown."""
    return ibis.ifelse(unknown.fill_null(False).any(), ibis.null("date"), day.min())


def _reason(code: ir.StringColumn) -> ir.StringScalar:
    """The reason 01-04 of all enrollments together: 01 and 02 make 03; 04 only where no CMS criterion was ever met.

    That reasons add up within the year is this project's reading (U); the Part D Reporting Requirements name the four.
    """
    core, at_risk = code.isin(["01", "03"]).any(), code.isin(["02", "03"]).any()
    return ibis.cases(
        (core & at_risk, "03"),
        (core, "01"),
        (at_risk, "02"),
        else_=code.min(),
    )
