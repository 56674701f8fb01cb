"""The main job on real FHIR servers: load, screen with write-back, read back, repeat, report, explain, and others' changes."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet

from tests.servers.demo_copy import AS_OF, DemoCopy, Row, copy_of_demo
from tests.servers.plain import Plain, Resource, State, key, kind_of, of_person, run_cli, screen, versions

EXTENSION = "https://w3id.org/mtm-adapter/fhir/StructureDefinition/mtm-enrollment"
ASSESS_PLAN = ("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan")
MTM_ENROLLMENT = ("https://w3id.org/mtm-adapter/fhir/CodeSystem/care-plan-category", "mtm-enrollment")
LIST_CODES = {("http://loinc.org", "104202-7"), ("http://loinc.org", "10160-0")}
DRUG_SOURCES = {"MedicationRequest", "MedicationDispense", "MedicationStatement", "ExplanationOfBenefit"}
OPTED_OUT, NOTED, CORRECTED = "08", "13", "14"  # demo persons whom another system changes


def test_the_main_job(fhir_server: str, tmp_path: Path) -> None:
    demo, server = copy_of_demo(tmp_path / "demo"), Plain(fhir_server)
    demo.load(fhir_server)
    loaded = server.state(demo.ids())

    first = screen(fhir_server, demo, "--out", tmp_path / "first", "--write", "--pml", "--json")
    assert_targeting(tmp_path / "first", demo)
    written = server.state(demo.ids())
    assert_all_and_only_own_resources_are_new(loaded, written, demo, json.loads(first)["written"])
    assert_enrollments(written, demo, tmp_path / "first")
    assert_medication_lists(written, demo)
    assert_planted_drugs_are_listed(written, demo)
    assert_provenance(written, demo)

    second = screen(fhir_server, demo, "--out", tmp_path / "second", "--write", "--pml")
    assert re.search(r"^Written +0 resources of 0 persons", second, re.MULTILINE), second
    assert_targeting(tmp_path / "second", demo)
    assert_report(fhir_server, demo, tmp_path)
    assert_explanation(fhir_server, demo)
    assert versions(server.state(demo.ids())) == versions(written), "neither run, report nor explain changed anything"

    changed = changed_by_others(server, demo, written)
    assert_a_run_keeps_what_others_changed(server, demo, changed, tmp_path)


def assert_targeting(out: Path, demo: DemoCopy) -> None:
    """targeting.csv says of everybody what was planted."""
    with (out / "targeting.csv").open(encoding="utf-8", newline="") as stream:
        found = list(csv.DictReader(stream))
    shared = [column for column in demo.expected[0] if column in found[0]]
    assert len(shared) == len(demo.expected[0]) - 1, "all columns but the case"
    assert [{name: row[name] for name in shared} for row in found] == [
        {name: row[name] for name in shared} for row in demo.expected
    ]


def assert_all_and_only_own_resources_are_new(
    before: State, after: State, demo: DemoCopy, account: dict[str, object]
) -> None:
    """Nothing that was there changed; what is new is the adapter's and about the targeted; the account counts it."""
    assert versions(before).items() <= versions(after).items()
    new = {name: resource for name, resource in after.items() if name not in before}
    assert all(kind_of(resource) for resource in new.values())
    wanted = [resource for resource in new.values() if resource["resourceType"] != "Provenance"]
    targeted = {f"Patient/{patient}" for patient in demo.ids("targeted")}
    assert {resource["subject"]["reference"] for resource in wanted} == targeted
    assert {resource["meta"]["versionId"] for resource in new.values()} == {"1"}
    assert account == {"resources": len(wanted), "unchanged": 0, "persons": len(targeted), "failures": []}


