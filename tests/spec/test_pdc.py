"""The specification cases of measures/pdc/*.json, and that no order and no repetition of the claims changes a result."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapter.config import Config
from adapter.engines.duckdb import Engine
from adapter.mappings.folder import load_mappings
from adapter.measures.pdc import ENDS, EXCLUSIONS, Covered, Period, pdc
from adapter.population import read_facts
from adapter.sources.opening import open_source
from adapter.sources.snapshot import Snapshot
from adapter.tables.drug_list import class_rows
from tests.spec.expand import resources_of
from tests.spec.folder import cases_of, person, write

CASES = list(enumerate(cases_of("measures/pdc"), 1))
YEAR = ("2023-01-01", "2023-12-31")
REFUSED = ("wegovy", "saxenda", "zepbound")
Row = dict[str, Any]


def rows_of(
    cases: Sequence[tuple[int, dict[str, Any]]], source: Snapshot, engine: Engine
) -> dict[tuple[int, str], Row]:
    """The rows of cases of one period, by case and measure."""
    mappings = load_mappings()
    facts = read_facts(engine, source, mappings)
    classes = engine.read_list(mappings.path("drugs/classes"))
    uses = facts.drug_uses
    exclusions = [
        {"beneficiary": person(number), "measure": measure, "reason": reason}
        for number, case in cases
        for measure, reason in case.get("exclusions", ())
    ]
    ends = [
        {"beneficiary": person(number), "ends": date.fromisoformat(case["enrolled_until"])}
        for number, case in cases
        if "enrolled_until" in case
    ]
    covered = Covered(
        uses=uses,
        classed=engine.keep(class_rows(uses.filter(uses.listed).select("drug", "route").distinct(), classes)),
        persons=facts.persons,
        exclusions=engine.table(exclusions, EXCLUSIONS, "exclusions"),
        ends=engine.table(ends, ENDS, "ends"),
        refused_brands=REFUSED,
    )
    first, last = cases[0][1].get("period", YEAR)
    found = engine.records(pdc(covered, Period(date.fromisoformat(first), date.fromisoformat(last))))
    numbers = {person(number): number for number, _ in cases}
    return {(numbers[row["beneficiary"]], row["measure"]): row for row in found}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, str], Row]:
    found: dict[tuple[int, str], Row] = {}
    for place, period in enumerate(sorted({tuple(case.get("period", YEAR)) for _, case in CASES})):
        cases = [(number, case) for number, case in CASES if tuple(case.get("period", YEAR)) == period]
        folder = tmp_path_factory.mktemp(f"pdc{place}")
        with Engine(threads=1) as engine:
            source = open_source(str(write(folder / "source", cases)), Config(), folder)
            found |= rows_of(cases, source, engine)
    return found


def told(row: Row | None) -> Row | str:
    if row is None:
        return "absent"
    return {name: value if isinstance(value, int | str | bool) else str(value) for name, value in row.items()}


@pytest.mark.parametrize(("number", "case"), CASES, ids=lambda value: value["title"] if isinstance(value, dict) else "")
def test_case(number: int, case: dict[str, Any], results: dict[tuple[int, str], Row]) -> None:
    found, expect = told(results.get((number, case["measure"]))), case["expect"]
    if isinstance(expect, str) or isinstance(found, str):
        assert found == expect, case["title"]
        return
    assert {name: found[name] for name in expect} == expect, f"{case['title']} ({case['citation']})"


def test_there_are_cases_and_no_title_stands_twice() -> None:
    titles = [case["title"] for _, case in CASES]
    assert len(titles) >= 40
    assert len(set(titles)) == len(titles)
    assert all(resources_of(case) for _, case in CASES)


def shuffled(folder: Path, dice: random.Random, again: bool) -> Iterator[Path]:
    for path in folder.glob("*.ndjson"):
        lines = path.read_text(encoding="utf-8").splitlines()
        lines = lines * 2 if again else lines
        dice.shuffle(lines)
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        yield path


@pytest.mark.parametrize("again", [False, True], ids=["in another order", "each resource twice"])
def test_order_and_repetition_change_nothing(again: bool, results: dict[tuple[int, str], Row], tmp_path: Path) -> None:
    cases = [(number, case) for number, case in CASES if "period" not in case]
    folder = write(tmp_path / "source", cases)
    assert list(shuffled(folder, random.Random(7), again))
    with Engine(threads=2) as engine:
        found = rows_of(cases, open_source(str(folder), Config(), tmp_path), engine)
    wanted = {number for number, _ in cases}
    assert found == {key: row for key, row in results.items() if key[0] in wanted}
