"""Diagnoses on medical claims (ExplanationOfBenefit and Claim) to one row per claim and disease that a code proves."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from adapter.tables.claims import NOT_VALID, claim_kind, diagnosis_codings
from adapter.tables.code_systems import condition_code, system_name
from adapter.tables.columns import earliest, fault_of, is_bad_date, latest, newest, reference_id, versioned, wrong_type
from adapter.tables.conditions import proven_diseases

MEDICAL_KINDS = ("inpatient", "outpatient")
COLUMNS = ("source", "beneficiary", "kind", "period", "diagnoses")


def medical_claims(claim: ir.Table) -> ir.Table:
    """One row per Claim as received, with ``fault``; the same columns as those of medical ExplanationOfBenefits."""
    period = ibis.coalesce(claim.billablePeriod["start"], claim.created)
    return claim.select(
        "id",
        kind=claim_kind(claim),
        beneficiary=reference_id(claim.patient.reference, "Patient"),
        source=ibis.literal("Claim/").concat(claim.id),
        valid=~claim.status.isin(NOT_VALID).fill_null(False) & (claim.use.fill_null("claim") == "claim"),
        period=period,
        diagnoses=diagnosis_codings(claim),
        fault=fault_of(
            wrong_type(claim, "Claim"),
            (claim.id.isnull(), "the Claim has no id"),
            (reference_id(claim.patient.reference, "Patient").isnull(), "the Claim names no Patient"),
            (is_bad_date(period), "billablePeriod.start or created is no date of the calendar"),
        ),
        **versioned(claim),
    )


def diagnoses(explanation_rows: ir.Table, claim_rows: ir.Table, lists: ir.Table) -> ir.Table:
    """One row per medical claim and disease: beneficiary, source, kind (inpatient, outpatient), code, display, disease, subgroup,
    listed, day_first and day_last of the service (NULL when not told)."""
    valid = _medical(explanation_rows).select(*COLUMNS).union(_medical(claim_rows).select(*COLUMNS))
    coded = valid.mutate(coding=valid.diagnoses.unnest()).drop("diagnoses")
    coded = coded.mutate(
        name=system_name(coded.coding["system"]), code=coded.coding["code"], display=coded.coding["display"]
    )
    coded = coded.filter(coded.code.notnull() & coded.name.notnull())
    coded = coded.mutate(key=condition_code(coded.name, coded.code)).drop("coding")
    proven = proven_diseases(coded.select("name", "key").distinct(), lists)
    rows = coded.inner_join(proven, ["name", "key"])
    return rows.select(
        "beneficiary", "source", "kind", "code", "display", "disease", "subgroup", "listed",
        day_first=earliest(rows.period), day_last=latest(rows.period),
    )  # fmt: skip


def _medical(rows: ir.Table) -> ir.Table:
    """The newest good version of each valid medical claim."""
    medical = newest(rows.filter(rows.fault.isnull()).drop("fault"))
    return medical.filter(medical.kind.isin(MEDICAL_KINDS) & medical.valid)
