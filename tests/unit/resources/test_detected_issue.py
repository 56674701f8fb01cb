"""DetectedIssues: what a proposal holds, what a pharmacist makes of it, and what the adapter may still change."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B.detectedissue import DetectedIssue
from hypothesis import given
from hypothesis import strategies as st

from adapter.resources.definitions import definitions
from adapter.resources.detected_issue import (
    CLOSINGS,
    CODES,
    MITIGATIONS,
    PROBLEM_CLOSING,
    PROBLEM_EXTENSION,
    SMP_DETECTED_ISSUE,
    Mitigation,
    Problem,
    closed,
    detected_issue,
    detected_issue_id,
    is_closed_proposal,
    is_open_proposal,
    plan_of,
    reviewed,
    rule_of,
)

PROBLEM = Problem(
    title="Two drugs of one class",
    detail="Lisinopril and enalapril are both taken.",
    severity="moderate",
    rule="duplicate_therapy",
    code="DUPTHPY",
    drugs=("29046", "3827"),
    contacts=("prescriber", "pharmacist"),
    recommendation="Ask which of the two is meant.",
    standing="U",
    sources=(
        "MedicationStatement/s1", "ExplanationOfBenefit/e2", "ExplanationOfBenefit/e1", "Condition/c1", "roster.csv row 4",
    ),
)  # fmt: skip


def make(problem: Problem = PROBLEM, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"beneficiary": "b1", "contract": "H1234", "plan_year": 2023, "identified": "2023-06-30"}
    made = detected_issue(problem, **(values | changes))
    DetectedIssue.model_validate(made)
    return made


def change(problem: Problem = PROBLEM, **fields: Any) -> Problem:
    return Problem(**(problem.__dict__ | fields))


# SMP medication action plan detected issue, rule by rule (reference/fhir-profiles.md 1.1) -----------------------------


def test_smp_implicated_are_only_statements_conditions_observations_and_allergies():
    assert make()["implicated"] == [{"reference": "Condition/c1"}, {"reference": "MedicationStatement/s1"}]


def test_evidence_is_every_resource_that_the_problem_rests_on():
    assert [found["reference"] for found in make()["evidence"][0]["detail"]] == [
        "Condition/c1", "ExplanationOfBenefit/e1", "ExplanationOfBenefit/e2", "MedicationStatement/s1",
    ]  # fmt: skip


def test_smp_author_is_a_practitioner_and_with_one_the_profile_is_claimed():
    made = make(author="Practitioner/p1", status="final")
    assert made["author"] == {"reference": "Practitioner/p1"}
    assert made["meta"]["profile"] == [SMP_DETECTED_ISSUE]


@pytest.mark.parametrize("author", ["Organization/o1", "Device/d1", "Patient/b1", "p1"])
def test_smp_nobody_else_is_the_author(author):
    with pytest.raises(ValueError, match="Practitioner"):
        make(author=author)


def test_a_proposal_has_no_author_and_claims_no_profile():
    made = make()
    assert made["status"] == "preliminary"
    assert "author" not in made
    assert "profile" not in made["meta"]


def test_code_and_detail():
    made = make()
    assert made["code"]["coding"] == [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "DUPTHPY", "display": CODES["DUPTHPY"]}
    ]
    assert made["code"]["text"] == "Two drugs of one class"
    assert made["detail"] == "Lisinopril and enalapril are both taken."


def test_without_a_fitting_code_there_is_a_text_alone():
    assert make(change(code=""))["code"] == {"text": "Two drugs of one class"}


def test_smp_example_mitigation_has_action_date_and_author():
    mitigation = Mitigation("13", "", "2023-07-01", "Practitioner/p1")
    (made,) = make(author="Practitioner/p1", mitigations=[mitigation])["mitigation"]
    assert made["action"]["coding"][0]["code"] == "13"
    assert made["action"]["coding"][0]["display"] == "Stopped Concurrent Therapy"
    assert (made["date"], made["author"]) == ("2023-07-01", {"reference": "Practitioner/p1"})


def test_a_mitigation_in_words_only():
    assert make(mitigations=[Mitigation(text="Dose halved")])["mitigation"] == [{"action": {"text": "Dose halved"}}]


# identity -------------------------------------------------------------------------------------------------------------


@given(st.permutations(PROBLEM.drugs * 2))
def test_the_order_and_number_of_drugs_make_no_other_problem(drugs):
    assert make(change(drugs=tuple(drugs)))["id"] == make()["id"]


@pytest.mark.parametrize(
    "other",
    [
        {"problem": change(rule="ras_blockers")},
        {"problem": change(drugs=("29046",))},
        {"beneficiary": "b2"},
        {"contract": "H9999"},
        {"plan_year": 2024},
    ],
)
def test_another_rule_drug_person_contract_or_year_is_another_problem(other):
    assert make(**other)["id"] != make()["id"]


def test_words_and_severity_do_not_change_the_id():
    assert make(change(detail="other", severity="high", title="t", sources=()))["id"] == make()["id"]


def test_a_problem_without_rule_is_told_by_its_title():
    found = change(rule="", title="Cannot swallow tablets")
    assert make(found)["id"] != make(change(found, title="Cost"))["id"]
    where = {"beneficiary": "b1", "contract": "H1234", "plan_year": 2023}
    assert detected_issue_id(found, **where) == make(found)["id"]


# what is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [{"severity": "fatal"}, {"code": "XYZ"}, {"contacts": ("neighbor",)}])
def test_values_that_no_profile_knows_are_refused(wrong):
    with pytest.raises(ValueError, match="is no"):
        make(change(**wrong))


def test_an_unknown_mitigation_is_refused():
    with pytest.raises(ValueError, match="mitigation"):
        make(mitigations=[Mitigation("99")])


# over the year --------------------------------------------------------------------------------------------------------


def test_the_same_problem_found_again_is_equal_and_keeps_the_first_day():
    held = make()
    assert make(held=held, identified="2023-09-30") == held


def test_what_others_added_stays():
    held = make()
    held["extension"][0]["extension"].append({"url": "own-to-them", "valueString": "x"})
    held["extension"].append({"url": "http://example.org/other", "valueString": "y"})
    held["meta"]["tag"].append({"system": "http://example.org", "code": "t"})
    assert make(held=held) == held


def test_new_facts_take_the_place_of_old_ones():
    again = make(change(sources=("MedicationStatement/s9",), detail="Other"), held=make())
    assert again["implicated"] == [{"reference": "MedicationStatement/s9"}]
    assert again["detail"] == "Other"
    assert "implicated" not in make(change(sources=("Claim/9",)), held=make())


def test_a_proposal_is_open_until_somebody_worked_on_it():
    held = make()
    assert is_open_proposal(held)
    assert not is_open_proposal({**held, "status": "final"})
    assert not is_open_proposal({**held, "author": {"reference": "Practitioner/p1"}})
    assert not is_open_proposal({**held, "mitigation": [{"action": {"text": "seen"}}]})
    assert is_open_proposal({**held, "meta": {}}), "a server that keeps no tags"
    assert not is_open_proposal({**held, "extension": []}), "not of the adapter"
    assert not is_open_proposal(make(change(rule="")))


def test_a_closed_proposal_is_kept_and_can_be_opened_again():
    held = make()
    shut = closed(held, "2023-09-30")
    DetectedIssue.model_validate(shut)
    assert shut["status"] == "cancelled"
    assert is_closed_proposal(shut)
    assert not is_open_proposal(shut)
    assert make(held=shut) == held


@pytest.mark.parametrize(
    "answers", [[], [{"action": {"text": "no problem"}, "author": {"reference": "Practitioner/p1"}}]]
)
def test_a_proposal_that_a_person_cancelled_is_theirs(answers):
    held = {**make(), "status": "cancelled"} | ({"mitigation": answers} if answers else {})
    assert not is_closed_proposal(held)
    assert not is_open_proposal(held)


def test_one_that_a_person_answered_after_it_was_closed_is_theirs():
    shut = closed(make(), "2023-09-30")
    shut["mitigation"] = [*shut["mitigation"], {"action": {"text": "seen"}}]
    assert not is_closed_proposal(shut)


def test_a_review_takes_a_proposal_over():
    taken = reviewed(make(), author="Practitioner/p1", mitigations=[Mitigation("5", day="2023-07-02")])
    DetectedIssue.model_validate(taken)
    assert (taken["status"], taken["author"]) == ("final", {"reference": "Practitioner/p1"})
    assert SMP_DETECTED_ISSUE in taken["meta"]["profile"]
    assert [one["action"]["text"] for one in taken["mitigation"]] == ["Consulted Prescriber"]
    assert not is_open_proposal(taken)
    again = reviewed(taken, author="Practitioner/p1", mitigations=[Mitigation("5", day="2023-07-02")])
    assert again == taken


def test_a_review_takes_a_closed_proposal_over_without_the_closing():
    taken = reviewed(closed(make(), "2023-09-30"), author="PractitionerRole/r1", status="amended")
    DetectedIssue.model_validate(taken)
    assert taken["status"] == "amended"
    assert "mitigation" not in taken


def test_the_rule_is_read_back():
    assert rule_of(make()) == "duplicate_therapy"
    assert rule_of(make(change(rule=""))) == ""


def test_contract_and_plan_year_are_read_back():
    assert plan_of(make()) == ("H1234", 2023)
    assert plan_of(make(contract="")) == ("", 2023)
    assert plan_of({"resourceType": "DetectedIssue"}) == ("", 0)


# definitions ----------------------------------------------------------------------------------------------------------

BY_URL = {each["url"]: each for each in definitions() if "url" in each}


def test_the_extension_is_as_its_definition_says():
    elements = {each["id"]: each for each in BY_URL[PROBLEM_EXTENSION]["differential"]["element"]}
    slices = {each["sliceName"] for each in elements.values() if "sliceName" in each}
    (extension,) = make()["extension"]
    assert {part["url"] for part in extension["extension"]} == slices
    for part in extension["extension"]:
        (element,) = set(part) - {"url"}
        kind = elements[f"Extension.extension:{part['url']}.value[x]"]["type"][0]["code"]
        assert element == f"value{kind[0].upper()}{kind[1:]}"


def test_the_closing_code_is_defined():
    assert {one["code"]: one["display"] for one in BY_URL[PROBLEM_CLOSING]["concept"]} == CLOSINGS


def test_codes_are_read_with_their_displays():
    assert MITIGATIONS["13"] == "Stopped Concurrent Therapy"
    assert CODES["COMPLY"] == "Compliance Alert"


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_gives_a_valid_issue(title, detail):
    DetectedIssue.model_validate(make(change(title=f"A{title}", detail=detail)))


@pytest.mark.parametrize(
    "extension", ["x", {"url": PROBLEM_EXTENSION}, [None], [{"url": PROBLEM_EXTENSION, "extension": "x"}]]
)
def test_an_issue_that_is_not_formed_as_fhir_is_no_proposal(extension):
    held = {"resourceType": "DetectedIssue", "status": "preliminary", "extension": extension}
    assert rule_of(held) == ""
    assert not is_open_proposal(held)
    assert plan_of(held) == ("", 0)
