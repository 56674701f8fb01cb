"""Health, the CapabilityStatement and the real operation on the demo folder."""

import csv
from datetime import date
from pathlib import Path

import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.parameters import Parameters

from adapter import __version__
from adapter.fhir.conformance import from_xml, validate
from tests.unit.web.helpers import OPERATION, ROOT

XML = "application/fhir+xml"


def test_health_tells_version_and_program_and_asks_no_source(make):
    answer = make(source="/nowhere").get("/health")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json == {"status": "ok", "version": __version__, "program": "health-partners-2023"}


def test_health_names_a_program_file_without_its_folder(make):
    assert make(program="/home/someone/own-2023.toml").get("/health").json["program"] == "own-2023"


def test_metadata_is_a_capability_statement_that_names_the_operation(client):
    answer = client.get("/fhir/metadata")
    assert (answer.status_code, answer.content_type) == (200, "application/fhir+json")
    CapabilityStatement.model_validate_json(answer.data)
    assert answer.json["implementation"]["url"] == "http://127.0.0.1:8000/fhir"
    assert answer.json["rest"][0]["resource"][0]["operation"][0]["name"] == "mtm-targeting"


def test_every_format_that_metadata_names_is_answered(client):
    for mime in client.get("/fhir/metadata").json["format"]:
        assert client.get("/fhir/metadata", headers={"Accept": mime}).content_type == mime


def test_answers_are_kept_out_of_caches(client, explained):
    for path in ("/health", "/fhir/metadata", OPERATION, "/nothing"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


def expected(outcome):
    with Path(ROOT, "fixtures", "demo", "expected.csv").open(encoding="utf-8") as stream:
        return next(row for row in csv.DictReader(stream) if row["outcome"] == outcome)


@pytest.mark.parametrize("outcome", ["targeted", "unknown"])
def test_the_operation_decides_as_planted(make, outcome):
    row = expected(outcome)
    client = make(today=lambda: date(2023, 10, 31), at_risk=ROOT / "fixtures" / "demo" / "at-risk.csv")
    answer = client.post(f"/fhir/Patient/{row['beneficiary']}/$mtm-targeting")
    Parameters.model_validate_json(answer.data)
    values = dict(parameter.values() for parameter in answer.json["parameter"])
    assert (values["outcome"], values["contract"], values["asOf"]) == (outcome, row["contract"], "2023-10-31")
    assert values.get("reasonCode", "") == row["reason_code"]


def test_an_unknown_beneficiary_of_the_folder_is_not_found(client):
    answer = client.get("/fhir/Patient/nobody-here/$mtm-targeting")
    assert answer.status_code == 404
    assert answer.json["issue"][0]["code"] == "not-found"


def test_json_and_xml_hold_the_same_decision(client, explained):
    as_json = client.post(OPERATION)
    as_xml = client.post(OPERATION, headers={"Accept": XML})
    assert (as_json.content_type, as_xml.content_type) == ("application/fhir+json", XML)
    validate(as_json.json)
    assert from_xml(as_xml.data) == as_json.json


def test_get_and_post_and_head_ask_the_same(client, explained):
    assert client.get(OPERATION).json == client.post(OPERATION).json
    assert client.head(OPERATION).data == b""
    assert len(set(explained)) == 1


def test_notices_are_told(client, explained):
    assert {"name": "notice", "valueString": "the source holds no Coverage"} in client.get(OPERATION).json["parameter"]