def assert_enrollments(state: State, demo: DemoCopy, out: Path) -> None:
    """One CarePlan for each of the targeted, with what the truth says and the Conditions that were counted."""
    counted = counted_conditions(out)
    for row in targeted(demo):
        (plan,) = of_person(state, row["beneficiary"], "enrollment")
        assert (plan["resourceType"], plan["status"], plan["intent"]) == ("CarePlan", "active", "plan")
        assert parts(plan) == expected_parts(row)
        assert {codings(concept) for concept in plan["category"]} == {(ASSESS_PLAN,), (MTM_ENROLLMENT,)}
        assert plan["period"] == {"start": AS_OF, "end": "2023-12-31"}
        addressed = [element["reference"] for element in plan.get("addresses", [])]
        assert len(addressed) == len(set(addressed))
        assert set(addressed) == counted[row["beneficiary"]]
        assert all(state[one]["subject"] == plan["subject"] for one in addressed)
        assert all(element["reference"] in state for element in plan["supportingInfo"])
    # Planted by hand (people.py), not read from the adapter's own evidence.
    assert counted[demo.person("01")] == {f"Condition/{demo.person('01')}-cond-{n}" for n in (1, 2, 3)}
    refuted = {name for name, each in state.items() if "refuted" in json.dumps(each.get("verificationStatus", ""))}
    assert refuted
    assert not refuted & set().union(*counted.values())


def counted_conditions(out: Path) -> dict[str, set[str]]:
    """The Conditions in the evidence for the chronic diseases, by person."""
    rows = pyarrow.parquet.read_table(out / "criteria.parquet").to_pylist()
    return {
        row["beneficiary"]: {each["source"] for each in row["evidence"]}
        for row in rows
        if row["criterion"] == "chronic_diseases"
    }


def expected_parts(row: Row) -> dict[str, list[object]]:
    """The enrollment extension that the truth asks for; who meets no CMS criterion has no day of meeting them."""
    met_on: dict[str, list[object]] = {} if row["reason_code"] == "04" else {"criteriaMetOn": [AS_OF]}
    return met_on | {
        "contract": [row["contract"]],
        "pbp": [row["pbp"]],
        "planYear": [2023],
        "program": ["health-partners-2023"],
        "reasonCode": [row["reason_code"]],
        "door": list(row["doors"].split(";")),
    }


def parts(plan: Resource) -> dict[str, list[object]]:
    """The values of the enrollment extension by name."""
    (extension,) = [each for each in plan["extension"] if each["url"] == EXTENSION]
    values: dict[str, list[object]] = {}
    for part in extension["extension"]:
        (value,) = [value for name, value in part.items() if name.startswith("value")]
        values.setdefault(part["url"], []).append(value)
    return values


def codings(concept: Resource) -> tuple[tuple[str, str], ...]:
    return tuple((coding["system"], coding["code"]) for coding in concept["coding"])


def targeted(demo: DemoCopy) -> list[Row]:
    return [row for row in demo.expected if row["outcome"] == "targeted"]


def assert_medication_lists(state: State, demo: DemoCopy) -> None:
    """One list for each of the targeted; its items are statements about that person, each new one with its sources."""
    for patient in demo.ids("targeted"):
        (found,) = of_person(state, patient, "medication-list")
        assert (found["status"], found["mode"], found["date"]) == ("current", "snapshot", AS_OF)
        assert set(codings(found["code"])) == LIST_CODES
        items = listed(found)
        assert len(items) == len(set(items)) > 0
        for item in items:
            assert state[item]["resourceType"] == "MedicationStatement"
            assert state[item]["subject"] == found["subject"]
        own = of_person(state, patient, "medication-statement")
        assert {key(statement) for statement in own} <= set(items)
        for statement in own:
            sources = [element["reference"] for element in statement["derivedFrom"]]
            assert sources
            assert all(source in state for source in sources)
            assert {state[source]["resourceType"] for source in sources} <= DRUG_SOURCES


def listed(medication_list: Resource) -> list[str]:
    """The references of the items."""
    return [entry["item"]["reference"] for entry in medication_list.get("entry", [])]


