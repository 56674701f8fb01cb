"""The answer of ``Patient/<id>/$mtm-targeting`` (definitions/OperationDefinition-mtm-targeting.json)."""

from __future__ import annotations

from adapter.resources.ids import Resource, is_reference
from adapter.resources.narrative import clean
from adapter.targeting.decision import CriterionResult, Decision, Evidence
from adapter.targeting.program import Program


def targeting_parameters(decision: Decision, program: Program) -> Resource:
    """``decision`` as FHIR Parameters: every value that is known, every criterion with all of its evidence."""
    values = [
        ("outcome", "valueCode", decision.outcome),
        ("contract", "valueString", decision.contract),
        ("pbp", "valueString", decision.pbp),
        *(("door", "valueCode", door) for door in decision.doors),
        ("reasonCode", "valueCode", decision.reason_code),
        ("asOf", "valueDate", decision.as_of.isoformat()),
        ("program", "valueString", program.name),
    ]
    criteria = [_criterion(result) for result in decision.criteria]
    return {"resourceType": "Parameters", "parameter": _parameters(values) + criteria}


def _criterion(result: CriterionResult) -> Resource:
    values = [
        ("name", "valueCode", result.criterion),
        ("outcome", "valueCode", result.outcome),
        ("observed", "valueString", result.observed),
        ("required", "valueString", result.required),
    ]
    evidence = [part for part in map(_evidence, result.evidence) if part["part"]]
    return {"name": "criterion", "part": _parameters(values) + evidence}


def _evidence(evidence: Evidence) -> Resource:
    parts = _parameters([("item", "valueString", evidence.item), ("fact", "valueString", evidence.fact)])
    if is_reference(evidence.source):
        parts.append({"name": "source", "valueReference": {"reference": evidence.source}})
    else:
        parts += _parameters([("source", "valueString", evidence.source)])
    return {"name": "evidence", "part": parts}


def _parameters(values: list[tuple[str, str, str]]) -> list[Resource]:
    """Those that have a value: FHIR has no empty strings."""
    return [{"name": name, element: clean(value)} for name, element, value in values if clean(value)]
