"""Allergies and side effects that a member told in a review and no record holds: US Core AllergyIntolerance.

http://hl7.org/fhir/us/core/StructureDefinition/us-core-allergyintolerance. A side effect is an intolerance (R4 AllergyIntolerance.type).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from adapter.resources.ids import Resource, identifier, resource_id, tag
from adapter.resources.merging import merge
from adapter.resources.narrative import clean, narrative, paragraph
from adapter.resources.reviewed_statement import Held

US_CORE_ALLERGY = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-allergyintolerance"
NO_KNOWN_ALLERGY = {"system": "http://snomed.info/sct", "code": "716186003", "display": "No known allergy"}
_STATUS = "http://terminology.hl7.org/CodeSystem/allergyintolerance-"
_OWNED = ("text", "language", "type", "reaction")


@dataclass(frozen=True)
class ToldAllergy:
    """What the member reacts to; an empty ``substance`` says that no allergy is known."""

    substance: str
    kind: Literal["allergy", "side_effect"] = "allergy"
    reaction: str = ""


def allergy_id(told: ToldAllergy, review: Held) -> str:
    """The id: one for each substance of a beneficiary, whatever the year, so that it is not told twice."""
    return resource_id("reviewed-allergy", "", review.beneficiary, 0, clean(told.substance).casefold())


def reviewed_allergy(told: ToldAllergy, review: Held, held: Resource | None) -> Resource:
    """The AllergyIntolerance of what was told, laid over ``held``."""
    own_id = allergy_id(told, review)
    substance, reaction = clean(told.substance), clean(told.reaction)
    own: Resource = {
        "resourceType": "AllergyIntolerance",
        "id": own_id,
        "meta": {"profile": [US_CORE_ALLERGY], "tag": [tag("reviewed-allergy")]},
        "language": review.language,
        "text": _text(told, review),
        "identifier": [identifier(own_id)],
        "clinicalStatus": _status("clinical", "active"),
        "verificationStatus": _status("verification", "unconfirmed"),  # told by the member, tested by nobody
        "code": {"text": substance} if substance else {"coding": [NO_KNOWN_ALLERGY], "text": "No known allergy"},
        "patient": {**(held or {}).get("patient", {}), "reference": f"Patient/{review.beneficiary}"},
        "recordedDate": (held or {}).get("recordedDate", review.day.isoformat()),
        "recorder": (held or {}).get("recorder", {"reference": review.practitioner}),
    }
    if substance:
        own["type"] = "intolerance" if told.kind == "side_effect" else "allergy"
    if substance and reaction:
        own["reaction"] = [{"manifestation": [{"text": reaction}]}]
    return merge(own, held, _OWNED)


def _status(kind: str, code: str) -> Resource:
    return {"coding": [{"system": f"{_STATUS}{kind}", "code": code}]}


def _text(told: ToldAllergy, review: Held) -> dict[str, str]:
    said = (
        f"{told.substance}{f': {told.reaction}' if clean(told.reaction) else ''}"
        if clean(told.substance)
        else "No known allergy"
    )
    return narrative(paragraph(said), paragraph("Told by the member in a medication review."))


def every(told: Sequence[ToldAllergy], none_known: bool) -> list[ToldAllergy]:
    """What is to be recorded: what was told, or that there is none."""
    return [ToldAllergy("")] if none_known else list(told)
