"""Condition to tidy rows: one row per resource and disease that one of its codes proves, and one row where no code is on a list."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from adapter.tables.code_systems import condition_code, system_name
from adapter.tables.columns import (
    bad_dates,
    codings_or_label,
    earliest,
    fault_of,
    newest,
    reference_id,
    versioned,
    wrong_type,
)

CLINICAL = ("active", "recurrence", "relapse", "inactive", "remission", "resolved")
VERIFICATION = ("unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error")


def problems(condition: ir.Table) -> ir.Table:
    """One row per Condition as received, with ``fault``; codings stay a list."""
    onset = ibis.coalesce(condition.onsetDateTime, condition.onsetPeriod["start"])
    has_code = (condition.code.coding.filter(lambda c: c["code"].notnull()).length() > 0).fill_null(
        False
    ) | condition.code.text.notnull()
    return condition.select(
        "id",
        beneficiary=reference_id(condition.subject.reference, "Patient"),
        source=ibis.literal("Condition/").concat(condition.id),
        codings=codings_or_label(condition.code),
        label=condition.code.text,
        clinical=_status_codes(condition.clinicalStatus, CLINICAL),
        verification=_status_codes(condition.verificationStatus, VERIFICATION),
        onset=onset,
        abated=ibis.coalesce(
            condition.abatementDateTime, condition.abatementPeriod["end"], condition.abatementPeriod["start"]
        ),
        over=_over_some_day(condition),
        recorded=condition.recordedDate,
        fault=fault_of(
            wrong_type(condition, "Condition"),
            (condition.id.isnull(), "the Condition has no id"),
            (
                reference_id(condition.subject.reference, "Patient").isnull(),
                "the Condition names no Patient as subject",
            ),
            (~has_code, "the Condition has no code"),
            *bad_dates(
                condition,
                onsetDateTime=condition.onsetDateTime,
                onsetPeriod__start=condition.onsetPeriod["start"],
                abatementDateTime=condition.abatementDateTime,
                abatementPeriod__start=condition.abatementPeriod["start"],
                abatementPeriod__end=condition.abatementPeriod["end"],
                recordedDate=condition.recordedDate,
            ),
        ),
        **versioned(condition),
    )


def _status_codes(concept: ir.StructValue, known: tuple[str, ...]) -> ir.ArrayValue:
    """The codes of a status; without any, its text when that is a code of FHIR in other letters ("Resolved")."""
    text = concept["text"].strip().lower()
    wordless = (concept["coding"].length() == 0).fill_null(True) & text.isin(known).fill_null(False)
    return ibis.ifelse(wordless, ibis.array([text]), concept["coding"].map(lambda c: c["code"]))


def _over_some_day(condition: ir.Table) -> ir.BooleanValue:
    """Whether it is told that the condition has ended, and not on which day: an age, a range or words."""
    return (
        condition.abatementAge["value"].notnull()
        | ibis.coalesce(condition.abatementRange["low"]["value"], condition.abatementRange["high"]["value"]).notnull()
        | condition.abatementString.notnull()
    )


def conditions(rows: ir.Table, lists: ir.Table) -> ir.Table:
    """One row per Condition, coding and disease; ``disease`` is NULL where the code is on no list.

    ``lists`` is the table of ``condition_lists``. Columns: beneficiary, source, system (URI as received), code (as received),
    display, label, disease, subgroup, listed (Y or N, the default of the list), clinical and verification (code lists),
    onset and recorded and abated (as FHIR gave them), over (ended on a day that is not told), begins (earliest day of onset or
    recording that must not lie after as_of).
    """
    good = newest(rows.filter(rows.fault.isnull()).drop("fault"))
    coded = good.mutate(coding=good.codings.unnest()).drop("codings")
    coded = coded.mutate(system=coded.coding["system"], code=coded.coding["code"], display=coded.coding["display"])
    coded = coded.mutate(name=system_name(coded.system))
    coded = coded.mutate(key=condition_code(coded.name, coded.code)).drop("coding", "id")
    proven = proven_diseases(coded.select("name", "key").distinct(), lists)
    rows = coded.left_join(proven, (coded.name == proven.name) & (coded.key == proven.key))
    return rows.select(
        "beneficiary", "source", "system", "code", "display", "label", "disease", "subgroup", "listed",
        "clinical", "verification", "onset", "recorded", "abated", "over",
        begins=ibis.greatest(earliest(rows.onset), earliest(rows.recorded)),
    )  # fmt: skip


def proven_diseases(codes: ir.Table, lists: ir.Table) -> ir.Table:
    """The diseases that each code (``name``, ``key``) proves: by its own row, else by the longest listed parent that is a header.

    A header is a category that cannot be billed (billable = N). A deeper code whose longest listed parent can be billed proves
    nothing: the list then knows the family and left this code out. Source: reference/terminology-loading.md 8.
    """
    exact = codes.inner_join(lists, ["name", "key"]).select("name", "key", "disease", "subgroup", "listed")
    missing = codes.anti_join(lists, ["name", "key"]).filter(lambda t: t.name == "icd10cm")
    parents = lists.filter(lists.name == "icd10cm").select(
        parent=lists.key, disease="disease", subgroup="subgroup", listed="listed", billable="billable"
    )
    under = missing.inner_join(parents, (missing.key.startswith(parents.parent)) & (missing.key != parents.parent))
    under = under.mutate(_rank=ibis.rank().over(group_by=["name", "key"], order_by=ibis.desc(under.parent.length())))
    headers = under.filter((under._rank == 0) & (under.billable == "N"))
    return exact.union(headers.select("name", "key", "disease", "subgroup", "listed"))


def condition_lists(icd10cm: ir.Table, snomedct: ir.Table | None) -> ir.Table:
    """The condition lists of mappings/conditions as one table: name, key, disease, subgroup, listed, billable."""
    icd = icd10cm.select(
        name=ibis.literal("icd10cm"), key=condition_code(ibis.literal("icd10cm"), icd10cm.code),
        disease="disease", subgroup="subgroup", listed=icd10cm["default"], billable="billable",
    )  # fmt: skip
    if snomedct is None:
        return icd
    return icd.union(
        snomedct.select(
            name=ibis.literal("snomedct"), key=snomedct.code,
            disease="disease", subgroup="subgroup", listed=snomedct["default"], billable=ibis.literal("Y"),
        )
    )  # fmt: skip
