"""A decision as a text for a person to read: what was decided, by which rule, on which facts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

from adapter.targeting.decision import TITLES, CriterionResult, Decision, Evidence
from adapter.targeting.program import Program

OUTCOMES = {
    "targeted": "is targeted for MTM",
    "not_targeted": "is not targeted for MTM",
    "unknown": "cannot be decided with the data at hand",
    "not_enrolled": "is not enrolled in Part D (of this contract) on that day",
}
DOORS = {
    "core": "meets the core criteria (diseases, drugs and cost)",
    "at_risk": "is an at-risk beneficiary",
    "snp_adherence": "is a member of a Special Needs Plan and takes a drug of a Star adherence measure",
}
REASONS = {
    "01": "core criteria",
    "02": "at-risk beneficiary",
    "03": "core criteria and at-risk",
    "04": "the plan's own criteria only",
}
MARKS = {"met": "met", "not_met": "not met", "unknown": "unknown"}
SOURCES_SHOWN = 4  # of one item; the rest is counted
DATED = re.compile(
    r"(.*), (since|recorded) (\d{4}(?:-\d\d){0,2})", re.DOTALL
)  # as targeting/criteria.py tells a diagnosis


def explanation(decision: Decision, program: Program) -> str:
    """The decision in lines of text, ending without a line end."""
    member = decision.contract + (f"-{decision.pbp}" if decision.pbp else "")
    lines = [
        f"Beneficiary {decision.beneficiary}" + (f", member of {member}" if member else ""),
        f"On {decision.as_of} by the program {program.title} (version {program.version}): {OUTCOMES[decision.outcome]}.",
    ]
    lines += [f"  Reason: {DOORS[door]}." for door in decision.doors]
    if decision.reason_code:
        lines.append(f"  CMS reason {decision.reason_code}: {REASONS[decision.reason_code]}.")
    titles = {entry.name: entry.title for entry in program.chronic_diseases.entries}
    for result in decision.criteria:
        lines += ["", *_criterion(result, titles)]
    return "\n".join(lines)


def _criterion(result: CriterionResult, titles: dict[str, str]) -> list[str]:
    observed = _observed(result)
    head = (
        f"{TITLES[result.criterion]}: {MARKS[result.outcome].upper()} (observed {observed}, required {result.required})"
    )
    return [head, *(f"  - {line}" for line in _items(result, titles))]


def _observed(result: CriterionResult) -> str:
    if result.criterion == "drug_cost" and result.observed:
        return f"${result.observed}"
    return result.observed.replace(";", ", ").replace("_", " ") or (
        "not known" if result.outcome == "unknown" else "none"
    )


def _items(result: CriterionResult, titles: dict[str, str]) -> Iterable[str]:
    """One line per counted item: its facts and where they stand. The claims of the cost are summed up by drug."""
    for item, group in groupby(result.evidence, key=lambda e: e.item):
        facts = list(group)
        label = titles.get(item, item.replace("_", " "))
        if result.criterion == "drug_cost":
            yield f"{len(facts)} {label} claim{'s' if len(facts) > 1 else ''}: {_sources(facts)}"
        elif result.criterion == "part_d_drugs":
            yield f"{facts[0].fact}: {_sources(facts)}"
        elif result.criterion == "chronic_diseases":
            yield f"{label}: {_diagnoses(facts)}"
        else:
            texts = sorted({fact.fact for fact in facts})
            yield f"{label}: {'; '.join(texts)} ({_sources(facts)})"


def _diagnoses(facts: list[Evidence]) -> str:
    """Each diagnosis with the resources that tell it: "E11.9 Type 2 diabetes (Condition/1, active since 2019-04)"."""
    told: dict[str, list[str]] = {}
    for fact in facts:
        dated = DATED.fullmatch(fact.fact)
        name, how, day = dated.groups() if dated else (fact.fact, "", "")
        when = f", active since {day}" if how == "since" else f", {how} {day}" if how else ""
        told.setdefault(name, []).append(fact.source + when)
    return "; ".join(f"{name} ({_some(sources, '; ')})" for name, sources in sorted(told.items()))


def _sources(facts: list[Evidence]) -> str:
    return _some([fact.source for fact in facts], ", ")


def _some(names: list[str], between: str) -> str:
    more = len(names) - SOURCES_SHOWN
    return between.join(names[:SOURCES_SHOWN]) + (f" and {more} more" if more > 0 else "")
