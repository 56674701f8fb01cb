"""The true row of a person: it follows from the facts that were drawn, no resource is read."""

from __future__ import annotations

from tests.population.facts import MIN_DRUGS, MIN_ENTRIES, SNP, Facts

COLUMNS = (
    "beneficiary",
    "contract",
    "pbp",
    "outcome",
    "doors",
    "reason_code",
    "chronic_diseases_outcome",
    "chronic_diseases_observed",
    "part_d_drugs_outcome",
    "part_d_drugs_observed",
    "drug_cost_outcome",
    "drug_cost_observed",
    "at_risk_outcome",
    "adherence_drug_outcome",
    "edges",
)
REASONS = {("core",): "01", ("at_risk",): "02", ("core", "at_risk"): "03", (): "04"}


def row(facts: Facts) -> tuple[str, ...]:
    """The values of COLUMNS."""
    diseases = "met" if len(facts.entries) >= MIN_ENTRIES else "not_met"
    drugs, adherence = _drugs(facts), _adherence(facts)
    at_risk = "met" if facts.at_risk else "not_met"
    snp = adherence if facts.plan == SNP else "not_met"
    doors = {"core": _all(diseases, drugs, facts.cost[0]), "at_risk": at_risk, "snp_adherence": snp}
    outcome, met, reason = _outcome(facts, doors)
    contract, _, pbp = facts.plan.partition("-")
    told = (diseases, str(len(facts.entries)), drugs, str(len(facts.drugs)), *facts.cost, at_risk, adherence)
    return (facts.id, contract, pbp, outcome, met, reason, *told, ";".join(facts.edges))


def _outcome(facts: Facts, doors: dict[str, str]) -> tuple[str, str, str]:
    """Outcome, doors and CMS reason."""
    if not facts.enrolled:
        return "not_enrolled", "", ""
    met = [name for name, value in doors.items() if value == "met"]
    if not met:
        return ("unknown" if "unknown" in doors.values() else "not_targeted"), "", ""
    return "targeted", ";".join(met), REASONS[tuple(name for name in met if name != "snp_adherence")]


def _all(*values: str) -> str:
    if "not_met" in values:
        return "not_met"
    return "unknown" if "unknown" in values else "met"


def _drugs(facts: Facts) -> str:
    known = len(facts.drugs)
    if known >= MIN_DRUGS:
        return "met"
    return "unknown" if known + facts.possible >= MIN_DRUGS else "not_met"


def _adherence(facts: Facts) -> str:
    if any(drug.adherent for drug in facts.drugs):
        return "met"
    return "unknown" if facts.unlisted_taken else "not_met"
