"""Allergies and side effects for the member's list, from AllergyIntolerance and AdverseEvent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.reconciliation.people import concept_text

Resource = Mapping[str, Any]
# SNOMED CT: no known allergy, no known drug allergy (both as HL7's own examples use them).
NONE_KNOWN = frozenset(("716186003", "409137002"))
_NOT_SO = frozenset(("entered-in-error", "refuted"))
_OVER = frozenset(("inactive", "resolved"))


@dataclass(frozen=True, order=True)
class Allergy:
    """What the member reacts to, and how. ``kind`` is allergy, intolerance, side_effect or "" when the source does not tell."""

    substance: str
    reaction: str = ""
    kind: str = ""
    severity: str = ""
    source: str = ""


@dataclass(frozen=True)
class Allergies:
    """All of them, sorted; ``none_known`` are the records that say that there are none."""

    known: tuple[Allergy, ...]
    none_known: tuple[str, ...]


def allergies(resources: Iterable[Resource]) -> Allergies:
    """The standing allergies, intolerances and side effects among ``resources``; those resolved, refuted or mistaken are left out."""
    known: set[Allergy] = set()
    none_known: set[str] = set()
    for one in resources:
        source = f"{one.get('resourceType')}/{one.get('id')}"
        if one.get("resourceType") == "AllergyIntolerance" and _stands(one):
            if _codes(one.get("code")) & NONE_KNOWN:
                none_known.add(source)
            else:
                known.add(_allergy(one, source))
        elif one.get("resourceType") == "AdverseEvent" and one.get("actuality", "actual") == "actual":
            known |= _side_effects(one, source)
    return Allergies(tuple(sorted(one for one in known if one.substance)), tuple(sorted(none_known)))


def _stands(allergy: Resource) -> bool:
    codes = _codes(allergy.get("verificationStatus")) | _codes(allergy.get("clinicalStatus"))
    return not codes & (_NOT_SO | _OVER)


def _allergy(one: Resource, source: str) -> Allergy:
    reactions = [
        concept_text(sign) for reaction in one.get("reaction") or () for sign in reaction.get("manifestation") or ()
    ]
    severities = [str(reaction.get("severity")) for reaction in one.get("reaction") or () if reaction.get("severity")]
    order = ("severe", "moderate", "mild")
    severity = next(
        (grade for grade in order if grade in severities), "severe" if one.get("criticality") == "high" else ""
    )
    told = "; ".join(sorted(dict.fromkeys(text for text in reactions if text)))
    return Allergy(concept_text(one.get("code")), told, str(one.get("type") or ""), severity, source)


def _side_effects(event: Resource, source: str) -> set[Allergy]:
    reaction = concept_text(event.get("event"))
    suspects = [
        " ".join(str((one.get("instance") or {}).get("display") or "").split())
        for one in event.get("suspectEntity") or ()
    ]
    return {
        Allergy(suspect, reaction, "side_effect", concept_text(event.get("severity")).lower(), source)
        for suspect in suspects
        if suspect
    }


def _codes(concept: Any) -> set[str]:
    return {str(coding.get("code")) for coding in (concept or {}).get("coding") or ()}
