"""Medication statements of drugs that are known only from orders, dispenses or claims.

Content as SMP MedicationStatement 1.0.0 asks (reference types, effective[x], dateAsserted), but the profile is not
claimed: dosage is must-support there and is first known for certain in a pharmacist's review, which writes SMP
resources of its own. There is no informationSource: nobody stated the use, and SMP allows no Organization there.

Status (https://hl7.org/fhir/R4/valueset-medication-statement-status.html): ``active`` says "still being taken". An
open order is a prescriber's word for that; a claim or dispense says only that the drug was handed out, so its
statement is ``unknown`` ("one of the statuses applies, it is not known which") until a person confirms it. A status
set by somebody else is never overwritten.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from typing import Any

from adapter.resources.ids import BASE, Resource, identifier, is_own, reference_to, references, tag
from adapter.resources.merging import merge, merge_dated, reference_elements
from adapter.resources.narrative import clean, narrative, paragraph
from adapter.targeting.decision import ListedDrug

STATUS_REASON = f"{BASE}CodeSystem/statement-status-reason"
STATUS_REASONS = {
    "no-longer-listed": "No current source of this plan year names the drug any more",
    "superseded": "Another statement of the same drug took its place",
}
# https://hl7.org/fhir/R4/datatypes.html#dateTime: with a time there must be seconds and an offset.
_DATE_TIME = re.compile(r"\d{4}(-\d\d(-\d\d(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-](0\d|1[0-4]):[0-5]\d))?)?)?")
_OWNED = (
    "text",
    "medicationCodeableConcept",
    "medicationReference",
    "effectiveDateTime",
    "effectivePeriod",
    "derivedFrom",
)
_SOURCE_WORDS = {
    "MedicationRequest": "orders",
    "MedicationDispense": "dispenses",
    "ExplanationOfBenefit": "claims",
    "Claim": "claims",
    "MedicationStatement": "statements",
}


def statement(drug: ListedDrug, own_id: str, beneficiary: str, day: str, held: Resource | None) -> Resource:
    """The MedicationStatement ``own_id`` for ``drug``; ``held`` itself when somebody corrected it or nothing changed.

    http://hl7.org/fhir/us/smp/StructureDefinition/smp-medicationstatement (its rules; the profile is not claimed)
    """
    if held is not None and is_corrected(held):
        return held
    before = held or {}
    sources = references([source for source in drug.sources if source != f"MedicationStatement/{own_id}"])
    own: Resource = {
        "resourceType": "MedicationStatement",
        "id": own_id,
        "meta": {"tag": [tag("medication-statement")]},
        "text": _text(drug, sources),
        "identifier": [identifier(own_id)],
        "status": _status(sources, before),
        "medicationCodeableConcept": medication_concept(drug),
        "subject": {**before.get("subject", {}), "reference": f"Patient/{beneficiary}"},
        "effectivePeriod": {**before.get("effectivePeriod", {}), "start": date_time(drug.since)},
        "derivedFrom": reference_elements(sources, before.get("derivedFrom", [])),
    }
    if not own["effectivePeriod"]["start"]:
        del own["effectivePeriod"]
    if not sources:
        del own["derivedFrom"]
    owned = (*_OWNED, "statusReason") if _reason_code(before) else _OWNED
    return merge_dated(own, held, owned, "dateAsserted", day)


def withdrawn(held: Resource, reason: str, day: str, by: str = "") -> Resource:
    """``held``, taken off the list: ``completed`` when no source names the drug, ``unknown`` when superseded by ``by``.

    Not ``stopped``: nobody is known to have stopped the drug. Not ``completed`` for a superseded one: the drug is
    still taken.
    """
    concept = {
        "coding": [{"system": STATUS_REASON, "code": reason, "display": STATUS_REASONS[reason]}],
        "text": f"{STATUS_REASONS[reason]}: {by}" if by else STATUS_REASONS[reason],
    }
    status = "unknown" if reason == "superseded" else "completed"
    return merge({"status": status, "statusReason": [concept], "dateAsserted": day, "meta": {}}, held, ())


def is_standing(held: Resource) -> bool:
    """Whether ``held`` is a derived statement as the adapter left it: neither withdrawn nor corrected by somebody."""
    return (
        is_own(held, "medication-statement") and held.get("status") in ("active", "unknown") and not _reason_code(held)
    )


def is_corrected(held: Resource) -> bool:
    """Whether somebody else gave ``held`` a status that the adapter never gives: it is theirs from then on."""
    return held.get("status") not in ("active", "unknown") and not _reason_code(held)


def is_listable(resource: Resource) -> bool:
    """Whether a statement of that status belongs on a list of current drugs."""
    return resource.get("status") in ("active", "unknown", "intended", "on-hold")


def medication_concept(drug: ListedDrug) -> Resource:
    """Every coding that the sources gave, in their order, and the name as text."""
    codings: list[Resource] = []
    for system, code, display in drug.codings:
        parts = {"system": clean(system), "code": clean(code), "display": clean(display)}
        coding = {name: value for name, value in parts.items() if value}
        if coding and coding not in codings:
            codings.append(coding)
    name = clean(drug.name) or next((c["display"] for c in codings if "display" in c), "Unnamed drug")
    return {"coding": codings, "text": name} if codings else {"text": name}


def date_time(text: str) -> str:
    """``text`` as an R4 dateTime in its own precision, without a time that is not valid; "" when it is no date."""
    return next((part for part in (text, text[:10]) if _DATE_TIME.fullmatch(part) and _exists(part)), "")


def _exists(text: str) -> bool:
    """Whether the calendar has that day, month or year (2023-02-30 it has not)."""
    try:
        date.fromisoformat((text + "-01-01"[len(text) - 4 :])[:10] if len(text) < 10 else text[:10])
    except ValueError:
        return False
    return True


def _status(sources: list[str], held: Resource) -> str:
    if held.get("status") == "active":  # confirmed by somebody, or once ordered: never taken back to unknown
        return "active"
    return "active" if any(source.startswith("MedicationRequest/") for source in sources) else "unknown"


def _reason_code(held: Resource) -> str:
    """The reason for which the adapter withdrew ``held``; "" when it did not."""
    codings: list[dict[str, Any]] = [c for reason in held.get("statusReason", []) for c in reason.get("coding", [])]
    return next((str(c.get("code", "")) for c in codings if c.get("system") == STATUS_REASON), "")


def _text(drug: ListedDrug, sources: list[str]) -> dict[str, str]:
    kinds = Counter(_SOURCE_WORDS.get(source.partition("/")[0], "other records") for source in sources)
    known = ", ".join(f"{kind}: {count}" for kind, count in sorted(kinds.items())) or "a record without id"
    return narrative(
        paragraph(medication_concept(drug)["text"]),
        paragraph(f"Known from {known}. Its use was not yet confirmed with the person."),
    )


def own_statements(held: dict[str, Resource]) -> set[str]:
    """The references of those held resources, by reference, that are derived statements of the adapter."""
    return {reference_to(resource) for resource in held.values() if is_own(resource, "medication-statement")}
