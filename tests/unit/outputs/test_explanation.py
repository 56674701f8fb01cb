"""A decision as a text: every outcome has words, and each fact says where it stands."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest

from adapter.outputs.explanation import DOORS, MARKS, OUTCOMES, REASONS, TITLES, explanation
from adapter.targeting.decision import CRITERIA, CriterionResult, Decision, Evidence, Outcome
from adapter.targeting.decision import DOORS as ALL_DOORS


def decision(**more):
    given = {
        "beneficiary": "p1", "contract": "H1234", "pbp": "001", "outcome": "not_targeted", "doors": (), "reason_code": "",
        "criteria": (), "as_of": date(2023, 9, 30),
    }  # fmt: skip
    return Decision(**(given | more))


def criterion(name, *evidence, outcome="met", observed="1"):
    return CriterionResult(name, outcome, observed, "at least 1", tuple(Evidence(*one) for one in evidence))


def text(program, *results, **more):
    return explanation(decision(criteria=results, **more), program).splitlines()


def test_everything_has_words():
    assert set(OUTCOMES) == set(get_args(Outcome))
    assert set(DOORS) == set(ALL_DOORS)
    assert set(TITLES) == set(CRITERIA)
    assert set(MARKS) == {"met", "not_met", "unknown"}
    assert set(REASONS) == {"01", "02", "03", "04"}


@pytest.mark.parametrize(
    ("contract", "pbp", "first"),
    [
        ("H1234", "001", "Beneficiary p1, member of H1234-001"),
        ("H1234", "", "Beneficiary p1, member of H1234"),
        ("", "", "Beneficiary p1"),
    ],
)
def test_the_first_line_says_who(program_2023, contract, pbp, first):
    assert text(program_2023, contract=contract, pbp=pbp)[0] == first


def test_the_second_line_says_what_was_decided_by_which_program(program_2023):
    [_, line] = text(program_2023, outcome="unknown")
    assert line == (
        f"On 2023-09-30 by the program {program_2023.title} (version {program_2023.version}): "
        "cannot be decided with the data at hand."
    )


def test_the_targeted_have_reasons(program_2023):
    lines = text(program_2023, outcome="targeted", doors=("core", "at_risk"), reason_code="03")
    assert lines[2:] == [
        "  Reason: meets the core criteria (diseases, drugs and cost).",
        "  Reason: is an at-risk beneficiary.",
        "  CMS reason 03: core criteria and at-risk.",
    ]


@pytest.mark.parametrize(
    ("result", "head"),
    [
        (criterion("chronic_diseases", observed="3"), "Chronic diseases: MET (observed 3, required at least 1)"),
        (criterion("drug_cost", observed="10.00"), "Drug cost: MET (observed $10.00, required at least 1)"),
        (
            criterion("drug_cost", outcome="unknown", observed=""),
            "Drug cost: UNKNOWN (observed not known, required at least 1)",
        ),
        (
            criterion("at_risk", outcome="not_met", observed=""),
            "At-risk beneficiary: NOT MET (observed none, required at least 1)",
        ),
        (
            criterion("adherence_drug", observed="ras_antagonists;statins"),
            "Adherence drug: MET (observed ras antagonists, statins, required at least 1)",
        ),
    ],
)
def test_a_criterion_says_what_was_observed_and_required(program_2023, result, head):
    assert text(program_2023, result)[2:] == ["", head]


def test_a_disease_has_its_title_and_each_diagnosis_its_resources(program_2023):
    result = criterion(
        "chronic_diseases",
        ("diabetes", "E11.9 Type 2 diabetes", "Condition/1"),
        ("diabetes", "E11.9 Type 2 diabetes", "Condition/2"),
        ("diabetes", "E11.65 With hyperglycemia", "Condition/3"),
        ("copd", "J44.9 COPD", "Condition/4"),
    )
    assert text(program_2023, result)[4:] == [
        "  - Diabetes: E11.65 With hyperglycemia (Condition/3); E11.9 Type 2 diabetes (Condition/1; Condition/2)",
        "  - Chronic obstructive pulmonary disease (COPD): J44.9 COPD (Condition/4)",
    ]


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        ("E11.9 Diabetes, since 2019-04", "E11.9 Diabetes (Condition/1, active since 2019-04)"),
        ("E11.9 Diabetes, since 2019", "E11.9 Diabetes (Condition/1, active since 2019)"),
        ("E11.9 Diabetes, recorded 2019-04-05", "E11.9 Diabetes (Condition/1, recorded 2019-04-05)"),
        ("E11.9 Diabetes, since childhood", "E11.9 Diabetes, since childhood (Condition/1)"),
        ("", " (Condition/1)"),
    ],
)
def test_a_dated_diagnosis_reads_like_a_note(program_2023, fact, told):
    result = criterion("chronic_diseases", ("diabetes", fact, "Condition/1"))
    assert text(program_2023, result)[4] == f"  - Diabetes: {told}"


def test_claims_of_the_cost_are_counted(program_2023):
    claims = [("priced", f"${n}.00", f"ExplanationOfBenefit/{n}") for n in range(6)]
    result = criterion("drug_cost", *claims, ("unpriced", "no total", "ExplanationOfBenefit/9"))
    assert text(program_2023, result)[4:] == [
        "  - 6 priced claims: ExplanationOfBenefit/0, ExplanationOfBenefit/1, ExplanationOfBenefit/2, "
        "ExplanationOfBenefit/3 and 2 more",
        "  - 1 unpriced claim: ExplanationOfBenefit/9",
    ]


def test_a_drug_is_named_and_not_its_key(program_2023):
    result = criterion("part_d_drugs", ("83367", "atorvastatin", "MedicationRequest/1"), ("83367", "x", "Claim/2"))
    assert text(program_2023, result)[4:] == ["  - atorvastatin: MedicationRequest/1, Claim/2"]


def test_other_facts_stand_once_with_their_sources(program_2023):
    result = criterion(
        "at_risk", ("AR", "at-risk list, status AR", "a.csv row 2"), ("AR", "at-risk list, status AR", "a.csv row 3")
    )
    assert text(program_2023, result)[4:] == ["  - AR: at-risk list, status AR (a.csv row 2, a.csv row 3)"]
