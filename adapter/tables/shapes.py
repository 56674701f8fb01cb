"""What is read of each resource type, as data: only the elements that a rule uses, in FHIR R4 names.

A shape is a nested value: ``"string"`` or ``"boolean"`` for a primitive, a dict for an object, a list of one shape for an array.
Numbers are read as their text, because money must not pass through a float. The engine makes column types of it, the quarantine
pass (``adapter/sources/quarantine.py``) makes a validator of it: one definition, so that both read the same.
"""

from __future__ import annotations

from typing import TypeAlias

Shape: TypeAlias = "str | dict[str, Shape] | list[Shape]"


def ibis_type(shape: Shape) -> str:
    """The Ibis type of a shape, as text."""
    if isinstance(shape, str):
        return shape
    if isinstance(shape, list):
        return f"array<{ibis_type(shape[0])}>"
    return "struct<" + ", ".join(f"{name}: {ibis_type(of)}" for name, of in shape.items()) + ">"


STRING = "string"
BOOLEAN = "boolean"

CODING: Shape = {"system": STRING, "code": STRING, "display": STRING}
CONCEPT: Shape = {"coding": [CODING], "text": STRING}
REFERENCE: Shape = {"reference": STRING, "display": STRING}
PERIOD: Shape = {"start": STRING, "end": STRING}
META: Shape = {"lastUpdated": STRING, "versionId": STRING, "tag": [{"system": STRING, "code": STRING}]}
CODED: Shape = {"coding": [{"system": STRING, "code": STRING}]}
MONEY: Shape = {"value": STRING, "currency": STRING}
COMMON: dict[str, Shape] = {"resourceType": STRING, "id": STRING, "meta": META}
CONTAINED: Shape = [{"resourceType": STRING, "id": STRING, "code": CONCEPT}]

PATIENT: dict[str, Shape] = COMMON | {
    "identifier": [
        {
            "use": STRING,
            "system": STRING,
            "value": STRING,
            "period": PERIOD,
            "type": {"coding": [{"code": STRING, "extension": [{"url": STRING, "valueCoding": {"code": STRING}}]}]},
        }
    ],
    "name": [{"use": STRING, "family": STRING, "given": [STRING], "text": STRING, "period": PERIOD}],
    "gender": STRING,
    "birthDate": STRING,
    "deceasedBoolean": BOOLEAN,
    "deceasedDateTime": STRING,
    "active": BOOLEAN,
}

COVERAGE: dict[str, Shape] = COMMON | {
    "status": STRING,
    "type": CONCEPT,
    "subscriberId": STRING,
    "beneficiary": REFERENCE,
    "period": PERIOD,
    "class": [{"type": CODED, "value": STRING, "name": STRING}],
    "extension": [
        {
            "url": STRING,
            "valueString": STRING,
            "valueDate": STRING,
            "valueCoding": {"code": STRING},
            "valueIdentifier": {"value": STRING},
        }
    ],
    "identifier": [{"system": STRING, "value": STRING, "type": CODED}],
}

CONDITION: dict[str, Shape] = COMMON | {
    "clinicalStatus": CONCEPT,
    "verificationStatus": CONCEPT,
    "category": [CODED],
    "code": CONCEPT,
    "subject": REFERENCE,
    "onsetDateTime": STRING,
    "onsetPeriod": PERIOD,
    "abatementDateTime": STRING,
    "abatementPeriod": PERIOD,
    "abatementAge": {"value": STRING},
    "abatementRange": {"low": {"value": STRING}, "high": {"value": STRING}},
    "abatementString": STRING,
    "recordedDate": STRING,
}

MEDICATION: dict[str, Shape] = COMMON | {"code": CONCEPT, "status": STRING}

_ORDERED: dict[str, Shape] = COMMON | {
    "status": STRING,
    "contained": CONTAINED,
    "medicationCodeableConcept": CONCEPT,
    "medicationReference": REFERENCE,
    "subject": REFERENCE,
}

MEDICATION_REQUEST: dict[str, Shape] = _ORDERED | {
    "intent": STRING,
    "doNotPerform": BOOLEAN,
    "authoredOn": STRING,
    "reportedBoolean": BOOLEAN,
}

