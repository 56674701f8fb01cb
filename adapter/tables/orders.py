"""MedicationRequest, MedicationStatement and MedicationDispense to one row per resource that says: this person takes this drug.

The drug stands in the resource, in a contained Medication, or in a Medication of its own; all three end as one list of codings.
"""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from adapter.tables.columns import (
    bad_dates,
    codings_or_label,
    earliest,
    fault_of,
    has_tag,
    is_own,
    latest,
    newest,
    reference_id,
    versioned,
    wrong_type,
)

# An order stands for a drug that is taken; a proposal or a plan does not, unless it only records what the person reports.
ORDER_INTENTS = ("order", "original-order", "reflex-order", "filler-order", "instance-order")
DISPENSED = ("completed", "in-progress")


def medications(medication: ir.Table) -> ir.Table:
    """One row per Medication as received: id, codings, label, fault."""
    return medication.select(
        "id",
        codings=codings_or_label(medication.code),
        label=medication.code["text"],
        fault=fault_of(
            wrong_type(medication, "Medication"),
            (medication.id.isnull(), "the Medication has no id"),
            (
                (medication.code.coding.length() == 0).fill_null(True) & medication.code["text"].isnull(),
                "the Medication has no code",
            ),
        ),
        **versioned(medication),
    )


def requests(request: ir.Table) -> ir.Table:
    """One row per MedicationRequest as received; ``takes`` = active, and an order or a report of what the person takes."""
    ordered = request.intent.isin(ORDER_INTENTS) | request.reportedBoolean | request.intent.isnull()
    takes = (request.status == "active") & ordered.fill_null(False) & ~request.doNotPerform.fill_null(False)
    return _rows(request, "request", takes, request.authoredOn, ibis.null("string"), authoredOn=request.authoredOn)


def statements(statement: ir.Table) -> ir.Table:
    """One row per MedicationStatement as received; those that the adapter itself wrote are left out."""
    return _stated(statement.filter(~is_own(statement)))


def statements_and_reviews(statement: ir.Table) -> ir.Table:
    """As ``statements``, with those that a pharmacist settled in an earlier review: they are a person's word."""
    return _stated(statement.filter(~is_own(statement) | has_tag(statement, "reviewed-statement")))


def _stated(statement: ir.Table) -> ir.Table:
    begins = ibis.coalesce(statement.effectivePeriod["start"], statement.effectiveDateTime, statement.dateAsserted)
    return _rows(
        statement, "statement", statement.status == "active", begins, statement.effectivePeriod["end"],
        effectiveDateTime=statement.effectiveDateTime, effectivePeriod__start=statement.effectivePeriod["start"],
        effectivePeriod__end=statement.effectivePeriod["end"], recorded=statement.dateAsserted,
        dateAsserted=statement.dateAsserted,
    )  # fmt: skip


def dispenses(dispense: ir.Table) -> ir.Table:
    """One row per MedicationDispense as received; ``takes`` = handed over or being prepared."""
    filled = ibis.coalesce(dispense.whenHandedOver, dispense.whenPrepared)
    return _rows(
        dispense, "dispense", dispense.status.isin(DISPENSED), filled, ibis.null("string"),
        supply=dispense.daysSupply["value"], whenHandedOver=dispense.whenHandedOver, whenPrepared=dispense.whenPrepared,
    )  # fmt: skip


def orders(rows: ir.Table, medication_rows: ir.Table) -> ir.Table:
    """One row per resource that says the person takes a drug, with the codings of the Medication that it points at.

    Columns: kind, source, beneficiary, codings (part, system, code, display), label, day_first and day_last (of the order, the
    start of the statement or the fill; NULL when not told), ends (last day of a statement's period), recorded (the first day that its
    assertion can mean; NULL when not told), days_supply (of a dispense),
    missing (the reference to a Medication that the source does not hold, else NULL).
    """
    good = newest(rows.filter(rows.fault.isnull()).drop("fault"))
    return _with_drugs(good.filter(good.takes), medication_rows)


