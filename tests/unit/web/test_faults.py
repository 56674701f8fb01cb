"""Every error is an OperationOutcome that says what to do, and nothing personal reaches the log."""

import logging

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from adapter.errors import (
    AdapterError,
    ConfigError,
    ConformanceError,
    Fault,
    MappingError,
    SourceError,
    UnknownBeneficiary,
)
from adapter.fhir.conformance import from_xml
from adapter.web.app import LARGEST_BODY
from tests.unit.web.helpers import OPERATION, answering

JSON, XML = "application/fhir+json", "application/fhir+xml"


def told(answer, status):
    """The only issue of the OperationOutcome that the answer is."""
    assert (answer.status_code, answer.content_type) == (status, JSON), answer.data
    OperationOutcome.model_validate_json(answer.data)
    (issue,) = answer.json["issue"]
    assert issue["severity"] == "error"
    return issue


@pytest.mark.parametrize(
    ("error", "status", "code", "words"),
    [
        (UnknownBeneficiary(), 404, "not-found", "no such beneficiary"),
        (ConfigError("H12 is no contract"), 400, "invalid", "H12 is no contract"),
        (
            MappingError([Fault("p.toml", "minimum", "is no number"), Fault("q.toml", "", "?")]),
            500,
            "exception",
            "operator",
        ),
        (SourceError("The search was answered with 401", 401), 502, "transient", "401"),
        (SourceError("The base URL leads to nothing", 404), 502, "transient", "base URL"),
        (SourceError("No answer in time"), 502, "transient", "No answer"),
        (ConformanceError("CarePlan/x is no valid FHIR"), 500, "exception", "no valid FHIR"),
        (AdapterError("Something else"), 500, "exception", "Something else"),
    ],
)
def test_expected_faults_are_told_in_their_own_sentence(client, failing, error, status, code, words):
    failing(error)
    issue = told(client.post(OPERATION), status)
    assert (issue["code"], words in issue["details"]["text"]) == (code, True)


def test_what_the_operator_has_to_mend_is_logged_without_the_path(client, failing, caplog):
    failing(SourceError("The search at http://x/fhir/Patient was answered with 401", 401))
    client.post("/fhir/Patient/secret-id/$mtm-targeting")
    assert "Answered 502: The search" in caplog.text
    assert "secret-id" not in caplog.text


def test_an_unexpected_fault_tells_nothing_and_logs_where_it_was_without_values(client, failing, caplog):
    caplog.set_level(logging.DEBUG)
    fault = KeyError("Patient/secret-id born 1944-02-03")
    fault.__cause__ = ValueError("Rivera")
    failing(fault)
    answer = client.post("/fhir/Patient/secret-id/$mtm-targeting")
    text = told(answer, 500)["details"]["text"]
    assert "KeyError" not in text and "explain" not in text
    assert "KeyError" in caplog.text and "ValueError\nwhich led to" in caplog.text and "in mtm_targeting" in caplog.text
    for personal in ("secret-id", "1944", "Rivera"):
        assert personal not in caplog.text and personal not in answer.text


def test_unknown_addresses_are_not_found(client):
    fhir = (
        "/fhir",
        "/fhir/",
        "/fhir//metadata",
        "/fhir/Patient",
        "/fhir/Patient/b1",
        "/fhir/Patient/a/b/$mtm-targeting",
    )
    for path in ("/", "/health/", "/%ff", *fhir):
        assert told(client.get(path), 404)["code"] == "not-found"


@pytest.mark.parametrize(
    ("path", "allow"), [("/health", "GET, HEAD, OPTIONS"), (OPERATION, "GET, HEAD, OPTIONS, POST")]
)
def test_a_wrong_method_is_told_with_those_allowed(client, path, allow):
    answer = client.delete(path)
    told(answer, 405)
    assert answer.headers["Allow"] == allow


def test_errors_come_as_xml_when_that_is_wanted(client):
    answer = client.get("/nothing", headers={"Accept": XML})
    assert (answer.status_code, answer.content_type) == (404, XML)
    assert from_xml(answer.data)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "accept",
    ["text/html", "application/fhir+json; fhirVersion=3.0", "application/fhir+json; q=0", "text/turtle, image/*"],
)
def test_what_cannot_be_answered_is_not_acceptable(client, explained, accept):
    for path in ("/fhir/metadata", OPERATION):
        told(client.get(path, headers={"Accept": accept}), 406)
    assert not explained


def test_format_in_the_query_goes_before_accept(client):
    assert client.get("/fhir/metadata?_format=xml", headers={"Accept": JSON}).content_type == XML
    assert (
        client.get("/fhir/metadata?_format=application/fhir+json", headers={"Accept": "text/html"}).content_type == JSON
    )
    told(client.get("/fhir/metadata?_format=ttl"), 406)


@pytest.mark.parametrize(
    ("accept", "mime"),
    [
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("text/xml", XML),
        ("application/fhir+xml; fhirVersion=4.0", XML),
        ("application/fhir+json; q=0.5, application/fhir+xml", XML),
        ("text/html, application/xhtml+xml, application/xml; q=0.9, */*; q=0.8", XML),
        ("", JSON),
    ],
)
def test_the_best_of_accept_is_answered(client, accept, mime):
    assert client.get("/fhir/metadata", headers={"Accept": accept}).content_type == mime


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "text/plain"}, {}, {"Content-Type": JSON, "Content-Encoding": "gzip"}]
)
def test_a_body_in_another_form_is_an_unsupported_media_type(client, headers):
    told(client.post(OPERATION, data=b'{"resourceType": "Parameters"}', headers=headers), 415)


def test_a_body_too_large_is_told(client):
    told(client.post(OPERATION, data=b" " * (LARGEST_BODY + 1), content_type=JSON), 413)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "0.0.0.0", "[::2]", "",
                                  "127.0.0.1:8000@evil.example", "localhost:x", "[::1", "a b", "user@localhost"])  # fmt: skip
@pytest.mark.parametrize("path", ["/health", "/nothing"])
def test_another_host_is_forbidden(client, host, path):
    assert told(client.get(path, headers={"Host": host}), 403)["code"] == "forbidden"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "127.1.2.3", "[::1]:8000"])
def test_a_loopback_host_is_answered(client, host):
    assert client.get("/health", headers={"Host": host}).status_code == 200


def test_a_server_without_that_patient_is_another_fault_than_a_wrong_base_url(make):
    with answering(200, b'{"resourceType": "Bundle", "type": "searchset"}') as url:
        told(make(source=url).get(OPERATION), 404)
    with answering(404, b'{"resourceType": "OperationOutcome"}') as url:
        told(make(source=url).get(OPERATION), 502)


def test_a_server_that_answers_no_fhir_is_a_bad_gateway(make):
    with answering(200, b"<html>Log in</html>") as url:
        told(make(source=url).get(OPERATION), 502)
