"""Writing: what is sent, what may be sent twice, and what a refusal says."""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal

import pytest

from adapter.errors import SinkError
from adapter.fhir import bundles, conformance, json
from adapter.fhir.client import FhirClient
from tests.unit.fhir.scripted import Reply, outcome, reply, script, serving

PATIENT = {"resourceType": "Patient", "id": "p-1"}


@contextmanager
def connected(answer, **options):
    waits: list[float] = []
    with serving(answer) as server, FhirClient(server.base, sleep=waits.append, **options) as client:
        yield client, server, waits


def fault_of(call):
    with pytest.raises(SinkError) as raised:
        call()
    return raised.value


def answered(*statuses, kind="transaction-response"):
    entries = [{"response": {"status": status, "etag": "1"}} for status in statuses]
    return reply({"resourceType": "Bundle", "type": kind, "entry": entries})


def test_put_with_if_match():
    stored = {**PATIENT, "meta": {"versionId": "4"}}
    with connected(script(reply(stored), reply(stored))) as (client, server, _):
        assert client.put(PATIENT, if_match="3") == stored
        client.put(PATIENT)
        first, second = server.requests
        assert (first.method, first.target, first.headers["If-Match"]) == ("PUT", "/fhir/Patient/p-1", 'W/"3"')
        assert first.headers["Content-Type"] == "application/fhir+json"
        assert "If-Match" not in second.headers


def test_put_answered_with_an_empty_body_takes_the_version_from_the_etag():
    with connected(script(Reply(201, b"", None, {"ETag": 'W/"1"'}), Reply(200, b"", None))) as (client, _, _):
        assert client.put(PATIENT)["meta"] == {"versionId": "1"}
        assert client.put(PATIENT) == PATIENT


@pytest.mark.parametrize("status", [409, 412])
def test_a_conflict(status):
    with connected(lambda request: outcome(status, "HAPI-0989: Patient/p-1/_history/2 is not current")) as (
        client,
        _,
        _,
    ):
        fault = fault_of(lambda: client.put(PATIENT, if_match="1"))
        assert fault.status == status
        assert "read it again" in str(fault)
        assert "p-1" not in str(fault)


def test_what_was_sent_is_not_repeated_in_a_message():
    patient = {**PATIENT, "name": [{"family": "Smith", "given": ["Jo", "Ann"]}]}
    with connected(script(outcome(422, "Ann Smith (p-1) is not acceptable"))) as (client, _, _):
        said = str(fault_of(lambda: client.put(patient)))
        assert "is not acceptable" in said
        assert not any(private in said for private in ("Smith", "Ann", "p-1"))


def test_money_is_sent_as_it_is():
    claim = {"resourceType": "Basic", "id": "b", "amount": Decimal("10.10")}
    with connected(script(reply(claim | {"amount": 10}))) as (client, server, _):
        client.put(claim)
        assert b'"amount":10.10' in server.requests[0].body
        assert json.loads(server.requests[0].body) == claim


def test_delete():
    answers = script(
        Reply(200, b"", None), Reply(204, b"", None), outcome(404, "?"), outcome(410, "?"), outcome(409, "used")
    )
    with connected(answers) as (client, server, _):
        for _ in range(4):
            client.delete("Patient", "p-1")
        assert fault_of(lambda: client.delete("Patient", "p-1")).status == 409
        assert {(request.method, request.target) for request in server.requests} == {("DELETE", "/fhir/Patient/p-1")}


def test_what_is_no_id_is_not_written():
    with connected(script()) as (client, server, _):
        fault_of(lambda: client.delete("Patient", "../metadata"))
        fault_of(lambda: client.put({"resourceType": "Patient", "id": ""}))
        assert server.requests == []


def test_transaction():
    with connected(script(answered("201 Created"))) as (client, server, _):
        bundle = bundles.put_bundle([PATIENT], client.base_url, {"Patient/p-1": "3"})
        assert client.transaction(bundle)["type"] == "transaction-response"
        assert server.requests[0].target == "/fhir"
        assert server.requests[0].json == {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "fullUrl": f"{server.base}/Patient/p-1",
                    "resource": PATIENT,
                    "request": {"method": "PUT", "url": "Patient/p-1", "ifMatch": 'W/"3"'},
                }
            ],
        }


@pytest.mark.parametrize("answer", [Reply(drop=True), outcome(503, "later")])
def test_a_transaction_of_puts_is_repeated(answer):
    with connected(script(answer, answered("200"))) as (client, server, waits):
        client.transaction(bundles.put_bundle([PATIENT], client.base_url))
        assert waits == [1.0]
        assert server.requests[0].body == server.requests[1].body


