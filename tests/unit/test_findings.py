"""What is odd in the data is told, each kind by its own table function, and all of them by a screening."""

from __future__ import annotations

import csv
import json
from datetime import date

import pytest

from adapter.config import Config
from adapter.findings import KINDS, counted
from adapter.jobs import targeting
from adapter.tables import findings
from tests.unit.tables.samples import (
    ICD10,
    RXNORM,
    SNOMED,
    claim,
    concept,
    condition,
    coverage,
    info,
    item,
    mbi,
    patient,
    statement,
)  # fmt: skip

AS_OF = date(2023, 9, 30)
BASE = "https://w3id.org/mtm-adapter/fhir/"


def enrolled(key, person, contract="H1234", **more):
    parts = [{"url": "contract", "valueString": contract}, {"url": "planYear", "valueInteger": "2023"}]
    return {
        "resourceType": "CarePlan", "id": key, "status": "active", "subject": {"reference": f"Patient/{person}"},
        "period": {"start": "2023-02-01", "end": "2023-12-31"},
        "extension": [{"url": f"{BASE}StructureDefinition/mtm-enrollment", "extension": parts}],
    } | more  # fmt: skip


def of(person):
    return {"subject": {"reference": f"Patient/{person}"}}


def covered(key, person, contract="H1234-001", **more):
    return coverage(key, contract, beneficiary={"reference": f"Patient/{person}"}, **more)


RESOURCES = {
    "Patient": [
        patient("p1", identifier=[mbi("1EG4-TE5-MK73")], birthDate="1950-01-01"),
        patient("p2", identifier=[mbi("1EG4TE5MK73")]),  # the same one, written otherwise
        patient("p3", identifier=[mbi("2AA2AA2AA22"), mbi("3AA3AA3AA33")]),
        patient("p4", identifier=[mbi("4AA4AA4AA44", period={"end": "2020-01-01"}), mbi("5AA5AA5AA55")], birthDate="2023-10"),
        patient("p5", identifier=[mbi("6AA6AA6AA66"), mbi("6aa6-aa6-aa66")], deceasedDateTime="2023-05-01"),
        patient("p6", birthDate="2023"),  # may be born before
    ],
    "Coverage": [
        covered("v1", "p1"),
        covered("v2", "p2"), covered("v2b", "p2", "H1234-002"),
        covered("v3", "p3", period={"start": "2022-01-01"}), covered("v3b", "p3", "H5678-001", period={"start": "2023-03-01"}),
        covered("v4", "p4", period={"end": "2023-06-30"}), covered("v4b", "p4", "H5678-001", period={"start": "2023-07-01"}),
        covered("v5", "p5"),
        covered("v6", "p6", period={"end": "2023-08-31"}),
    ],
    "Condition": [
        condition("c1", (ICD10, "E11.9"), (SNOMED, "38341003"), **of("p1")),  # diabetes and hypertension
        condition("c2", (ICD10, "E11.9"), (SNOMED, "44054006"), **of("p1")),  # both diabetes
        condition("c3", (ICD10, "E11.9"), (ICD10, "Z00.00"), **of("p1")),  # the second proves nothing
        condition("c4", (ICD10, "I11.0"), (ICD10, "I10"), **of("p1")),  # heart failure and hypertension; hypertension
    ],
    "ExplanationOfBenefit": [
        claim("e1", item("-12.00")), claim("e2", item("abc")), claim("e3", item("99999999999999")), claim("e4", item("0.00")),
        claim("e5", item("10.00"), supportingInfo=[info("dayssupply", valueQuantity={"value": "-30"})]),
        claim("e6", item("10.00"), supportingInfo=[info("dayssupply", valueQuantity={"value": "366"})]),
        claim("e7", item("10.00"), supportingInfo=[info("dayssupply", valueQuantity={"value": "365"})]),
        claim("e8", item()), claim("e9", item("-1.00"), status="cancelled"),
    ],
    "MedicationStatement": [
        statement("s1", medicationCodeableConcept={"text": "metformin 500 MG Oral Tablet"}, status="active"),
        statement("s2", medicationCodeableConcept={"text": "metformin 500 MG Oral Tablet"}, status="active", **of("p2")),
        statement("s3", medicationCodeableConcept=concept((RXNORM, "617312")), status="active"),
        statement("s4", medicationCodeableConcept={"text": "nobody knows this"}, status="active"),
    ],
    "CarePlan": [
        enrolled("a1", "p1"), enrolled("a5", "p5"), enrolled("a6", "p6"), enrolled("a4", "p4"),
        enrolled("a4b", "p4", "H5678"), enrolled("x5", "p5", status="revoked"),
        enrolled("y5", "p5", period={"start": "2023-02-01", "end": "2023-05-01"}),
    ],
}  # fmt: skip

