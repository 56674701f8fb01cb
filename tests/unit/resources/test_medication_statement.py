from __future__ import annotations

import pytest
from fhir.resources.R4B.medicationstatement import MedicationStatement
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.resources.ids import is_own
from adapter.resources.medication_statement import date_time, medication_concept, statement


def make(drug, held=None, day="2023-03-05"):
    made = statement(drug, "mtm-1", "b1", day, held)
    MedicationStatement.model_validate(made)
    return made


# SMP MedicationStatement, rule by rule (reference/fhir-profiles.md 0.8, 1.1): its content, not its name ---------------


def test_smp_medication_is_a_concept_with_every_coding_and_a_text(drug):
    codings = (("http://rx", "1", "Metformin"), ("", "", ""), ("http://ndc", "2", ""), ("http://rx", "1", "Metformin"))
    assert make(drug(codings=codings))["medicationCodeableConcept"] == {
        "coding": [{"system": "http://rx", "code": "1", "display": "Metformin"}, {"system": "http://ndc", "code": "2"}],
        "text": "metformin",
    }


def test_a_drug_without_codes_has_its_text_only(drug):
    assert medication_concept(drug(codings=())) == {"text": "metformin"}


def test_a_drug_without_name_is_named_by_its_code_or_says_so(drug):
    assert medication_concept(drug(name=" "))["text"] == "500 MG"
    assert medication_concept(drug(name="", codings=()))["text"] == "Unnamed drug"


def test_smp_subject_is_the_patient(drug):
    assert make(drug())["subject"] == {"reference": "Patient/b1"}


@pytest.mark.parametrize("since", ["2022", "2022-11", "2022-11-05", "2022-11-05T10:00:00-05:00"])
def test_smp_effective_keeps_the_precision_of_the_source(drug, since):
    assert make(drug(since=since))["effectivePeriod"] == {"start": since}


def test_without_a_date_there_is_no_effective(drug):
    assert "effectivePeriod" not in make(drug(since=""))


def test_smp_date_asserted_is_the_day_of_the_decision(drug):
    assert make(drug())["dateAsserted"] == "2023-03-05"


def test_smp_information_source_is_never_a_payer(drug):
    assert "informationSource" not in make(drug(sources=("ExplanationOfBenefit/e1",)))


def test_smp_based_on_and_part_of_are_left_to_those_who_know_the_profiles_of_the_targets(drug):
    made = make(drug(sources=("MedicationDispense/d1", "MedicationRequest/r1")))
    assert "basedOn" not in made
    assert "partOf" not in made


def test_the_profile_is_not_claimed_before_a_review(drug):
    made = make(drug())
    assert "profile" not in made["meta"]
    assert is_own(made, "medication-statement")


# Sources and status ---------------------------------------------------------------------------------------------------


def test_derived_from_holds_references_only_sorted_and_never_itself(drug):
    sources = ("MedicationRequest/r1", "ExplanationOfBenefit/?", "ExplanationOfBenefit/e1", "MedicationStatement/mtm-1")
    assert [r["reference"] for r in make(drug(sources=sources))["derivedFrom"]] == [
        "ExplanationOfBenefit/e1",
        "MedicationRequest/r1",
    ]


@pytest.mark.parametrize(
    ("sources", "status"),
    [
        (("MedicationRequest/r1", "ExplanationOfBenefit/e1"), "active"),
        (("ExplanationOfBenefit/e1",), "unknown"),
        (("MedicationDispense/d1",), "unknown"),
        (("ExplanationOfBenefit/?",), "unknown"),
    ],
)
def test_an_order_says_active_a_claim_or_dispense_alone_does_not(drug, sources, status):
    assert make(drug(sources=sources))["status"] == status


def test_a_use_that_somebody_confirmed_stays_active_and_an_order_confirms_one(drug):
    claim, order = drug(sources=("ExplanationOfBenefit/e1",)), drug()
    assert make(claim, {**make(claim), "status": "active"})["status"] == "active"
    assert make(order, make(claim))["status"] == "active"


def test_the_narrative_tells_where_the_drug_is_known_from(drug):
    text = make(drug(sources=("ExplanationOfBenefit/e1", "ExplanationOfBenefit/e2", "MedicationRequest/r1")))["text"][
        "div"
    ]
    assert "Known from claims: 2, orders: 1." in text


# What the server holds ------------------------------------------------------------------------------------------------


def test_nothing_changed_keeps_the_date(drug):
    held = make(drug())
    assert make(drug(), held, "2023-06-01") is held


def test_what_others_added_stays(drug):
    held = make(drug()) | {"dosage": [{"text": "twice daily"}], "reasonCode": [{"text": "diabetes"}]}
    held["effectivePeriod"] = {"start": "2023-01-10", "end": "2023-04-01"}
    assert make(drug(), held, "2023-06-01") is held
    changed = make(drug(since="2022"), held, "2023-06-01")
    assert changed["dosage"] == [{"text": "twice daily"}]
    assert changed["effectivePeriod"] == {"start": "2022", "end": "2023-04-01"}
    assert changed["dateAsserted"] == "2023-06-01"


def test_a_choice_that_somebody_changed_does_not_stand_beside_the_own_one(drug):
    held = make(drug()) | {"effectiveDateTime": "2023"}
    del held["effectivePeriod"]
    assert "effectiveDateTime" not in make(drug(), held)


# Values ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-02-30", ""),
        ("2023-13", ""),
        ("", ""),
        ("yesterday", ""),
        ("0000", ""),
        ("2023-02-03T10:00", "2023-02-03"),
        ("2023-02-03T10:00:00", "2023-02-03"),
        ("2023-02-03T25:00:00Z", "2023-02-03"),
        ("2023-02-30T10:00:00Z", ""),
        ("2024-02-29", "2024-02-29"),
    ],
)
def test_a_date_is_valid_in_fhir_or_left_out(text, expected):
    assert date_time(text) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(text=st.text(st.characters(), max_size=30))
def test_any_text_gives_a_valid_resource(drug, text):
    make(drug(name=text, codings=(("http://x", text, text),), since=text, sources=(text,)))
