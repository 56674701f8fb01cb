"""The result of targeting for one beneficiary, as plain values: what explain, the web and the resources are made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Outcome = Literal["targeted", "not_targeted", "unknown", "not_enrolled"]
CriterionOutcome = Literal["met", "not_met", "unknown"]

CRITERIA = ("chronic_diseases", "part_d_drugs", "drug_cost", "at_risk", "adherence_drug")
TITLES = {
    "chronic_diseases": "Chronic diseases",
    "part_d_drugs": "Part D drugs",
    "drug_cost": "Drug cost",
    "at_risk": "At-risk beneficiary",
    "adherence_drug": "Adherence drug",
}
DOORS = ("core", "at_risk", "snp_adherence")


@dataclass(frozen=True)
class Evidence:
    """One fact that a criterion rests on: the counted item, the fact in words, and the resource that it stands in."""

    item: str  # the entry, drug, measure or list that the fact counts for, for example "diabetes" or "metformin"
    fact: str  # for a person to read, for example "E11.9 Type 2 diabetes mellitus without complications"
    source: str  # "Condition/123", or "roster.csv row 4"


@dataclass(frozen=True)
class CriterionResult:
    """One criterion of one beneficiary: met, not met or unknown, with the observed and the required value."""

    criterion: str
    outcome: CriterionOutcome
    observed: str
    required: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Decision:
    """The decision for one beneficiary on ``as_of``."""

    beneficiary: str  # the id of the Patient, without "Patient/"
    contract: str  # "" when no data tell it
    pbp: str
    outcome: Outcome
    doors: tuple[str, ...]  # of DOORS, only for the targeted
    reason_code: str  # CMS 01 core criteria, 02 at-risk, 03 both, 04 plan's own criteria only; "" when not targeted
    criteria: tuple[CriterionResult, ...]
    as_of: date

    def criterion(self, name: str) -> CriterionResult:
        """The result of the criterion ``name``; raises KeyError when the program has no such criterion."""
        for result in self.criteria:
            if result.criterion == name:
                return result
        raise KeyError(name)


@dataclass(frozen=True)
class ListedDrug:
    """One line of a Personal Medication List: a drug (set of ingredients) with every resource that names it."""

    drug: str  # key: RxNorm ingredient ids joined by ";", or "code:<system>|<code>", or "text:<text>" when no list knows it
    name: str  # for a person to read
    codings: tuple[tuple[str, str, str], ...]  # (system, code, display), as the sources gave them
    statement: str  # "MedicationStatement/x" of an existing active statement, else ""
    sources: tuple[str, ...]  # "MedicationRequest/1", "ExplanationOfBenefit/2", ... sorted
    since: str  # earliest date known, in the precision that the source gave, else ""
    latest: str  # latest fill or order date, else ""
    kind: str  # "rx", "otc", "both", "vitamin", "mineral", "herbal", "other_supplement", "unknown"
