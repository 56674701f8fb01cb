"""The targeted to their resources: only what differs is written, and nothing at all when something essential is not known."""

from __future__ import annotations

import json
from datetime import date

import pytest

from adapter.config import Config
from adapter.errors import ConfigError
from adapter.fhir.client import FhirClient
from adapter.jobs import targeting, writeback
from adapter.jobs.writeback import Write, write_back
from adapter.resources.enrollment_life import opted_out
from adapter.sinks import FolderSink, ServerSink
from tests.unit.fhir.scripted import FhirStore, serving
from tests.unit.tables.samples import RXNORM, coverage, flag, patient, request, statement

AS_OF = date(2023, 9, 30)
WRITE = Write("2023-09-30T10:00:00+00:00", pml=True)


def about(resource, person):
    name = "beneficiary" if resource["resourceType"] == "Coverage" else "subject"
    return resource | {name: {"reference": f"Patient/{person}"}}


def member(key, *more):
    return [
        patient(key),
        about(coverage(f"v-{key}"), key),
        about(flag(f"f-{key}"), key),
        *(about(one, key) for one in more),
    ]


ORDERED = request("r1", (RXNORM, "617312"))
STATED = statement("s1", (RXNORM, "314076"))


@pytest.fixture
def write(pool, tmp_path):
    """Writes the targeted of a population to the folder sink; each call is a run over other resources."""
    runs = iter(range(9))

    def of(resources, how=WRITE, as_of=AS_OF, contract="", program=targeting.DEFAULT_PROGRAM):
        folder = tmp_path / f"source{next(runs)}"
        folder.mkdir()
        for one in resources:
            with (folder / f"{one['resourceType']}.ndjson").open("a", encoding="utf-8") as file:
                file.write(json.dumps(one) + "\n")
        asked = targeting.Screening(str(folder), as_of, program, contract=contract)
        with targeting.screened(asked, Config(), pool) as result:
            return write_back(result, FolderSink(tmp_path / "sink"), how)

    return of


@pytest.fixture
def held(tmp_path):
    """The resources of a type in the sink."""

    def of(kind):
        path = tmp_path / "sink" / f"{kind}.ndjson"
        return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []

    return of


def counts(report):
    return report.written, report.unchanged, report.persons_written, report.failures


def test_the_targeted_and_nobody_else_are_written(write, held):
    report = write([*member("p1", ORDERED), patient("p2"), about(coverage("v-p2"), "p2")])
    assert counts(report) == (3, 0, 1, ())
    assert [one["subject"]["reference"] for one in held("CarePlan")] == ["Patient/p1"]


def test_without_lists_only_the_care_plan_is_written(write, held):
    report = write(member("p1", ORDERED), Write(WRITE.recorded))
    assert counts(report) == (1, 0, 1, ())
    assert (held("List"), held("MedicationStatement")) == ([], [])


def test_an_existing_statement_is_referenced_and_an_order_gets_one(write, held):
    write(member("p1", ORDERED, STATED))
    [made] = held("MedicationStatement")
    [medications] = held("List")
    assert made["derivedFrom"] == [{"reference": "MedicationRequest/r1"}]
    assert {entry["item"]["reference"] for entry in medications["entry"]} == {
        "MedicationStatement/s1",
        f"MedicationStatement/{made['id']}",
    }


def test_the_same_run_again_writes_nothing(write, held):
    people = [*member("p1", ORDERED), *member("p2", STATED)]
    write(people)
    before = {kind: held(kind) for kind in ("CarePlan", "List", "MedicationStatement", "Provenance")}
    assert counts(write(people)) == (0, 5, 0, ())
    assert {kind: held(kind) for kind in before} == before


def test_a_drug_that_is_no_longer_taken_leaves_the_list(write, held):
    write(member("p1", ORDERED, STATED))
    report = write(member("p1", ORDERED | {"status": "stopped"}, STATED))
    assert (report.persons_written, report.failures) == (1, ())
    [medications] = held("List")
    assert [entry["item"]["reference"] for entry in medications["entry"]] == ["MedicationStatement/s1"]
    [made] = held("MedicationStatement")
    assert made["status"] != "active"


def test_who_wrote_and_from_what_is_told_with_each_write(write, held):
    write(member("p1"))
    [created] = held("Provenance")
    assert created["recorded"] == WRITE.recorded
    assert created["activity"]["coding"][0]["code"] == "CREATE"
    assert {"reference": "Flag/f-p1"} in [entity["what"] for entity in created["entity"]]
    write(member("p1", ORDERED), Write("2023-10-01T10:00:00+00:00", pml=True), date(2023, 10, 1))
    codes = {one["recorded"]: one["activity"]["coding"][0]["code"] for one in held("Provenance")}
    assert codes["2023-10-01T10:00:00+00:00"] == "UPDATE"


@pytest.mark.parametrize("as_of", [date(2022, 12, 31), date(2024, 1, 1)])
def test_nobody_is_enrolled_outside_the_plan_year(write, tmp_path, as_of):
    with pytest.raises(ConfigError, match=f"Nobody can be enrolled on {as_of}, outside plan year 2023"):
        write(member("p1"), as_of=as_of)
    assert not (tmp_path / "sink").exists()


