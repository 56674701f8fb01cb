"""Plain values that the resources are made from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapter.targeting.decision import CriterionResult, Decision, Evidence, ListedDrug
from adapter.targeting.program import Program, load_program

PROGRAMS = Path(__file__).parents[3] / "mappings" / "programs"


@pytest.fixture(scope="session")
def program() -> Program:
    return load_program("health-partners-2023", PROGRAMS)


@pytest.fixture
def decide() -> Callable[..., Decision]:
    """A targeted beneficiary; any field can be given another value."""

    def make(**changes: Any) -> Decision:
        criteria = (
            CriterionResult(
                "chronic_diseases",
                "met",
                "3",
                "at least 3",
                (
                    Evidence("diabetes", "E11.9 Type 2 diabetes", "Condition/c2"),
                    Evidence("diabetes", "E11.65 Type 2 diabetes with hyperglycemia", "Condition/c1"),
                    Evidence("hypertension", "I10 Hypertension", "Condition/c2"),
                    Evidence("copd", "J44.9 COPD", "ExplanationOfBenefit/e9"),
                    Evidence("asthma", "J45.909 Asthma", "Condition/?"),
                ),
            ),
            CriterionResult(
                "part_d_drugs",
                "met",
                "8",
                "at least 7",
                (
                    Evidence("metformin", "metformin 500 MG", "MedicationRequest/m1"),
                    Evidence("metformin", "metformin 500 MG", "ExplanationOfBenefit/e1"),
                ),
            ),
            CriterionResult(
                "drug_cost",
                "met",
                "$5,012.30",
                "more than $4,935.00",
                (
                    Evidence("cost", "$12.30", "ExplanationOfBenefit/e1"),
                    Evidence("cost", "$5,000.00", "ExplanationOfBenefit/e2"),
                ),
            ),
            CriterionResult(
                "at_risk",
                "met",
                "AR",
                "AR",
                (Evidence("AR", "on the roster", "roster.csv row 4"), Evidence("AR", "flag", "Flag/f1")),
            ),
            CriterionResult(
                "adherence_drug",
                "met",
                "statins",
                "any",
                (Evidence("statins", "atorvastatin", "MedicationDispense/d1"),),
            ),
        )
        values: dict[str, Any] = {
            "beneficiary": "b1",
            "contract": "H1234",
            "pbp": "003",
            "outcome": "targeted",
            "doors": ("core", "at_risk"),
            "reason_code": "03",
            "criteria": criteria,
            "as_of": date(2023, 3, 5),
        }
        return Decision(**(values | changes))

    return make


@pytest.fixture
def drug() -> Callable[..., ListedDrug]:
    """A drug that only one order tells of; any field can be given another value."""

    def make(name: str = "metformin", **changes: Any) -> ListedDrug:
        values: dict[str, Any] = {
            "drug": f"text:{name}",
            "name": name,
            "codings": (("http://www.nlm.nih.gov/research/umls/rxnorm", "860975", f"{name} 500 MG"),),
            "statement": "",
            "sources": ("MedicationRequest/r1",),
            "since": "2023-01-10",
            "latest": "2023-02-10",
            "kind": "rx",
        }
        return ListedDrug(**(values | changes))

    return make