FOUND = {
    ("contradictory_codings", "Condition/c1", "its codes prove different diseases: diabetes (E11.9), hypertension (38341003)"),
    ("shared_mbi", "Patient/p1", "the Medicare Beneficiary Identifier is also that of Patient/p2; each is decided by itself"),
    ("shared_mbi", "Patient/p2", "the Medicare Beneficiary Identifier is also that of Patient/p1; each is decided by itself"),
    ("several_mbis", "Patient/p3", "2 different Medicare Beneficiary Identifiers are current; the last one counts"),
    ("born_later", "Patient/p4", "the birth date lies after 2023-09-30"),
    (
        "overlapping_coverages", "Patient/p3",
        "Part D of several contracts on 2023-09-30: H1234 (Coverage/v3), H5678 (Coverage/v3b); H5678 counts",
    ),
    ("refused_cost", "ExplanationOfBenefit/e1", "the total drug cost -12.00 is no price; the claim counts as unpriced"),
    ("refused_cost", "ExplanationOfBenefit/e2", "the total drug cost abc is no price; the claim counts as unpriced"),
    ("refused_cost", "ExplanationOfBenefit/e3", "the total drug cost 99999999999999 is no price; the claim counts as unpriced"),
    ("odd_days_supply", "ExplanationOfBenefit/e5", "days supply -30 cannot be right"),
    ("odd_days_supply", "ExplanationOfBenefit/e6", "days supply 366 cannot be right"),
    ("matched_by_name", "MedicationStatement/s1", "metformin 500 MG Oral Tablet: recognized by its name alone, in 2 resources"),
    ("enrolled_but_gone", "CarePlan/a5", "the enrollment is active on 2023-09-30, but the beneficiary died"),
    ("enrolled_but_gone", "CarePlan/a6", "the enrollment is active on 2023-09-30, but the beneficiary is no member of H1234 any more"),
    ("enrolled_but_gone", "CarePlan/a4", "the enrollment is active on 2023-09-30, but the beneficiary is no member of H1234 any more"),
}  # fmt: skip


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    for kind, resources in RESOURCES.items():
        (folder / f"{kind}.ndjson").write_text("".join(json.dumps(one) + "\n" for one in resources))
    return folder


@pytest.fixture(scope="module")
def out(source, tmp_path_factory):
    """The files of a screening of all these oddities."""
    folder = tmp_path_factory.mktemp("out")
    with targeting.screened(targeting.Screening(str(source), AS_OF), Config()) as result:
        targeting.write_outputs(result, folder)
    return folder


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_every_oddity_is_told_once_and_nothing_else(out):
    rows = rows_of(out / "findings.csv")
    assert {tuple(row.values()) for row in rows} == FOUND
    assert len(rows) == len(FOUND)
    assert rows == sorted(rows, key=lambda row: tuple(row.values()))


def test_the_manifest_counts_them(out):
    assert json.loads((out / "manifest.json").read_text())["findings"] == {
        "contradictory_codings": 1, "shared_mbi": 2, "several_mbis": 1, "born_later": 1, "overlapping_coverages": 1,
        "refused_cost": 3, "odd_days_supply": 2, "matched_by_name": 1, "enrolled_but_gone": 3,
    }  # fmt: skip


def test_who_shares_an_identifier_is_not_merged(out):
    assert {row["beneficiary"] for row in rows_of(out / "targeting.csv")} == {f"p{n}" for n in range(1, 7)}


def test_findings_hold_no_identifier_and_no_birth_date(out):
    text = (out / "findings.csv").read_text()
    assert not any(secret in text for secret in ("1EG4", "2AA2", "2023-10-", "1950-"))


def test_enrollments_of_another_contract_than_the_one_asked_for_are_not_judged(source):
    with targeting.screened(targeting.Screening(str(source), AS_OF, contract="H1234"), Config()) as result:
        gone = [row["resource"] for row in result.findings if row["kind"] == "enrolled_but_gone"]
    assert gone == ["CarePlan/a4", "CarePlan/a5", "CarePlan/a6"]
    with targeting.screened(targeting.Screening(str(source), AS_OF, contract="H5678"), Config()) as result:
        assert [row for row in result.findings if row["kind"] == "enrolled_but_gone"] == []


def test_an_identifier_that_everybody_has_is_told_with_a_number_instead_of_all_names(engine):
    people = engine.table(
        [{"mbi": "X", "source": f"Patient/{n}"} for n in range(9)], {"mbi": "string", "source": "string"}
    )
    rows = engine.records(findings.shared_mbis(people).order_by("resource"))
    assert len(rows) == 9
    assert rows[0]["finding"].startswith(
        "the Medicare Beneficiary Identifier is also that of Patient/1, Patient/2, Patient/3 and 5 more;"
    )
    assert "Patient/8," not in rows[8]["finding"]


def test_kinds_are_counted_in_their_order_and_each_has_words():
    assert list(counted([{"kind": "refused_cost"}, {"kind": "shared_mbi"}])) == ["shared_mbi", "refused_cost"]
    assert {kind for kind, _, _ in FOUND} == set(KINDS)
