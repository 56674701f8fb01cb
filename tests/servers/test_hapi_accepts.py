"""HAPI's own validator finds no error in what the adapter writes, and HAPI as it is by default serves the main job."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapter.resources.definitions import definitions
from tests.servers.demo_copy import copy_of_demo
from tests.servers.plain import Plain, Resource, key, kind_of, patient_of, screen, versions
from tests.servers.test_end_to_end import assert_targeting

US_CORE_CAREPLAN = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan"
US_CORE_PROVENANCE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance"
SMP_STATEMENT = "http://hl7.org/fhir/us/smp/StructureDefinition/smp-medicationstatement"
# "" is what the resource itself declares; the CarePlan profile without a version is US Core 9.0.0 (definitions/README.md).
CARE_PLANS = ("", *(f"{US_CORE_CAREPLAN}|{version}" for version in ("6.1.0", "7.0.0", "8.0.0", "9.0.0")))
# Not claimed, because nobody has confirmed the use yet; that the statements would fit is shown for some persons.
STATEMENTS = (f"{SMP_STATEMENT}|1.0.0", SMP_STATEMENT)
STATEMENTS_OF = ("01", "21", "22")
# HAPI 8.8.0 offline says so of every extension, of US Core's own as well.
OFFLINE = "Error generating Snapshot: Unable to resolve package id hl7.fhir.r4.core#null"
EXTENSION = "https://w3id.org/mtm-adapter/fhir/StructureDefinition/mtm-enrollment"


@pytest.fixture
def own_definitions(hapi_server: str) -> None:
    """The adapter's own definitions are on the server, as ordinary resources."""
    server = Plain(hapi_server)
    for definition in definitions():
        answer = server.http.put(f"{hapi_server}/{key(definition)}", json=definition)
        assert answer.status_code in (200, 201), answer.text


@pytest.mark.usefixtures("own_definitions")
def test_hapi_finds_no_error_in_what_is_written(hapi_server: str, tmp_path: Path) -> None:
    demo, server = copy_of_demo(tmp_path / "demo"), Plain(hapi_server)
    demo.load(hapi_server)
    screen(demo.folder, demo, "--sink", hapi_server, "--pml")
    written = [resource for resource in server.state(demo.ids()).values() if kind_of(resource)]
    assert {(each["resourceType"], *each["meta"].get("profile", [])) for each in written} == {
        ("CarePlan", US_CORE_CAREPLAN), ("List",), ("MedicationStatement",), ("Provenance", US_CORE_PROVENANCE),
    }  # fmt: skip
    asked = [(each, profile) for each in written for profile in (CARE_PLANS if is_a(each, "CarePlan") else ("",))]
    some = [demo.person(number) for number in STATEMENTS_OF]
    smp = [each for each in written if is_a(each, "MedicationStatement") and patient_of(each) in some]
    asked += [(each, profile) for each in smp for profile in STATEMENTS]
    assert faults(server, asked) == []

    # It does look at the own extension, which it knows from the definitions only.
    wrong = with_a_wrong_year(next(each for each in written if is_a(each, "CarePlan")))
    (fault,) = faults(server, [(wrong, "")])
    assert EXTENSION in fault
    assert "allows for the type integer but found type string" in fault


@pytest.mark.usefixtures("own_definitions")
def test_hapi_finds_no_error_in_the_definitions(hapi_server: str) -> None:
    found = faults(Plain(hapi_server), [(definition, "") for definition in definitions()])
    assert [fault for fault in found if OFFLINE not in fault] == []


def with_a_wrong_year(plan: Resource) -> Resource:
    """The CarePlan with a plan year of another type than the own extension allows."""
    wrong: Resource = json.loads(json.dumps(plan))
    (extension,) = [each for each in wrong["extension"] if each["url"] == EXTENSION]
    (year,) = [part for part in extension["extension"] if part["url"] == "planYear"]
    year["valueString"] = str(year.pop("valueInteger"))
    return wrong


def is_a(resource: Resource, kind: str) -> bool:
    return bool(resource["resourceType"] == kind)


def faults(server: Plain, asked: Iterable[tuple[Resource, str]]) -> list[str]:
    """What HAPI calls an error in any of the resources by that profile, or by what it declares when that is ""."""

    def one(pair: tuple[Resource, str]) -> list[str]:
        resource, profile = pair
        url = f"{server.base_url}/{resource['resourceType']}/$validate"
        answer = server.http.post(url, params={"profile": profile} if profile else {}, json=resource)
        assert answer.status_code == 200, answer.text
        errors = [issue for issue in answer.json()["issue"] if issue["severity"] in ("error", "fatal")]
        return [f"{key(resource)} by {profile or 'its own'}: {issue['diagnostics']}" for issue in errors]

    with ThreadPoolExecutor(max_workers=2) as pool:
        return [fault for found in pool.map(one, asked) for fault in found]


def test_stock_hapi_serves_the_main_job_twice(hapi_stock_server: str, tmp_path: Path) -> None:
    """Pages of 50 by _getpages, and the second run within the minute in which HAPI answers searches from its cache."""
    demo, server = copy_of_demo(tmp_path / "demo"), Plain(hapi_stock_server)
    demo.load(hapi_stock_server)
    first = screen(hapi_stock_server, demo, "--out", tmp_path / "first", "--write", "--pml", "--json")
    assert json.loads(first)["read"]["ExplanationOfBenefit"] > 400, "many pages"
    assert json.loads(first)["written"]["persons"] == len(demo.ids("targeted"))
    assert_targeting(tmp_path / "first", demo)
    written = versions(server.state(demo.ids()))
    second = screen(hapi_stock_server, demo, "--out", tmp_path / "second", "--write", "--pml")
    assert re.search(r"^Written +0 resources of 0 persons", second, re.MULTILINE), second
    assert_targeting(tmp_path / "second", demo)
    assert versions(server.state(demo.ids())) == written
