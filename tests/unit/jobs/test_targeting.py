"""The jobs: what a screening is asked, what it answers, and what is written of it; the clock is never read."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from adapter.config import Config
from adapter.errors import ConfigError, MappingError, SourceError
from adapter.jobs import targeting
from adapter.targeting.description import notices
from tests.unit.fhir.scripted import page, reply, serving
from tests.unit.tables.samples import ICD10, RXNORM, condition, coverage, flag, patient, request

AS_OF = date(2023, 9, 30)


def about(resource, person):
    name = "beneficiary" if resource["resourceType"] == "Coverage" else "subject"
    return resource | {name: {"reference": f"Patient/{person}"}}


PEOPLE = [
    patient("p1"),
    about(coverage("v1"), "p1"),
    about(flag("f1"), "p1"),
    about(condition("c1", (ICD10, "E11.9")), "p1"),
    patient("p2"),
    about(coverage("v2"), "p2"),
    about(request("r2", (RXNORM, "617312")), "p2"),
    patient("p3"),
]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    for one in PEOPLE:
        with (folder / f"{one['resourceType']}.ndjson").open("a", encoding="utf-8") as file:
            file.write(json.dumps(one) + "\n")
    return str(folder)


@pytest.fixture
def screen(pool, source):
    """What a question to a screening answers while it is open."""

    def of(answer, **more):
        given = {"source": source, "as_of": AS_OF} | more
        with targeting.screened(targeting.Screening(**given), Config(), pool) as result:
            return answer(result)

    return of


def test_outcomes_and_doors_are_counted(screen):
    assert screen(lambda result: result.outcomes()) == {
        "targeted": 1,
        "not_targeted": 1,
        "unknown": 0,
        "not_enrolled": 1,
    }
    assert screen(lambda result: result.doors()) == {"at_risk": 1}


@pytest.mark.parametrize(
    ("outcome", "persons"), [("", ["p1", "p2", "p3"]), ("targeted", ["p1"]), ("not_enrolled", ["p3"]), ("unknown", [])]
)
def test_decisions_come_in_the_order_of_the_persons(screen, outcome, persons):
    assert screen(lambda result: [one.beneficiary for one in result.decisions(outcome)]) == persons


def test_one_decision_is_that_of_all_decisions(screen):
    one, every = screen(lambda result: (result.decision("p1"), result.decisions()))
    assert one == every[0]
    assert (one.outcome, one.contract, one.pbp, one.reason_code, one.as_of) == ("targeted", "H1234", "001", "02", AS_OF)
    assert [evidence.source for evidence in one.criterion("at_risk").evidence] == ["Flag/f1"]


@pytest.mark.parametrize("person", ["p9", "", "P1"])
def test_nobody_is_decided_who_is_not_there(screen, person):
    with pytest.raises(targeting.UnknownBeneficiary) as raised:
        screen(lambda result: result.decision(person))
    assert raised.value.status == 404


def test_an_engine_is_lent_again_after_an_expected_fault(screen):
    with pytest.raises(targeting.UnknownBeneficiary):
        screen(lambda result: result.decision("p9"))
    assert screen(lambda result: result.decision("p2").outcome) == "not_targeted"


def test_the_contract_that_is_asked_about_decides_whose_members_they_are(screen):
    assert screen(lambda result: result.outcomes()["not_enrolled"], contract="S0001") == 3


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, []),
        ({"as_of": date(2024, 1, 1)}, ["2024-01-01 lies outside plan year 2023 of the program health-partners-2023"]),
        ({"as_of": date(2022, 12, 31)}, ["2022-12-31 lies outside plan year 2023 of the program health-partners-2023"]),
    ],
)
def test_a_day_outside_the_plan_year_is_noticed(screen, more, words):
    told = screen(lambda result: (result.notices, notices(result.program)), **more)
    assert list(told[0]) == [*told[1], *words]


def test_what_no_official_text_gives_is_told_with_every_result(screen):
    told = screen(lambda result: result.notices, program="cms-2023")
    assert any(one.startswith("Chronic diseases: not verified (U): 42 CFR 423.153(d)(2)(i)(A)") for one in told)
    assert any("settings of the criteria are the program's own choice" in one for one in told)


@pytest.mark.parametrize(("contract", "noticed"), [("", True), ("H1234", False)])
def test_a_source_without_coverage_is_noticed_unless_the_contract_is_named(screen, tmp_path, contract, noticed):
    (tmp_path / "Patient.ndjson").write_text(json.dumps(patient("p1")) + "\n")
    told, member = screen(
        lambda result: (result.notices, result.decision("p1")), source=str(tmp_path), contract=contract
    )
    assert any("the source holds no Coverage, so the contract is not known" in one for one in told) is noticed
    assert (member.contract, member.outcome) == (contract, "not_targeted")


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"contract": "h1234"}, ConfigError),
        ({"program": "nobody"}, MappingError),
        ({"at_risk": Path("/nowhere.csv")}, ConfigError),
        ({"source": "/nowhere"}, SourceError),
        ({"source": "ftp://host"}, ConfigError),
    ],
)
def test_what_hinders_a_screening_can_be_told_before_it(screen, source, more, fault):
    given = targeting.Screening(**({"source": source, "as_of": AS_OF} | more))
    with pytest.raises(fault) as before:
        targeting.check(given, Config())
    with pytest.raises(fault) as within:
        screen(lambda result: None, **more)
    assert str(before.value).partition(";")[0] == str(within.value).partition(";")[0]


@pytest.mark.parametrize("more", [{}, {"source": "http://127.0.0.1:1/fhir"}])
def test_a_screening_that_nothing_hinders_is_not_told(source, more):
    targeting.check(targeting.Screening(**({"source": source, "as_of": AS_OF} | more)), Config())


# ---- one person of a server


class Server:
    def __init__(self):
        self.asked = []

    def __call__(self, request):
        kind = request.path.removesuffix("/_search").rpartition("/")[2]
        asked = {name: values[0] for name, values in (request.form if request.body else request.query).items()}
        self.asked.append((kind, asked))
        found = [one for one in PEOPLE if one["resourceType"] == kind]
        if "_id" in asked:
            found = [one for one in found if one["id"] in asked["_id"].split(",")]
        if "patient" in asked:
            found = [one for one in found if asked["patient"] in json.dumps(one)]
        return reply(page(*found))


def test_of_a_server_only_the_person_is_read_who_is_asked_about(pool):
    server = Server()
    with serving(server) as running:
        decision, program, told = targeting.explain(targeting.Screening(running.base, AS_OF), Config(), "p1", pool)
    assert (decision.beneficiary, decision.outcome, program.name) == ("p1", "targeted", "health-partners-2023")
    assert list(told) == notices(program)
    assert {asked.get("patient") for kind, asked in server.asked if kind == "Condition"} == {"p1"}
    assert all(asked["_id"] == "p1" for kind, asked in server.asked if kind == "Patient")


def test_a_person_without_coverage_on_a_server_that_holds_some_is_no_member(pool):
    with serving(Server()) as running:
        decision, _, _ = targeting.explain(targeting.Screening(running.base, AS_OF), Config(), "p3", pool)
    assert decision.outcome == "not_enrolled"


def test_a_server_that_does_not_hold_the_person_is_told_so(pool):
    with serving(Server()) as running, pytest.raises(targeting.UnknownBeneficiary):
        targeting.explain(targeting.Screening(running.base, AS_OF), Config(), "p9", pool)


def test_a_folder_is_explained_as_it_is(pool, source):
    decision, _, _ = targeting.explain(targeting.Screening(source, AS_OF), Config(), "p2", pool)
    assert decision.beneficiary == "p2"


def test_the_programs_are_known_by_name():
    names = targeting.program_names()
    assert targeting.DEFAULT_PROGRAM in names
    assert names == sorted(names)


# ---- files


def test_the_files_of_two_runs_over_one_population_are_the_same_bytes(screen, tmp_path):
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        paths = screen(lambda result, folder=folder: targeting.write_outputs(result, folder))
        assert {path.name for path in paths} == {path.name for path in folder.iterdir()}
        made.append({path.name: path.read_bytes() for path in paths})
    assert made[0] == made[1]
    manifest = json.loads(made[0]["manifest.json"])
    assert manifest["outcomes"]["targeted"] == 1
    program = manifest["program"]
    assert len(program.pop("sha256")) == 64
    assert program == {
        "name": "health-partners-2023",
        "version": "2023.1",
        "plan_year": 2023,
        "maintenance_list": None,
    }
    assert set(manifest["mappings"]) >= {"conditions/icd10cm", "drugs/ndc", "drugs/products"}
    assert all(len(one["sha256"]) == 64 for one in manifest["mappings"].values())
