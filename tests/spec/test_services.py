"""The specification cases of services/*.json, one test each: FHIR resources in, duties and proposed opt-outs out.

The cases of one program and day are one population, read from NDJSON as any other; the person of a case is ``Patient/c<number>``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from adapter.population import plan_year_tables
from adapter.resources.service_events import Service, reference_of, service_event
from adapter.services.due import due
from adapter.services.lives import lives
from adapter.services.proposals import proposals
from adapter.sources.snapshot import from_folder
from adapter.targeting.program import load_program
from tests.conftest import PROGRAMS

HERE = Path(__file__).parent
FILES = sorted((HERE / "services").glob("*.json"))
OWN = "https://w3id.org/mtm-adapter/fhir/"


@dataclass(frozen=True)
class Case:
    """One case, with the number that names its person."""

    number: int
    file: str
    body: dict[str, Any]

    @property
    def person(self) -> str:
        return f"c{self.number}"

    @property
    def setting(self) -> str:
        return json.dumps([self.body.get("program", "health-partners-2023"), self.body["as_of"]], sort_keys=True)


def load_cases() -> list[Case]:
    bodies = [(path.stem, body) for path in FILES for body in json.loads(path.read_text(encoding="utf-8"))["cases"]]
    return [Case(number, file, body) for number, (file, body) in enumerate(bodies)]


CASES = load_cases()


def resources(case: Case) -> Iterator[dict[str, Any]]:
    subject = {"reference": f"Patient/{case.person}"}
    died = case.body.get("died")
    yield {"resourceType": "Patient", "id": case.person} | (
        {"deceasedBoolean": True} if died is True else {"deceasedDateTime": died} if died else {}
    )
    for number, given in enumerate(case.body.get("coverage", [{"start": "2022-01-01"}])):
        period = {name: given[name] for name in ("start", "end") if name in given}
        contract = given.get("contract", "H1234")
        yield {
            "resourceType": "Coverage", "id": f"{case.person}-v{number}", "status": "active", "beneficiary": subject, "period": period,
            "class": [{"type": {"coding": [{"code": "plan"}]}, "value": f"{contract}-001"}],
        }  # fmt: skip
    for number, given in enumerate(enrolled(case)):
        yield care_plan(f"{case.person}-e{number}", subject, given)
    yield from services(case)


def enrolled(case: Case) -> list[dict[str, Any]]:
    given = case.body["enrolled"]
    return [{"on": given}] if isinstance(given, str) else given


def care_plan(key: str, subject: dict[str, str], given: dict[str, Any]) -> dict[str, Any]:
    year = given.get("year") or int(given["on"][:4])
    parts = [
        {"url": "contract", "valueString": given.get("contract", "H1234")},
        {"url": "planYear", "valueInteger": year},
    ]
    names = {
        "opted_out": ("optOutOn", "valueDate"),
        "reason": ("optOutReason", "valueCode"),
        "re_enrolled": ("reEnrolledOn", "valueDate"),
    }
    parts += [{"url": url, kind: given[name]} for name, (url, kind) in names.items() if name in given]
    ends = given.get("opted_out") or given.get("ends") or f"{year}-12-31"
    return {
        "resourceType": "CarePlan", "id": key, "intent": "plan", "subject": subject,
        "status": given.get("status") or ("revoked" if "opted_out" in given else "active"),
        "period": {"start": given.get("on", str(year)), "end": ends},
        "extension": [{"url": OWN + "StructureDefinition/mtm-enrollment", "extension": parts}],
    }  # fmt: skip


def services(case: Case) -> Iterator[dict[str, Any]]:
    named: dict[str, str] = {}
    for given in case.body.get("services", []):
        day = date.fromisoformat(given.get("on", "2023-03-31"))
        service = Service(
            given["kind"], case.person, given.get("contract", "H1234"), day.year, f"CarePlan/{case.person}-e0", day,
            method=given.get("method", ""), answer=given.get("answer", ""), about=named.get(given.get("about", ""), ""),
        )  # fmt: skip
        named[given.get("name", "")] = reference_of(service)
        made = service_event(service)
        if "on" not in given:
            made["sent"] = "2023-03"
        yield made


Found = tuple[list[dict[str, Any]], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def year(pool, tmp_path_factory):
    """The tables of all cases, read once, and the engine that holds them."""
    folder = tmp_path_factory.mktemp("services")
    source, scratch = folder / "source", folder / "scratch"
    source.mkdir()
    scratch.mkdir()
    by_type: dict[str, list[str]] = {}
    for one in (one for case in CASES for one in resources(case)):
        by_type.setdefault(one["resourceType"], []).append(json.dumps(one))
    for kind, lines in by_type.items():
        (source / f"{kind}.ndjson").write_text("\n".join(lines), encoding="utf-8")
    with pool.session() as engine:
        tables = plan_year_tables(engine, from_folder(source, scratch))
        assert tables.rejected == ()
        yield engine, tables


@pytest.fixture(scope="module")
def found(year, tmp_path_factory):
    """Duties and proposals of a case; program and day are asked when the first case of them asks."""
    engine, tables = year
    folder = tmp_path_factory.mktemp("programs")
    done: dict[str, Found] = {}

    def of(case: Case) -> Found:
        if case.setting not in done:
            name, as_of = json.loads(case.setting)
            if isinstance(name, dict):
                (folder / "plan.toml").write_text(toml(name), encoding="utf-8")
                name = str(folder / "plan.toml")
            rules, day = load_program(name, PROGRAMS), date.fromisoformat(as_of)
            begun = lives(tables.enrollments, tables.services, day)
            done[case.setting] = (
                engine.records(due(tables.enrollments, tables.services, rules, day)),
                engine.records(proposals(begun, tables.beneficiaries, tables.coverages, day)),
            )
        return tuple([row for row in rows if row["beneficiary"] == case.person] for rows in done[case.setting])

    return of


def toml(program: dict[str, Any]) -> str:
    lines = [f"extends = {json.dumps(program['extends'])}"]
    for name, table in program["services"].items():
        lines += [f"[services.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_cases_is_as_the_schema_says(path):
    schema = json.loads((HERE / "schema_services.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), schema)


def test_no_title_stands_twice_and_there_are_many():
    titles = [case.body["title"] for case in CASES]
    assert len(set(titles)) == len(titles) > 80


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file}: {case.body['title']}")
def test_case(case, found):
    duties, proposed = found(case)
    expect = dict(case.body["expect"])
    if "proposed" in expect:
        assert_proposed(expect.pop("proposed"), proposed)
    for key, expected in expect.items():
        duty, _, number = key.partition("/")
        rows = [row for row in duties if row["duty"] == duty and (not number or row["number"] == int(number))]
        if expected == "absent":
            assert rows == []
        else:
            [row] = rows
            assert_as_expected(row, expected)


def assert_proposed(expected: dict[str, Any] | None, proposed: list[dict[str, Any]]) -> None:
    if expected is None:
        assert proposed == []
        return
    [row] = proposed
    assert row["source"].startswith(expected.get("source", ""))
    assert_as_expected(row, {name: value for name, value in expected.items() if name != "source"})


def assert_as_expected(row: dict[str, Any], expected: dict[str, Any]) -> None:
    told = {name: value for name, value in expected.items() if name != "why"}
    assert {name: row[name].isoformat() if isinstance(row[name], date) else row[name] for name in told} == told
    assert expected.get("why", "") in row["why"]
