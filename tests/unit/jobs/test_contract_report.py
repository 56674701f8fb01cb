"""The job of the CMS file: what a full disk or a kill leaves behind, and bad input with its stated treatment."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from adapter.config import Config
from adapter.errors import ConfigError, ReportError
from adapter.jobs import contract_report
from adapter.jobs.contract_report import Reporting, report
from adapter.jobs.report_files import read_file
from adapter.reporting.finding import FindingsError

GOLDEN = Path(__file__).parents[2] / "golden" / "report"
ROOT = Path(__file__).parents[3]


def reporting(source=GOLDEN, **keys):
    return Reporting(str(source), "H1234", 2023, **keys)


def held(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.fixture
def made(tmp_path):
    """A folder with the files of an earlier, smaller run."""
    source = tmp_path / "source"
    source.mkdir()
    for path in GOLDEN.glob("*.ndjson"):
        lines = path.read_bytes().splitlines(keepends=True)
        (source / path.name).write_bytes(
            b"".join(line for line in lines if b"ana" in line or path.name == "Patient.ndjson")
        )
    folder = tmp_path / "out"
    report(reporting(source), Config(), folder)
    return folder


def test_a_full_disk_leaves_the_old_files(made, monkeypatch):
    before = held(made)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(contract_report, "write_lineage", full)
    with pytest.raises(ConfigError, match="cannot be written \\(No space left on device\\); free some space"):
        report(reporting(), Config(), made)
    assert held(made) == before and not list(made.glob(".*.part"))


KILLED = """
import os, signal, sys
from pathlib import Path
from adapter.jobs import contract_report
from adapter.config import Config

def killed(engine, of, order, layout, path):
    path.write_bytes(b"half of a lin")
    os.kill(os.getpid(), signal.SIGKILL)

contract_report.write_lineage = killed
contract_report.report(contract_report.Reporting(sys.argv[1], "H1234", 2023), Config(), Path(sys.argv[2]))
"""


def killed(folder):
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, str(GOLDEN), str(folder)], cwd=ROOT, check=False, capture_output=True
    )
    assert ran.returncode == -9, ran.stderr


def test_a_kill_leaves_the_old_files_or_none(made, tmp_path):
    before = held(made)
    killed(made)
    assert held(made) == before
    report(reporting(), Config(), made)  # what the killed run left does not disturb the next
    assert not list(made.glob(".*.part")) and held(made).keys() == before.keys()
    killed(tmp_path / "new")
    assert held(tmp_path / "new") == {}


def resources(kind):
    return [json.loads(line) for line in (GOLDEN / f"{kind}.ndjson").read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def report_of(tmp_path):
    """The files of Ana's enrollment with another Patient or CarePlan of hers: rows, and the findings by edit and element."""

    def of(patient=None, plan=None, more=()):
        source = tmp_path / "source"
        source.mkdir()
        [person] = [one for one in resources("Patient") if one["id"] == "ana"]
        [own] = [one for one in resources("CarePlan") if one["id"].endswith("01") and "period" in one]
        kinds = {"Patient": [{**person, **(patient or {})}], "CarePlan": [{**own, **(plan or {})}, *more]}
        for kind, made in kinds.items():
            (source / f"{kind}.ndjson").write_text("".join(json.dumps(one) + "\n" for one in made), encoding="utf-8")
        found, files = report(reporting(source, allow_errors=True), Config(), tmp_path / "out")
        rows = read_file(files[0], "", None)[0].sheet.texts.to_pylist()
        told = {(f.severity, f.edit, f.element) for f in found.findings if f.edit != "no_services"}
        return rows, told

    return of


def named(family, *given):
    return {"name": [{"family": family, "given": list(given)}]}


@pytest.mark.parametrize(
    ("patient", "cells", "told"),
    [
        ({"identifier": []}, {"mbi": None}, {("error", "missing", "B")}),
        (named("O'Brien-Kowalski", "Mary Ann"), {"last_name": "O'Brien-Kowalski", "first_name": "Mary Ann"}, set()),
        (named("Núñez", "José"), {"last_name": "Nunez", "first_name": "Jose"}, {("warning", "name_respelled", x) for x in "CD"}),
        (named("x" * 31, "Al"), {"last_name": "x" * 30}, {("warning", "name_cut", "D")}),
        (named("Suharto"), {"last_name": "Suharto", "first_name": None}, {("warning", "single_name", "C")}),
        (named("李", "Al"), {"last_name": "?"}, {("error", "name_unwritable", "D")}),
        (named("Diaz", "Ana") | {"birthDate": "1952-02-29"}, {"birth_date": "19520229"}, set()),
        (named("Diaz", "Ana") | {"birthDate": "1952-02"}, {"birth_date": None}, {("error", "missing", "E")}),
        (
            named("Diaz", "Ana") | {"deceasedDateTime": "2023-05-01"},
            {"enrolled_on": "20230930", "opted_out_on": None},
            {("error", "died_before_enrollment", "I")},
        ),
    ],
)  # fmt: skip
def test_bad_input_has_its_treatment_and_its_finding(report_of, patient, cells, told):
    [row], found = report_of(patient)
    assert {name: row[name] for name in cells} == cells and found == told | (
        {("warning", "name_respelled", "D")} if "name" not in patient else set()
    )


def test_two_overlapping_enrollments_are_one_row_from_the_first_to_the_last_day(report_of):
    [own] = [one for one in resources("CarePlan") if one["id"].endswith("01") and "period" in one]
    second = {**own, "id": "mtm-other", "period": {"start": "2023-06-01", "end": "2023-10-15"}}
    [row], found = report_of(named("Diaz", "Ana"), more=[second])
    assert row["enrolled_on"] == "20230601" and found == {("warning", "enrollments_overlap", "I")}


def test_a_program_of_another_year_is_refused(tmp_path):
    with pytest.raises(ReportError, match="is of plan year 2023, not 2024; give the program of that year"):
        report(Reporting(str(GOLDEN), "H1234", 2024, program="health-partners-2023"), Config(), tmp_path)
    made, _ = report(Reporting(str(GOLDEN), "H1234", 2024), Config(), tmp_path / "out")
    assert (made.name, made.rows) == ("MTM_H1234_2024.txt", 0)


def test_the_count_of_the_plan_stops_the_file(tmp_path):
    with pytest.raises(
        FindingsError, match="the file has 6 rows, and 7 beneficiaries were enrolled by the count that was given"
    ):
        report(reporting(enrolled=7), Config(), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["findings.csv"]


def test_last_year_stands_in_the_summary_and_in_the_manifest(tmp_path):
    _, files = report(reporting(), Config(), tmp_path / "one")
    last = tmp_path / "last.txt"
    last.write_bytes(files[0].read_bytes().replace(b"2023", b"2022"))
    report(reporting(last_year=last), Config(), tmp_path / "two")
    page = (tmp_path / "two" / "summary.html").read_text(encoding="utf-8")
    assert (
        '<th scope="col" class="n">2022</th>' in page and '<td class="n">66.7 %</td><td class="n">66.7 %</td>' in page
    )
    assert "last year: last.txt" in json.loads((tmp_path / "two" / "manifest.json").read_bytes())["inputs"]
