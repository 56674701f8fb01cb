"""The specification cases of measures/pdc_rate/*.json: one job over the persons of all of them, with a list of hospice stays."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.config import Config
from adapter.jobs.measuring import Measuring, measure
from tests.spec.folder import cases_of, person, write

CASES = list(enumerate(cases_of("measures/pdc_rate"), 1))
HEADER = "beneficiary,mbi,start,end,source"
Row = dict[str, Any]


def hospice_list() -> str:
    """The list of the stays of all cases; "p" is the person of the case."""
    rows = [
        (person(number) if who == "p" else who, *rest, "list")
        for number, case in CASES
        for who, *rest in case.get("hospice", ())
    ]
    return "\n".join([HEADER, *(",".join(row) for row in rows)]) + "\n"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, str], Row]:
    folder = tmp_path_factory.mktemp("rate")
    source, stays = write(folder / "source", CASES), folder / "hospice.csv"
    stays.write_text(hospice_list(), encoding="utf-8")
    made = measure(Measuring(str(source), "H1234", 2023, hospice=stays), Config())
    assert made.rejected == ()
    numbers = {person(number): number for number, _ in CASES}
    return {(numbers[row["beneficiary"]], row["measure"]): dict(row) for row in made.rows}


def titled(value: Any) -> str:
    return str(value["title"]) if isinstance(value, dict) else ""


@pytest.mark.parametrize(("number", "case"), CASES, ids=titled)
def test_case(number: int, case: dict[str, Any], results: dict[tuple[int, str], Row]) -> None:
    found, expect = results.get((number, case["measure"])), case["expect"]
    if expect == "absent":
        assert found is None
        return
    assert found is not None
    assert {name: found[name] for name in expect} == expect, f"{case['title']} ({case['citation']})"


def test_there_are_cases_and_no_title_stands_twice() -> None:
    titles = [case["title"] for _, case in CASES]
    assert len(titles) >= 50
    assert len(set(titles)) == len(titles)


def test_a_row_tells_what_it_rests_on(results: dict[tuple[int, str], Row]) -> None:
    (number,) = [n for n, case in CASES if case["title"] == "Hospice claim, CMS BFD"]
    sources = results[number, "pdc_statins"]["sources"]
    assert sources == [f"ExplanationOfBenefit/{name}.{number:03d}" for name in ("claim-1", "claim-2", "m1")]
