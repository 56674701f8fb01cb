"""The CMR completion rate of the simulated year, against a count over the planted cells of the CMS file alone."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from adapter.config import Config
from adapter.jobs.measuring import Measuring, measure
from tests.reporting.truth import CONTRACTS
from tests.reporting.year import write

SIZE = 300


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("year")
    write(place, SIZE, 11)
    return place


def day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def days(cells: dict[str, str]) -> int:
    """Days in the program: the day of enrollment counts, the day of opt-out does not."""
    start, out = day(cells["enrolled_on"]), cells["opted_out_on"]
    return (day(out) - start).days if out else (date(2023, 12, 31) - start).days + 1


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_rate_is_that_of_the_planted_cells(folder: Path, contract: str) -> None:
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = [row for row in csv.DictReader(file) if row["contract_number"] == contract]
    received = [row["cmr_received"] == "Y" for row in truth]
    counted = [
        row["met_criteria"] in ("01", "02", "03") and (days(row) >= 60 or done)
        for row, done in zip(truth, received, strict=True)
    ]
    rate = measure(Measuring(str(folder), contract, 2023), Config()).totals[0]
    assert (rate.population, rate.excluded, rate.undecided) == (len(truth), 0, 0)
    assert rate.denominator == sum(counted) >= 31
    assert rate.numerator == sum(done and own for done, own in zip(received, counted, strict=True)) > 10
    assert dict(rate.reasons)["under_60_days"] > 0
