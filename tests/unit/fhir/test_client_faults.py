"""What goes wrong between client and server: told in one sentence, repeated where that is safe, never leaking."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
import requests

from adapter.errors import ConfigError, SourceError
from adapter.fhir.auth import BearerAuth
from adapter.fhir.client import FhirClient
from adapter.fhir.transport import retry_after
from tests.unit.fhir.scripted import Reply, condition, outcome, page, reply, script, serving

PATIENT = {"resourceType": "Patient", "id": "p1"}


@contextmanager
def connected(answer, **options):
    """(a client without waiting, the server, the waits that it would have made)."""
    waits: list[float] = []
    with serving(answer) as server, FhirClient(server.base, sleep=waits.append, **options) as client:
        yield client, server, waits


def ids(resources):
    return [resource["id"] for resource in resources]


def fault_of(call):
    with pytest.raises(SourceError) as raised:
        call()
    return raised.value


# ---- faults


def test_an_html_page():
    html = Reply(200, b"<html><body>Welcome Mr Smith</body></html>", "text/html; charset=utf-8")
    with connected(script(html)) as (client, server, _):
        fault = fault_of(client.capabilities)
        assert str(fault) == (
            f"The capability statement at {server.base}/metadata was answered with text/html that is no FHIR resource "
            "(status 200): check that the base URL is that of a FHIR R4 server."
        )


@pytest.mark.parametrize("body", [b"", b"[]", b'{"a":1}', b"{", b"<Patient"])
def test_a_body_that_is_no_resource(body):
    with connected(script(Reply(200, body))) as (client, _, _):
        fault = fault_of(lambda: list(client.search("Condition", {})))
        assert "base URL" in str(fault)
        assert fault.status == 200


@pytest.mark.parametrize("body", [b'{"resourceType":"Bundle"', '{"text":"caf\u00e9"}'.encode("latin-1"), b"<html>"])
def test_a_body_that_is_cut_off_or_in_another_encoding(body):
    with connected(script(Reply(200, body))) as (client, _, _):
        fault = fault_of(lambda: list(client.search("Condition", {})))
        assert "cannot be read, broken off or not in UTF-8, so it is no FHIR resource (status 200)" in str(fault)


def test_an_answer_without_content_type():
    with connected(script(Reply(200, b"", None))) as (client, _, _):
        assert "an empty body" in str(fault_of(client.capabilities))


def test_capabilities():
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}
    with connected(script(reply(statement))) as (client, server, _):
        assert client.capabilities() == statement
        assert server.requests[0].target == "/fhir/metadata"


@pytest.mark.parametrize("version", ["3.0.2", "5.0.0", None])
def test_another_version_of_fhir_is_refused(version):
    with connected(script(reply({"resourceType": "CapabilityStatement", "fhirVersion": version}))) as (client, _, _):
        assert "FHIR R4" in str(fault_of(client.capabilities))


def test_401_and_403_are_told_apart():
    with connected(script(outcome(401, "x"), outcome(403, "x"))) as (client, _, _):
        first = fault_of(lambda: list(client.search("Condition", {})))
        second = fault_of(lambda: list(client.search("Condition", {})))
        assert (first.status, second.status) == (401, 403)
        assert "give a valid token" in str(first)
        assert "ask the operator" in str(second)


def test_an_outcome_is_told_in_one_short_sentence():
    with connected(script(outcome(400, "diagnostics", details="details first\n " + "word " * 100))) as (client, _, _):
        fault = fault_of(lambda: list(client.search("Condition", {})))
        assert "details first word" in str(fault)
        assert "status 400" in str(fault)
        assert "\n" not in str(fault)
        assert len(str(fault)) < 330


def test_an_outcome_for_a_search_instead_of_a_bundle():
    with connected(script(outcome(200, "not offered"))) as (client, _, _):
        assert "OperationOutcome instead of a Bundle (not offered)" in str(
            fault_of(lambda: list(client.search("Condition", {})))
        )


@pytest.mark.parametrize(
    "text",
    [
        "HAPI-2001: Resource Patient/zz-top is not known",
        "Invalid request: http://h/fhir/Condition?patient=zz-top&identifier=http://mbi|zz-top",
        "No match for zz-top in [http://mbi|zz-top] 1EG4TE5MK73 or 1EG4-TE5-MK73 born 1940-02-03",
        'Invalid attribute value "1940-02-03"',
    ],
)
def test_messages_hold_no_ids(text):
    with connected(lambda request: outcome(400, text)) as (client, _, _):
        for call in (
            lambda: list(client.search("Condition", {"patient": "Patient/zz-top"})),
            lambda: client.read("Patient", "zz-top"),
        ):
            said = str(fault_of(call))
            assert not any(private in said for private in ("zz-top", "1EG4", "MK73", "1940", "mbi|"))


# ---- retries


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_transient_answers_are_repeated_with_back_off(status):
    answers = script(*[outcome(status, "later")] * 3, reply(page(condition(1))))
    with connected(answers) as (client, _, waits):
        assert ids(client.search("Condition", {})) == ["c1"]
        assert waits == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "120"}, 60.0),
        ({"Retry_After": "Fri, 01 Mar 2024 12:00:20 GMT"}, 20.0),
        ({"Retry_After": "Fri, 01 Mar 2024 11:00:00 GMT"}, 0.0),
        ({"Retry_After": "Fri, 01 Mar 2024 14:00:00 GMT"}, 60.0),
        ({"Retry_After": "soon"}, 1.0),
        ({"Retry_After": "-5"}, 1.0),
    ],
)
def test_retry_after(headers, wait):
    def answer(request):
        return answers(request)

    answers = script(outcome(429, "slow down", **headers), reply(page()))
    # BaseHTTPRequestHandler sends the real Date; the test clock is compared only when there is none, so override it.
    with connected(answer, clock=lambda: 1709294400.0) as (client, server, waits):
        server._http.RequestHandlerClass = type(
            "Dated",
            (server._http.RequestHandlerClass,),
            {"date_time_string": lambda self, timestamp=None: "Fri, 01 Mar 2024 12:00:00 GMT"},
        )
        list(client.search("Condition", {}))
        assert waits == [wait]


def test_retries_end_with_the_servers_answer():
    with connected(lambda request: outcome(503, "maintenance"), retries=2) as (client, server, waits):
        fault = fault_of(lambda: list(client.search("Condition", {})))
        assert (fault.status, len(server.requests), waits) == (503, 3, [1.0, 2.0])
        assert "maintenance" in str(fault)


def test_other_errors_are_not_repeated():
    with connected(lambda request: outcome(500, "bug")) as (client, server, _):
        assert fault_of(lambda: list(client.search("Condition", {}))).status == 500
        assert len(server.requests) == 1


def test_a_dropped_connection_is_repeated_also_for_post_search():
    with connected(script(Reply(drop=True), reply(page(condition(1))))) as (client, server, waits):
        assert ids(client.search("Condition", {"patient": "p"})) == ["c1"]
        assert waits == [1.0]
        assert [request.method for request in server.requests] == ["POST", "POST"]


def test_a_connection_dropped_again_and_again_is_told_without_the_query():
    with connected(lambda request: Reply(drop=True), retries=1) as (client, server, _):
        fault = fault_of(lambda: list(client.search("Condition", {"code": "secret"})))
        assert f"{server.base}/Condition got no answer" in str(fault)
        assert "secret" not in str(fault)
        assert fault.__cause__ is None
        assert fault.status is None


def test_a_time_out_is_repeated_and_told():
    over = threading.Event()

    def answer(request):
        over.wait(5)
        return reply(page())

    with serving(answer) as server:
        with FhirClient(server.base, timeout=(1, 0.05), retries=1, sleep=lambda seconds: None) as client:
            fault = fault_of(lambda: list(client.search("Condition", {})))
            assert "no answer in time" in str(fault)
            assert len(server.requests) == 2
        over.set()


def test_an_answer_cut_short_is_repeated():
    whole = reply(page(condition(1)))
    with connected(script(replace(whole, cut=True), whole)) as (client, server, _):
        assert ids(client.search("Condition", {})) == ["c1"]
        assert len(server.requests) == 2


def test_an_answer_that_cannot_be_unpacked_is_not_repeated():
    broken = Reply(200, b"no gzip", headers={"Content-Encoding": "gzip"})
    with connected(script(broken)) as (client, _, _):
        assert "an answer that is broken off or damaged" in str(fault_of(client.capabilities))


def test_tls_that_cannot_be_trusted_is_not_repeated():
    waits = []
    with serving(script()) as server, FhirClient(server.base.replace("http", "https"), sleep=waits.append) as client:
        assert "REQUESTS_CA_BUNDLE" in str(fault_of(client.capabilities))
    assert waits == []


def test_nobody_listens():
    with serving(script()) as server:
        base = server.base
    with FhirClient(base, retries=0) as client:
        assert "check the address" in str(fault_of(client.capabilities))


# ---- redirects and credentials


def test_a_redirect_on_the_same_origin_is_followed():
    with connected(script(Reply(307, headers={"Location": "/fhir/R4/metadata"}), reply({"resourceType": "X"}))) as (
        client,
        server,
        _,
    ):
        fault_of(client.capabilities)
        assert server.requests[1].target == "/fhir/R4/metadata"


def test_endless_redirects_end():
    with connected(lambda request: Reply(302, headers={"Location": "/fhir/metadata"})) as (client, server, _):
        assert fault_of(client.capabilities).status == 302
        assert len(server.requests) == 6


def test_a_session_of_the_callers_own_is_not_closed():
    closed = []
    with requests.Session() as session, serving(script()) as server:
        session.close = lambda: closed.append(True)
        FhirClient(server.base, session=session).close()
        assert closed == []
        del session.close


def test_retry_after_without_a_date_header_is_compared_with_the_clock():
    assert retry_after({"Retry-After": "Fri, 01 Mar 2024 12:00:20 GMT"}, now=1709294410.0) == 10.0
    assert retry_after({"Retry-After": "Fri, 01 Mar 2024 12:00:20 -0000"}, now=1709294410.0) == 10.0
    assert retry_after({}, now=0.0) is None


def test_credentials_do_not_follow_a_redirect_or_a_next_link_to_another_origin():
    with serving(lambda request: reply(page(condition(9)))) as foreign:

        def answer(request):
            if request.path.endswith("metadata"):
                return Reply(302, headers={"Location": f"{foreign.base}/metadata"})
            return reply(
                page(condition(1), following=f"{foreign.base}?page=2" if "page" not in request.query else None)
            )

        with serving(answer) as server, FhirClient(server.base, auth=BearerAuth(server.base, "t0ken")) as client:
            assert "redirected" in str(fault_of(client.capabilities))
            assert ids(client.search("Condition", {})) == ["c1"]
            assert {request.headers["Authorization"] for request in server.requests} == {"Bearer t0ken"}
        assert foreign.requests == []


def test_no_credentials_are_taken_from_a_netrc_file(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with connected(script(reply(page()))) as (client, server, _):
        list(client.search("Condition", {}))
        assert "Authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    "base", ["", "x.org/fhir", "ftp://x.org", "https://x.org/fhir?a=b", "https://", "https://u:p@x.org/fhir"]
)
def test_a_base_url_that_is_none(base):
    with pytest.raises(ConfigError) as raised:
        FhirClient(base)
    assert "u:p" not in str(raised.value)
