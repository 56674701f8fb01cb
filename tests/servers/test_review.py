"""A review on a real HAPI: written whole, valid by US Core and SMP, read back as a document that another system can show."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.resources.definitions import definitions
from tests.servers.demo_copy import DemoCopy, copy_of_demo
from tests.servers.plain import KIND_SYSTEM, Plain, Resource, key, kind_of, run_cli, screen
from tests.servers.test_hapi_accepts import faults
from tests.unit.documents.conftest import EXAMPLES, text_of

EXAMPLE = Path(__file__).parents[2] / "fixtures" / "review" / "review.json"
US_CORE, SMP = "http://hl7.org/fhir/us/core/StructureDefinition/", "http://hl7.org/fhir/us/smp/StructureDefinition/"
CARE_PLANS = tuple(f"{US_CORE}us-core-careplan|{version}" for version in ("6.1.0", "7.0.0", "8.0.0", "9.0.0"))
PROFILES = {
    "MedicationStatement": (f"{SMP}smp-medicationstatement|1.0.0", f"{SMP}smp-medicationstatement"),
    "List": (f"{SMP}smp-medication-list|1.0.0", f"{SMP}smp-medication-list"),
    "CarePlan": (f"{SMP}smp-medication-action-plan", *CARE_PLANS),
    "DetectedIssue": (f"{SMP}smp-medication-action-plan-detected-issue",),
    "Composition": (f"{SMP}smp-map-composition",),
    "Bundle": (f"{SMP}smp-medication-action-plan-bundle",),
    "DocumentReference": (f"{SMP}smp-bundle-documentreference", f"{US_CORE}us-core-documentreference"),
    "Procedure": (f"{US_CORE}us-core-procedure",),
    "Practitioner": (f"{US_CORE}us-core-practitioner",),
    "AllergyIntolerance": (f"{US_CORE}us-core-allergyintolerance",),
    "Provenance": (f"{US_CORE}us-core-provenance",),
}

OFFLINE = (
    "Unable to expand ValueSet because CodeSystem could not be found: http://loinc.org",
    "CodeSystem is unknown and can't be validated: http://loinc.org for 'http://loinc.org#70006-2'",
    "'US Core DocumentReference Type' (http://hl7.org/fhir/us/core/ValueSet/us-core-documentreference-type|9.0.0)",
)


@pytest.fixture
def own_definitions(hapi_server: str) -> None:
    """The adapter's own definitions are on the server, as ordinary resources."""
    server = Plain(hapi_server)
    for definition in definitions():
        answer = server.http.put(f"{hapi_server}/{key(definition)}", json=definition)
        assert answer.status_code in (200, 201), answer.text


class Case:
    """Enrolled demo persons on a server of the tests: each test has a person of its own."""

    def __init__(self, base_url: str, folder: Path) -> None:
        self.demo: DemoCopy = copy_of_demo(folder / "demo", ["01", "16", "17"])
        self.server, self.base_url, self.folder = Plain(base_url), base_url, folder
        self.demo.load(base_url)
        screen(base_url, self.demo, "--write", "--pml")

    def form(self, number: str, day: str, **more: Any) -> Resource:
        """The form of a review of that person on that day: every drug kept, and what the example says of all else."""
        told = run_cli("pml", self.base_url, self.demo.person(number), "--as-of", day, "--form")
        medications = [one | {"how": one["how"] or "1 tablet daily"} for one in json.loads(told)["medications"]]
        example = _example()
        return example | {"medications": medications, "problems": [], "cmr": example["cmr"] | {"date": day}} | more

    def review(self, number: str, form: Resource, *more: str | Path, code: int = 0) -> Resource:
        """The account of a review of that person."""
        path = self.folder / f"review-{number}.json"
        path.write_text(json.dumps(form), encoding="utf-8")
        told = run_cli("review", self.base_url, self.demo.person(number), "--input", path, "--json", *more, code=code)
        return json.loads(told) if told else {}

    def read(self, reference: str) -> Resource:
        answer = self.server.http.get(f"{self.base_url}/{reference}")
        assert answer.status_code == 200, answer.text
        found: Resource = answer.json()
        return found

    def of(self, account: Resource, kind: str, *whats: str) -> list[Resource]:
        """The resources of a type that the account names."""
        named = [one for one in account["resources"] if not whats or one["what"] in whats]
        return [self.read(one["reference"]) for one in named if one["reference"].startswith(f"{kind}/")]


