"""Allergies and side effects: what stands is listed with its reaction, what is over or a mistake is not."""

from __future__ import annotations

import pytest

from adapter.reconciliation.allergies import Allergies, Allergy, allergies
from tests.unit.reconciliation.builders import kinds, of


def allergy(key="a1", text="penicillin", **more):
    return {
        "resourceType": "AllergyIntolerance",
        "id": key,
        "code": {"text": text},
        "patient": {"reference": "Patient/p1"},
    } | more


def status(code):
    return {"coding": [{"code": code}]}


def test_an_allergy_with_its_reactions():
    reaction = [
        {"manifestation": [{"text": "hives"}], "severity": "mild"},
        {"manifestation": [{"text": "anaphylaxis"}], "severity": "severe"},
    ]
    made = allergies([allergy(type="allergy", reaction=reaction)])
    assert made == Allergies(
        (Allergy("penicillin", "anaphylaxis; hives", "allergy", "severe", "AllergyIntolerance/a1"),), ()
    )


@pytest.mark.parametrize(
    ("more", "listed"),
    [
        ({"clinicalStatus": status("active")}, True),
        ({}, True),
        ({"clinicalStatus": status("resolved")}, False),
        ({"clinicalStatus": status("inactive")}, False),
        ({"verificationStatus": status("refuted")}, False),
        ({"verificationStatus": status("entered-in-error")}, False),
        ({"verificationStatus": status("unconfirmed")}, True),
    ],
)
def test_only_what_stands_is_listed(more, listed):
    assert bool(allergies([allergy(**more)]).known) is listed


def none_known():
    return {"resourceType": "AllergyIntolerance", "id": "n1", "code": {"coding": [{"code": "716186003"}]}}


def test_none_known_is_not_a_substance():
    assert allergies([none_known()]) == Allergies((), ("AllergyIntolerance/n1",))


def test_none_known_beside_an_allergy_is_a_question():
    assert kinds(of(others=[none_known(), allergy()])) == ["allergies_contradict"]
    assert kinds(of(others=[allergy()])) == []


def test_an_adverse_event_is_a_side_effect_of_what_is_suspected():
    event = {
        "resourceType": "AdverseEvent", "id": "v1", "actuality": "actual", "event": {"text": "muscle pain"},
        "suspectEntity": [{"instance": {"display": "simvastatin"}}],
    }  # fmt: skip
    assert allergies([event]).known == (Allergy("simvastatin", "muscle pain", "side_effect", "", "AdverseEvent/v1"),)
    assert allergies([event | {"actuality": "potential"}]).known == ()


def test_the_order_and_repetition_make_no_difference():
    every = [allergy("a1", "penicillin"), allergy("a2", "latex"), none_known()]
    assert allergies(every) == allergies([*reversed(every), *every])
