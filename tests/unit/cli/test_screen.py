"""screen and explain by the command line: the account, the files, what is written, and what goes wrong while writing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import click
import pytest

from adapter.cli import main as entry
from tests.unit.cli.running import run
from tests.unit.fhir.scripted import FhirStore, outcome, serving
from tests.unit.tables.samples import ICD10, RXNORM, condition, coverage, mbi, patient, request

AS_OF = ("--as-of", "2023-09-30")


MBIS = {"p1": "1EG4TE5MK73", "p2": "2EG4TE5MK74"}


def person(key, *resources):
    """A beneficiary with a Coverage, and the resources about that person."""
    made = [patient(key, identifier=[mbi(MBIS[key])], birthDate="1940-01-02"), coverage(f"v-{key}")]
    made[1]["beneficiary"] = {"reference": f"Patient/{key}"}
    return [
        *made,
        *(one | {"id": f"{one['id']}-{key}", "subject": {"reference": f"Patient/{key}"}} for one in resources),
    ]


PEOPLE = [
    *person("p1", condition("c1", (ICD10, "E11.9")), request("r1", (RXNORM, "617312"))),
    *person("p2"),
]
ROSTER = "beneficiary,mbi,contract,status,start,end,source\np1,,H1234,AR,2023-01-01,,x\n"


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    folder = tmp_path_factory.mktemp("given")
    for one in PEOPLE:
        with (folder / f"{one['resourceType']}.ndjson").open("a", encoding="utf-8") as file:
            file.write(json.dumps(one) + "\n")
    roster = tmp_path_factory.mktemp("roster") / "roster.csv"
    roster.write_text(ROSTER)
    return folder, "--at-risk", roster, *AS_OF


@pytest.fixture(scope="module")
def twice(given, tmp_path_factory):
    """The same run twice: files and medication lists into folders, told as JSON the first time."""
    folder = tmp_path_factory.mktemp("made")
    arguments = ("screen", *given, "--out", folder / "out", "--sink", folder / "sink", "--pml")
    first = run(*arguments, "--json")
    held = {path.name: path.read_bytes() for path in (folder / "sink").iterdir()}
    return first, held, run(*arguments), folder


def test_the_account_as_json_tells_all_that_happened(twice):
    first, _, _, folder = twice
    account = json.loads(first.out)
    assert first.code == 0
    assert account["outcomes"] == {"targeted": 1, "not_targeted": 1, "unknown": 0, "not_enrolled": 0}
    assert account["doors"] == {"at_risk": 1}
    assert (account["as_of"], account["program"], account["rejected"]) == ("2023-09-30", "health-partners-2023", 0)
    assert account["read"]["Patient"] == 2
    assert account["written"] == {"resources": 3, "unchanged": 0, "persons": 1, "failures": []}
    assert all(Path(name).is_file() and Path(name).parent == folder / "out" for name in account["files"])


def test_the_account_in_words_tells_the_same(twice):
    _, _, second, folder = twice
    lines = second.out.splitlines()
    assert lines[0] == "Program health-partners-2023, as of 2023-09-30"
    assert [line.split() for line in lines if line.startswith(("Targeted", "Not ", "Undecided", "Not enrolled"))] == [
        ["Targeted", "1"],
        ["Not", "1"],
        ["Undecided", "0"],
        ["Not", "enrolled", "0"],
    ]
    assert f"Written         0 resources of 0 persons to {folder / 'sink'}; 3 already there" in lines
    assert lines[-1].startswith(f"Files      {folder / 'out'}: targeting.csv, ")


def test_a_second_run_writes_nothing(twice):
    _, held, second, folder = twice
    assert second.code == 0
    assert {path.name: path.read_bytes() for path in (folder / "sink").iterdir()} == held


def test_the_targeted_get_a_care_plan_and_a_medication_list(twice):
    _, held, _, _ = twice
    assert set(held) == {"CarePlan.ndjson", "List.ndjson", "MedicationStatement.ndjson", "Provenance.ndjson"}
    [plan] = [json.loads(line) for line in held["CarePlan.ndjson"].splitlines()]
    assert (plan["subject"]["reference"], plan["period"]["end"]) == ("Patient/p1", "2023-12-31")
    [made] = [json.loads(line) for line in held["MedicationStatement.ndjson"].splitlines()]
    assert made["derivedFrom"] == [{"reference": "MedicationRequest/r1-p1"}]
    [provenance] = [json.loads(line) for line in held["Provenance.ndjson"].splitlines()]
    assert len(provenance["target"]) == 3


def test_the_files_of_a_run_are_whole_and_nothing_lies_beside_them(twice):
    _, _, _, folder = twice
    assert [path.name for path in (folder / "out").iterdir() if path.name.startswith(".")] == []
    with (folder / "out" / "targeting.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["beneficiary"], row["outcome"], row["doors"], row["reason_code"]) for row in rows] == [
        ("p1", "targeted", "at_risk", "02"),
        ("p2", "not_targeted", "", ""),
    ]
    manifest = json.loads((folder / "out" / "manifest.json").read_bytes())
    assert set(manifest["inputs"]) == {f"{one['resourceType']}.ndjson" for one in PEOPLE}
    [(roster, digest)] = manifest["at_risk"].items()  # without it the decision could not be repeated
    assert (roster, len(digest)) == ("roster.csv", 64)
    assert (manifest["source"], manifest["as_of"]) == (str(Path(manifest["source"])), "2023-09-30")


def test_a_sink_that_is_full_stays_as_it_was(given, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    ran = run("screen", *given, "--sink", tmp_path / "sink")
    assert (ran.code, ran.out) == (6, "")
    assert ran.sentence.startswith(f"The folder {tmp_path / 'sink'} cannot be written (No space left on device)")
    assert list((tmp_path / "sink").iterdir()) == []


def test_a_server_that_refuses_a_person_is_told_by_the_exit_code(given):
    store = FhirStore()
    store.refused = lambda bundle: outcome(422, f"Patient p1 has {PEOPLE[0]['identifier'][0]['value']}, which is wrong")
    with serving(store) as server:
        ran = run("screen", *given, "--sink", server.base)
    assert ran.code == 6
    assert "Failed          1 persons, of whom nothing was written:" in ran.out
    assert "failed with status 422" in ran.out
    assert MBIS["p1"] not in ran.out + ran.err
    assert store.held == {}


def test_a_folder_of_files_that_is_full_has_no_half_file(given, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    ran = run("screen", *given, "--out", tmp_path / "out")
    assert (ran.code, ran.out) == (2, "")
    assert ran.sentence.endswith(
        "cannot be written (No space left on device); free some space or give another folder with --out"
    )
    assert list((tmp_path / "out").iterdir()) == []


# ---- explain


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ([], "Beneficiary p1, member of H1234-001\nOn 2023-09-30 by the program "),
        (["--json"], '{\n  "beneficiary": "p1",\n  "contract": "H1234",'),
    ],
)
def test_explain_prints_one_decision(given, more, expected):
    folder, *options = given
    ran = run("explain", folder, "p1", *options, *more)
    assert ran.code == 0
    assert [line.partition(":")[0] for line in ran.err.splitlines()] == ["notice"]  # what no official text gives
    assert ran.out.startswith(expected)


def test_explain_tells_what_should_be_known_beside_the_decision(given):
    folder, *options = given
    ran = run("explain", folder, "p1", "--at-risk", options[1], "--as-of", "2024-02-03")
    assert ran.code == 0
    assert "notice: 2024-02-03 lies outside plan year 2023 of the program health-partners-2023\n" in ran.err


# ---- the entry


def test_help_and_version_are_no_faults():
    assert run("--help").code == run("screen", "--help").code == 0
    assert run("--version").out.startswith("mtm-adapter, version ")


def test_every_subcommand_is_listed():
    listed = run("--help").out
    for command in ("screen", "explain", "report", "serve", "check-mappings", "demo"):
        assert f"  {command} " in listed


def test_a_run_that_is_interrupted_says_so(monkeypatch):
    def interrupt(**kwargs):
        raise click.Abort

    monkeypatch.setattr(entry.cli, "main", interrupt)
    ran = run("screen", "x")
    assert (ran.code, ran.err) == (130, "mtm-adapter: interrupted; nothing is half-written\n")


def test_a_command_that_ends_with_a_code_of_its_own_keeps_it(monkeypatch):
    def end(**kwargs):
        raise click.exceptions.Exit(3)

    monkeypatch.setattr(entry.cli, "main", end)
    assert run("check-mappings").code == 3


def test_a_bug_is_not_taken_for_an_expected_fault(monkeypatch):
    def fail(**kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(entry.cli, "main", fail)
    with pytest.raises(ZeroDivisionError):
        run("screen", "x")
