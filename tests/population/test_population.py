"""A population with planted truth: the adapter has to find it, cell by cell, from outside by its command line."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.population.compare import compare, told
from tests.population.draw import DIMENSIONS
from tests.population.write import Order, write

ROOT = Path(__file__).resolve().parents[2]
AS_OF = "2023-09-30"
SIZE, SEED = 2000, 7
LEAST = 10  # persons who show each edge of a dimension
LEAST_DETAIL = 3  # and each written form, version and kind of void resource


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("population")
    write(Order(SIZE, SEED), folder)
    return folder


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.mark.slow
def test_the_adapter_finds_the_planted_truth_in_every_cell(population: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    roster = str(population / "at-risk.csv")
    command = [sys.executable, "-m", "adapter.cli.main", "screen", str(population)]
    options = ["--at-risk", roster, "--as-of", AS_OF, "--out", str(out)]
    done = subprocess.run(command + options, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    truth = population / "truth.csv"
    wrong = compare(out / "targeting.csv", truth)
    assert not wrong, told(wrong, truth)


def test_every_edge_is_planted_often_enough(population: Path) -> None:
    shown = Counter(edge for row in rows(population / "truth.csv") for edge in row["edges"].split(";"))
    asked = {edge for edges in DIMENSIONS.values() for edge in edges}
    assert not {edge: shown[edge] for edge in asked if shown[edge] < LEAST}
    rare = {edge: count for edge, count in shown.items() if count < LEAST_DETAIL}
    assert not {edge for edge in rare if not edge.startswith("rxnorm:")}  # some levels of RxNorm are rare in the lists


def test_every_outcome_door_and_reason_is_planted(population: Path) -> None:
    truth = list(rows(population / "truth.csv"))
    assert {row["outcome"] for row in truth} == {"targeted", "not_targeted", "unknown", "not_enrolled"}
    assert {row["reason_code"] for row in truth} == {"", "01", "02", "03", "04"}
    doors = {row["doors"] for row in truth}
    assert {"core", "at_risk", "snp_adherence", "core;at_risk", "core;snp_adherence", "at_risk;snp_adherence"} <= doors
    for criterion in ("part_d_drugs", "drug_cost", "adherence_drug"):
        assert {row[f"{criterion}_outcome"] for row in truth} == {"met", "not_met", "unknown"}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """Also with another hash seed of Python and with two processes."""
    write(Order(600, 3), tmp_path / "a")
    command = [sys.executable, "-m", "tests.population", "--size", "600", "--seed", "3", "--workers", "2"]
    environment = os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run([*command, "--out", str(tmp_path / "b")], cwd=ROOT, env=environment, check=True, capture_output=True)
    write(Order(600, 4), tmp_path / "c")
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert digests(tmp_path / "a") != digests(tmp_path / "c")


def test_a_person_is_the_same_in_every_size(population: Path, tmp_path: Path) -> None:
    write(Order(40, SEED), tmp_path)
    many = {row["beneficiary"]: row for row in rows(population / "truth.csv")}
    assert all(many[row["beneficiary"]] == row for row in rows(tmp_path / "truth.csv"))


def test_the_comparison_tells_a_wrong_cell_a_missing_and_a_foreign_person(population: Path, tmp_path: Path) -> None:
    truth = population / "truth.csv"
    assert compare(truth, truth) == []
    lines = truth.read_text(encoding="utf-8").splitlines(keepends=True)
    changed = (
        lines[1].replace(",met,", ",not_met,", 1) if ",met," in lines[1] else lines[1].replace("not_met", "met", 1)
    )
    (tmp_path / "t.csv").write_text(lines[0] + changed + "stranger" + ",".join([""] * 15) + "\n", encoding="utf-8")
    wrong = compare(tmp_path / "t.csv", truth)
    assert len([m for m in wrong if m.column == "row"]) == SIZE - 1 + 1
    assert len([m for m in wrong if m.column != "row"]) == 1
    assert "planted" in told(wrong, truth)


def test_the_generator_does_not_use_the_adapter() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert path == Path(__file__) or ("import adapter" not in text and "from adapter" not in text), path
