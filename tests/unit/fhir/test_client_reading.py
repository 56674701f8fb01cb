"""Searching and reading, against the ways real servers have."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
import requests

from adapter.errors import ConfigError, SourceError
from adapter.fhir import conformance
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


# ---- paging


def test_pages_are_followed_and_includes_come_once():
    def answer(request):
        if "_getpages" in request.query:
            return reply(page(condition(2), PATIENT))
        return reply(page(condition(1), PATIENT, following=f"http://{request.headers['Host']}/fhir?_getpages=a%7Cb"))

    with connected(answer) as (client, server, _):
        found = list(client.search("Condition", {"status": "active"}))
        assert ids(found) == ["c1", "p1", "c2"]
        assert server.requests[0].query == {"status": ["active"], "_count": ["200"]}
        assert server.requests[1].target == "/fhir?_getpages=a%7Cb"  # opaque: not encoded anew
        assert server.requests[0].headers["Cache-Control"] == "no-cache"
        assert server.requests[0].headers["Accept"] == "application/fhir+json"


@pytest.mark.parametrize("link", ["?page=2", "Condition?page=2", "/fhir/Condition?page=2"])
def test_a_relative_next_link(link):
    with connected(script(reply(page(condition(1), following=link)), reply(page(condition(2))))) as (client, server, _):
        assert ids(client.search("Condition", {})) == ["c1", "c2"]
        assert server.requests[1].target == "/fhir/Condition?page=2"


def test_a_relative_next_link_after_a_post():
    answers = script(reply(page(condition(1), following="Condition?page=2")), reply(page(condition(2))))
    with connected(answers) as (client, server, _):
        assert ids(client.search("Condition", {"patient": "p1"})) == ["c1", "c2"]
        assert server.requests[1].target == "/fhir/Condition?page=2"


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("http://internal:8080/fhir/Condition?page=2", "/fhir/Condition?page=2"),
        ("http://internal:8080/r4?_getpages=x&_getpagesoffset=2", "/fhir?_getpages=x&_getpagesoffset=2"),
        ("http://internal:8080/r4/Condition?page=2", "/fhir/Condition?page=2"),
        ("http://internal:8080/pages/abc?page=2", "/pages/abc?page=2"),
    ],
)
def test_a_next_link_to_a_foreign_origin_is_asked_of_the_own_one(link, target):
    answers = script(reply(page(condition(1), following=link)), reply(page(condition(2))))
    with connected(answers) as (client, server, _):
        assert ids(client.search("Condition", {})) == ["c1", "c2"]
        assert server.requests[1].target == target


def test_a_loop_of_next_links_is_an_error():
    with connected(lambda request: reply(page(condition(1), following="?page=2"))) as (client, server, _):
        fault = fault_of(lambda: list(client.search("Condition", {})))
        assert "never ends" in str(fault)
        assert len(server.requests) == 2


def test_a_next_link_to_the_first_page_is_a_loop():
    answer = lambda request: reply(page(condition(1), following="?status=active&_count=200"))  # noqa: E731
    with connected(answer) as (client, _, _):
        assert "never ends" in str(fault_of(lambda: list(client.search("Condition", {"status": "active"}))))


def test_totals_are_not_relied_on():
    answers = script(
        reply(page(condition(1), following="?page=2", total=1)),
        reply(page(following="?page=3")),
        reply(page(condition(2))),
    )
    with connected(answers) as (client, _, _):
        assert ids(client.search("Condition", {})) == ["c1", "c2"]


def test_a_bundle_without_entries():
    with connected(script(reply({"resourceType": "Bundle", "type": "searchset"}))) as (client, _, _):
        assert list(client.search("Condition", {})) == []


def test_outcomes_in_a_searchset_are_no_results():
    warning = {"resourceType": "OperationOutcome", "id": "o", "issue": []}
    bundle = page(warning, condition(1))
    bundle["entry"].append({"resource": warning})
    with connected(script(reply(bundle))) as (client, _, _):
        assert ids(client.search("Condition", {})) == ["c1"]


def test_resources_without_an_id_are_all_kept():
    bundle = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Basic"}}] * 2}
    with connected(script(reply(bundle))) as (client, _, _):
        assert len(list(client.search("Basic", {}))) == 2


def test_an_expired_page_starts_the_search_again_without_repeating():
    answers = script(
        reply(page(condition(1), following="?page=2")),
        outcome(410, "HAPI-0417: Search ID does not exist"),
        reply(page(condition(1), following="?page=2b")),
        reply(page(condition(2))),
    )
    with connected(answers) as (client, _, _):
        assert ids(client.search("Condition", {})) == ["c1", "c2"]


def test_a_search_that_expires_twice_is_given_up():
    pages = [reply(page(condition(1), following="?page=2")), outcome(410, "gone")] * 2
    with connected(script(*pages)) as (client, _, _):
        assert fault_of(lambda: list(client.search("Condition", {}))).status == 410


# ---- what may stand in a URL


@pytest.mark.parametrize(
    "name", ["patient", "subject", "identifier", "_id", "_has:Coverage:beneficiary:status", "patient.name"]
)
def test_what_names_a_person_goes_by_post(name):
    with connected(script(reply(page()))) as (client, server, _):
        list(client.search("Condition", {name: "secret-1", "status": ["active", "recurrence"]}))
        sent = server.requests[0]
        assert (sent.method, sent.target) == ("POST", "/fhir/Condition/_search")
        assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert sent.form == {name: ["secret-1"], "status": ["active", "recurrence"], "_count": ["200"]}


@pytest.mark.parametrize("name", ["status", "status:not", "category", "code", "_include:iterate", "_tag", "_sort"])
def test_what_names_nobody_goes_by_get(name):
    with connected(script(reply(page()))) as (client, server, _):
        list(client.search("Condition", {name: "x", "_count": "7"}))
        assert (server.requests[0].method, server.requests[0].query) == ("GET", {name: ["x"], "_count": ["7"]})


def test_a_long_search_goes_by_post():
    codes = ",".join(f"http://snomed.info/sct|{number}" for number in range(100))
    with connected(script(reply(page()))) as (client, server, _):
        list(client.search("Condition", {"code": codes}))
        assert server.requests[0].form["code"] == [codes]


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_without_post_search_is_asked_by_get_and_remembered(status):
    def answer(request):
        return outcome(status, "no") if request.method == "POST" else reply(page(condition(1)))

    with connected(answer) as (client, server, _):
        assert ids(client.search("Condition", {"patient": "p1"})) == ["c1"]
        assert ids(client.search("Condition", {"patient": "p1"})) == ["c1"]
        assert [request.method for request in server.requests] == ["POST", "GET", "GET"]


@pytest.mark.parametrize(
    "name", ["identifier", "birthdate", "family", "subject:Patient.identifier", "patient.name:exact"]
)
def test_an_identifier_never_falls_back_to_a_url(name):
    with connected(script(outcome(405, "no"))) as (client, server, _):
        fault = fault_of(lambda: list(client.search("Patient", {name: "1EG4-TE5"})))
        assert "POST _search" in str(fault)
        assert "1EG4" not in str(fault)
        assert len(server.requests) == 1


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
        assert "no answer (ContentDecodingError)" in str(fault_of(client.capabilities))


def test_tls_that_cannot_be_trusted_is_not_repeated():
    waits = []
    with serving(script()) as server, FhirClient(server.base.replace("http", "https"), sleep=waits.append) as client:
        assert "CA bundle" in str(fault_of(client.capabilities))
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


# ---- read, read_many, search_each


def test_read():
    with connected(script(reply(PATIENT), outcome(404, "no"), outcome(410, "deleted"))) as (client, server, _):
        assert [client.read("Patient", one) for one in ("-p.1", "x", "y")] == [PATIENT, None, None]
        assert server.requests[0].target == "/fhir/Patient/-p.1"


@pytest.mark.parametrize("one", ["..", "", "a/b", "a?b", "a b"])
def test_what_is_no_id_is_not_asked_for(one):
    with connected(script()) as (client, server, _):
        assert "correct the reference" in str(fault_of(lambda: client.read("Patient", one)))
        assert "correct the reference" in str(fault_of(lambda: client.read_many("Patient", [one])))
        assert server.requests == []


def test_read_many_asks_in_chunks_and_keeps_the_order():
    def answer(request):
        asked = request.form["_id"][0].split(",")
        found = [{"resourceType": "Patient", "id": one} for one in reversed(asked) if one != "7"]
        return reply(page(*found, {"resourceType": "Group", "id": asked[0]}))

    wanted = [str(number) for number in range(250)]
    with connected(answer, max_parallel=1) as (client, server, _):
        assert ids(client.read_many("Patient", [*wanted, "3"])) == [one for one in wanted if one != "7"]
        assert [(request.method, request.form["_count"]) for request in server.requests] == [
            ("POST", ["100"]),  # a page as large as the chunk: some servers repeat the ids in the URL of the next page
            ("POST", ["100"]),
            ("POST", ["50"]),
        ]


def test_never_more_requests_in_flight_than_allowed_and_results_in_order():
    gate = threading.Barrier(3, timeout=5)

    def answer(request):
        gate.wait()  # three at once are needed to go on, a fourth would show in the count
        return reply(page(condition(request.query["code"][0])))

    with connected(answer, max_parallel=3) as (client, server, _):
        found = client.search_each([("Condition", {"code": str(number)}) for number in range(12)])
        assert ids(found) == [f"c{number}" for number in range(12)]
        assert server.most_in_flight == 3


def test_the_limit_holds_for_threads_of_the_callers_own():
    with connected(lambda request: reply(PATIENT), max_parallel=2) as (client, server, _):
        threads = [threading.Thread(target=client.read, args=("Patient", "p1")) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.requests) == 10
        assert server.most_in_flight <= 2


def test_a_failure_among_several_searches_is_raised():
    def answer(request):
        return outcome(400, "bad") if request.query["code"] == ["1"] else reply(page(condition(0)))

    with connected(answer) as (client, _, _):
        found = client.search_each([("Condition", {"code": str(number)}) for number in range(3)])
        assert next(found)["id"] == "c0"
        assert fault_of(lambda: list(found)).status == 400


# ---- XML


def test_xml():
    body = conformance.to_xml(page({**PATIENT, "active": True}))
    with connected(script(Reply(200, body, "application/fhir+xml;charset=utf-8")), format="xml") as (client, server, _):
        assert list(client.search("Patient", {})) == [{**PATIENT, "active": True}]
        assert server.requests[0].headers["Accept"] == "application/fhir+xml"


def test_broken_xml_is_no_resource():
    with connected(script(Reply(200, b"<Bundle", "application/fhir+xml")), format="xml") as (client, _, _):
        assert "no FHIR resource" in str(fault_of(lambda: list(client.search("Patient", {}))))