@pytest.mark.parametrize("answer", [Reply(drop=True), outcome(503, "later")])
def test_a_transaction_with_a_plain_post_is_not_repeated(answer):
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": PATIENT, "request": {"method": "POST", "url": "Patient"}}],
    }
    with connected(lambda request: answer) as (client, server, _):
        fault_of(lambda: client.transaction(bundle))
        assert len(server.requests) == 1


def test_429_is_repeated_always_since_nothing_was_done():
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": PATIENT, "request": {"method": "POST", "url": "Patient"}}],
    }
    with connected(script(outcome(429, "later"), answered("201"))) as (client, server, _):
        client.transaction(bundle)
        assert len(server.requests) == 2


def test_idempotence_of_bundles():
    entry = lambda **request: {"entry": [{"request": request}]}  # noqa: E731
    assert bundles.is_idempotent(entry(method="POST", ifNoneExist="Patient?identifier=1"))
    assert bundles.is_idempotent(entry(method="DELETE"))
    assert not bundles.is_idempotent(entry(method="POST"))
    assert not bundles.is_idempotent(entry(method="PATCH"))
    assert bundles.is_idempotent({})


def test_a_transaction_answered_with_a_failed_or_missing_entry():
    with connected(script(answered("412 Precondition Failed"), answered())) as (client, _, _):
        bundle = bundles.put_bundle([PATIENT], client.base_url)
        assert fault_of(lambda: client.transaction(bundle)).status == 412
        assert "does not tell about each entry" in str(fault_of(lambda: client.transaction(bundle)))


@pytest.mark.parametrize(
    "entries", [[None], ["x"], [{}], [{"response": None}], [{"response": "201"}], {"response": {"status": "201"}}]
)
def test_an_answer_that_does_not_tell_about_an_entry_is_a_fault(entries):
    answer = {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}
    with connected(script(reply(answer))) as (client, _, _):
        bundle = bundles.put_bundle([PATIENT], client.base_url)
        assert "does not tell about each entry" in str(fault_of(lambda: client.transaction(bundle)))


@pytest.mark.parametrize(
    "outcome_told", ["x", ["x"], None, {"issue": "x"}, {"resourceType": "OperationOutcome", "issue": {}}]
)
def test_a_failed_entry_may_say_nothing_of_use(outcome_told):
    answer = {"resourceType": "Bundle", "entry": [{"response": {"status": "409", "etag": 5, "outcome": outcome_told}}]}
    with connected(script(reply(answer))) as (client, _, _):
        fault = fault_of(lambda: client.transaction(bundles.put_bundle([PATIENT], client.base_url)))
        assert (fault.status, "no reason given" in str(fault)) == (409, True)


def test_a_write_redirected_is_not_followed():
    with connected(script(Reply(307, headers={"Location": "/fhir2"}))) as (client, server, _):
        fault = fault_of(lambda: client.transaction(bundles.put_bundle([PATIENT], client.base_url)))
        assert fault.status == 307
        assert len(server.requests) == 1


def test_put_batch_tells_about_each():
    failed = {"status": "404 Not Found", "outcome": outcome_resource("Patient/p-2 is not known")}
    answer = reply(
        {"resourceType": "Bundle", "entry": [{"response": {"status": "201", "etag": 'W/"1"'}}, {"response": failed}]}
    )
    with connected(script(answer)) as (client, server, _):
        done, refused = client.put_batch([PATIENT, {**PATIENT, "id": "p-2"}])
        assert server.requests[0].json["type"] == "batch"
        assert (done.ok, done.status, done.version, done.sentence) == (True, 201, "1", "")
        assert (refused.ok, refused.status, refused.sentence) == (False, 404, "Patient/[id] is not known")


def outcome_resource(text):
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": text}]}


def test_xml():
    with connected(lambda request: Reply(200, request.body, "application/fhir+xml"), format="xml") as (
        client,
        server,
        _,
    ):
        assert client.put(PATIENT) == PATIENT
        assert server.requests[0].headers["Content-Type"] == "application/fhir+xml"
        assert conformance.from_xml(server.requests[0].body) == PATIENT


@pytest.mark.parametrize(("tag", "version"), [('W/"3"', "3"), ('"3"', "3"), ("3", "3"), ("", None), (None, None)])
def test_versions_in_entity_tags(tag, version):
    assert bundles.version_in(tag) == version


def test_entity_tags():
    assert bundles.etag("3") == 'W/"3"'
    assert bundles.etag('"3"') == '"3"'
