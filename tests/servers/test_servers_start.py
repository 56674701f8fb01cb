"""The servers of the tests start, and behave where the adapter must know how they differ."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.servers import conftest, launch
from tests.servers.pool import ServerPool

Resource = dict[str, Any]

FHIR_JSON = "application/fhir+json"
US_CORE_CAREPLAN = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan"
SMP_LIST = "http://hl7.org/fhir/us/smp/StructureDefinition/smp-medication-list"


@pytest.fixture
def http() -> Iterator[requests.Session]:
    """A session that sends and accepts FHIR JSON."""
    with requests.Session() as session:
        session.headers.update({"Accept": FHIR_JSON, "Content-Type": FHIR_JSON})
        session.trust_env = False
        yield session


@pytest.fixture
def mtm_id() -> str:
    """An id of our kind that no other test uses."""
    return f"mtm-{uuid.uuid4().hex}"


def patient(resource_id: str, family: str = "Test") -> Resource:
    return {
        "resourceType": "Patient",
        "id": resource_id,
        "identifier": [{"system": "urn:test:mtm", "value": resource_id}],
        "name": [{"family": family}],
    }


def condition(resource_id: str, patient_id: str) -> Resource:
    return {
        "resourceType": "Condition",
        "id": resource_id,
        "subject": {"reference": f"Patient/{patient_id}"},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}]},
    }


def care_plan() -> Resource:
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">A plan.</div>'},
        "subject": {"reference": "Patient/mtm-abc"},
    }


def transaction(*resources: Resource) -> Resource:
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
        for each in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def errors(outcome: Resource) -> list[str]:
    return [issue["diagnostics"] for issue in outcome["issue"] if issue["severity"] in ("error", "fatal")]


def validate(http: requests.Session, base_url: str, resource: Resource, profile: str) -> list[str]:
    url = f"{base_url}/{resource['resourceType']}/$validate"
    answer = http.post(url, params={"profile": profile}, json=resource)
    assert answer.status_code == 200
    return errors(answer.json())


def pages(http: requests.Session, url: str) -> list[list[str]]:
    """The ids on each page of a search, by its next links as they are."""
    found: list[list[str]] = []
    link: str | None = url
    while link:
        bundle = http.get(link).json()
        found.append([entry["resource"]["id"] for entry in bundle.get("entry", [])])
        link = next((each["url"] for each in bundle["link"] if each["relation"] == "next"), None)
    return found


def test_metadata_says_r4(fhir_server: str, http: requests.Session) -> None:
    statement = http.get(f"{fhir_server}/metadata").json()
    assert statement["resourceType"] == "CapabilityStatement"
    assert statement["fhirVersion"] == "4.0.1"


def test_put_with_our_id_can_be_read(fhir_server: str, http: requests.Session) -> None:
    put = http.put(f"{fhir_server}/Patient/mtm-abc", json=patient("mtm-abc"))
    assert put.status_code == 201
    assert put.headers["ETag"] == 'W/"1"'
    assert http.get(f"{fhir_server}/Patient/mtm-abc").json()["name"] == [{"family": "Test"}]


def test_transaction_of_puts(fhir_server: str, http: requests.Session, mtm_id: str) -> None:
    answer = http.post(fhir_server, json=transaction(patient(mtm_id), condition(f"{mtm_id}-c", mtm_id)))
    assert answer.status_code == 200
    statuses = [entry["response"]["status"][:3] for entry in answer.json()["entry"]]
    assert statuses == ["201", "201"]
    found = http.get(f"{fhir_server}/Condition", params={"subject": f"Patient/{mtm_id}"}).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == [f"{mtm_id}-c"]


@pytest.mark.parametrize(
    ("server", "version"),
    [
        pytest.param("hapi_server", '"1"', marks=pytest.mark.hapi),
        pytest.param("sekmet_server", '"2"', marks=pytest.mark.sekmet),
    ],
)
def test_version_after_a_put_of_the_same_content(
    server: str, version: str, request: pytest.FixtureRequest, http: requests.Session, mtm_id: str
) -> None:
    url = f"{request.getfixturevalue(server)}/Patient/{mtm_id}"
    http.put(url, json=patient(mtm_id))
    assert http.put(url, json=patient(mtm_id)).headers["ETag"] == f"W/{version}"


@pytest.mark.parametrize(
    ("server", "status"),
    [
        pytest.param("hapi_server", 409, marks=pytest.mark.hapi),
        pytest.param("sekmet_server", 412, marks=pytest.mark.sekmet),
    ],
)
def test_stale_if_match_is_refused(
    server: str, status: int, request: pytest.FixtureRequest, http: requests.Session, mtm_id: str
) -> None:
    url = f"{request.getfixturevalue(server)}/Patient/{mtm_id}"
    http.put(url, json=patient(mtm_id))
    http.put(url, json=patient(mtm_id, family="Other"))
    stale = http.put(url, json=patient(mtm_id, family="Third"), headers={"If-Match": 'W/"1"'})
    assert stale.status_code == status
    assert http.get(url).json()["name"] == [{"family": "Other"}]


def test_next_links_lead_through_all_pages(fhir_server: str, http: requests.Session, mtm_id: str) -> None:
    ids = [f"{mtm_id}-{number}" for number in range(5)]
    http.post(fhir_server, json=transaction(patient(mtm_id), *(condition(each, mtm_id) for each in ids)))
    found = pages(http, f"{fhir_server}/Condition?subject=Patient/{mtm_id}&_count=2")
    assert [len(page) for page in found] == [2, 2, 1]
    assert sorted(each for page in found for each in page) == ids


def test_validate_accepts_a_us_core_care_plan(hapi_server: str, http: requests.Session) -> None:
    assert validate(http, hapi_server, care_plan(), US_CORE_CAREPLAN) == []


def test_validate_finds_what_us_core_asks_for(hapi_server: str, http: requests.Session) -> None:
    plan = care_plan()
    del plan["subject"]
    found = validate(http, hapi_server, plan, US_CORE_CAREPLAN)
    assert any("CarePlan.subject: minimum required = 1" in text for text in found)


def test_validate_against_an_older_release(hapi_server: str, http: requests.Session) -> None:
    """US Core 7.0.0 asked for the category assess-plan, 9.0.0 does not."""
    found = validate(http, hapi_server, care_plan(), f"{US_CORE_CAREPLAN}|7.0.0")
    assert any("CarePlan.category" in text for text in found)


def test_validate_finds_a_reference_to_the_wrong_type(hapi_server: str, http: requests.Session) -> None:
    plan = care_plan() | {"subject": {"reference": "Practitioner/mtm-abc"}}
    assert any("Practitioner" in text for text in validate(http, hapi_server, plan, US_CORE_CAREPLAN))


def test_validate_knows_smp(hapi_server: str, http: requests.Session) -> None:
    found = validate(http, hapi_server, {"resourceType": "List", "status": "current", "mode": "snapshot"}, SMP_LIST)
    assert any("List.subject: minimum required = 1" in text for text in found)


def test_hapi_refuses_a_reference_to_nothing(hapi_server: str, http: requests.Session, mtm_id: str) -> None:
    answer = http.put(f"{hapi_server}/Condition/{mtm_id}", json=condition(mtm_id, f"{mtm_id}-nobody"))
    assert answer.status_code == 400
    assert "HAPI-1094" in errors(answer.json())[0]


def test_hapi_asks_to_poll_an_export_each_second(hapi_server: str, http: requests.Session) -> None:
    assert start_and_poll_export(hapi_server, http) == "1"


def test_stock_hapi_asks_to_wait_two_minutes(hapi_stock_server: str, http: requests.Session) -> None:
    assert start_and_poll_export(hapi_stock_server, http) == "120"


def start_and_poll_export(base_url: str, http: requests.Session) -> str:
    """The Retry-After of the first poll of an export, which is then cancelled."""
    kickoff = http.get(f"{base_url}/$export", headers={"Prefer": "respond-async"})
    assert kickoff.status_code == 202
    poll = http.get(kickoff.headers["Content-Location"])
    assert poll.status_code == 202
    http.delete(kickoff.headers["Content-Location"])
    return poll.headers["Retry-After"]


def test_search_sees_the_last_write(fhir_server: str, http: requests.Session, mtm_id: str) -> None:
    assert found_before_and_after_a_write(fhir_server, http, mtm_id) == (0, 1)


def test_stock_hapi_answers_the_same_search_from_its_cache(
    hapi_stock_server: str, http: requests.Session, mtm_id: str
) -> None:
    assert found_before_and_after_a_write(hapi_stock_server, http, mtm_id) == (0, 0)


def found_before_and_after_a_write(base_url: str, http: requests.Session, mtm_id: str) -> tuple[int, int]:
    search = f"{base_url}/Patient?identifier=urn:test:mtm%7C{mtm_id}"
    before = http.get(search).json()
    http.put(f"{base_url}/Patient/{mtm_id}", json=patient(mtm_id))
    return len(before.get("entry", [])), len(http.get(search).json().get("entry", []))


def test_stock_hapi_has_pages_of_ten(hapi_stock_server: str, http: requests.Session, mtm_id: str) -> None:
    ids = [f"{mtm_id}-{number}" for number in range(12)]
    http.post(hapi_stock_server, json=transaction(patient(mtm_id), *(condition(each, mtm_id) for each in ids)))
    found = pages(http, f"{hapi_stock_server}/Condition?subject=Patient/{mtm_id}")
    assert [len(page) for page in found] == [10, 2]


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_a_missing_tool_skips_but_fails_in_ci(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PATH", str(tmp_path))
    pool = ServerPool(tmp_path)
    with pytest.raises(outcome, match="Install a JDK 17"):
        conftest.address(pool, "hapi", lambda: launch.start_hapi(tmp_path))
    pool.close()


def test_a_second_process_gets_the_server_of_the_first(sekmet_server: str, server_pool: ServerPool) -> None:
    def never() -> launch.RunningServer:
        raise AssertionError("there is one already")

    other = ServerPool(server_pool.folder)
    try:
        assert other.base_url("sekmet", never) == sekmet_server
    finally:
        other.close()


@pytest.mark.sekmet
def test_a_server_stops_with_its_first_process_and_is_started_anew(tmp_path: Path, http: requests.Session) -> None:
    urls: list[str] = []
    for _ in range(2):
        pool = ServerPool(tmp_path)
        urls.append(pool.base_url("sekmet", lambda: launch.start_sekmet(tmp_path)))
        assert http.get(f"{urls[-1]}/metadata").status_code == 200
        pool.close()
        with pytest.raises(requests.ConnectionError):
            http.get(f"{urls[-1]}/metadata")


def test_a_start_that_fails_shows_what_java_said(tmp_path: Path, hapi_server: str) -> None:
    with pytest.raises(launch.ServerFailed, match="NoSuchFileException"):
        launch.start_hapi(tmp_path, profiles=tmp_path / "absent")


def test_an_unknown_option_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="no option pages"):
        launch.start_hapi(tmp_path, pages=3)  # type: ignore[call-arg]
