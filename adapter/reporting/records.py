"""The records of one contract and year as a table: one row per beneficiary, one column per element of the layout.

A column holds the fact, typed; how it looks in the file is the layout's matter (``file.py``). What this version does
not know is NULL: never "N", never zero.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

# Elements on services, opt-out and setting: this version records none. As later ones follow them, they leave this list.
NOT_FOLLOWED = {
    "cognitively_impaired": "string",
    "ltc_facility": "string",
    "opted_out_on": "date",
    "opt_out_reason": "string",
    "cmr_offered": "string",
    "cmr_offered_on": "date",
    "cmr_offer_recipient": "string",
    "cmr_received": "string",
    "cmr_on": "date",
    "cmr_summary_sent_on": "date",
    "cmr_method": "string",
    "cmr_provider": "string",
    "cmr_recipient": "string",
    "tmr_count": "int64",
    "tmr_first_on": "date",
    "recommendations": "int64",
    "therapy_changes": "int64",
    "safe_disposal": "string",
}


def records(enrollments: ir.Table, beneficiaries: ir.Table, contract: str, year: int) -> ir.Table:
    """One row per beneficiary enrolled in ``contract`` at any time of ``year``, sorted by MBI, then Patient id.

    Columns: those of the layout by name, and for lineage ``beneficiary`` (Patient id), ``patient`` (``Patient/...``,
    NULL when the source holds no such Patient) and ``enrollments`` (the CarePlans that the row rests on, joined by
    ';').
    """
    one = _merged(_of_contract(enrollments, contract, year))
    persons = beneficiaries.select("beneficiary", "source", "mbi", "family", "given", "birth_day")
    rows = one.left_join(persons, "beneficiary")
    family, given = _name(rows.family), _name(rows.given)
    return rows.select(
        "beneficiary",
        patient=rows.source,
        enrollments=rows.enrollments,
        contract_number=ibis.literal(contract),
        mbi=rows.mbi,
        # A person with one name has it in the last name, whichever element of HumanName holds it (own reading, U).
        first_name=ibis.ifelse(family.isnull(), ibis.null("string"), given),
        last_name=ibis.coalesce(family, given),
        birth_date=rows.birth_day,
        met_criteria=rows.met_criteria,
        enrolled_on=rows.enrolled_on,
        criteria_met_on=rows.criteria_met_on,
        **{name: ibis.null(kind) for name, kind in NOT_FOLLOWED.items()},
    ).order_by(ibis.asc("mbi", nulls_first=False), "beneficiary")


def _of_contract(enrollments: ir.Table, contract: str, year: int) -> ir.Table:
    """The enrollments in ``contract`` that cover a day of ``year``.

    An enrollment without an end lasts to the end of its plan year, never into the next: each year the beneficiary must
    qualify anew (42 CFR 423.153(d)(1)). One of unknown start counts for its plan year, so that it shows in the
    findings.
    """
    own = enrollments.filter(enrollments.contract == contract)
    plan_year = ibis.coalesce(own.plan_year, own.enrolled_on.year().cast("int64"))
    end_of_plan_year = ibis.date(plan_year.cast("int32"), 12, 31)
    ends_on = ibis.least(ibis.coalesce(own.ends_on, end_of_plan_year), ibis.coalesce(end_of_plan_year, own.ends_on))
    by_days = (own.enrolled_on <= date(year, 12, 31)) & (ends_on >= date(year, 1, 1))
    return own.filter(ibis.coalesce(by_days, plan_year == year, False))


def _merged(enrollments: ir.Table) -> ir.Table:
    """One row per beneficiary: a second enrollment in the same contract and year is part of the first.

    Practice [P], reference/cms-rules.md 5: one row per beneficiary and contract, the earliest enrollment counts. An
    unknown date among them leaves the earliest unknown.
    """
    cms = enrollments.reason_code.isin(["01", "02", "03"])
    return enrollments.group_by("beneficiary").agg(
        enrollments=enrollments.source.group_concat(";", order_by=enrollments.source),
        enrolled_on=_earliest(enrollments.enrolled_on, enrollments.enrolled_on.isnull()),
        criteria_met_on=_earliest(enrollments.criteria_met_on, cms & enrollments.criteria_met_on.isnull()),
        met_criteria=_reason(enrollments.reason_code),
    )


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


def _name(text: ir.StringValue) -> ir.StringValue:
    return text.strip().nullif("")