@pytest.fixture(scope="module")
def case(hapi_server: str, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(hapi_server, tmp_path_factory.mktemp("review"))


def _example(npi: str = "1987654328") -> Resource:
    """The example under another pharmacist: the tests share a server, and a reviewer is known by the NPI."""
    made: Resource = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    made["pharmacist"]["npi"] = npi
    return made


def real(found: list[str]) -> list[str]:
    """The faults, without the one that an offline server has with each DocumentReference.

    US Core's value set of their types is all of LOINC with SCALE_TYP Doc, and LOINC itself is not there. SMP fixes the code.
    """
    return [fault for fault in found if not any(text in fault for text in OFFLINE)]


@pytest.mark.usefixtures("own_definitions")
def test_all_that_a_review_writes_is_valid_and_a_document_to_show(case: Case) -> None:
    form = _example(npi="1555123409")  # of nobody else, so that the Practitioner is new whatever ran before
    account = case.review("17", form, "--plan", EXAMPLES / "plan.toml")
    assert (account["smp_action_plan"], account["created"]) == (True, 22)
    written = [case.read(one["reference"]) for one in account["resources"] if one["what"] == "created"]
    written += list(case.server.search("Provenance", target=f"List/{_only(account, 'List')}"))
    assert {one["resourceType"] for one in written} == set(PROFILES)
    asked = [(one, profile) for one in written for profile in ("", *PROFILES[one["resourceType"]])]
    assert real(faults(case.server, asked)) == []
    [document] = case.of(account, "Bundle")
    assert_document(document)
    [kept] = case.of(account, "DocumentReference")
    text = text_of(b64decode(kept["content"][0]["attachment"]["data"]))
    assert "Pain in your knee" in text
    assert "October 12, 2023" in text
    assert {profile for one in written for profile in one["meta"].get("profile", []) if "/us/smp/" in profile} == {
        f"{SMP}{name}" for name in (
            "smp-medicationstatement", "smp-medication-list", "smp-medication-action-plan", "smp-medication-action-plan-detected-issue",
            "smp-map-composition", "smp-medication-action-plan-bundle", "smp-bundle-documentreference",
        )
    }  # fmt: skip

    # It does look: each of these breaks one rule of a profile.
    [listed], [note] = case.of(account, "List", "created"), case.of(account, "DocumentReference")
    broken = [
        ({name: value for name, value in listed.items() if name != "source"}, "List.source"),
        (listed | {"entry": [one | {"date": "2023-10-12"} for one in listed["entry"]]}, "lst-3"),
        (note | {"type": {"coding": [{"system": "http://loinc.org", "code": "34133-9"}]}}, "70006-2"),
        (document | {"entry": document["entry"][1:]}, "bdl-11"),
        ({name: value for name, value in document.items() if name != "timestamp"}, "bdl-10"),
    ]
    for resource, told in broken:
        assert [fault for fault in faults(case.server, [(resource, "")]) if told in fault], told

    again = case.review("17", form, "--plan", EXAMPLES / "plan.toml")
    assert [one for one in again["resources"] if one["what"] != "unchanged"] == []
    versions = {one["reference"]: case.read(one["reference"])["meta"]["versionId"] for one in again["resources"]}
    assert set(versions.values()) == {"1"}

    found = list(case.server.search("List", patient=case.demo.person("17"), _tag=f"{KIND_SYSTEM}|reviewed-list"))
    assert [one["code"]["coding"][0]["code"] for one in found] == ["104203-5"]


def _only(account: Resource, kind: str) -> str:
    [one] = [
        one["reference"]
        for one in account["resources"]
        if one["what"] == "created" and one["reference"].startswith(f"{kind}/")
    ]
    return str(one.partition("/")[2])


def assert_document(document: Resource) -> None:
    """What another system needs to show it: Composition first, absolute addresses, narratives, references that lead inside."""
    assert (document["type"], document["entry"][0]["resource"]["resourceType"]) == ("document", "Composition")
    assert document["identifier"]["system"]
    assert document["identifier"]["value"]
    assert document["timestamp"]
    addresses = [entry["fullUrl"] for entry in document["entry"]]
    assert len(set(addresses)) == len(addresses)
    assert all(re.match(r"https?://|urn:uuid:", address) for address in addresses)
    for entry in document["entry"]:
        resource, base = entry["resource"], entry["fullUrl"].rsplit("/", 2)[0]
        assert entry["fullUrl"] == f"{base}/{key(resource)}"
        assert resource["text"]["div"]
        for reference in references(resource):
            assert reference.startswith("#") or f"{base}/{reference}" in addresses, (
                f"{key(resource)} points at {reference}"
            )
    for section in document["entry"][0]["resource"]["section"]:
        assert section["text"]["div"]
        assert section["title"]


def references(value: Any) -> Iterator[str]:
    """Every literal reference in a resource."""
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


@pytest.mark.usefixtures("own_definitions")
def test_without_a_problem_the_plan_is_us_core_only(case: Case) -> None:
    account = case.review("01", case.form("01", "2023-10-12"))
    assert not account["smp_action_plan"]
    [plan] = case.of(account, "CarePlan", "created")
    assert plan["meta"]["profile"] == [f"{US_CORE}us-core-careplan"]
    asked = [(plan, profile) for profile in CARE_PLANS]
    for kind in ("Composition", "Bundle"):
        [one] = case.of(account, kind)
        assert "profile" not in one["meta"]
        asked.append((one, ""))
    assert real(faults(case.server, asked)) == []
    # It is so for a reason: as an SMP action plan it would not be valid.
    assert any("supportingInfo" in fault for fault in faults(case.server, [(plan, f"{SMP}smp-medication-action-plan")]))


def test_what_was_there_before_is_superseded_and_not_deleted(case: Case) -> None:
    person, early = case.demo.person("16"), case.form("16", "2023-10-12", allergies=[])
    early["medications"][0] |= {"change": "stopped", "stopped": "2023-10"}
    first = case.review("16", early)
    [derived] = [one for one in case.server.about("List", [person]) if kind_of(one) == "medication-list"]
    assert derived["status"] == "retired"
    later = case.form("16", "2023-11-20", allergies=[])
    assert len(later["medications"]) == len(early["medications"]) - 1
    second = case.review("16", later)
    [old], [new] = (case.of(account, "List", "created") for account in (first, second))
    assert (case.read(key(old))["status"], new["status"]) == ("retired", "current")
    [old_plan], [new_plan] = (case.of(account, "CarePlan", "created") for account in (first, second))
    assert (case.read(key(old_plan))["status"], new_plan["replaces"]) == ("completed", [{"reference": key(old_plan)}])
    reviewed = [
        one for one in case.server.about("MedicationStatement", [person]) if kind_of(one) == "reviewed-statement"
    ]
    assert sorted({one["status"] for one in reviewed}) == ["active", "stopped", "unknown"]
    assert sum(one["status"] == "active" for one in reviewed) == len(later["medications"])
    assert case.review("16", later)["changed"] == 0
    case.review("16", early, code=2)  # the earlier review would undo the later one
    assert case.review("16", later)["changed"] == 0
