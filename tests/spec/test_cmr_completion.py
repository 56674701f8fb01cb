"""The specification cases of measures/cmr_completion/*.json: one beneficiary each, or the sums of several."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from adapter.config import Config
from adapter.engines.duckdb import Engine
from adapter.measures.care_status import GIVEN, of_lists
from adapter.measures.cmr_completion import Enrolled, cmr_completion
from adapter.measures.rows import counted, summary_rows, told, total
from adapter.measures.settings import CMR, CmrCompletion, load_settings
from adapter.population import plan_year_tables
from adapter.sources.opening import open_source
from tests.spec.enrolled import persons_of, write

HERE = Path(__file__).parent
FOLDER = HERE / "measures" / "cmr_completion"
FILES = [path for path in sorted(FOLDER.glob("*.json")) if path.stem != "schema"]
LEAST = 50
Row = dict[str, Any]


def cases() -> Iterator[dict[str, Any]]:
    for path in FILES:
        written = json.loads(path.read_text(encoding="utf-8"))
        yield from ({**written["every"], **case} for case in written["cases"])


CASES = list(enumerate(cases(), 1))


def rule_of(case: dict[str, Any]) -> CmrCompletion:
    """The shipped settings with those of the case."""
    rule = load_settings(HERE.parents[1] / "mappings").measures[CMR]
    assert isinstance(rule, CmrCompletion)
    changed = {
        key: msgspec.structs.replace(getattr(rule, key), value=value) for key, value in case.get("settings", {}).items()
    }
    return msgspec.structs.replace(rule, **changed)


def hospice_rows() -> list[Row]:
    return [
        {
            "beneficiary": beneficiary, "mbi": "", "status": "hospice", "fact": "list", "source": f"hospice.csv row {number}",
            "starts": date.fromisoformat(starts) if starts else None, "ends": date.fromisoformat(ends) if ends else None,
        }
        for number, case in CASES
        for beneficiary, person in persons_of(number, case)
        for starts, ends in person.get("hospice", ())
    ]  # fmt: skip


def rows_of(folder: Path, engine: Engine) -> dict[int, list[Row]]:
    """The rows of every case."""
    tables = plan_year_tables(engine, open_source(str(folder), Config(), folder.parent))
    assert tables.rejected == ()
    facts = engine.keep(of_lists(engine.table(hospice_rows(), GIVEN), tables.beneficiaries))
    given = Enrolled(tables.enrollments, tables.services, tables.beneficiaries, facts)
    found: dict[int, list[Row]] = {}
    for setting in sorted({setting_of(case) for _, case in CASES}):
        asked = [(number, case) for number, case in CASES if setting_of(case) == setting]
        contract, year, _ = setting
        rows = engine.records(told(cmr_completion(given, rule_of(asked[0][1]), contract, year)))
        for number, case in asked:
            persons = {beneficiary for beneficiary, _ in persons_of(number, case)}
            found[number] = [row for row in rows if row["beneficiary"] in persons]
    return found


def setting_of(case: dict[str, Any]) -> tuple[str, int, str]:
    """Cases of one setting are judged together, since each beneficiary is judged alone."""
    return case.get("contract", "H1234"), case["year"], json.dumps(case.get("settings", {}), sort_keys=True)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[Row]]:
    folder = tmp_path_factory.mktemp("cmr")
    with Engine(threads=1) as engine:
        return rows_of(write(folder / "source", CASES), engine)


def titled(value: Any) -> str:
    return str(value["title"]) if isinstance(value, dict) else ""


@pytest.mark.parametrize(("number", "case"), [one for one in CASES if "expect" in one[1]], ids=titled)
def test_a_beneficiary(number: int, case: dict[str, Any], results: dict[int, list[Row]]) -> None:
    rows, expect = results[number], case["expect"]
    if expect == "absent":
        assert rows == []
        return
    (row,) = rows
    assert {name: row[name] for name in expect} == expect, f"{case['title']} ({case['citation']})"


@pytest.mark.parametrize(("number", "case"), [one for one in CASES if "rate" in one[1]], ids=titled)
def test_the_sums(number: int, case: dict[str, Any], results: dict[int, list[Row]]) -> None:
    with Engine(threads=1) as engine:
        schema = {
            "measure": "string", "in_denominator": "boolean", "in_numerator": "boolean", "excluded": "boolean",
            "reason": "string", "shortfall": "string",
        }  # fmt: skip
        counts = engine.records(counted(engine.table(results[number], schema)))
    least = rule_of(case).least_denominator.value
    (row,) = summary_rows([total(CMR, "title", "H1234", case["year"], least, counts)])
    found = {name: str(value) if name == "rate" and value is not None else value for name, value in row.items()}
    assert {name: found[name] for name in case["rate"]} == case["rate"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_cases_are_written_as_the_schema_says(path: Path) -> None:
    schema = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), schema)


def test_there_are_cases_and_no_title_stands_twice() -> None:
    titles = [case["title"] for _, case in CASES]
    assert len(titles) >= LEAST
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("again", [False, True], ids=["in another order", "each resource twice"])
def test_order_and_repetition_change_nothing(again: bool, results: dict[int, list[Row]], tmp_path: Path) -> None:
    folder, dice = write(tmp_path / "source", CASES), random.Random(3)
    for path in folder.glob("*.ndjson"):
        lines = path.read_text(encoding="utf-8").splitlines() * (2 if again else 1)
        dice.shuffle(lines)
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    with Engine(threads=2) as engine:
        assert rows_of(folder, engine) == results
