"""A snapshot becomes tables: strictly read, faults listed, drugs recognized by code or by name, what no list knows told."""

from __future__ import annotations

import json
from datetime import date

import msgspec
import pytest

from adapter.mappings.folder import load_mappings
from adapter.population import by_program, enrollment_tables, own_enrollments, plan_year_tables, populate
from adapter.resources.service_events import Service, service_event
from adapter.sources.snapshot import from_folder
from tests.unit.tables.samples import (
    ICD10,
    NDC,
    RXNORM,
    claim,
    concept,
    condition,
    coverage,
    flag,
    item,
    medication,
    patient,
    request,
    statement,
)

OWN = "https://w3id.org/mtm-adapter/fhir/"


@pytest.fixture
def populated(pool, program_2023, tmp_path):
    """The population of some resources, on a warm engine that stays open for the test."""
    with pool.session() as engine:

        def of(*resources, lines=(), roster=()):
            snapshot = written(tmp_path, resources, lines)
            return engine, populate(engine, snapshot, load_mappings(), program_2023, roster)

        yield of


def written(tmp_path, resources, lines=()):
    source, scratch = tmp_path / "source", tmp_path / "scratch"
    source.mkdir()
    scratch.mkdir()
    for one in resources:
        with (source / f"{one['resourceType']}.ndjson").open("a", encoding="utf-8") as file:
            file.write(json.dumps(one) + "\n")
    for name, line in lines:
        with (source / name).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    return from_folder(source, scratch)


def told(population):
    return [(one.file, one.line, one.resource_id, one.reason) for one in population.rejected]


def test_every_type_is_counted_as_received(populated):
    twice = condition()
    _, population = populated(patient(), twice, twice, condition("c2", code=None), claim(), flag(), medication())
    counted = {kind: n for kind, n in population.counts.items() if n}
    assert counted == {"Patient": 1, "Condition": 3, "ExplanationOfBenefit": 1, "Flag": 1, "Medication": 1}


def test_a_bad_line_and_a_bad_resource_of_one_file_are_both_told(populated):
    engine, population = populated(
        patient(),
        condition(),
        lines=[("Condition.ndjson", "{oops"), ("Condition.ndjson", json.dumps(condition("c2", code=None)))],
    )
    assert [one[:3] for one in told(population)] == [("Condition.ndjson", 2, ""), ("Condition.ndjson", 3, "c2")]
    assert engine.number(population.tables.conditions.count()) == 1


def test_a_resource_in_a_file_of_another_type_is_told(populated):
    _, population = populated(patient(), condition(), lines=[("Condition.ndjson", json.dumps(flag()))])
    assert told(population) == [("Condition.ndjson", 2, "f1", "this is no Condition (see its resourceType)")]


def test_an_order_whose_medication_is_missing_is_told_and_its_drug_is_unknown(populated):
    engine, population = populated(patient(), request(medicationReference={"reference": "Medication/gone"}))
    reason = "the medication Medication/gone is not in the source; the drug counts as unknown"
    assert told(population) == [("MedicationRequest.ndjson", 1, "r1", reason)]
    [use] = engine.records(population.tables.drug_uses)
    assert (use["listed"], use["drug"]) == (False, "reference:Medication/gone")


# title -> (codings and text of an order, (matched_by, listed, otc))
DRUGS = {
    "RxNorm": (concept((RXNORM, "617312")), ("rxcui", True, "rx")),
    "NDC": (concept((NDC, "0071-0155-23")), ("ndc11", True, "rx")),
    "text": ({"text": "Metformin hydrochloride 500 MG Oral Tablet"}, ("name", True, "rx")),
    "display": ({"coding": [{"code": "x", "display": "atorvastatin 10 MG Oral Tablet"}]}, ("name", True, "rx")),
    "text before display": ({"coding": [{"display": "lisinopril"}], "text": "Fish oil"}, ("name", True, "otc")),
    "nothing": (concept((RXNORM, "1"), text="unheard of"), (None, False, None)),
}


def test_drugs_are_recognized_by_code_and_else_by_name(populated):
    orders = [request(f"r{n}", medicationCodeableConcept=given) for n, (given, _) in enumerate(DRUGS.values())]
    engine, population = populated(patient(), *orders)
    found = {row["source"]: row for row in engine.records(population.tables.drug_uses)}
    uses = [found[f"MedicationRequest/r{n}"] for n in range(len(DRUGS))]
    assert {t: (u["matched_by"], u["listed"], u["otc"]) for t, u in zip(DRUGS, uses, strict=True)} == {
        title: expected for title, (_, expected) in DRUGS.items()
    }


def test_what_no_list_knows_is_counted_by_code(populated):
    engine, population = populated(
        patient(),
        condition("c1", (ICD10, "Z99.9"), (None, None)),
        condition("c2", (ICD10, "Z99.9")),
        condition("c3", code={"text": "some pain"}),
        request("r1", (RXNORM, "1")),
        statement("s1", medicationCodeableConcept={"text": "unheard of"}),
        claim("e1", item("1.00", "00071015523")),
    )
    rows = [
        (r["used_as"], r["system"], r["code"], r["display"], r["count"]) for r in engine.records(population.unmapped)
    ]
    assert rows == [
        ("condition", "", "", "some pain", 2),
        ("condition", ICD10, "Z99.9", "", 2),
        ("drug", "", "", "unheard of", 1),
        ("drug", RXNORM, "1", "", 1),
    ]