def assert_planted_drugs_are_listed(state: State, demo: DemoCopy) -> None:
    """What people.py plants: supplements and OTC of a statement, drugs of claims alone, of orders alone, of dispenses."""
    one = demo.person("01")
    (found,) = of_person(state, one, "medication-list")
    own = of_person(state, one, "medication-statement")
    said = {f"MedicationStatement/{one}-st-{number}" for number in range(1, 6)}
    assert {state[item]["medicationCodeableConcept"]["text"] for item in said} == {
        "cholecalciferol 0.025 MG Oral Tablet", "fish oil", "Tylenol", "turmeric", "lisinopril 10 MG Oral Tablet",
    }  # fmt: skip
    assert set(listed(found)) == said | {key(statement) for statement in own}
    assert len(own) == 6, "the seven drugs that were ordered, but lisinopril, for which a statement was there"
    assert derived_from(*of_person(state, demo.person("02"), "medication-statement")) == {
        name for name in state if name.startswith(f"ExplanationOfBenefit/{demo.person('02')}-")
    }
    for number, kind in (("21", "MedicationRequest"), ("22", "MedicationDispense")):
        statements = of_person(state, demo.person(number), "medication-statement")
        assert any({each.split("/")[0] for each in derived_from(one)} == {kind} for one in statements)


def derived_from(*statements: Resource) -> set[str]:
    return {element["reference"] for statement in statements for element in statement["derivedFrom"]}


def assert_provenance(state: State, demo: DemoCopy) -> None:
    """One Provenance for each of the targeted, of everything that was written for that person."""
    provenances = {frozenset(t["reference"] for t in each["target"]): each for each in of_kind(state, "provenance")}
    written = {
        frozenset(name for name, each in state.items() if kind_of(each) and each.get("subject") == subject)
        for subject in ({"reference": f"Patient/{patient}"} for patient in demo.ids("targeted"))
    }
    assert set(provenances) == written
    assert len(of_kind(state, "provenance")) == len(written)
    for provenance in provenances.values():
        assert [coding["code"] for coding in provenance["activity"]["coding"]] == ["CREATE"]
        assert all(entity["what"]["reference"] in state for entity in provenance["entity"])


def of_kind(state: State, kind: str) -> list[Resource]:
    return [resource for resource in state.values() if kind_of(resource) == kind]


def assert_report(base_url: str, demo: DemoCopy, tmp_path: Path) -> None:
    """The CMS file holds what the truth implies, and a second one is the same bytes."""
    made = []
    for name in ("cms-1", "cms-2"):
        arguments = ("--contract", "H1234", "--year", "2023", "--patients", demo.patients, "--out", tmp_path / name)
        run_cli("report", base_url, *arguments)
        made.append((tmp_path / name / "MTM_H1234_2023.txt").read_bytes())
    assert made[0] == made[1]
    lines = made[0].decode("ascii").split("\r\n")
    assert lines.pop() == ""
    assert [record(line) for line in lines] == expected_records(demo)


def record(line: str) -> tuple[str, ...]:
    """Contract, MBI, first and last name, birth date, reason, day of enrollment, day of meeting the criteria, the rest."""
    ends = (0, 5, 17, 47, 77, 85, 87, 89, 97, 105, 165)
    contract, mbi, first, last, born, reason, unknown, enrolled, met, rest = (
        line[start:end].rstrip() for start, end in pairwise(ends)
    )
    assert len(line) == 165
    nothing_done = ["N", "N", "000", "0000N"]  # not offered, not received, no TMR, no recommendation, no safe disposal
    assert (unknown, rest.split()) == ("UU", nothing_done), "no service was recorded"
    return contract, mbi, first, last, born, reason, enrolled, met