MEDICATION_STATEMENT: dict[str, Shape] = _ORDERED | {
    "effectiveDateTime": STRING,
    "effectivePeriod": PERIOD,
    "dateAsserted": STRING,
}

MEDICATION_DISPENSE: dict[str, Shape] = _ORDERED | {
    "whenHandedOver": STRING,
    "whenPrepared": STRING,
    "daysSupply": {"value": STRING},
}

# Claims are nine tenths of what is read: no element that no rule asks for.
CODES: Shape = {"coding": [{"code": STRING}]}
_AMOUNTS: Shape = [{"category": CODES, "amount": MONEY}]

EXPLANATION_OF_BENEFIT: dict[str, Shape] = COMMON | {
    "status": STRING,
    "use": STRING,
    "outcome": STRING,
    "type": CODED,
    "subType": CODES,
    "patient": {"reference": STRING},
    "billablePeriod": {"start": STRING, "end": STRING},
    "diagnosis": [{"diagnosisCodeableConcept": {"coding": [CODING]}}],
    "identifier": [{"type": CODES, "system": STRING, "value": STRING}],
    "related": [
        {
            "claim": {"reference": STRING, "identifier": {"value": STRING}},
            "reference": {"value": STRING},
            "relationship": CODES,
        }
    ],
    "supportingInfo": [{"category": CODES, "code": CODES, "valueQuantity": {"value": STRING}}],
    "item": [
        {
            "productOrService": CONCEPT,
            "servicedDate": STRING,
            "servicedPeriod": {"start": STRING},
            "adjudication": _AMOUNTS,
            "detail": [{"productOrService": CONCEPT}],
        }
    ],
    "adjudication": [{"category": CODES, "reason": CODES}],
    "payment": {"type": CODES},
    "total": _AMOUNTS,
}

CLAIM: dict[str, Shape] = COMMON | {
    "status": STRING,
    "use": STRING,
    "type": CODED,
    "subType": CODES,
    "patient": {"reference": STRING},
    "billablePeriod": {"start": STRING},
    "created": STRING,
    "diagnosis": [{"diagnosisCodeableConcept": {"coding": [CODING]}}],
}

FLAG: dict[str, Shape] = COMMON | {"status": STRING, "code": CONCEPT, "subject": REFERENCE, "period": PERIOD}

_PART: Shape = {"url": STRING, "valueString": STRING, "valueInteger": STRING, "valueCode": STRING, "valueDate": STRING}

CARE_PLAN: dict[str, Shape] = COMMON | {
    "status": STRING,
    "subject": REFERENCE,
    "period": PERIOD,
    "extension": [{"url": STRING, "extension": [_PART]}],
}

_SERVICE: dict[str, Shape] = COMMON | {
    "status": STRING,
    "subject": REFERENCE,
    "basedOn": [REFERENCE],
    "extension": [
        {
            "url": STRING,
            "extension": [
                {
                    "url": STRING,
                    "valueString": STRING,
                    "valueInteger": STRING,
                    "valueCode": STRING,
                    "valueBoolean": BOOLEAN,
                }
            ],
        }
    ],
}

PROCEDURE: dict[str, Shape] = _SERVICE | {
    "code": CODED,
    "performedDateTime": STRING,
    "performedPeriod": PERIOD,
    "performer": [{"function": CODED}],
}

COMMUNICATION: dict[str, Shape] = _SERVICE | {
    "category": [CODED],
    "medium": [CODED],
    "sent": STRING,
    "about": [REFERENCE],
    "inResponseTo": [REFERENCE],
    "payload": [{"contentString": STRING}],
}

SHAPES: dict[str, dict[str, Shape]] = {
    "Patient": PATIENT,
    "Coverage": COVERAGE,
    "Condition": CONDITION,
    "Medication": MEDICATION,
    "MedicationRequest": MEDICATION_REQUEST,
    "MedicationStatement": MEDICATION_STATEMENT,
    "MedicationDispense": MEDICATION_DISPENSE,
    "ExplanationOfBenefit": EXPLANATION_OF_BENEFIT,
    "Claim": CLAIM,
    "Flag": FLAG,
    "CarePlan": CARE_PLAN,
    "Procedure": PROCEDURE,
    "Communication": COMMUNICATION,
}
