"""The specification cases of targeting/*.json, one test each, and the proof that a case does not depend on its neighbors."""

from __future__ import annotations

import csv
import fcntl
import gzip
import hashlib
import json
import os
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.spec.expand import DRUGS
from tests.spec.runs import HERE, Case, Result, is_alone, load_cases, run

# Ibis 12.0.0 calls a method of DuckDB that DuckDB 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

CASES = load_cases()
FILES = sorted((HERE / "targeting").glob("*.json"))
MAPPINGS = HERE.parents[1] / "mappings"
ALONE = 20  # so many cases are also run as a source of one person


def _id(case: Case) -> str:
    return f"{case.file}: {case.title}"


Results = Callable[[Case], Result]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The result of a case. A population is run when the first of its cases asks for it, once for all test processes."""
    done: dict[str, dict[int, Result] | Exception] = {}
    shared = tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else None

    def result(case: Case) -> Result:
        if case.setting not in done:
            done[case.setting] = _population(case, shared)
        found = done[case.setting]
        if isinstance(found, Exception):
            raise found
        return found[case.number]

    return result


def _population(case: Case, shared: Path | None) -> dict[int, Result] | Exception:
    """The results of all cases of the same setting, or why it stopped; kept in ``shared`` for the other processes."""
    if shared is None:
        return _run(case)
    path = shared / f"spec-{hashlib.sha256(case.setting.encode()).hexdigest()[:16]}.pickle"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            path.write_bytes(pickle.dumps(_run(case)))
        kept: dict[int, Result] | Exception = pickle.loads(path.read_bytes())
        return kept


def _run(case: Case) -> dict[int, Result] | Exception:
    try:
        return run([other for other in CASES if other.setting == case.setting], alone=is_alone(case.data))
    except Exception as error:  # every case of the population tells it, it is run only once
        return AssertionError(f"the run of these cases stopped: {type(error).__name__}: {error}")


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_case(case: Case, results: Results) -> None:
    faults = _differences(case.data["expect"], results(case))
    assert not faults, f"{case.title} ({case.data['citation']})\n" + "\n".join(faults)


def _differences(expect: dict[str, Any], result: Result) -> list[str]:
    if "error" in expect:
        return [] if expect["error"] in result.error else [f"error: expected {expect['error']!r}, got {result.error!r}"]
    persons = {expect.get("person", "p"): expect, **expect.get("others", {})}
    faults = [fault for name, wanted in persons.items() for fault in _of_person(name, wanted, result.people.get(name))]
    faults += [f"{name}: nothing is expected of this person" for name in result.people.keys() - persons.keys()]
    faults += _unmatched(expect.get("rejected", []), result.rejected)
    missing = [code for code in expect.get("unmapped", ()) if code not in result.unmapped]
    silent = [text for text in expect.get("told", ()) if not any(text in told for told in result.told)]
    return (
        faults
        + [f"unmapped: {code} is not listed" for code in missing]
        + [f"told: nothing says {text!r}" for text in silent]
    )


def _of_person(name: str, expect: dict[str, Any], got: dict[str, Any] | None) -> list[str]:
    if got is None or expect["outcome"] == "absent":
        outcome = "absent" if got is None else got["outcome"]
        return [] if outcome == expect["outcome"] else [f"{name}: expected {expect['outcome']}, got {outcome}"]
    pairs = [
        (key, expect[key], got[key]) for key in ("outcome", "doors", "reason_code", "contract", "pbp") if key in expect
    ]
    for criterion, wanted in expect.get("criteria", {}).items():
        pairs += [
            (f"{criterion} {key}", sorted(value) if key == "evidence" else value, got["criteria"][criterion][key])
            for key, value in wanted.items()
        ]
    return [f"{name} {key}: expected {wanted!r}, got {found!r}" for key, wanted, found in pairs if wanted != found]


def _unmatched(wanted: list[str], reasons: list[str]) -> list[str]:
    """Every expected reason is told, and nothing else is refused."""
    left, faults = list(reasons), []
    for text in wanted:
        match = next((reason for reason in left if text in reason), None)
        if match is None:
            faults.append(f"rejected: expected {text!r}, got {reasons}")
        else:
            left.remove(match)
    return faults + [f"rejected: not expected: {reason!r}" for reason in left]


def _sample() -> list[Case]:
    """Cases spread over all files; a person whose source would hold no Coverage when alone answers another question."""
    usual = [c for c in CASES if not is_alone(c.data) and c.data.get("given", {}).get("coverage") != "none"]
    usual = [c for c in usual if c.data.get("source_without_coverage") or not c.data.get("resources")]
    step = len(usual) / ALONE
    return [usual[int(place * step)] for place in range(ALONE)]


@pytest.mark.parametrize("case", _sample(), ids=_id)
def test_one_person_alone_gives_the_same_answer(case: Case, results: Results) -> None:
    together, single = results(case), run([case], alone=True)[case.number]
    assert (single.people, sorted(single.rejected)) == (together.people, sorted(together.rejected))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_follows_the_schema(path: Path) -> None:
    schema = json.loads((HERE / "schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    faults = [
        f"{'/'.join(str(part) for part in error.absolute_path)}: {error.message}"
        for error in validator.iter_errors(json.loads(path.read_text(encoding="utf-8")))
    ]
    assert not faults


def test_there_are_enough_cases_and_no_title_stands_twice() -> None:
    titles = [case.title for case in CASES]
    assert len(titles) >= 160
    assert sorted(titles) == sorted(set(titles))


def test_no_mbi_is_in_two_cases() -> None:
    """A roster may name a person by MBI alone, so within a population an MBI must belong to one case."""
    owners: dict[str, set[int]] = {}
    for case in CASES:
        if not is_alone(case.data):
            for mbi in re.findall(
                r'"([1-9][A-Z][A-Z0-9][0-9][A-Z][A-Z0-9][0-9][A-Z]{2}[0-9]{2})"', json.dumps(case.data)
            ):
                owners.setdefault(mbi, set()).add(case.number)
    assert {mbi: numbers for mbi, numbers in owners.items() if len(numbers) > 1} == {}


def _rows(name: str) -> Iterator[dict[str, str]]:
    path = MAPPINGS / "drugs" / name
    with (
        gzip.open(path, "rt", encoding="utf-8", newline="")
        if name.endswith(".gz")
        else path.open(encoding="utf-8") as file
    ):
        yield from csv.DictReader(file)


MEASURES = {"PDC-DR": "diabetes", "PDC-RASA": "ras_antagonists", "PDC-STA": "statins"}


def test_drugs_are_what_the_lists_say() -> None:
    """Each line of drugs.json has the name of its code, an NDC of the same ingredients, and the flags and measures of these."""
    products = {row["rxcui"]: row for row in _rows("products.csv")}
    asked = {drug["ndc"] for drug in DRUGS.values()}
    packages = {row["ndc11"]: row["ingredient_rxcuis"] for row in _rows("ndc.csv.gz") if row["ndc11"] in asked}
    classes: dict[str, list[dict[str, str]]] = {}
    for row in _rows("classes.csv"):
        classes.setdefault(row["ingredient_rxcui"], []).append(row)
    for name, drug in DRUGS.items():
        product = products[drug["rxnorm"]]
        ingredients = product["ingredient_rxcuis"].split(";")
        rows = [row for ingredient in ingredients for row in classes.get(ingredient, ())]
        flags = {(row["maintenance"], row["otc"]) for row in rows} or {("", "")}
        told = {row["adherence_measure"] for row in rows}
        measures = sorted(MEASURES[code] for code in told & MEASURES.keys() if f"{code}-EXCL" not in told)
        assert drug["name"] == product["name"], name
        assert (drug["maintenance"], drug["otc"]) in flags, (name, flags)
        assert drug["measures"] == measures, (name, measures)
        assert not drug["ndc"] or set(packages[drug["ndc"]].split(";")) == set(ingredients), name
