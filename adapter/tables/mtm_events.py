"""The adapter's own CarePlans to tidy rows: who is enrolled in the MTM program of which contract, since when and why.

State lives in FHIR (DESIGN.md): these rows are the adapter's only memory of an enrollment, and any other system may
have corrected the resource since it was written.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from adapter.tables.columns import (
    KIND_SYSTEM,
    OWN_BASE,
    bad_dates,
    fault_of,
    newest,
    reference_id,
    text_date,
    versioned,
)
from adapter.tables.shapes import COMMON, PERIOD, REFERENCE, STRING, Shape

ENROLLMENT_KIND = "enrollment"
ENROLLMENT_EXTENSION = OWN_BASE + "StructureDefinition/mtm-enrollment"

_PART: Shape = {
    "url": STRING,
    "valueString": STRING,
    "valueInteger": STRING,
    "valueCode": STRING,
    "valueDate": STRING,
}

SHAPE: dict[str, Shape] = COMMON | {
    "status": STRING,
    "subject": REFERENCE,
    "period": PERIOD,
    "extension": [{"url": STRING, "extension": [_PART]}],
}


def enrollments(care_plans: ir.Table) -> ir.Table:
    """One row per enrollment: the newest good version of each enrollment CarePlan that is not entered-in-error.

    Columns: enrollment (id), source (``CarePlan/mtm-...``), version_id (meta.versionId or NULL), beneficiary (Patient id), contract,
    pbp, plan_year, program, reason_code, criteria_met_on, enrolled_on, ends_on (days; NULL when absent or partial), status,
    opted_out_on (day; NULL while not opted out), opt_out_reason (01 death, 02 disenrollment, 03 request, 99 other), re_enrolled_on
    (day; NULL unless the beneficiary came back after an opt-out).
    """
    return standing(plans(care_plans))


def standing(rows: ir.Table) -> ir.Table:
    """The enrollments among the rows of ``plans``; see ``enrollments``."""
    # First the newest version, then its status: what the last version withdrew must not come back by an older one.
    good = newest(rows.filter(rows.fault.isnull()).drop("fault"))
    return good.filter((good.status != "entered-in-error").fill_null(True)).drop("id")


def plans(care_plans: ir.Table) -> ir.Table:
    """One row per enrollment CarePlan as received, with the column ``fault`` (NULL when the resource is good)."""
    own = care_plans.filter(_is_enrollment(care_plans))
    parts = own.extension.filter(lambda e: e["url"] == ENROLLMENT_EXTENSION)[0]["extension"]
    contract = _part(parts, "contract")["valueString"].strip().upper()
    criteria_met_on = _part(parts, "criteriaMetOn")["valueDate"]
    opted_out_on = _part(parts, "optOutOn")["valueDate"]
    re_enrolled_on = _part(parts, "reEnrolledOn")["valueDate"]
    beneficiary = reference_id(own.subject.reference, "Patient")
    return own.select(
        "id",
        enrollment=own.id,
        source=ibis.literal("CarePlan/").concat(own.id),
        version_id=own.meta.versionId,
        beneficiary=beneficiary,
        contract=contract,
        pbp=_part(parts, "pbp")["valueString"].nullif(""),
        plan_year=_part(parts, "planYear")["valueInteger"].cast("string").try_cast("int64"),
        program=_part(parts, "program")["valueString"],
        reason_code=_part(parts, "reasonCode")["valueCode"],
        criteria_met_on=text_date(criteria_met_on),
        enrolled_on=text_date(own.period["start"]),
        ends_on=text_date(own.period["end"]),
        status=own.status,
        opted_out_on=text_date(opted_out_on),
        opt_out_reason=_part(parts, "optOutReason")["valueCode"].nullif(""),
        re_enrolled_on=text_date(re_enrolled_on),
        fault=_fault(
            own,
            beneficiary,
            contract,
            criteriaMetOn=criteria_met_on,
            optOutOn=opted_out_on,
            reEnrolledOn=re_enrolled_on,
        ),
        **versioned(own),
    )


def _is_enrollment(care_plan: ir.Table) -> ir.BooleanValue:
    """By the tag or by the extension: some servers keep no tags that they did not set themselves."""
    tags = care_plan.meta.tag.filter(lambda t: (t["system"] == KIND_SYSTEM) & (t["code"] == ENROLLMENT_KIND))
    extensions = care_plan.extension.filter(lambda e: e["url"] == ENROLLMENT_EXTENSION)
    return (tags.length() > 0).fill_null(False) | (extensions.length() > 0).fill_null(False)


def _part(parts: ir.ArrayValue, name: str) -> ir.StructValue:
    return parts.filter(lambda part: part["url"] == name)[0]


def _fault(
    own: ir.Table, beneficiary: ir.StringValue, contract: ir.StringValue, **dates: ir.StringValue
) -> ir.StringValue:
    """Why an enrollment cannot be counted: without person or contract it would vanish from every file unseen."""
    return fault_of(
        (own.id.isnull(), "the enrollment CarePlan has no id"),
        (beneficiary.isnull(), "the enrollment CarePlan names no Patient as its subject"),
        (
            ~contract.re_search("^[HSRE][0-9]{4}$").fill_null(False),
            "the enrollment CarePlan names no CMS contract such as H1234 in its extension mtm-enrollment",
        ),
        *bad_dates(own, period__start=own.period["start"], period__end=own.period["end"], **dates),
    )
