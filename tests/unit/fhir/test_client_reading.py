"""Searching and reading, against the ways real servers have."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from adapter.errors import SourceError
from adapter.fhir import conformance
from adapter.fhir.client import MOST_BARREN, FhirClient, NotServed
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
        ("http://proxy:8080:8080/fhir?_getpages=x", "/fhir?_getpages=x"),  # github.com/opensrp/fhircore/issues/1714
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


def test_a_resource_that_is_changed_between_two_pages_comes_in_both_versions_once_each():
    one, two = (condition(1) | {"meta": {"versionId": version}} for version in "12")
    answers = script(reply(page(one, following="?page=2", total=1)), reply(page(two, two)))
    with connected(answers) as (client, _, _):
        assert list(client.search("Condition", {})) == [one, two]  # a table takes the newest by lastUpdated


@pytest.mark.parametrize("post", [False, True])
def test_a_strict_search_asks_that_no_parameter_be_ignored(post):
    params = {"identifier" if post else "status": "x"}
    with connected(lambda request: reply(page())) as (client, server, _):
        list(client.search("Patient", params, strict=True))
        list(client.search("Patient", params))
        assert [request.headers.get("Prefer") for request in server.requests] == ["handling=strict", None]
        assert server.requests[0].method == ("POST" if post else "GET")


# ---- a part is never given for the whole


def links(*following):
    return {"resourceType": "Bundle", "type": "searchset", "link": list(following)}


@pytest.mark.parametrize(
    ("bundle", "words"),
    [
        (page(condition(1)) | {"entry": [None]}, "whose entry is no list of objects"),
        (page(condition(1)) | {"entry": {"resource": condition(1)}}, "whose entry is no list"),
        ({"resourceType": "Bundle", "entry": [{"fullUrl": "x"}]}, "with an entry that holds no resource"),
        ({"resourceType": "Bundle", "entry": [{"resource": None}]}, "with an entry that holds no resource"),
        ({"resourceType": "Bundle", "entry": [{"resource": "<html>"}]}, "with an entry that holds no resource"),
        ({"resourceType": "Bundle", "entry": [{"resource": {"id": "c1"}}]}, "with an entry that holds no resource"),
        (links(None), "whose link is no list of objects"),
        (page() | {"link": {"relation": "next", "url": "?page=2"}}, "whose link is no list"),
        (links({"relation": "next"}), "with a next link that has no address"),
        (links({"relation": "next", "url": " "}), "with a next link that has no address"),
        (links({"relation": "next", "url": "http://[h/fhir?page=2"}), "with a next link that is no address"),
    ],
)
def test_a_page_that_cannot_be_read_to_its_end_is_no_shorter_page(bundle, words):
    with connected(script(reply(bundle))) as (client, server, _):
        fault = fault_of(lambda: list(client.search("Condition", {})))
        assert str(fault) == (
            f"The search at {server.base}/Condition was answered with a page {words}: its results cannot be taken for whole."
        )


@pytest.mark.parametrize("status", [404, 501])
def test_a_page_that_is_not_found_is_not_a_type_that_is_not_served(status):
    answers = script(reply(page(condition(1), following="?page=2")), outcome(status, "no such page"))
    with connected(answers) as (client, _, _):
        fault = fault_of(lambda: list(client.search("Condition", {})))
        assert (fault.status, isinstance(fault, NotServed)) == (status, False)
    with connected(script(outcome(status, "no such type"))) as (client, _, _):
        assert isinstance(fault_of(lambda: list(client.search("Condition", {}))), NotServed)


@pytest.mark.parametrize("status", [202, 206])
def test_an_answer_that_says_that_it_is_a_part_is_a_fault(status):
    with connected(script(reply(page(condition(1)), status))) as (client, _, _):
        assert f"a part only (status {status})" in str(fault_of(lambda: list(client.search("Condition", {}))))


def test_a_search_that_ends_short_of_its_total_starts_again_with_an_exact_total():
    answers = script(
        reply(page(condition(1), following="?page=2", total=3)),
        reply(page(condition(2))),
        reply(page(condition(1), condition(3), total=2)),  # one was deleted in between, one was added
    )
    with connected(answers) as (client, server, _):
        assert ids(client.search("Condition", {"status": "x"})) == ["c1", "c2", "c3"]
        assert server.requests[2].query == {"status": ["x"], "_count": ["200"], "_total": ["accurate"]}


def test_a_search_that_ends_short_twice_is_a_fault():
    with connected(lambda request: reply(page(condition(1), PATIENT, total=2))) as (client, server, _):
        fault = fault_of(lambda: list(client.search("Condition", {})))
        assert f"{server.base}/Condition ended after 1 of the 2 resources that the server counted" in str(fault)
        assert len(server.requests) == 2  # the Patient is included and no match


def test_pages_that_repeat_one_match_and_lose_another_are_short():
    def answer(request):
        return reply(page(condition(1), total=2, following=None if request.query.get("page") else "?page=2"))

    with connected(answer) as (client, _, _):
        assert "1 of the 2" in str(fault_of(lambda: list(client.search("Condition", {}))))


def test_the_total_of_the_last_page_counts():
    answers = script(reply(page(condition(1), following="?page=2", total=9)), reply(page(condition(2), total=2)))
    with connected(answers) as (client, _, _):
        assert ids(client.search("Condition", {})) == ["c1", "c2"]


@pytest.mark.parametrize("held", [[], [condition(1)]])
def test_ever_new_links_to_nothing_new_end(held):
    def answer(request):
        return reply(page(*held, following=f"?page={len(server.requests)}"))

    with connected(answer) as (client, server, _):
        assert "never ends" in str(fault_of(lambda: list(client.search("Condition", {}))))
        assert len(server.requests) == MOST_BARREN + 1 + len(held)


@pytest.mark.parametrize("severity", ["error", "fatal"])
def test_results_beside_an_error_may_not_be_whole(severity):
    with connected(script(reply(page(condition(1), said(severity, "shard of Patient/zz-top is down"))))) as (
        client,
        _,
        _,
    ):
        fault = fault_of(lambda: list(client.search("Condition", {})))
        assert "together with an error (shard of Patient/[id] is down), so they may not be whole" in str(fault)


def test_warnings_beside_results_are_kept_once_and_information_is_not():
    answers = script(
        reply(page(condition(1), said("warning", "parameter ignored"), said("information", "x"), following="?page=2")),
        reply(page(condition(2), said("warning", "parameter ignored"), said("warning", ""))),
    )
    with connected(answers) as (client, server, _):
        assert ids(client.search("Condition", {})) == ["c1", "c2"]
        assert client.warnings == (
            f"{server.base}/Condition warns: parameter ignored",
            f"{server.base}/Condition warns: of what it does not tell",
        )


def said(severity, text):
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": "processing", "diagnostics": text}],
    }


@pytest.mark.parametrize(
    ("statement", "offered"),
    [
        ({"rest": [{"resource": [{"type": "Flag"}, {"type": "Condition"}]}]}, True),
        ({"rest": [{"resource": [{"type": "Flag"}]}, {"resource": [None]}, None]}, False),
        ({"rest": "x"}, False),
        ({}, False),
        ({"fhirVersion": "5.0.0", "rest": [{"resource": [{"type": "Condition"}]}]}, False),
    ],
)
def test_what_a_server_offers_is_what_it_says_of_itself(statement, offered):
    capability = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"} | statement
    with connected(script(reply(capability))) as (client, _, _):
        assert client.offers("Condition") is offered


# ---- pages that expire


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


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<Bundle", "The XML document is broken (line 1)"),
        (
            b'<Bundle xmlns="http://hl7.org/fhir"><kind value="secret"/></Bundle>',
            "Bundle.kind is no element of FHIR R4",
        ),
    ],
)
def test_broken_xml_is_no_resource(body, words):
    with connected(script(Reply(200, body, "application/fhir+xml")), format="xml") as (client, _, _):
        fault = fault_of(lambda: list(client.search("Patient", {})))
        assert f"application/fhir+xml that is no FHIR resource ({words}) (status 200)" in str(fault)
