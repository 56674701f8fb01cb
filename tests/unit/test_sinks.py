"""The sinks write only what differs, whole persons, and never over somebody else's change unasked."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from adapter.errors import ConfigError, SinkError
from adapter.fhir import json
from adapter.fhir.client import FhirClient
from adapter.sinks import FolderSink, PersonWrite, ServerSink, WriteReport, open_sink
from tests.unit.fhir.scripted import FhirStore, Reply, outcome, serving

TITLE = "MTM"


def plan(person, title=TITLE):
    return {
        "resourceType": "CarePlan",
        "id": f"mtm-{person}",
        "status": "active",
        "intent": "plan",
        "title": title,
        "subject": {"reference": f"Patient/{person}"},
    }


def listing(person):
    return {"resourceType": "List", "id": f"mtm-{person}", "status": "current", "mode": "working"}


def provenance(changed):
    return {
        "resourceType": "Provenance",
        "id": "mtm-prov-" + changed[0]["id"],
        "target": [{"reference": f"{one['resourceType']}/{one['id']}"} for one in changed],
        "recorded": "2024-01-01T00:00:00Z",
        "agent": [{"who": {"display": "mtm-adapter"}}],
    }


def wanted(person, *resources, **more):
    return PersonWrite(person, resources or (plan(person), listing(person)), provenance, **more)


def counts(report):
    return report.written, report.unchanged, report.persons_written, len(report.failures)


@contextmanager
def sink_to(store, **options):
    with serving(store) as server, FhirClient(server.base, sleep=lambda seconds: None, **options) as client:
        yield ServerSink(client), server


# ---- server


def test_new_resources_go_in_one_transaction_with_their_provenance():
    store = FhirStore()
    with sink_to(store) as (sink, _):
        assert counts(sink.write([wanted("a")])) == (2, 0, 1, 0)
    (bundle,) = store.bundles
    assert [entry["request"] for entry in bundle["entry"]] == [
        {"method": "PUT", "url": "CarePlan/mtm-a"},
        {"method": "PUT", "url": "List/mtm-a"},
        {"method": "PUT", "url": "Provenance/mtm-prov-mtm-a"},
    ]


def test_a_run_repeated_sends_nothing():
    store = FhirStore()
    with sink_to(store) as (sink, _):
        persons = [wanted(f"p{number}") for number in range(120)]
        assert counts(sink.write(persons)) == (240, 0, 120, 0)
        assert counts(sink.write(persons)) == (0, 240, 0, 0)
    assert len(store.bundles) == 120


def test_only_what_differs_is_sent_with_its_version_and_told_to_provenance():
    store = FhirStore(plan("a", "old"), listing("a"))
    with sink_to(store) as (sink, _):
        assert counts(sink.write([wanted("a")])) == (1, 1, 1, 0)
    first, second = store.bundles[0]["entry"]
    assert first["request"] == {"method": "PUT", "url": "CarePlan/mtm-a", "ifMatch": 'W/"1"'}
    assert second["resource"]["target"] == [{"reference": "CarePlan/mtm-a"}]


def test_without_a_provenance():
    store = FhirStore()
    with sink_to(store) as (sink, _):
        sink.write([PersonWrite("a", (plan("a"),))])
    assert len(store.bundles[0]["entry"]) == 1


def test_held_is_believed_and_saves_reading():
    store = FhirStore(plan("a"), listing("a"))
    with sink_to(store) as (sink, server):
        assert counts(sink.write([wanted("a")], held=dict(store.held))) == (0, 2, 0, 0)
        assert server.requests == []


def test_held_without_a_version_is_read_again():
    store = FhirStore(plan("a", "old"), listing("a"))
    with sink_to(store) as (sink, _):
        assert counts(sink.write([wanted("a")], held={"CarePlan/mtm-a": plan("a", "old")})) == (2, 0, 1, 0)
    assert store.bundles[0]["entry"][0]["request"]["ifMatch"] == 'W/"1"'


@pytest.mark.parametrize("stale", [409, 412])
def test_a_stale_version_is_read_again_compared_and_written(stale):
    store = FhirStore(plan("a", "old"), listing("a"), stale=stale)
    held = dict(store.held)
    store.store(plan("a", "changed by a human"))
    with sink_to(store) as (sink, _):
        assert counts(sink.write([wanted("a")], held=held)) == (1, 1, 1, 0)
    assert [bundle["entry"][0]["request"]["ifMatch"] for bundle in store.bundles] == ['W/"1"', 'W/"2"']


def test_a_transaction_that_the_server_rolled_back_is_sent_again():
    store = FhirStore(plan("a", "old"), listing("a"))
    rolled_back = [outcome(500, "HAPI-2223: Transaction silently rolled back")]

    def answer(request):
        return rolled_back.pop() if is_transaction(request) and rolled_back else store(request)

    def is_transaction(request):
        return request.method == "POST" and not request.path.endswith("_search")

    with sink_to(answer) as (sink, server):
        assert counts(sink.write([wanted("a")], held=dict(store.held))) == (1, 1, 1, 0)
    assert len(list(filter(is_transaction, server.requests))) == 2
    assert len(store.bundles) == 1


def test_a_conflict_that_brought_what_was_wanted_ends_unchanged():
    store = FhirStore(plan("a", "old"), listing("a"))
    held = dict(store.held)
    store.store(plan("a"))
    with sink_to(store) as (sink, _):
        assert counts(sink.write([wanted("a")], held=held)) == (0, 2, 0, 0)
    assert len(store.bundles) == 1


def test_rebase_decides_what_is_wanted_after_a_conflict():
    store = FhirStore(plan("a", "old"), listing("a"))
    held = dict(store.held)
    store.store({**plan("a", "old"), "description": "by a human"})

    def keep_description(person, fresh):
        merged = {**person.resources[0], "description": fresh["CarePlan/mtm-a"]["description"]}
        return replace(person, resources=(merged, *person.resources[1:]))

    with sink_to(store) as (sink, _):
        assert counts(sink.write([wanted("a", rebase=keep_description)], held=held)) == (1, 1, 1, 0)
    assert store.held["CarePlan/mtm-a"]["description"] == "by a human"
    assert store.held["CarePlan/mtm-a"]["title"] == TITLE


def test_endless_conflicts_are_given_up_after_two_more_tries():
    store = FhirStore(plan("a", "old"))
    store.before_transaction = lambda: store.store(plan("a", "busy human"))
    with sink_to(store) as (sink, _):
        report = sink.write([wanted("a")])
    assert (counts(report), report.failures[0].status) == ((0, 0, 0, 1), 409)
    assert len(store.bundles) == 3
    assert store.held["CarePlan/mtm-a"]["title"] == "busy human"


def test_one_failure_does_not_stop_the_others_and_holds_no_ids():
    store = FhirStore()
    store.refused = lambda bundle: (
        outcome(422, "Patient/bb is not known") if bundle["entry"][0]["request"]["url"].endswith("-bb") else None
    )
    with sink_to(store) as (sink, _):
        report = sink.write([wanted("aa"), wanted("bb"), wanted("cc")])
    assert counts(report) == (4, 0, 2, 1)
    (failure,) = report.failures
    assert (failure.beneficiary, failure.status) == ("bb", 422)
    assert "bb" not in failure.sentence


def test_nothing_of_a_person_is_sent_when_one_resource_is_invalid():
    store = FhirStore()
    broken = {**listing("b"), "mode": None}
    with sink_to(store) as (sink, _):
        report = sink.write([wanted("b", plan("b"), broken), wanted("c")])
    assert counts(report) == (2, 0, 1, 1)
    assert report.failures[0].status is None
    assert "List.mode" in report.failures[0].sentence
    assert len(store.bundles) == 1


def test_an_invalid_provenance_is_not_sent_either():
    store = FhirStore()
    with sink_to(store) as (sink, _):
        report = sink.write([PersonWrite("a", (plan("a"),), lambda changed: {"resourceType": "Provenance", "id": "x"})])
    assert counts(report) == (0, 0, 0, 1)
    assert store.bundles == []


@pytest.mark.parametrize(
    "resources", [({**plan("a"), "id": None},), ({"resourceType": "Nope", "id": "x"},), (plan("a"), plan("a"))]
)
def test_resources_without_an_id_of_their_own(resources):
    with sink_to(FhirStore()) as (sink, _):
        cleaned = tuple({name: value for name, value in one.items() if value is not None} for one in resources)
        assert counts(sink.write([wanted("a", *cleaned)])) == (0, 0, 0, 1)


def test_when_reading_fails_every_person_is_told():
    with sink_to(lambda request: outcome(500, "down"), retries=0) as (sink, _):
        report = sink.write([wanted("a"), wanted("b")])
    assert [(failure.beneficiary, failure.status) for failure in report.failures] == [("a", 500), ("b", 500)]


def test_persons_are_written_in_parallel_and_reported_in_order():
    gate = threading.Barrier(3, timeout=5)
    store = FhirStore()

    def answer(request):
        if request.path.endswith("_search"):
            return store(request)
        gate.wait()
        return outcome(422, "refused")

    with sink_to(answer, max_parallel=3) as (sink, server):
        report = sink.write([wanted(f"p{number}") for number in range(9)])
        assert [failure.beneficiary for failure in report.failures] == [f"p{number}" for number in range(9)]
        assert server.most_in_flight == 3


def test_the_same_person_twice_is_written_one_after_the_other():
    store = FhirStore()
    with sink_to(store) as (sink, _):
        assert counts(sink.write([wanted("a"), wanted("a", plan("a", "new"))])) == (3, 0, 2, 0)
    assert store.held["CarePlan/mtm-a"]["title"] == "new"


def test_a_lost_answer_is_made_good():
    store = FhirStore(plan("a", "old"), listing("a"))
    lost = []

    def answer(request):
        done = store(request)
        if request.path == "/fhir" and not lost:
            lost.append(done)
            return Reply(drop=True)
        return done

    with sink_to(answer) as (sink, _):
        assert sink.write([wanted("a")]).failures == ()
    assert store.held["CarePlan/mtm-a"]["meta"]["versionId"] == "2"


def test_no_persons():
    with sink_to(FhirStore()) as (sink, _):
        assert sink.write([]) == WriteReport(0, 0, 0, ())


def test_what_a_server_holds():
    store = FhirStore(plan("a"), listing("a"))
    with sink_to(store) as (sink, _):
        assert sink.held(["List/mtm-a", "CarePlan/mtm-a", "CarePlan/mtm-x"]) == store.held
        assert sink.held([]) == {}


def test_what_a_server_holds_of_some_persons():
    issue = {"resourceType": "DetectedIssue", "id": "i", "status": "final", "patient": {"reference": "Patient/a"}}
    people = [f"p{n}" for n in range(120)]
    store = FhirStore(plan("a"), plan("b"), listing("a"), issue, *map(plan, people))
    with sink_to(store) as (sink, server):
        assert set(sink.of_persons("CarePlan", ["a"])) == {"CarePlan/mtm-a"}
        assert sink.of_persons("DetectedIssue", ["a", "b"]) == {"DetectedIssue/i": store.held["DetectedIssue/i"]}
        assert sink.of_persons("CarePlan", []) == {}
        before = len(server.requests)
        assert len(sink.of_persons("CarePlan", people)) == 120
        assert len(server.requests) == before + 3, "some at once, as an address of any length is not served"


def test_a_server_that_ignores_the_person_is_not_believed(monkeypatch):
    store = FhirStore(plan("a"), plan("b"), listing("a"))
    whole = store._of_persons
    monkeypatch.setattr(store, "_of_persons", lambda kind, wanted: whole(kind, {"Patient/a", "Patient/b"}))
    with sink_to(store) as (sink, _):
        assert set(sink.of_persons("CarePlan", ["b"])) == {"CarePlan/mtm-b"}


# ---- folder


def test_what_a_folder_holds_of_some_persons(tmp_path):
    sink = FolderSink(tmp_path)
    assert sink.of_persons("CarePlan", ["a"]) == {}
    sink.write([wanted("a"), wanted("b")])
    assert sink.of_persons("CarePlan", ["a", "x"]) == {"CarePlan/mtm-a": plan("a")}
    assert sink.of_persons("List", ["a"]) == {}, "a list without subject is nobody's"


def test_what_a_folder_holds(tmp_path):
    sink = FolderSink(tmp_path)
    assert sink.held(["CarePlan/mtm-a"]) == {}
    sink.write([wanted("a")])
    assert sink.held(["CarePlan/mtm-a", "List/mtm-x"]) == {"CarePlan/mtm-a": plan("a")}


def contents(folder):
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_ino) for file in folder.iterdir()}


def test_a_folder_holds_one_sorted_file_per_type(tmp_path):
    report = FolderSink(tmp_path / "new" / "out").write([wanted("b"), wanted("a")])
    assert counts(report) == (4, 0, 2, 0)
    files = {file.name: file.read_bytes().splitlines() for file in (tmp_path / "new" / "out").iterdir()}
    assert sorted(files) == ["CarePlan.ndjson", "List.ndjson", "Provenance.ndjson"]
    assert [json.loads(line)["id"] for line in files["CarePlan.ndjson"]] == ["mtm-a", "mtm-b"]


def test_a_second_run_touches_nothing(tmp_path):
    persons = [wanted("b"), wanted("a")]
    FolderSink(tmp_path).write(persons)
    before = contents(tmp_path)
    assert counts(FolderSink(tmp_path).write(persons)) == (0, 4, 0, 0)
    assert contents(tmp_path) == before


def test_a_change_is_merged_and_the_rest_keeps_its_bytes_and_meta(tmp_path):
    kept = {**plan("b"), "meta": {"versionId": "7"}, "period": {"start": "2024"}, "z": Decimal("1.10")}
    (tmp_path / "CarePlan.ndjson").write_bytes(json.dump_line(kept) + b"\n" + json.dump_line(plan("a", "old")).rstrip())
    os.chmod(tmp_path / "CarePlan.ndjson", 0o640)
    assert counts(FolderSink(tmp_path).write([wanted("a", plan("a"))])) == (1, 0, 1, 0)
    first, second = (tmp_path / "CarePlan.ndjson").read_bytes().splitlines(keepends=True)
    assert json.loads(first) == plan("a")
    assert second == json.dump_line(kept)
    assert json.loads((tmp_path / "Provenance.ndjson").read_bytes())["target"] == [{"reference": "CarePlan/mtm-a"}]


def test_unchanged_content_keeps_its_meta(tmp_path):
    (tmp_path / "CarePlan.ndjson").write_bytes(json.dump_line({**plan("a"), "meta": {"versionId": "7"}}))
    before = contents(tmp_path)
    assert counts(FolderSink(tmp_path).write([wanted("a", plan("a"))])) == (0, 1, 0, 0)
    assert contents(tmp_path) == before


def test_the_same_person_twice_in_a_folder(tmp_path):
    report = FolderSink(tmp_path).write([wanted("a"), wanted("a", plan("a", "new")), wanted("a", plan("a", "new"))])
    assert counts(report) == (3, 1, 2, 0)
    assert json.loads((tmp_path / "CarePlan.ndjson").read_bytes())["title"] == "new"


def test_an_invalid_person_leaves_nothing_in_the_folder(tmp_path):
    report = FolderSink(tmp_path).write([wanted("a", plan("a"), {**listing("a"), "mode": None})])
    assert counts(report) == (0, 0, 0, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", [b"{broken", b'{"resourceType":"CarePlan"}', b"[]"])
def test_a_file_that_holds_something_else_stops_the_run_untouched(tmp_path, line):
    (tmp_path / "CarePlan.ndjson").write_bytes(json.dump_line(plan("x")) + line)
    before = contents(tmp_path)
    with pytest.raises(SinkError, match=r"CarePlan\.ndjson, line 2"):
        FolderSink(tmp_path).write([wanted("a")])
    assert contents(tmp_path) == before


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot be written"):
        FolderSink(tmp_path / "file" / "out").write([wanted("a")])


def test_a_fault_before_the_commit_leaves_the_folder_as_it_was(tmp_path):
    FolderSink(tmp_path).write([wanted("a")])
    before = contents(tmp_path)

    def persons():
        yield wanted("a", plan("a", "new"))
        raise RuntimeError("a bug of the caller")

    with pytest.raises(RuntimeError):
        FolderSink(tmp_path).write(persons())
    assert contents(tmp_path) == before


def test_who_writes_to_a_folder_at_once_loses_nothing(tmp_path):
    names = [f"p{number}" for number in range(8)]
    gate = threading.Barrier(len(names), timeout=30)

    def write(name):
        gate.wait()
        return counts(FolderSink(tmp_path).write([wanted(name)]))

    with ThreadPoolExecutor(len(names)) as pool:
        assert list(pool.map(write, names)) == [(2, 0, 1, 0)] * len(names)
    held = [json.loads(line)["id"] for line in (tmp_path / "CarePlan.ndjson").read_bytes().splitlines()]
    assert held == [f"mtm-{name}" for name in names]


def test_a_judgement_of_a_folder_is_not_overtaken(tmp_path):
    """Eight add one each to what they read: without the lock around reading and writing some would add to the same."""
    FolderSink(tmp_path).write([wanted("a", plan("a", "0"))])
    gate = threading.Barrier(8, timeout=30)

    def add(_):
        gate.wait()
        sink = FolderSink(tmp_path)
        with sink.exclusive():
            there = sink.held(["CarePlan/mtm-a"])["CarePlan/mtm-a"]["title"]
            sink.write([wanted("a", plan("a", str(int(there) + 1)))])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    assert FolderSink(tmp_path).held(["CarePlan/mtm-a"])["CarePlan/mtm-a"]["title"] == "8"


def test_no_persons_in_a_folder(tmp_path):
    assert FolderSink(tmp_path).write([]) == WriteReport(0, 0, 0, ())
    assert list(tmp_path.iterdir()) == []


# ---- which one


def test_open_sink(tmp_path):
    made = []

    def factory(url):
        client = FhirClient(url)
        made.append(client)
        return client

    assert isinstance(open_sink("https://x.org/fhir", factory), ServerSink)
    assert isinstance(open_sink(str(tmp_path), factory), FolderSink)
    for spec in ("s3://bucket/a", "", " "):
        with pytest.raises(ConfigError):
            open_sink(spec, factory)
    for client in made:
        client.close()