@pytest.mark.parametrize(
    ("covers", "known"),
    [
        ([], False),
        ([coverage()], True),
        ([coverage(status="cancelled", period=None)], True),
        ([coverage(contract=None)], True),
        ([coverage(period={"start": "2023-02-30"})], True),
    ],
    ids=["none", "one", "cancelled", "of no contract", "faulty"],
)
def test_whether_there_is_coverage_does_not_ask_whether_it_is_in_force(populated, covers, known):
    _, population = populated(patient(), *covers)
    assert population.coverage_known is known


def test_the_roster_and_flags_become_one_table(populated):
    row = {
        "beneficiary": "p1",
        "mbi": "",
        "contract": "H1234",
        "status": "PAR",
        "starts": None,
        "ends": None,
        "source": "a row 2",
    }
    engine, population = populated(patient(), flag(), roster=[row])
    found = engine.records(population.tables.at_risk.order_by("status"))
    assert [(one["beneficiary"], one["status"], one["source"]) for one in found] == [
        ("p1", "AR", "Flag/f1"),
        ("p1", "PAR", "a row 2"),
    ]


def test_a_programs_own_maintenance_list_wins_over_the_shipped_flags(pool, program_2023, tmp_path):
    own = tmp_path / "own.csv"
    own.write_text("code_system,code,maintenance\nrxnorm,617312,N\nndc,00777310502,D\n")
    program = msgspec.structs.replace(program_2023, maintenance_list=str(own))
    snapshot = written(tmp_path, [patient(), request("r1", (RXNORM, "617312")), request("r2", (RXNORM, "314076"))])
    with pool.session() as engine:
        plain = populate(engine, snapshot, load_mappings(), program_2023)
        assert {row["maintenance"] for row in engine.records(plain.tables.drug_uses)} == {"Y"}
        changed = by_program(engine, plain.facts, program)
        found = {row["source"]: row["maintenance"] for row in engine.records(changed.tables.drug_uses)}
    assert found == {"MedicationRequest/r1": "N", "MedicationRequest/r2": "Y"}


def test_of_two_versions_only_the_one_at_fault_is_told(populated):
    good, bad = condition(meta={"versionId": "1"}), condition(meta={"versionId": "2"}, onsetDateTime="2023-02-30")
    _, population = populated(patient(), good, bad)
    assert [one[:3] for one in told(population)] == [("Condition.ndjson", 2, "c1")]


# ---- the adapter's own CarePlans


def care_plan(key="mtm-1", **more):
    parts = [{"url": "contract", "valueString": "H1234"}, {"url": "planYear", "valueInteger": 2023}]
    return {
        "resourceType": "CarePlan",
        "id": key,
        "status": "active",
        "subject": {"reference": "Patient/p1"},
        "extension": [{"url": OWN + "StructureDefinition/mtm-enrollment", "extension": parts}],
        "period": {"start": "2023-09-30", "end": "2023-12-31"},
    } | more


def test_enrollments_are_read_with_their_persons(pool, tmp_path):
    snapshot = written(
        tmp_path, [patient(), care_plan(), care_plan("mtm-2", subject=None), care_plan("x", extension=[])]
    )
    with pool.session() as engine:
        enrolled = enrollment_tables(engine, snapshot)
        [row] = engine.records(enrolled.enrollments)
        assert (row["enrollment"], row["enrolled_on"]) == ("mtm-1", date(2023, 9, 30))
        assert [one["beneficiary"] for one in engine.records(enrolled.beneficiaries)] == ["p1"]
    assert [(one.file, one.line, one.resource_id) for one in enrolled.rejected] == [("CarePlan.ndjson", 2, "mtm-2")]


def test_the_adapters_own_enrollments_are_the_same_rows(pool, tmp_path):
    snapshot = written(tmp_path, [patient(), care_plan(), care_plan("mtm-2", status="entered-in-error")])
    with pool.session() as engine:
        assert [row["enrollment"] for row in engine.records(own_enrollments(engine, snapshot))] == ["mtm-1"]


def test_the_tables_of_a_plan_year_hold_persons_enrollments_services_and_coverages(pool, tmp_path):
    enrolled = {
        "resourceType": "CarePlan", "id": "mtm-e", "status": "active", "subject": {"reference": "Patient/p1"},
        "meta": {"tag": [{"system": OWN + "CodeSystem/resource-kind", "code": "enrollment"}]},
        "extension": [
            {
                "url": OWN + "StructureDefinition/mtm-enrollment",
                "extension": [{"url": "contract", "valueString": "H1234"}],
            }
        ],
    }  # fmt: skip
    day = date(2023, 4, 5)
    about = {"beneficiary": "p1", "contract": "H1234", "plan_year": 2023, "enrollment": "CarePlan/mtm-e"}
    good = service_event(Service("cmr", on_day=day, **about))
    told = service_event(Service("invitation", on_day=day, **about))
    bad = service_event(Service("tmr", on_day=day, **about)) | {"performedDateTime": "2023-02-30"}
    everything = (patient("p1"), coverage("v1"), enrolled, good, told, bad)
    with pool.session() as engine:
        year = plan_year_tables(engine, written(tmp_path, everything))
        assert [row["kind"] for row in engine.records(year.services.order_by("kind"))] == ["cmr", "invitation"]
        assert [row["enrollment"] for row in engine.records(year.enrollments)] == ["mtm-e"]
        assert [row["beneficiary"] for row in engine.records(year.beneficiaries)] == ["p1"]
        assert [row["contract"] for row in engine.records(year.coverages)] == ["H1234"]
        assert [(one.resource_type, one.line, one.reason) for one in year.rejected] == [
            ("Procedure", 2, "performedDateTime is no date of the calendar")
        ]