def expected_records(demo: DemoCopy) -> list[tuple[str, ...]]:
    """The records that the truth implies, in the order of the MBIs."""
    patients = {
        patient["id"]: patient
        for patient in map(json.loads, (demo.folder / "Patient.ndjson").read_text(encoding="utf-8").splitlines())
    }
    rows = [row for row in targeted(demo) if row["contract"] == "H1234"]
    assert len(rows) == 23
    return sorted((expected_record(row, patients[row["beneficiary"]]) for row in rows), key=lambda each: each[1])


def expected_record(row: Row, patient: Resource) -> tuple[str, ...]:
    (mbi,) = [each["value"] for each in patient["identifier"] if each["system"].endswith("/us-mbi")]
    name, day = patient["name"][0], AS_OF.replace("-", "")
    met = "" if row["reason_code"] == "04" else day
    born = patient["birthDate"].replace("-", "")
    return "H1234", mbi, plain(name["given"][0]), plain(name["family"]), born, row["reason_code"], day, met


def plain(name: str) -> str:
    """The name without accents."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()


def assert_explanation(base_url: str, demo: DemoCopy) -> None:
    """The explanation of one person rests on that person's resources on the server."""
    told = run_cli("explain", base_url, demo.person("18"), "--as-of", AS_OF, "--at-risk", demo.roster)
    assert "is targeted for MTM" in told
    assert "CMS reason 03" in told
    assert f"Condition/{demo.person('18')}-cond-" in told
    assert demo.person("17") not in told


def changed_by_others(server: Plain, demo: DemoCopy, state: State) -> State:
    """The state after another system recorded an opt-out, a note, and that a person no longer takes a drug."""
    (out,) = of_person(state, demo.person(OPTED_OUT), "enrollment")
    server.put(out | {"status": "revoked"})
    (noted,) = of_person(state, demo.person(NOTED), "enrollment")
    server.put(noted | {"note": [{"text": "Prefers calls in the afternoon."}]})
    statement = of_person(state, demo.person(CORRECTED), "medication-statement")[0]
    server.put(statement | {"status": "stopped"})
    after = server.state(demo.ids())
    assert len(versions(after).items() - versions(state).items()) == 3
    return after


def assert_a_run_keeps_what_others_changed(server: Plain, demo: DemoCopy, before: State, tmp_path: Path) -> None:
    """Only the list that named the stopped drug is written, without it; then nothing any more, over XML as well."""
    third = screen(server.base_url, demo, "--write", "--pml", "--json")
    assert json.loads(third)["written"] | {"unchanged": 0} == {
        "resources": 1, "unchanged": 0, "persons": 1, "failures": [],
    }  # fmt: skip
    after = server.state(demo.ids())
    patient = demo.person(CORRECTED)
    (changed,) = of_person(after, patient, "medication-list")
    new = {name for name in after if versions(after)[name] != versions(before).get(name)}
    provenances = {name for name in new if name.startswith("Provenance/")}
    assert new - provenances == {key(changed)}
    assert [[t["reference"] for t in after[name]["target"]] for name in provenances] == [[key(changed)]]
    (stopped,) = [each for each in of_person(after, patient, "medication-statement") if each["status"] == "stopped"]
    assert listed(changed) == [item for item in listed(before[key(changed)]) if item != key(stopped)]
    assert of_person(after, demo.person(OPTED_OUT), "enrollment")[0]["status"] == "revoked"
    assert of_person(after, demo.person(NOTED), "enrollment")[0]["note"] == [
        {"text": "Prefers calls in the afternoon."}
    ]

    fourth = screen(server.base_url, demo, "--write", "--pml", "--json", "--xml", "--out", tmp_path / "xml")
    assert json.loads(fourth)["written"]["resources"] == 0
    assert_targeting(tmp_path / "xml", demo)
    assert (tmp_path / "xml" / "targeting.csv").read_bytes() == (tmp_path / "first" / "targeting.csv").read_bytes()
    assert versions(server.state(demo.ids())) == versions(after)
