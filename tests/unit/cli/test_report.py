"""report by the command line: the file and what lies beside it, or its faults told and no file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.unit.cli.running import run

GOLDEN = Path(__file__).parents[2] / "golden" / "report"
NAMES = ("Díaz", "Núñez", "Brendan", "1EG4", "1950-01-02")


@pytest.fixture
def report(tmp_path):
    def of(source, *more):
        return run("report", source, "--contract", "H1234", "--year", "2023", "--out", tmp_path / "out", *more)

    return of


def test_the_file_is_made_and_its_warnings_are_told(report, tmp_path):
    ran = report(GOLDEN)
    made = tmp_path / "out" / "MTM_H1234_2023.txt"
    assert ran.code == 0
    assert (
        ran.out == f"{made}: 5 beneficiaries of H1234 in 2023\nBeside it: findings.csv, rejected.csv, manifest.json\n"
    )
    assert made.read_bytes() == (GOLDEN / made.name).read_bytes()
    assert ran.err.count("warning: ") == len(ran.err.splitlines())
    assert not [name for name in NAMES if name in ran.err]
    assert {path.name for path in made.parent.iterdir()} == {made.name, "findings.csv", "rejected.csv", "manifest.json"}


@pytest.fixture
def faulty(tmp_path):
    """The enrollments of the golden case, each person with a birth date that is not whole, and twice over the first 20."""
    folder = tmp_path / "faulty"
    folder.mkdir()
    plans = [json.loads(line) for line in (GOLDEN / "CarePlan.ndjson").read_bytes().splitlines()]
    people = [json.loads(line) for line in (GOLDEN / "Patient.ndjson").read_bytes().splitlines()]
    plan, person = next(one for one in plans if one["subject"]["reference"] == "Patient/ana"), people[0]
    for n in range(25):
        mbi = [{"system": "http://hl7.org/fhir/sid/us-mbi", "value": f"1EG4TE5MK{n + 10}"}]
        own = [person | {"id": f"a{n}", "birthDate": "1950", "identifier": mbi}]
        own.append(plan | {"id": f"mtm-{n}", "subject": {"reference": f"Patient/a{n}"}})
        for one in own:
            with (folder / f"{one['resourceType']}.ndjson").open("a", encoding="utf-8") as file:
                file.write(json.dumps(one) + "\n")
    return folder


def test_errors_are_told_and_no_file_is_made(report, faulty, tmp_path):
    ran = report(faulty)
    assert (ran.code, ran.out) == (7, "")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["findings.csv"]
    with (tmp_path / "out" / "findings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(row["severity"] == "error" for row in rows) == 25
    lines = ran.err.splitlines()
    assert lines[-2] == f"... and {len(rows) - 20} more findings, all in findings.csv"
    assert lines[-1].startswith("mtm-adapter: ")
    assert not [name for name in NAMES if name in ran.err]


def test_errors_can_be_allowed(report, faulty, tmp_path):
    ran = report(faulty, "--allow-errors")
    assert (ran.code, ran.out.partition(":")[0]) == (0, str(tmp_path / "out" / "MTM_H1234_2023.txt"))


def test_nobody_enrolled_is_told(report, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "Patient.ndjson").write_bytes((GOLDEN / "Patient.ndjson").read_bytes())
    ran = report(folder)
    assert (ran.code, ran.out.splitlines()[0].partition(": ")[2]) == (0, "0 beneficiaries of H1234 in 2023")
    assert "warning: nobody was enrolled in H1234 in 2023: the file is empty; check the contract" in ran.err
