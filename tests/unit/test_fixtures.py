"""fixtures/demo: reproducible, valid, closed in itself, and every case that it promises is there."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

DEMO = Path(__file__).parents[2] / "fixtures" / "demo"
LOAD_ORDER = (
    "Organization",
    "Practitioner",
    "Patient",
    "Medication",
    "Coverage",
    "Condition",
    "MedicationRequest",
    "MedicationDispense",
    "MedicationStatement",
    "Flag",
    "ExplanationOfBenefit",
)
MBI_SYSTEM = "http://hl7.org/fhir/sid/us-mbi"
DEMO_SYSTEM = "https://w3id.org/mtm-adapter/fhir/NamingSystem/demo"
# cms-rules.md section 5: letters never S L O I B Z
_LETTER = "[AC-HJKMNP-RT-Y]"
_EITHER = "[0-9AC-HJKMNP-RT-Y]"
MBI = re.compile(rf"[1-9]{_LETTER}{_EITHER}[0-9]{_LETTER}{_EITHER}[0-9]{_LETTER}{{2}}[0-9]{{2}}")
MOST = 1100  # resources: a server takes about 400 a second


@cache
def resources(name: str) -> tuple[dict[str, Any], ...]:
    with (DEMO / f"{name}.ndjson").open(encoding="utf-8") as lines:
        return tuple(json.loads(line) for line in lines)


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    with (DEMO / name).open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def mbis() -> dict[str, str]:
    """The MBI of each Patient id."""
    return {
        patient["id"]: identifier["value"]
        for patient in resources("Patient")
        for identifier in patient["identifier"]
        if identifier["system"] == MBI_SYSTEM
    }


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for inner in value.values():
            yield from references(inner)
    if isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_make_writes_the_committed_bytes(tmp_path):
    subprocess.run([sys.executable, "-B", DEMO / "make.py", tmp_path], check=True)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(written) == {f"{name}.ndjson" for name in LOAD_ORDER} | {"at-risk.csv", "expected.csv"}
    assert [name for name, content in sorted(written.items()) if (DEMO / name).read_bytes() != content] == []


@pytest.mark.parametrize("name", LOAD_ORDER)
def test_every_resource_is_valid_r4(name):
    model = get_fhir_model_class(name)
    for resource in resources(name):
        model.model_validate(resource)


def test_ids_are_unique_and_no_numbers():
    for name in LOAD_ORDER:
        ids = [resource["id"] for resource in resources(name)]
        assert len(set(ids)) == len(ids)
        assert [key for key in ids if not re.fullmatch(r"mtm-demo-[A-Za-z0-9-]{1,55}", key)] == []


def test_every_reference_resolves_to_a_resource_loaded_before():
    loaded: set[str] = set()
    for name in LOAD_ORDER:
        loaded |= {f"{name}/{resource['id']}" for resource in resources(name)}
        for resource in resources(name):
            inside = {f"#{contained['id']}" for contained in resource.get("contained", [])}
            assert [reference for reference in references(resource) if reference not in loaded | inside] == []


def test_the_population_is_small_enough_to_load():
    assert sum(len(resources(name)) for name in LOAD_ORDER) <= MOST


def test_patients_are_identified_by_a_well_formed_mbi_and_their_id():
    found = mbis()
    assert [mbi for mbi in found.values() if not MBI.fullmatch(mbi)] == []
    assert len(set(found.values())) == len(resources("Patient")) == len(found)
    for patient in resources("Patient"):
        assert {"system": DEMO_SYSTEM, "value": patient["id"]} in patient["identifier"]
        assert "1930" <= patient["birthDate"][:4] <= "1960"


def test_expected_covers_every_beneficiary_once():
    assert [row["beneficiary"] for row in table("expected.csv")] == [p["id"] for p in resources("Patient")]
    assert Counter(row["contract"] for row in table("expected.csv"))["H1234"] == 48


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("outcome", {"targeted", "not_targeted", "unknown", "not_enrolled"}),
        ("reason_code", {"", "01", "02", "03", "04"}),
        ("pbp", {"", "001", "002", "003"}),
        ("chronic_diseases_outcome", {"met", "not_met"}),
        ("part_d_drugs_outcome", {"met", "not_met", "unknown"}),
        ("drug_cost_outcome", {"met", "not_met", "unknown"}),
        ("at_risk_outcome", {"met", "not_met"}),
        ("adherence_drug_outcome", {"met", "not_met", "unknown"}),
    ],
)
def test_expected_shows_every_value(column, values):
    assert {row[column] for row in table("expected.csv")} == values


def test_expected_shows_every_door():
    doors = {row["doors"] for row in table("expected.csv")} - {""}
    assert doors >= {"core", "at_risk", "snp_adherence", "core;at_risk", "core;snp_adherence", "at_risk;snp_adherence"}


def test_expected_agrees_with_itself():
    for row in table("expected.csv"):
        doors = set(row["doors"].split(";")) - {""}
        reasons = {frozenset(): "", frozenset({"core"}): "01", frozenset({"at_risk"}): "02"}
        reasons |= {frozenset({"core", "at_risk"}): "03"}
        reason = reasons[frozenset(doors - {"snp_adherence"})] or ("04" if doors else "")
        assert (row["beneficiary"], row["reason_code"]) == (row["beneficiary"], reason)
        assert bool(doors) == (row["outcome"] == "targeted")
        assert re.fullmatch(r"|\d+\.\d\d", row["drug_cost_observed"])


def test_roster_names_people_of_the_population():
    for row in table("at-risk.csv"):
        assert row["mbi"] in mbis().values()
        assert row["beneficiary"] == "" or mbis()[row["beneficiary"]] == row["mbi"]
    assert {row["status"] for row in table("at-risk.csv")} == {"AR", "PAR"}


def test_readme_tells_of_everyone():
    text = (DEMO / "README.md").read_text(encoding="utf-8")
    assert [row["beneficiary"] for row in table("expected.csv") if row["case"] not in text] == []
