"""A simulated year of services in two contracts: files without an error, and every cell is the planted truth."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.reporting.truth import CONTRACTS
from tests.reporting.year import mbi_of, write
from tests.unit.cli.running import run

SIZE = 400


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("year")
    write(place, SIZE, 7)
    return place


def rows_of(made: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(run("report", "read", made).out.splitlines()))


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_file_of_a_contract_is_the_planted_truth(folder: Path, tmp_path: Path, contract: str) -> None:
    ran = run("report", folder, "--contract", contract, "--year", "2023", "--out", tmp_path)
    assert ran.code == 0, ran.err
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = [row for row in csv.DictReader(file) if row["contract_number"] == contract]
    rows = rows_of(tmp_path / f"MTM_{contract}_2023.txt")
    assert len(rows) == len(truth) > SIZE // 3
    for row, true in zip(rows, truth, strict=True):
        assert {name: (row[name], true[name]) for name in row if row[name] != true[name]} == {}, true["mbi"]
    with (tmp_path / "findings.csv").open(encoding="utf-8", newline="") as file:
        edits = {(found["severity"], found["edit"]) for found in csv.DictReader(file)}
    assert {edit for severity, edit in edits if severity == "error"} == set()
    assert {edit for _, edit in edits} <= {
        "name_respelled", "name_cut", "single_name", "same_person", "service_not_counted", "national_rate", "offer_late",
    }  # fmt: skip
    assert ("warning", "service_not_counted") in edits
    assert run("report", "check", tmp_path / f"MTM_{contract}_2023.txt").code == 0


def test_the_year_shows_what_it_should(folder: Path) -> None:
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = list(csv.DictReader(file))
    assert len(truth) > SIZE and len({row["mbi"] for row in truth}) == SIZE  # some are in both contracts
    assert {row["opt_out_reason"] for row in truth} == {"", "01", "02", "03", "04"}
    assert {row["met_criteria"] for row in truth} == {"01", "02", "03", "04"}
    assert {row["cmr_provider"] for row in truth} == {"", *(f"{code:02}" for code in range(1, 16))}
    flags = {(row["cmr_offered"], row["cmr_received"]) for row in truth}
    assert flags == {("Y", "Y"), ("Y", "N"), ("N", "N")}
    plans = [json.loads(line) for line in (folder / "CarePlan.ndjson").read_text(encoding="utf-8").splitlines()]
    assert any("reEnrolledOn" in json.dumps(plan) for plan in plans)


def test_no_two_persons_have_one_mbi() -> None:
    assert len({mbi_of(number) for number in range(0, 2_000_000, 7)}) == len(range(0, 2_000_000, 7))
