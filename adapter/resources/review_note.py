"""The DocumentReference by which other systems find a review: its document Bundle, and the printed summary where there is one.

SMP CI build of 2026-05 (smp-bundle-documentreference): LOINC 70006-2 with its exact display; author a role, an organization or the
patient, not a Practitioner, so the organization stands in it as a contained resource; contentType and creation 1..1.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapter.resources.ids import Resource, identifier, resource_id, tag
from adapter.resources.merging import merge_dated
from adapter.resources.narrative import clean, narrative, paragraph
from adapter.resources.reviewed_statement import Held

SMP_NOTE = "http://hl7.org/fhir/us/smp/StructureDefinition/smp-bundle-documentreference"
US_CORE_ORGANIZATION = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-organization"
NOTE_TYPE = {"coding": [{"system": "http://loinc.org", "code": "70006-2", "display": "Medication Management Note"}]}
CLINICAL_NOTE = {
    "coding": [
        {
            "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
            "code": "clinical-note",
            "display": "Clinical Note",
        }
    ]
}
PDF, FHIR_JSON = "application/pdf", "application/fhir+json"
_OWNED = ("text", "content", "contained", "author")


@dataclass(frozen=True)
class Printed:
    """The summary as printed: the PDF in base64, its SHA-1 in base64 (R4 Attachment.hash), and its size in bytes."""

    data: str
    hash: str
    size: int


def note_id(review: Held) -> str:
    """The id of the DocumentReference of this review."""
    return resource_id("review-note", review.contract, review.beneficiary, review.plan_year, review.day.isoformat())


def review_note(
    review: Held, organization: str, bundle_id: str, pdf: Printed | None, recorded: str, held: Resource | None
) -> Resource:
    """The DocumentReference: the printed summary ``pdf`` first, if there is one, then the document Bundle.

    ``recorded`` (an instant) dates it when something in it is new; otherwise it keeps its date. A summary once there stays when
    ``pdf`` is None.
    """
    own_id, before = note_id(review), held or {}
    attachments = (
        [_printed(pdf, recorded, before)] if pdf else [a for a in _attachments(before) if a.get("contentType") == PDF]
    )
    attachments.append(
        _dated(
            {"contentType": FHIR_JSON, "url": f"Bundle/{bundle_id}", "title": "Document of the medication review"},
            recorded,
            before,
        )
    )
    own: Resource = {
        "resourceType": "DocumentReference",
        "id": own_id,
        "meta": {"profile": [SMP_NOTE], "tag": [tag("review-note")]},
        "text": narrative(paragraph(f"Documents of the medication review of {review.day.isoformat()}.")),
        "contained": [_organization(organization)],
        "identifier": [identifier(own_id)],
        "status": "current",
        "docStatus": "final",
        "type": NOTE_TYPE,
        "category": [CLINICAL_NOTE],
        "subject": {**before.get("subject", {}), "reference": f"Patient/{review.beneficiary}"},
        "author": [{"reference": "#organization"}],
        "content": [{"attachment": attachment} for attachment in attachments],
    }
    return merge_dated(own, held, _OWNED, "date", recorded)


def has_pdf(note: Resource) -> bool:
    """Whether the printed summary is in it."""
    return any(attachment.get("contentType") == PDF for attachment in _attachments(note))


def superseded_note(held: Resource) -> Resource:
    """The note of an earlier review, which a later one took the place of: kept."""
    return {**held, "status": "superseded"} if held.get("status") == "current" else held


def _printed(pdf: Printed, recorded: str, held: Resource) -> Resource:
    content: Resource = {
        "contentType": PDF,
        "data": pdf.data,
        "size": pdf.size,
        "hash": pdf.hash,
        "title": "Summary of the medication review as printed",
    }
    return _dated(content, recorded, held)


def _dated(content: Resource, recorded: str, held: Resource) -> Resource:
    """The attachment with the instant of its creation: that of the same content when it is held."""
    same = [one for one in _attachments(held) if {k: v for k, v in one.items() if k != "creation"} == content]
    return {**content, "creation": same[0]["creation"] if same and "creation" in same[0] else recorded}


def _attachments(note: Resource) -> list[Resource]:
    return [one.get("attachment", {}) for one in note.get("content", [])]


def _organization(name: str) -> Resource:
    return {
        "resourceType": "Organization",
        "id": "organization",
        "meta": {"profile": [US_CORE_ORGANIZATION]},
        "active": True,
        "name": clean(name),
    }
