"""Diagnoses on medical claims, in both resources that hold them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from adapter.tables import claims, conditions, diagnoses
from tests.unit.tables.samples import ICD10, SNOMED, claim, concept

DATA = Path(__file__).parents[2] / "data" / "claims"
DAY = date(2023, 3, 1)


@pytest.fixture(scope="module")
def lists(engine):
    names = ("code", "disease", "subgroup", "default", "billable")
    icd = [("E11", "diabetes", "type2", "Y", "N"), ("I11.0", "chf", "chf", "Y", "Y"), ("I11.0", "htn", "htn", "Y", "Y")]
    rows = [dict(zip(names, row, strict=True)) for row in icd]
    return engine.keep(conditions.condition_lists(engine.table(rows, dict.fromkeys(names, "string")), None))


def medical(*codings, kind="professional", **more):
    given = [{"diagnosisCodeableConcept": concept(coding)} for coding in codings or [(ICD10, "E11.9")]]
    return claim("e1", kind=kind, diagnosis=given, **more)


def as_claim(resource):
    return resource | {"resourceType": "Claim"}


INSTITUTIONAL = {"coding": [{"code": "inpatient"}]}


def claim_type(system, code):
    """An institutional claim with a type of BFD v3 beside it."""
    return {
        "coding": [
            {"code": "institutional"},
            {"system": f"https://bluebutton.cms.gov/fhir/CodeSystem/{system}", "code": code},
        ]
    }


# title -> (claim, {(kind, disease)})
KINDS = {
    "professional": (medical(), {("outpatient", "diabetes")}),
    "carrier": (medical(kind="CARRIER"), {("outpatient", "diabetes")}),
    "outpatient": (medical(kind="OUTPATIENT"), {("outpatient", "diabetes")}),
    "institutional": (medical(kind="institutional"), {("outpatient", "diabetes")}),
    "institutional inpatient": (medical(kind="institutional", subType=INSTITUTIONAL), {("inpatient", "diabetes")}),
    "professional that says inpatient": (medical(subType=INSTITUTIONAL), {("outpatient", "diabetes")}),
    "inpatient by the claim type of BFD v3": (medical(type=claim_type("CLM-TYPE-CD", "60")), {("inpatient", "diabetes")}),
    "outpatient by the claim type of BFD v3": (medical(type=claim_type("CLM-TYPE-CD", "40")), {("outpatient", "diabetes")}),
    "60 of another system": (medical(type=claim_type("OTHER", "60")), {("outpatient", "diabetes")}),
    "inpatient": (medical(kind="INPATIENT"), {("inpatient", "diabetes")}),
    "nursing facility": (medical(kind="SNF"), {("inpatient", "diabetes")}),
    "equipment": (medical(kind="DME"), set()),
    "dental": (medical(kind="oral"), set()),
    "pharmacy": (medical(kind="pharmacy"), set()),
    "cancelled": (medical(status="cancelled"), set()),
    "entered in error": (medical(status="entered-in-error"), set()),
    "an estimate": (medical(use="predetermination"), set()),
    "without status and use": (medical(status=None, use=None), {("outpatient", "diabetes")}),
    "two diseases by one code": (medical((ICD10, "I11.0")), {("outpatient", "chf"), ("outpatient", "htn")}),
    "two diagnoses": (medical((ICD10, "I11.0"), (ICD10, "E119")), {("outpatient", d) for d in ("chf", "htn", "diabetes")}),
    "an unknown code": (medical((ICD10, "Z00")), set()),
    "no system": (medical((None, "E11.9")), set()),
    "no code": (medical((ICD10, None)), set()),
    "another system": (medical((SNOMED, "E11.9")), set()),
    "no diagnosis": (medical() | {"diagnosis": None}, set()),
    "an empty list": (medical() | {"diagnosis": []}, set()),
    "a reference instead": (medical() | {"diagnosis": [{"diagnosisReference": {"reference": "Condition/1"}}]}, set()),
}  # fmt: skip


@pytest.fixture(scope="module", params=["ExplanationOfBenefit", "Claim"])
def proven(engine, read, lists, request):
    given = [one | {"id": str(n), "resourceType": request.param} for n, (one, _) in enumerate(KINDS.values())]
    none = {kind: read(kind, []) for kind in ("ExplanationOfBenefit", "Claim")}
    tables = none | {request.param: read(request.param, given)}
    explained = engine.keep(claims.explanations(tables["ExplanationOfBenefit"]))
    rows = diagnoses.diagnoses(explained, engine.keep(diagnoses.medical_claims(tables["Claim"])), lists)
    found = {title: set() for title in KINDS}
    for row in engine.records(rows):
        kind, _, number = row["source"].partition("/")
        assert (kind, row["day_first"], row["day_last"]) == (request.param, DAY, DAY)
        found[list(KINDS)[int(number)]].add((row["kind"], row["disease"]))
    return found


@pytest.mark.parametrize("title", KINDS)
def test_a_medical_claim_proves_its_diagnoses(proven, title):
    assert proven[title] == KINDS[title][1]


FAULTS = [
    (as_claim(medical()), None),
    (as_claim(medical(billablePeriod=None, created="2023-03")), None),
    (as_claim(medical(billablePeriod=None)), None),
    (as_claim(medical()) | {"id": None}, "the Claim has no id"),
    (as_claim(medical(patient=None)), "the Claim names no Patient"),
    (as_claim(medical(patient={"reference": ""})), "the Claim names no Patient"),
    (as_claim(medical(billablePeriod={"start": "2023-02-30"})), "billablePeriod.start or created is no date of the calendar"),
    (as_claim(medical(billablePeriod=None, created="")), "billablePeriod.start or created is no date of the calendar"),
    (medical(), "this is no Claim (see its resourceType)"),
]  # fmt: skip


@pytest.fixture(scope="module")
def judged(engine, judge, read, lists):
    none = engine.keep(claims.explanations(read("ExplanationOfBenefit", [])))
    return judge(
        "Claim",
        [one for one, _ in FAULTS],
        diagnoses.medical_claims,
        lambda rows: diagnoses.diagnoses(none, rows, lists),
    )


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_a_faulty_claim_is_told_and_does_not_count(judged, number):
    fault = FAULTS[number][1]
    assert judged[number] == (fault, fault is None)


@pytest.mark.parametrize("name", ["bfd-v2-carrier", "bfd-v3-carrier"])
def test_a_real_carrier_claim_is_outpatient_and_gives_no_drug(engine, read, name):
    given = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    rows = claims.explanations(read("ExplanationOfBenefit", [given]))
    assert [(row["kind"], row["fault"]) for row in engine.records(rows)] == [("outpatient", None)]
