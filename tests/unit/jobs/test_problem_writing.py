"""Proposals are written once, closed when they no longer hold, and never written over what a person did."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pytest

from adapter.config import Config
from adapter.errors import ConfigError
from adapter.fhir.client import FhirClient
from adapter.jobs.problem_finding import review
from adapter.jobs.problem_writing import write_problems
from adapter.jobs.targeting import Screening
from adapter.resources.detected_issue import closed, is_closed_proposal, is_open_proposal, reviewed, rule_of
from adapter.sinks import FolderSink, ServerSink
from tests.unit.fhir.scripted import FhirStore, serving
from tests.unit.problem_source import ALONE, DOUBT, NOTHING, STATINS, source

DAY = date(2023, 9, 30)
NOW = "2023-10-01T08:00:00Z"
LATER = date(2023, 12, 31)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """The reviews of one person: with the problem, without it, in doubt, and with nothing at all."""
    people = {"problem": STATINS, "gone": ALONE, "doubt": DOUBT, "nothing": NOTHING}
    found = {}
    for name, given in people.items():
        folder = source(tmp_path_factory.mktemp(name), (given,))
        found[name] = only_duplicates(review(Screening(str(folder), DAY, "health-partners-2023"), Config()))
    return found


def only_duplicates(found):
    """Only what the rule of duplicate therapy says: these tests are about one proposal."""
    rules = {name: rule for name, rule in found.rules.items() if name == "duplicate_therapy"}
    return replace(
        found,
        rules=rules,
        found=tuple(hit for hit in found.found if hit.rule in rules),
        undecided=tuple(hit for hit in found.undecided if hit.rule in rules),
    )


def issues(folder):
    path = folder / "DetectedIssue.ndjson"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def put(folder, resource):
    (folder / "DetectedIssue.ndjson").write_text(json.dumps(resource) + "\n")


def counts(report):
    return report.written, report.unchanged, len(report.failures)


def test_a_proposal_is_written_with_its_provenance(reviews, tmp_path):
    report = write_problems(reviews["problem"], FolderSink(tmp_path), NOW)
    assert counts(report) == (1, 0, 0)
    (issue,) = issues(tmp_path)
    assert is_open_proposal(issue)
    assert rule_of(issue) == "duplicate_therapy"
    assert issue["patient"] == {"reference": "Patient/p.001"}
    assert issue["identifiedDateTime"] == "2023-09-30"
    (provenance,) = [json.loads(line) for line in (tmp_path / "Provenance.ndjson").read_text().splitlines()]
    assert provenance["target"] == [{"reference": f"DetectedIssue/{issue['id']}"}]
    assert provenance["activity"]["coding"][0]["code"] == "CREATE"
    assert "ExplanationOfBenefit/claim-1.001" in {one["what"]["reference"] for one in provenance["entity"]}


def test_a_second_run_writes_nothing(reviews, tmp_path):
    write_problems(reviews["problem"], FolderSink(tmp_path), NOW)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert counts(write_problems(reviews["problem"], FolderSink(tmp_path), "2023-11-01T08:00:00Z")) == (0, 1, 0)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_problem_that_no_longer_holds_is_closed_once_and_kept(reviews, tmp_path):
    write_problems(reviews["problem"], FolderSink(tmp_path), NOW)
    later = replace(reviews["gone"], as_of=LATER)
    assert counts(write_problems(later, FolderSink(tmp_path), NOW)) == (1, 0, 0)
    (issue,) = issues(tmp_path)
    assert is_closed_proposal(issue)
    assert issue["mitigation"][0]["date"] == "2023-12-31"
    assert counts(write_problems(later, FolderSink(tmp_path), NOW))[0] == 0


def test_a_problem_that_comes_back_is_opened_again(reviews, tmp_path):
    write_problems(reviews["problem"], FolderSink(tmp_path), NOW)
    (first,) = issues(tmp_path)
    write_problems(replace(reviews["gone"], as_of=LATER), FolderSink(tmp_path), NOW)
    assert counts(write_problems(replace(reviews["problem"], as_of=LATER), FolderSink(tmp_path), NOW)) == (1, 0, 0)
    assert issues(tmp_path) == [first], "with the day on which it was identified first"


def test_a_problem_in_doubt_is_neither_written_nor_closed(reviews, tmp_path):
    assert counts(write_problems(reviews["doubt"], FolderSink(tmp_path), NOW)) == (0, 0, 0)
    write_problems(reviews["problem"], FolderSink(tmp_path), NOW)
    before = issues(tmp_path)
    assert counts(write_problems(replace(reviews["doubt"], as_of=LATER), FolderSink(tmp_path), NOW))[0] == 0
    assert issues(tmp_path) == before


TOUCHED = {
    "final": lambda held: {**held, "status": "final"},
    "cancelled": lambda held: {**held, "status": "cancelled"},
    "mitigated": lambda held: {**held, "mitigation": [{"action": {"text": "agreed with the prescriber"}}]},
    "reviewed": lambda held: reviewed(held, author="Practitioner/p1"),
    "answered after it was closed": lambda held: reviewed(closed(held, "2023-09-30"), author="Practitioner/p1"),
}


@pytest.mark.parametrize("how", TOUCHED)
@pytest.mark.parametrize("then", ["problem", "gone"])
def test_what_a_pharmacist_changed_is_never_touched(reviews, tmp_path, how, then):
    write_problems(reviews["problem"], FolderSink(tmp_path), NOW)
    (held,) = issues(tmp_path)
    put(tmp_path, TOUCHED[how](held))
    before = issues(tmp_path)
    assert counts(write_problems(replace(reviews[then], as_of=LATER), FolderSink(tmp_path), NOW))[0] == 0
    assert issues(tmp_path) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda found: replace(found, rules={}),
        lambda found: replace(found, persons={"p.001": "H9999"}),
        lambda found: replace(found, as_of=date(2023, 6, 30)),
    ],
    ids=["a rule that is not asked", "another contract", "an earlier day"],
)
def test_what_was_not_looked_at_is_not_closed(reviews, tmp_path, change):
    write_problems(reviews["problem"], FolderSink(tmp_path), NOW)
    before = issues(tmp_path)
    assert counts(write_problems(change(reviews["gone"]), FolderSink(tmp_path), NOW))[0] == 0
    assert issues(tmp_path) == before


def test_an_issue_of_others_is_left_alone(reviews, tmp_path):
    theirs = {
        "resourceType": "DetectedIssue",
        "id": "x",
        "status": "preliminary",
        "patient": {"reference": "Patient/p.001"},
    }
    put(tmp_path, theirs)
    assert counts(write_problems(reviews["gone"], FolderSink(tmp_path), NOW)) == (0, 0, 0)
    assert issues(tmp_path) == [theirs]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"as_of": date(2024, 1, 1)}, "outside plan year"),
        ({"persons": {"p.001": ""}}, "--contract"),
        ({"writable": frozenset()}, "neither enrolled nor targeted"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(reviews, tmp_path, change, told):
    with pytest.raises(ConfigError, match=told):
        write_problems(replace(reviews["problem"], **change), FolderSink(tmp_path), NOW)
    assert list(tmp_path.iterdir()) == []


# ---- a server


@contextmanager
def server_sink(store):
    with serving(store) as server, FhirClient(server.base, sleep=lambda seconds: None) as client:
        yield ServerSink(client)


def held_issues(store):
    return [one for one in store.held.values() if one["resourceType"] == "DetectedIssue"]


def test_on_a_server_the_second_run_writes_nothing_and_a_later_one_closes(reviews):
    store = FhirStore()
    with server_sink(store) as sink:
        assert counts(write_problems(reviews["problem"], sink, NOW)) == (1, 0, 0)
        assert counts(write_problems(reviews["problem"], sink, NOW)) == (0, 1, 0)
        assert counts(write_problems(replace(reviews["gone"], as_of=LATER), sink, NOW)) == (1, 0, 0)
    (issue,) = held_issues(store)
    assert is_closed_proposal(issue)


@pytest.mark.parametrize("then", ["problem", "gone"])
def test_who_answered_between_reading_and_writing_is_not_written_over(reviews, then):
    store = FhirStore()
    with server_sink(store) as sink:
        write_problems(reviews["problem"], sink, NOW)
        (held,) = held_issues(store)
        answered = []

        def answer():
            if not answered:
                answered.append(reviewed(held, author="Practitioner/p1"))
                store.store(answered[0])

        store.before_transaction = answer
        changed = replace(
            reviews[then], as_of=LATER, found=tuple(replace(hit, fact="other") for hit in reviews[then].found)
        )
        assert counts(write_problems(changed, sink, NOW)) == (0, 0, 0)
    (issue,) = held_issues(store)
    assert (issue["status"], issue["author"]) == ("final", {"reference": "Practitioner/p1"})
