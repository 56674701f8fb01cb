"""Problems found by rule on real servers: written once, valid, kept from what a pharmacist did, closed when they are gone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from adapter.resources.definitions import definitions
from adapter.resources.detected_issue import SMP_DETECTED_ISSUE, Mitigation, reviewed
from tests.servers.demo_copy import AS_OF, DemoCopy, copy_of_demo
from tests.servers.plain import Plain, Resource, key, patient_of, run_cli, screen
from tests.servers.test_hapi_accepts import faults

PERSONS = ("13", "21", "26")  # no statin, orders never filled, heart failure


def tmr(server: str, demo: DemoCopy, *more: str) -> dict[str, Any]:
    told = run_cli(
        "tmr",
        server,
        "--patients",
        demo.patients,
        "--as-of",
        AS_OF,
        "--program",
        "health-partners-2023",
        "--json",
        *more,
    )
    account: dict[str, Any] = json.loads(told)
    return account


def issues(server: Plain, demo: DemoCopy) -> list[Resource]:
    return sorted(server.about("DetectedIssue", [demo.person(number) for number in PERSONS]), key=key)


def test_problems_are_written_once_and_never_over_a_pharmacist(fhir_server: str, tmp_path: Path) -> None:
    demo, server = copy_of_demo(tmp_path / "demo", PERSONS), Plain(fhir_server)
    demo.load(fhir_server)
    screen(fhir_server, demo, "--write")
    told = tmr(fhir_server, demo, "--write")
    first = issues(server, demo)
    assert told["reviewed"] == {"who": "enrolled", "persons": len(PERSONS)}
    assert told["written"] == {"resources": len(first), "unchanged": 0, "persons": len(PERSONS), "failures": []}
    assert {each["status"] for each in first} == {"preliminary"}
    again = tmr(fhir_server, demo, "--write")["written"]
    assert again == {"resources": 0, "unchanged": len(first), "persons": 0, "failures": []}
    assert issues(server, demo) == first

    # A pharmacist agrees with one, and the orders behind some others are ended.
    mine, *unfilled = [each for each in first if patient_of(each) == demo.person("21")]
    server.put({**mine, "status": "final"})
    ordered = {one["reference"] for each in (mine, *unfilled) for one in each["evidence"][0]["detail"]}
    for order in server.about("MedicationRequest", [demo.person("21")]):
        if key(order) in ordered:
            server.put({**order, "status": "stopped"})
    before = {key(each): each for each in issues(server, demo)}
    assert tmr(fhir_server, demo, "--write")["written"]["resources"] == len(unfilled)
    after = {key(each): each for each in issues(server, demo)}
    assert len(unfilled) > 0
    assert {after[key(each)]["status"] for each in unfilled} == {"cancelled"}
    others = set(after) - {key(each) for each in unfilled}
    assert {name: after[name] for name in others} == {name: before[name] for name in others}


def test_hapi_finds_no_error_in_the_issues(hapi_server: str, tmp_path: Path) -> None:
    server = Plain(hapi_server)
    for definition in definitions():
        answer = server.http.put(f"{hapi_server}/{key(definition)}", json=definition)
        assert answer.status_code in (200, 201), answer.text
    demo = copy_of_demo(tmp_path / "demo", PERSONS)
    demo.load(hapi_server)
    tmr(hapi_server, demo, "--write")
    found = issues(server, demo)
    assert len(found) >= len(PERSONS)
    assert faults(server, [(each, "") for each in found]) == []

    name = f"{demo.prefix}pharmacist"
    practitioner = {
        "resourceType": "Practitioner", "id": name, "name": [{"family": "Example", "given": ["Pat"]}],
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1987654328"}],
    }  # fmt: skip
    assert server.http.put(f"{hapi_server}/Practitioner/{name}", json=practitioner).status_code in (200, 201)
    answer = [Mitigation("5", day="2023-10-02", author=f"Practitioner/{name}")]
    taken = [reviewed(each, author=f"Practitioner/{name}", mitigations=answer) for each in found]
    assert faults(server, [(each, SMP_DETECTED_ISSUE) for each in taken]) == []
    wrong = {**taken[0], "implicated": [{"reference": f"Patient/{demo.person('13')}"}]}
    assert faults(server, [(wrong, SMP_DETECTED_ISSUE)]), "it does look at the profile"