def test_nobody_is_enrolled_without_a_contract(write, tmp_path, held):
    people = [patient("p1"), flag("f1")]
    with pytest.raises(
        ConfigError, match="does not tell the contract of some beneficiaries; say whose members they are"
    ):
        write(people)
    assert not (tmp_path / "sink").exists()
    assert counts(write(people, contract="H1234"))[:3] == (2, 0, 1)
    [plan] = held("CarePlan")
    assert "H1234" in json.dumps(plan)


def test_many_persons_are_written_in_groups(write, monkeypatch, held):
    monkeypatch.setattr(writeback, "PERSONS_AT_ONCE", 2)
    report = write([one for n in range(5) for one in member(f"p{n}")], Write(WRITE.recorded))
    assert counts(report) == (5, 0, 5, ())
    assert len({one["id"] for one in held("CarePlan")}) == 5


@pytest.mark.parametrize("moment", ["before the transaction", "before the write"])
def test_an_opt_out_that_is_recorded_meanwhile_stands(pool, tmp_path, moment):
    store = FhirStore()
    people = member("p1", ORDERED)
    folder = tmp_path / "people"
    folder.mkdir()
    for one in people:
        with (folder / f"{one['resourceType']}.ndjson").open("a", encoding="utf-8") as file:
            file.write(json.dumps(one) + "\n")
    with (
        targeting.screened(targeting.Screening(str(folder), AS_OF), Config(), pool) as result,
        serving(store) as server,
        FhirClient(server.base, sleep=lambda seconds: None) as client,
    ):
        write_back(result, ServerSink(client), WRITE)
        [key] = [key for key in store.held if key.startswith("CarePlan/")]
        store.store(store.held[key] | {"title": "an older title"})  # so that the next run has something to write

        def opt_out():
            if store.held[key]["status"] == "active":
                store.store(opted_out(store.held[key], date(2023, 10, 1), "03"))

        sink = ServerSink(client)
        if moment == "before the transaction":
            store.before_transaction = opt_out
        else:
            sink = _Between(client, opt_out)
        write_back(result, sink, Write("2023-10-01T10:00:00+00:00"))
    assert store.held[key]["status"] == "revoked"


class _Between(ServerSink):
    """Somebody writes after the state was read from which it is decided what is wanted."""

    def __init__(self, client, happens):
        super().__init__(client)
        self.happens = happens

    def write(self, persons, held=None):
        def then(given):
            for person in given:
                self.happens()
                yield person

        return super().write(then(persons), held)


# ---- the next plan year


@pytest.fixture
def next_year(tmp_path):
    """The same program a year later."""
    path = tmp_path / "next.toml"
    path.write_text(
        'extends = "health-partners-2023"\ntitle = "Next"\nversion = "1"\nplan_year = 2024\nsource = "test"\nstanding = "U"\n',
        encoding="utf-8",
    )
    return str(path)


JANUARY = date(2024, 1, 31)


def test_a_new_plan_year_ends_the_old_one_and_continues_it(write, held, next_year):
    people = [*member("p1", ORDERED), *member("p2", ORDERED)]
    write(people)
    ended = [one for one in people if one["id"] not in ("f-p2",)]  # p2 is no longer targeted
    report = write([*ended, *held("CarePlan")], as_of=JANUARY, program=next_year)
    assert report.failures == ()
    plans = {(one["subject"]["reference"][-2:], one["period"]["end"][:4]): one for one in held("CarePlan")}
    assert {key: one["status"] for key, one in plans.items()} == {
        ("p1", "2023"): "completed", ("p1", "2024"): "active", ("p2", "2023"): "completed",
    }  # fmt: skip
    assert plans["p1", "2024"]["replaces"] == [{"reference": f"CarePlan/{plans['p1', '2023']['id']}"}]
    assert plans["p1", "2023"]["period"] == {"start": "2023-09-30", "end": "2023-12-31"}
    assert "The enrollment ended with the plan year." in plans["p2", "2023"]["text"]["div"]
    told = {target["reference"] for one in held("Provenance") for target in one["target"]}
    assert {f"CarePlan/{one['id']}" for one in plans.values()} <= told
    again = write([*ended, *held("CarePlan")], as_of=JANUARY, program=next_year)
    assert (again.written, again.failures) == (0, ())


def test_an_opt_out_of_the_old_year_stays_and_is_not_continued(write, held, next_year, tmp_path):
    people = member("p1", ORDERED)
    write(people)
    [plan] = held("CarePlan")
    out = opted_out(plan, date(2023, 11, 1), "03")
    (tmp_path / "sink" / "CarePlan.ndjson").write_text(json.dumps(out) + "\n", encoding="utf-8")
    write([*people, out], as_of=JANUARY, program=next_year)
    first, second = sorted(held("CarePlan"), key=lambda one: one["period"]["end"])
    assert first == out
    assert (second["status"], "replaces" in second) == ("active", False)


def test_a_late_screening_of_the_old_year_leaves_what_ended(write, held, next_year):
    people = member("p1", ORDERED)
    write(people)
    write([*people, *held("CarePlan")], as_of=JANUARY, program=next_year)
    before = held("CarePlan")
    assert write([*people, *before], as_of=date(2023, 12, 31)).written == 0
    assert held("CarePlan") == before