def mentions(rows: ir.Table, medication_rows: ir.Table) -> ir.Table:
    """As ``orders``, with those that say that the drug is no longer, not yet or not taken: a reconciliation asks about them."""
    return _with_drugs(newest(rows.filter(rows.fault.isnull()).drop("fault")), medication_rows)


def _with_drugs(good: ir.Table, medication_rows: ir.Table) -> ir.Table:
    known = newest(medication_rows.filter(medication_rows.fault.isnull()).drop("fault"))
    known = known.select(pointed="id", pointed_codings="codings", pointed_label="label")
    joined = good.left_join(known, good.medication == known.pointed)
    codings = ibis.ifelse(joined.pointed.notnull(), joined.pointed_codings, joined.codings)
    return joined.select(
        "kind", "source", "beneficiary", "days_supply",
        codings=codings.map(lambda c: ibis.struct({"part": "item", "system": c["system"], "code": c["code"], "display": c["display"]})),
        label=ibis.ifelse(joined.pointed.notnull(), joined.pointed_label, joined.label),
        day_first=earliest(joined.begins),
        day_last=latest(joined.begins),
        ends=latest(joined.stops),
        recorded=earliest(joined.recorded),
        missing=ibis.ifelse(joined.medication.notnull() & joined.pointed.isnull(), joined.reference, ibis.null("string")),
    )  # fmt: skip


def _rows(
    resource: ir.Table,
    kind: str,
    takes: ir.BooleanValue,
    begins: ir.StringValue,
    stops: ir.StringValue,
    supply: ir.StringValue | None = None,
    recorded: ir.StringValue | None = None,
    **dates: ir.StringValue,
) -> ir.Table:
    name = {"request": "MedicationRequest", "statement": "MedicationStatement", "dispense": "MedicationDispense"}[kind]
    reference = resource.medicationReference["reference"]
    inside = resource.contained.filter(lambda c: ibis.literal("#").concat(c["id"]) == reference)[0]
    concept = ibis.ifelse(inside["id"].notnull(), inside["code"], resource.medicationCodeableConcept)
    label = ibis.coalesce(concept["text"], resource.medicationReference["display"])
    told = (concept["coding"].length() > 0).fill_null(False) | label.notnull() | reference.notnull()
    return resource.select(
        "id",
        kind=ibis.literal(kind),
        beneficiary=reference_id(resource.subject.reference, "Patient"),
        source=ibis.literal(f"{name}/").concat(resource.id),
        takes=takes.fill_null(False),
        reference=reference,
        medication=ibis.ifelse(inside["id"].notnull(), ibis.null("string"), _target(reference)),
        codings=codings_or_label(ibis.struct({"coding": concept["coding"], "text": label})),
        label=label,
        begins=begins,
        stops=stops,
        recorded=ibis.null("string") if recorded is None else recorded,
        days_supply=(ibis.null("string") if supply is None else supply).try_cast("decimal(9,2)"),
        fault=fault_of(
            wrong_type(resource, name),
            (resource.id.isnull(), f"the {name} has no id"),
            (reference_id(resource.subject.reference, "Patient").isnull(), f"the {name} names no Patient as subject"),
            (~told, f"the {name} has no medication"),
            *bad_dates(resource, **dates),
        ),
        **versioned(resource),
    )


def _target(reference: ir.StringValue) -> ir.StringValue:
    """The id of the Medication that is pointed at; a contained one that is not there keeps its "#", so that it is missing."""
    return ibis.coalesce(reference_id(reference, "Medication"), reference)


READERS: dict[str, Callable[[ir.Table], ir.Table]] = {
    "MedicationRequest": requests,
    "MedicationStatement": statements,
    "MedicationDispense": dispenses,
}

MENTIONS: dict[str, Callable[[ir.Table], ir.Table]] = {**READERS, "MedicationStatement": statements_and_reviews}
