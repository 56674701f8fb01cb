"""The specification cases of problems/*.json: each file is one rule, each case one enrolled person; all are reviewed together."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adapter.config import Config
from adapter.jobs.problem_finding import Hit, Review, last_day_of_quarter, review
from adapter.jobs.targeting import Screening
from tests.spec.folder import HERE, cases_of, person, plain, write

CASES = list(enumerate(cases_of("problems"), 1))
RULES = sorted(path.stem for path in (HERE.parents[1] / "mappings" / "problems").glob("*.toml"))
DAY = last_day_of_quarter("2023Q3")
EXTENSION = "https://w3id.org/mtm-adapter/fhir/StructureDefinition/mtm-enrollment"
Found = dict[tuple[str, str], dict[str, list[Hit]]]  # person and rule to found and undecided


def enrollment(beneficiary: str) -> dict[str, Any]:
    """The CarePlan by which the person of a case is enrolled."""
    return {
        "resourceType": "CarePlan",
        "id": f"plan-{beneficiary}",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": f"Patient/{beneficiary}"},
        "period": {"start": "2023-01-01", "end": "2023-12-31"},
        "extension": [
            {
                "url": EXTENSION,
                "extension": [
                    {"url": "contract", "valueString": "H1234"},
                    {"url": "planYear", "valueInteger": 2023},
                    {"url": "program", "valueString": "health-partners-2023"},
                    {"url": "reasonCode", "valueCode": "01"},
                ],
            }
        ],
    }


def source(folder: Path) -> Path:
    write(folder, CASES)
    plans = "".join(json.dumps(enrollment(person(number))) + "\n" for number, _ in CASES)
    (folder / "CarePlan.ndjson").write_text(plans, encoding="utf-8")
    return folder


def reviewed(folder: Path) -> Review:
    return review(Screening(str(folder), DAY, "health-partners-2023"), Config())


def by_person(found: Review) -> Found:
    rows: Found = {}
    for kind, hits in (("found", found.found), ("undecided", found.undecided)):
        for hit in hits:
            rows.setdefault((hit.beneficiary, hit.rule), {"found": [], "undecided": []})[kind].append(hit)
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return source(tmp_path_factory.mktemp("problems"))


@pytest.fixture(scope="module")
def results(folder: Path) -> Found:
    return by_person(reviewed(folder))


def title(value: Any) -> str:
    return f"{value['file']}: {value['title']}" if isinstance(value, dict) else ""


@pytest.mark.parametrize(("number", "case"), CASES, ids=title)
def test_case(number: int, case: dict[str, Any], results: Found) -> None:
    rows = results.get((person(number), case["file"]), {"found": [], "undecided": []})
    expect: str | Mapping[str, Any] = case["expect"]
    told = f"{case['title']} ({case['citation']})"
    if isinstance(expect, str):
        assert [hit.fact for hit in rows["found"]] == [], told
        assert bool(rows["undecided"]) == (expect == "undecided"), f"{told}: {rows['undecided']}"
        return
    assert len(rows["found"]) == expect["found"], f"{told}: {rows}"
    (hit, *_) = rows["found"]
    shown = {
        "fact": hit.fact,
        "names": list(hit.names),
        "ingredients": list(hit.ingredients),
        "sources": [plain(one) for one in hit.sources],
    }
    assert {name: shown[name] for name in expect if name != "found"} == {
        name: value for name, value in expect.items() if name != "found"
    }, told


def test_every_rule_has_its_file_of_cases_and_no_title_stands_twice() -> None:
    assert sorted({case["file"] for _, case in CASES}) == RULES
    assert len(CASES) >= 40
    titles = [title(case) for _, case in CASES]
    assert len(set(titles)) == len(titles)


def test_every_rule_is_shown_found_and_not_found() -> None:
    for rule in RULES:
        expected = [case["expect"] for _, case in CASES if case["file"] == rule]
        assert "none" in expected, rule
        assert any(isinstance(one, dict) for one in expected), rule


@pytest.mark.parametrize("again", [False, True], ids=["in another order", "each resource twice"])
def test_order_and_repetition_change_nothing(again: bool, results: Found, tmp_path: Path) -> None:
    dice, other = random.Random(11), source(tmp_path / "source")
    for path in other.glob("*.ndjson"):
        lines = path.read_text(encoding="utf-8").splitlines() * (2 if again else 1)
        dice.shuffle(lines)
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    assert by_person(reviewed(other)) == results


def test_nobody_else_is_reviewed(folder: Path) -> None:
    found = reviewed(folder)
    assert found.who == "enrolled"
    assert set(found.persons) == {person(number) for number, _ in CASES}
    assert found.rejected == ()
