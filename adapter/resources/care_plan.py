"""The enrollment of a targeted beneficiary as a US Core CarePlan: the adapter's only record of who is enrolled.

It claims US Core CarePlan and nothing more. The SMP medication action plan needs a DetectedIssue and a
practitioner, which exist only after a pharmacist's review (reference/fhir-profiles.md 1.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from adapter.resources.ids import BASE, Resource, identifier, is_reference, references, resource_id, tag
from adapter.resources.merging import merge, reference_elements, with_extension
from adapter.resources.narrative import Item, bullets, clean, narrative, paragraph
from adapter.targeting.decision import DOORS, CriterionResult, Decision, Evidence
from adapter.targeting.program import Program

US_CORE_CARE_PLAN = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan"
ENROLLMENT_EXTENSION = f"{BASE}StructureDefinition/mtm-enrollment"
CARE_PLAN_CATEGORY = f"{BASE}CodeSystem/care-plan-category"

# US Core up to 7.0.0 requires the first; later versions allow it (reference/fhir-profiles.md 0.3).
CATEGORIES = [
    {
        "coding": [
            {
                "system": "http://hl7.org/fhir/us/core/CodeSystem/careplan-category",
                "code": "assess-plan",
                "display": "Assessment and Plan of Treatment",
            }
        ]
    },
    {"coding": [{"system": CARE_PLAN_CATEGORY, "code": "mtm-enrollment", "display": "MTM enrollment"}]},
]
DOOR_WORDS = {
    "core": "Meets the CMS criteria: chronic diseases, covered Part D drugs and yearly drug cost",
    "at_risk": "At-risk beneficiary under a drug management program",
    "snp_adherence": "Member of a Special Needs Plan who takes a drug of a Star Ratings adherence measure",
}
CRITERION_WORDS = {
    "chronic_diseases": "Chronic diseases",
    "part_d_drugs": "Covered Part D drugs",
    "drug_cost": "Yearly cost of covered Part D drugs",
    "at_risk": "At-risk beneficiary",
    "adherence_drug": "Drug of an adherence measure",
}
CLAIM_TYPES = ("ExplanationOfBenefit/", "Claim/")
OUTCOME_WORDS = {"met": "met", "not_met": "not met", "unknown": "unknown"}

_OWN_PARTS = ("contract", "pbp", "planYear", "program", "reasonCode", "criteriaMetOn", "door")
_OWNED = ("text", "addresses", "supportingInfo")
_CMS_CRITERIA = {"01": {"core"}, "02": {"at_risk"}, "03": {"core", "at_risk"}, "04": set[str]()}


def enrollment(decision: Decision, program: Program, held: Resource | None, first_met: date | None = None) -> Resource:
    """The enrollment CarePlan of a targeted beneficiary, conformant with US Core CarePlan 6.1.0 to 9.0.0.

    ``held`` is the CarePlan of that id that the server holds. Its start, its date of first meeting the criteria and
    what others added stay; one that is no longer active (opted out, completed) is returned as it is. Raises
    ValueError for a beneficiary who is not targeted.
    http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan
    """
    if decision.outcome != "targeted":
        raise ValueError("only a targeted beneficiary is enrolled")
    if held is not None and (held.get("status") != "active" or "optOutOn" in _held_parts(held)):
        return held  # 42 CFR 423.153(d)(1)(v): enrollment is by opt-out, and a screening run never undoes one
    met_on = min(decision.as_of, first_met or decision.as_of)
    return merge(_own(decision, program, held or {}, met_on), held, _OWNED)


def _own(decision: Decision, program: Program, held: Resource, met_on: date) -> Resource:
    own_id = resource_id("enrollment", decision.contract, decision.beneficiary, program.plan_year)
    # An earlier end was set by somebody on purpose.
    period = {"start": decision.as_of.isoformat(), "end": program.last_day.isoformat(), **held.get("period", {})}
    parts = _parts(decision, program, _held_parts(held), met_on)
    own_parts = [_part(name, value) for name in _OWN_PARTS for value in parts[name] if value]
    own = {
        "resourceType": "CarePlan",
        "id": own_id,
        "meta": {"profile": [US_CORE_CARE_PLAN], "tag": [tag("enrollment")]},
        "text": _text(decision, program, period, parts["door"]),
        "extension": with_extension(held.get("extension", []), ENROLLMENT_EXTENSION, own_parts, _OWN_PARTS),
        "identifier": [identifier(own_id)],
        "status": "active",
        "intent": "plan",
        "category": CATEGORIES,
        "title": f"Medication Therapy Management (MTM) enrollment {program.plan_year}",
        "subject": {**held.get("subject", {}), "reference": f"Patient/{decision.beneficiary}"},
        "period": period,
        "created": held.get("created", decision.as_of.isoformat()),
    }
    return own | _evidence_elements(decision, held)


def _parts(decision: Decision, program: Program, held: dict[str, list[str]], first_met: date) -> dict[str, list[str]]:
    """The parts of the extension. Doors and CMS reason add up over the year: a criterion once met stays met for it.

    42 CFR 423.153(d)(1)(iii) keeps the enrolled to the end of the year; the CMS file asks whether and when the
    criteria were met.
    """
    reason = _reason([decision.reason_code, *held.get("reasonCode", [])])
    met_on = held.get("criteriaMetOn", [] if reason == "04" else [first_met.isoformat()])
    doors = {*decision.doors, *held.get("door", [])}
    known = [door for door in DOORS if door in doors]
    return {
        "contract": [clean(decision.contract)],
        "pbp": [clean(decision.pbp)],
        "planYear": [str(program.plan_year)],
        "program": [clean(program.name)],
        "reasonCode": [reason],
        "criteriaMetOn": met_on,
        "door": [*known, *sorted(doors.difference(DOORS))],
    }


def _reason(codes: Iterable[str]) -> str:
    """The CMS code for all criteria that ``codes`` name together: 01 core, 02 at-risk, 03 both, 04 neither."""
    met: set[str] = set().union(*(_CMS_CRITERIA.get(code, set()) for code in codes))
    return next(code for code, criteria in _CMS_CRITERIA.items() if criteria == met)


def _part(name: str, value: str) -> Resource:
    if name == "planYear":
        return {"url": name, "valueInteger": int(value)}
    if name == "criteriaMetOn":
        return {"url": name, "valueDate": value}
    return {"url": name, "valueCode" if name in ("reasonCode", "door") else "valueString": value}


def _held_parts(held: Resource) -> dict[str, list[str]]:
    """The values of the held extension by part name; empty without one."""
    values: dict[str, list[str]] = {}
    for extension in held.get("extension", []):
        if extension.get("url") == ENROLLMENT_EXTENSION:
            for part in extension.get("extension", []):
                values.setdefault(part["url"], []).extend(
                    str(value) for key, value in part.items() if key.startswith("value")
                )
    return values


def _evidence_elements(decision: Decision, held: Resource) -> Resource:
    """``addresses`` and ``supportingInfo``; claims that only add up to the cost are counted in the narrative."""
    evidence = [e for result in decision.criteria if result.criterion != "drug_cost" for e in result.evidence]
    counted = [e.source for r in decision.criteria if r.criterion == "chronic_diseases" for e in r.evidence]
    addressed = [source for source in references(counted) if source.startswith("Condition/")]
    supporting = [source for source in references([e.source for e in evidence]) if source not in set(addressed)]
    elements = {
        "addresses": reference_elements(addressed, held.get("addresses", [])),
        "supportingInfo": reference_elements(supporting, held.get("supportingInfo", [])),
    }
    return {name: value for name, value in elements.items() if value}


def _text(decision: Decision, program: Program, period: dict[str, str], doors: list[str]) -> dict[str, str]:
    """The narrative, without name or birth date, and without the day of the run: equal facts give equal text."""
    return narrative(
        paragraph(
            f"Enrolled in Medication Therapy Management for {program.plan_year},"
            f" from {period['start']} to {period['end']}."
            f" Program: {program.title} ({program.name}, version {program.version})."
        ),
        paragraph("Reason for the enrollment:"),
        bullets([DOOR_WORDS.get(door, door) for door in doors]),
        paragraph("Criteria at the latest screening:"),
        bullets([_criterion_item(result) for result in decision.criteria]),
    )


def _criterion_item(result: CriterionResult) -> Item:
    title = CRITERION_WORDS.get(result.criterion, result.criterion)
    found, required = result.observed or "nothing", result.required or "nothing"
    line = f"{title}: {OUTCOME_WORDS[result.outcome]}; found {found}, required {required}"
    if result.criterion == "drug_cost":
        claims = len({evidence.source for evidence in result.evidence if evidence.source.startswith(CLAIM_TYPES)})
        return f"{line}; from {claims} {'claim' if claims == 1 else 'claims'}"
    return line, _evidence_lines(result.evidence)


def _evidence_lines(evidence: Iterable[Evidence]) -> list[str]:
    """One line per counted item: its first fact, how many more, and every source that no reference can point to."""
    by_item: dict[str, list[Evidence]] = {}
    for one in evidence:
        by_item.setdefault(one.item, []).append(one)
    return [_evidence_line(item, facts) for item, facts in by_item.items()]


def _evidence_line(item: str, evidence: list[Evidence]) -> str:
    facts = list(dict.fromkeys(clean(one.fact) for one in evidence))
    more = f" (and {len(facts) - 1} more)" if len(facts) > 1 else ""
    elsewhere = sorted({one.source for one in evidence if one.source and not is_reference(one.source)})
    sources = f" [{'; '.join(elsewhere)}]" if elsewhere else ""
    # A drug is counted under its RxNorm ingredient ids, which tell a reader nothing: the fact names it.
    label = (
        ""
        if item.replace(";", "").isdigit() or item.startswith(("code:", "text:", "reference:"))
        else f"{item.replace('_', ' ')}: "
    )
    return f"{label}{facts[0]}{more}{sources}"
