"""The pharmacist who held a review as a US Core Practitioner, where the source holds none with that NPI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapter.resources.ids import Resource, identifier, resource_id, tag
from adapter.resources.merging import merge
from adapter.resources.narrative import clean, narrative, paragraph
from adapter.resources.npi import NPI_SYSTEM

US_CORE_PRACTITIONER = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner"
_OWNED = ("text", "name", "telecom", "qualification")


@dataclass(frozen=True)
class Reviewer:
    """Who held the review: name, NPI, title, telephone, and for whom."""

    family: str
    given: tuple[str, ...]
    npi: str
    organization: str
    suffix: tuple[str, ...] = ()
    title: str = ""
    phone: str = ""

    @property
    def name(self) -> str:
        """The name as it is printed: "Dana Whitfield, PharmD"."""
        return ", ".join([clean(" ".join([*self.given, self.family])), *map(clean, self.suffix)])


def reviewer_id(npi: str) -> str:
    """The id of the Practitioner: one for each NPI, whatever the contract and the year."""
    return resource_id("reviewer", "", "", 0, npi)


def practitioner(reviewer: Reviewer, held: Resource | None) -> Resource:
    """The Practitioner of ``reviewer``, laid over ``held``. http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner"""
    own_id = reviewer_id(reviewer.npi)
    own: Resource = {
        "resourceType": "Practitioner",
        "id": own_id,
        "meta": {"profile": [US_CORE_PRACTITIONER], "tag": [tag("reviewer")]},
        "text": narrative(paragraph(f"{reviewer.name}; NPI {reviewer.npi}; {clean(reviewer.organization)}")),
        "identifier": [{"system": NPI_SYSTEM, "value": reviewer.npi}, identifier(own_id)],
        "active": True,
        "name": [_name(reviewer)],
    }
    if clean(reviewer.phone):
        own["telecom"] = [{"system": "phone", "value": clean(reviewer.phone), "use": "work"}]
    if clean(reviewer.title):
        own["qualification"] = [{"code": {"text": clean(reviewer.title)}}]
    return merge(own, held, _OWNED)


def _name(reviewer: Reviewer) -> Resource:
    parts = {"given": _words(reviewer.given), "suffix": _words(reviewer.suffix)}
    return {
        "family": clean(reviewer.family),
        **{name: words for name, words in parts.items() if words},
        "text": reviewer.name,
    }


def _words(texts: Sequence[str]) -> list[str]:
    return [word for word in map(clean, texts) if word]
