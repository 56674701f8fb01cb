"""The Personal Medication List after a review: an SMP List whose source is the pharmacist.

SMP 1.0.0 (http://hl7.org/fhir/us/smp/StructureDefinition/smp-medication-list): code, subject and source 1..1, entries only SMP
statements. Code: LOINC 104203-5, the reconciled list, first, and 10160-0 second (reference/fhir-profiles.md 0.2). Entries go
without a date: R4's lst-3 allows one in a working list only.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapter.resources.ids import Resource, identifier, reference_to, resource_id, tag
from adapter.resources.merging import merge
from adapter.resources.narrative import bullets, clean, narrative, paragraph
from adapter.resources.reviewed_statement import Held, ReviewedDrug, facts, statement_id

SMP_LIST = "http://hl7.org/fhir/us/smp/StructureDefinition/smp-medication-list"
RECONCILED = {
    "coding": [
        {
            "system": "http://loinc.org",
            "code": "104203-5",
            "display": "Reconciled medication list [Identifier] Episode Pharmacy",
        },
        {"system": "http://loinc.org", "code": "10160-0", "display": "History of Medication use Narrative"},
    ],
    "text": "Personal Medication List",
}
# After a review "nil known" is a finding: the pharmacist asked. https://hl7.org/fhir/R4/valueset-list-empty-reason.html
NIL_KNOWN = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/list-empty-reason",
            "code": "nilknown",
            "display": "Nil Known",
        }
    ]
}
_OWNED = ("text", "language", "entry", "emptyReason", "note")


def list_id(review: Held) -> str:
    """The id of the list of this review."""
    return resource_id("reviewed-list", review.contract, review.beneficiary, review.plan_year, review.day.isoformat())


def reviewed_list(drugs: Sequence[ReviewedDrug], review: Held, other: Sequence[str], held: Resource | None) -> Resource:
    """The List of those of ``drugs`` that are taken, in their order; ``other`` are further words for the member."""
    own_id, before = list_id(review), held or {}
    taken = [drug for drug in drugs if drug.listed]
    own: Resource = {
        "resourceType": "List",
        "id": own_id,
        "meta": {"profile": [SMP_LIST], "tag": [tag("reviewed-list")]},
        "language": review.language,
        "text": list_text(taken, review, other),
        "identifier": [identifier(own_id)],
        "status": "current",
        "mode": "snapshot",
        "title": f"Personal Medication List of {review.day.isoformat()}",
        "code": RECONCILED,
        "subject": {**before.get("subject", {}), "reference": f"Patient/{review.beneficiary}"},
        "date": review.day.isoformat(),
        "source": {"reference": review.practitioner},
    }
    if taken:
        own["entry"] = [_entry(drug, review) for drug in taken]
    else:
        own["emptyReason"] = NIL_KNOWN
    notes = [{"text": clean(text)} for text in other if clean(text)]
    return merge(own | ({"note": notes} if notes else {}), held, _OWNED)


def retired(held: Resource) -> Resource:
    """A list that a later review took the place of: kept, but no longer current."""
    return {**held, "status": "retired"} if held.get("status") == "current" else held


def is_current(held: Resource) -> bool:
    """Whether nothing took the place of the list yet."""
    return held.get("resourceType") == "List" and held.get("status") == "current"


def list_text(taken: Sequence[ReviewedDrug], review: Held, other: Sequence[str] = ()) -> dict[str, str]:
    """The narrative of the list: each drug with what is known of it, and the further words."""
    told = paragraph(f"Personal Medication List, reviewed with the member on {review.day.isoformat()}.")
    drugs = bullets([(drug.name, facts(drug)) for drug in taken]) or paragraph("No drugs are taken.")
    return narrative(told, drugs, *(paragraph(text) for text in other if clean(text)))


def _entry(drug: ReviewedDrug, review: Held) -> Resource:
    reference = reference_to({"resourceType": "MedicationStatement", "id": statement_id(drug, review)})
    return {"item": {"reference": reference, "display": clean(drug.name)}}
