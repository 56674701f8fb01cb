"""The medication action plan of a review: the to-dos of the member, and the problems that they answer.

With at least one DetectedIssue it is an SMP medication action plan (CI build of 2026-05; in no release yet); without one SMP's
supportingInfo 1..* cannot be met, and it is a plain US Core CarePlan. Both categories go with every US Core from 6.1.0 to 9.0.0
(reference/fhir-profiles.md 0.3, 0.4). One activity for each action; equal topics are one box of the To-Do List.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapter.resources.care_plan import US_CORE_CARE_PLAN
from adapter.resources.ids import Resource, identifier, is_own, resource_id, tag
from adapter.resources.merging import merge, reference_elements
from adapter.resources.narrative import bullets, clean, narrative, paragraph
from adapter.resources.reviewed_statement import Held

SMP_ACTION_PLAN = "http://hl7.org/fhir/us/smp/StructureDefinition/smp-medication-action-plan"
ACTION_PLAN = {
    "coding": [
        {
            "system": "http://snomed.info/sct",
            "code": "736378000",
            "display": "Medication management plan (record artifact)",
        }
    ]
}
ASSESS_PLAN = {
    "coding": [
        {
            "system": "http://hl7.org/fhir/us/core/CodeSystem/careplan-category",
            "code": "assess-plan",
            "display": "Assessment and Plan of Treatment",
        }
    ]
}
_OWNED = ("text", "language", "activity", "supportingInfo", "replaces")


@dataclass(frozen=True)
class ToDo:
    """One box of the Recommended To-Do List: what was talked about, and what the member should do."""

    topic: str
    actions: tuple[str, ...]


def plan_id(review: Held) -> str:
    """The id of the action plan of this review."""
    return resource_id("action-plan", review.contract, review.beneficiary, review.plan_year, review.day.isoformat())


def action_plan(
    to_do: Sequence[ToDo], issues: Sequence[str], review: Held, replaces: Sequence[str], held: Resource | None
) -> Resource:
    """The CarePlan of the review. ``issues`` are references to the DetectedIssues that stand, ``replaces`` to earlier plans."""
    own_id, before = plan_id(review), held or {}
    profiles = [SMP_ACTION_PLAN, US_CORE_CARE_PLAN] if issues else [US_CORE_CARE_PLAN]
    own: Resource = {
        "resourceType": "CarePlan",
        "id": own_id,
        "meta": {"profile": profiles, "tag": [tag("action-plan")]},
        "language": review.language,
        "text": plan_text(to_do, review),
        "identifier": [identifier(own_id)],
        "status": "active",
        "intent": "plan",
        "category": [ASSESS_PLAN, ACTION_PLAN],
        "title": f"Medication action plan of {review.day.isoformat()}",
        "subject": {**before.get("subject", {}), "reference": f"Patient/{review.beneficiary}"},
        "period": {"start": review.day.isoformat()},
        "created": review.day.isoformat(),
        "author": {"reference": review.practitioner},
    }
    optional: Resource = {
        "activity": [_activity(one.topic, action) for one in to_do for action in one.actions],
        "supportingInfo": reference_elements(sorted(issues), before.get("supportingInfo", [])),
        "replaces": reference_elements(sorted(replaces), before.get("replaces", [])),
    }
    merged = merge(own | {name: value for name, value in optional.items() if value}, held, _OWNED)
    return _without_smp(merged) if not issues else merged


def completed(held: Resource) -> Resource:
    """An action plan that a later review took the place of: kept as completed."""
    return {**held, "status": "completed"} if is_standing_plan(held) else held


def is_standing_plan(held: Resource) -> bool:
    """Whether ``held`` is an action plan of the adapter that is still active."""
    return is_own(held, "action-plan") and held.get("status") == "active"


def plan_text(to_do: Sequence[ToDo], review: Held) -> dict[str, str]:
    """The narrative of the plan: every topic with its actions."""
    told = paragraph(f"Recommended To-Do List after the medication review of {review.day.isoformat()}.")
    return narrative(
        told, bullets([(one.topic, list(one.actions)) for one in to_do]) or paragraph("There is nothing to do.")
    )


def _activity(topic: str, action: str) -> Resource:
    return {"detail": {"code": {"text": clean(topic)}, "status": "not-started", "description": clean(action)}}


def _without_smp(plan: Resource) -> Resource:
    """The plan of a review corrected to have no problem: what was merged from ``held`` must not claim SMP any more."""
    profiles = [profile for profile in plan["meta"].get("profile", []) if not profile.startswith(SMP_ACTION_PLAN)]
    return {**plan, "meta": {**plan["meta"], "profile": profiles}}
