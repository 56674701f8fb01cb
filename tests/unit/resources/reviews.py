"""A review as plain values, and the resources that it makes; nobody in it is real."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from adapter.resources.action_plan import ToDo
from adapter.resources.detected_issue import Mitigation, Problem
from adapter.resources.ids import reference_to
from adapter.resources.review import Review, ReviewProblem, Written, written
from adapter.resources.reviewed_allergy import ToldAllergy
from adapter.resources.reviewed_statement import ReviewedDrug
from adapter.resources.reviewer import Reviewer
from adapter.resources.service_events import Service

Resource = dict[str, Any]
NOW, LATER = "2023-10-13T09:00:00+00:00", "2023-10-14T09:00:00+00:00"
BASE = "https://fhir.example.org/r4"
PATIENT: Resource = {
    "resourceType": "Patient", "id": "p1", "birthDate": "1951-12-12", "gender": "female",
    "identifier": [{"system": "urn:example", "value": "p1"}], "name": [{"family": "Rivera", "given": ["Ana"]}],
    "managingOrganization": {"reference": "Organization/o1"},
}  # fmt: skip
STATIN = ReviewedDrug(
    "83367|20 mg|oral", "atorvastatin 20 mg tablet", True, "Take 1 tablet at bedtime.", "cholesterol", "Helen Park, MD", "2021-04",
    sources=("MedicationRequest/r1", "ExplanationOfBenefit/e1"), codings=(("http://www.nlm.nih.gov/research/umls/rxnorm", "617310", ""),),
)  # fmt: skip
HERBAL = ReviewedDrug(
    "st",
    "St. John's wort",
    False,
    stopped="2023-10-12",
    stop_reason="It weakens others.",
    sources=("MedicationStatement/s1",),
)
FOUND = Problem(
    "Herbal product", "It weakens the statin.", "moderate", code="DRG", drugs=("name:st",), contacts=("member",)
)
REVIEW = Review(
    reviewer=Reviewer("Whitfield", ("Dana",), "1234567893", "Maple MTM Services", ("PharmD",), "Clinical Pharmacist", "610-555-0190"),
    known_reviewer="",
    service=Service(
        "cmr", "p1", "H1234", 2023, "CarePlan/mtm-enrollment", date(2023, 10, 12), "telephone", "local_pharmacist", "beneficiary",
        "N", "N", 35,
    ),
    program="health-partners-2023",
    drugs=(STATIN, HERBAL),
    to_do=(ToDo("Your herbal product", ("Stop it.", "Tell your pharmacist.")), ToDo("Your cholesterol", ("Have it tested.",))),
    problems=(ReviewProblem(FOUND, drugs=("st",), mitigations=(Mitigation("13"),)),),
    allergies=(ToldAllergy("penicillin", "allergy", "hives"),),
    other=("Bring this list to every visit.",),
    language="en",
    allergies_confirmed=True,
    pdf=None,
)  # fmt: skip


def write(
    review: Review = REVIEW, *held: Resource, recorded: str = NOW, base_url: str = BASE, patient: Resource = PATIENT
) -> Written:
    """What ``review`` writes over what is ``held``."""
    state = {reference_to(one): one for one in (patient, *held)}
    return written(review, state, base_url=base_url, recorded=recorded)


def only(made: Written, kind: str) -> Resource:
    """The one resource of that type."""
    [one] = every(made, kind)
    return one


def every(made: Written, kind: str) -> list[Resource]:
    """The resources of that type that the review makes of its own."""
    return [one for one in made.resources if one["resourceType"] == kind]


def with_(**changes: Any) -> Review:
    """The review with other values."""
    return replace(REVIEW, **changes)
