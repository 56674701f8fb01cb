"""The Composition that orders the document of a review: action plan, list, problems, allergies, the review itself, the printed summary.

SMP CI build of 2026-05 (smp-map-composition): LOINC 80797-4, attester of mode professional, each section with a text, the section
of the action plan with SNOMED CT 736378000, that of the printed document with LOINC 80797-4; all with their exact displays.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapter.resources.action_plan import ACTION_PLAN
from adapter.resources.ids import Resource, identifier, is_own, reference_to, resource_id, tag
from adapter.resources.merging import merge_dated
from adapter.resources.narrative import bullets, narrative, paragraph
from adapter.resources.review_note import has_pdf
from adapter.resources.reviewed_statement import Held

SMP_COMPOSITION = "http://hl7.org/fhir/us/smp/StructureDefinition/smp-map-composition"
LOINC = "http://loinc.org"
DOCUMENT_TYPE = {"coding": [{"system": LOINC, "code": "80797-4", "display": "Pharmacology Plan of care note"}]}
# Sections of C-CDA and PhCP by their LOINC codes (reference/fhir-profiles.md 1.2); displays only where they are fixed by a profile.
MEDICATIONS, PROBLEMS, ALLERGIES, INTERVENTIONS = "10160-0", "75310-3", "48765-2", "62387-6"
_OWNED = ("text", "language", "section", "attester", "author")


def composition_id(review: Held) -> str:
    """The id of the Composition of this review."""
    return resource_id(
        "review-composition", review.contract, review.beneficiary, review.plan_year, review.day.isoformat()
    )


def review_composition(
    review: Held,
    *,
    plan: Resource,
    medications: Resource,
    stopped: Sequence[Resource],
    issues: Sequence[Resource],
    allergies: Sequence[Resource],
    procedure: Resource,
    note: Resource,
    allergies_confirmed: bool,
    smp: bool,
    recorded: str,
    held: Resource | None,
) -> Resource:
    """The Composition over these resources; it claims the SMP profile with ``smp`` (the plan is an SMP action plan then)."""
    own_id, before = composition_id(review), held or {}
    party = {"reference": review.practitioner}
    sections = [
        _section("Recommended To-Do List", ACTION_PLAN, plan["text"], [plan]),
        _section("Personal Medication List", _loinc(MEDICATIONS), medications["text"], [medications]),
        *([_section("Medications that were stopped", None, _named(stopped), stopped)] if stopped else []),
        *([_section("Problems found", _loinc(PROBLEMS), _named(issues), issues)] if issues else []),
        _section(
            "Allergies and side effects", _loinc(ALLERGIES), _allergies_text(allergies, allergies_confirmed), allergies
        ),
        _section("Comprehensive Medication Review", _loinc(INTERVENTIONS), procedure["text"], [procedure]),
        *([_section("Summary as printed", DOCUMENT_TYPE, note["text"], [note])] if has_pdf(note) else []),
    ]
    own: Resource = {
        "resourceType": "Composition",
        "id": own_id,
        "meta": {"tag": [tag("review-composition")]} | ({"profile": [SMP_COMPOSITION]} if smp else {}),
        "language": review.language,
        "text": narrative(
            paragraph(f"Medication review of {review.day.isoformat()}."), bullets([one["title"] for one in sections])
        ),
        "identifier": identifier(own_id),
        "status": "final",
        "type": DOCUMENT_TYPE,
        "subject": {**before.get("subject", {}), "reference": f"Patient/{review.beneficiary}"},
        "author": [party],
        "title": f"Medication review of {review.day.isoformat()}",
        "attester": [{"mode": "professional", "time": review.day.isoformat(), "party": party}],
        "section": sections,
    }
    return without_smp(merge_dated(own, held and without_smp(held, smp), _OWNED, "date", recorded), smp)


def without_smp(resource: Resource, smp: bool) -> Resource:
    """``resource`` without a claim of an SMP profile, unless ``smp``: a corrected review may have no problem any more."""
    profiles = [p for p in resource.get("meta", {}).get("profile", []) if smp or "/us/smp/" not in p]
    meta = {name: value for name, value in resource.get("meta", {}).items() if name != "profile"}
    return {**resource, "meta": meta | ({"profile": profiles} if profiles else {})}


def is_composition(held: Resource) -> bool:
    """Whether it is a Composition of the adapter."""
    return is_own(held, "review-composition")


def _section(title: str, code: Resource | None, text: Resource, entries: Sequence[Resource]) -> Resource:
    section: Resource = {"title": title} | ({"code": code} if code else {}) | {"text": text}
    return section | ({"entry": [{"reference": reference_to(one)} for one in entries]} if entries else {})


def _loinc(code: str) -> Resource:
    return {"coding": [{"system": LOINC, "code": code}]}


def _allergies_text(allergies: Sequence[Resource], confirmed: bool) -> Resource:
    if confirmed:
        return narrative(paragraph("Gone through with the member."), _listed(allergies))
    return narrative(paragraph("On record; not gone through with the member in this review."), _listed(allergies))


def _named(resources: Sequence[Resource]) -> Resource:
    """A narrative that names what each of ``resources`` is about."""
    return narrative(_listed(resources))


def _listed(resources: Sequence[Resource]) -> str:
    return bullets([what(one) for one in resources]) or paragraph("None is known.")


def what(resource: Resource) -> str:
    """What the resource is about, in words: its code or drug, with the reactions of an allergy or the detail of a problem."""
    concept = resource.get("code") or resource.get("medicationCodeableConcept") or {}
    displays = [str(coding.get("display") or "") for coding in concept.get("coding") or ()]
    name = str(concept.get("text") or next(filter(None, displays), "") or resource.get("resourceType"))
    signs = [
        str(sign.get("text") or "")
        for reaction in resource.get("reaction") or ()
        for sign in reaction.get("manifestation") or ()
    ]
    detail = str(resource.get("detail") or "") if resource.get("resourceType") == "DetectedIssue" else ""
    more = ", ".join(filter(None, signs)) or (detail if detail != name else "")
    return f"{name}: {more}" if more else name
