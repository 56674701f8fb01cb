"""Small FHIR resources to start from: every builder gives a good one, and each element can be given another value."""

from __future__ import annotations

from typing import Any

Resource = dict[str, Any]

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"
MBI = "http://hl7.org/fhir/sid/us-mbi"
OWN = "https://w3id.org/mtm-adapter/fhir/CodeSystem/resource-kind"
CARIN = "http://hl7.org/fhir/us/carin-bb/CodeSystem/"
V2 = "https://bluebutton.cms.gov/resources/variables/"
V3 = "https://bluebutton.cms.gov/fhir/StructureDefinition/"


def patient(key: str = "p1", **more: Any) -> Resource:
    return {"resourceType": "Patient", "id": key} | more


def mbi(value: str, **more: Any) -> Resource:
    return {"system": MBI, "value": value} | more


def coverage(key: str = "v1", contract: str | None = "H1234-001", **more: Any) -> Resource:
    given: Resource = {
        "resourceType": "Coverage",
        "id": key,
        "status": "active",
        "beneficiary": {"reference": "Patient/p1"},
        "period": {"start": "2022-01-01"},
    }
    return given | ({"class": [plan(contract)]} if contract else {}) | more


def plan(value: str, kind: str = "plan") -> Resource:
    return {"type": {"coding": [{"code": kind}]}, "value": value}


def condition(key: str = "c1", *codings: tuple[str, Any], **more: Any) -> Resource:
    given: Resource = {"resourceType": "Condition", "id": key, "subject": {"reference": "Patient/p1"}}
    return given | {"code": concept(*(codings or ((ICD10, "E11.9"),)))} | more


def concept(*codings: tuple[str | None, Any], text: str | None = None) -> Resource:
    made: Resource = {"coding": [{"system": system, "code": code} for system, code in codings]}
    return made | ({"text": text} if text is not None else {})


def status(code: str | None) -> Resource:
    return {"coding": [{"code": code}]}


def claim(key: str | None = "e1", *items: Resource, kind: str = "pharmacy", **more: Any) -> Resource:
    given: Resource = {
        "resourceType": "ExplanationOfBenefit",
        "id": key,
        "status": "active",
        "use": "claim",
        "outcome": "complete",
        "type": {"coding": [{"code": kind}]},
        "patient": {"reference": "Patient/p1"},
        "billablePeriod": {"start": "2023-03-01"},
        "item": list(items) or [item("10.00")],
    }
    return {name: value for name, value in (given | more).items() if value is not None}


def item(
    cost: Any = None, code: str | None = "00071015523", filled: str | None = "2023-03-02", **more: Any
) -> Resource:
    given: Resource = {"productOrService": concept((NDC, code)), "servicedDate": filled}
    return given | ({"adjudication": [amount(cost)]} if cost is not None else {}) | more


def amount(value: Any, *codes: str) -> Resource:
    return {"category": {"coding": [{"code": code} for code in codes or ("drugcost",)]}, "amount": {"value": value}}


def info(category: str, code: str | None = None, **more: Any) -> Resource:
    given: Resource = {"category": {"coding": [{"code": "info"}, {"code": category}]}}
    return given | ({"code": {"coding": [{"code": code}]}} if code is not None else {}) | more


def related(relationship: str, *, reference: str | None = None, identifier: str | None = None) -> Resource:
    target = {"reference": reference} if reference else {"identifier": {"value": identifier}}
    return {"claim": target, "relationship": {"coding": [{"code": relationship}]}}


def request(key: str = "r1", *codings: tuple[str, Any], **more: Any) -> Resource:
    return _ordered("MedicationRequest", key, codings, {"intent": "order", "authoredOn": "2023-02-01"}, more)


def statement(key: str = "s1", *codings: tuple[str, Any], **more: Any) -> Resource:
    return _ordered("MedicationStatement", key, codings, {}, more)


def dispense(key: str = "d1", *codings: tuple[str, Any], **more: Any) -> Resource:
    given = {"status": "completed", "whenHandedOver": "2023-02-03"}
    return _ordered("MedicationDispense", key, codings, given, more)


def _ordered(kind: str, key: str, codings: tuple[tuple[str, Any], ...], given: Resource, more: Resource) -> Resource:
    medication: Resource = {"medicationCodeableConcept": concept(*(codings or ((RXNORM, "617312"),)))}
    if "medicationReference" in more or "medicationCodeableConcept" in more:
        medication = {}
    base: Resource = {"resourceType": kind, "id": key, "status": "active", "subject": {"reference": "Patient/p1"}}
    return {name: value for name, value in (base | medication | given | more).items() if value is not None}


def flag(key: str = "f1", **more: Any) -> Resource:
    given: Resource = {"resourceType": "Flag", "id": key, "status": "active", "subject": {"reference": "Patient/p1"}}
    return given | {"code": concept((None, "AR")), "period": {"start": "2023-01-01"}} | more


def medication(key: str = "m1", rxcui: str = "617312", **more: Any) -> Resource:
    return {"resourceType": "Medication", "id": key, "code": concept((RXNORM, rxcui))} | more
