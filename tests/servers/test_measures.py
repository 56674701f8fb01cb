"""Measures of a server's persons: valid MeasureReports, written once."""

from __future__ import annotations

import json
from pathlib import Path

from adapter.resources.definitions import definitions
from tests.servers.demo_copy import copy_of_demo
from tests.servers.plain import Plain, key, run_cli, screen
from tests.servers.test_hapi_accepts import faults

PERSONS = ("01", "13", "21", "36")  # three by the core criteria, one by the plan's own rule only


def test_reports_are_written_once(fhir_server: str, tmp_path: Path) -> None:
    demo = copy_of_demo(tmp_path / "demo", PERSONS)
    demo.load(fhir_server)
    screen(fhir_server, demo, "--write")
    asked = ("measures", fhir_server, "--patients", demo.patients, "--contract", "H1234", "--year", "2023")
    told = json.loads(run_cli(*asked, "--json", "--sink", str(tmp_path / "sink")))
    cmr = told["measures"][0]
    assert (cmr["population"], cmr["denominator"], cmr["numerator"]) == (4, 3, 0)
    assert cmr["not_in_denominator"] == "criteria_not_met 1"
    first, second = run_cli(*asked, "--write"), run_cli(*asked, "--write")
    written = (tmp_path / "sink" / "MeasureReport.ndjson").read_text(encoding="utf-8").splitlines()
    assert f"Written    {len(written)} MeasureReports" in first
    assert f"Written    0 MeasureReports to {fhir_server}; {len(written)} already there" in second


def test_hapi_finds_no_error_in_the_reports(hapi_server: str, tmp_path: Path) -> None:
    server = Plain(hapi_server)
    for definition in definitions():
        assert server.http.put(f"{hapi_server}/{key(definition)}", json=definition).status_code in (200, 201)
    demo = copy_of_demo(tmp_path / "demo", PERSONS)
    demo.load(hapi_server)
    screen(hapi_server, demo, "--write")
    asked = ("measures", hapi_server, "--patients", demo.patients, "--contract", "H1234", "--year", "2023")
    run_cli(*asked, "--sink", str(tmp_path / "sink"))
    lines = (tmp_path / "sink" / "MeasureReport.ndjson").read_text(encoding="utf-8").splitlines()
    reports = [json.loads(line) for line in lines]
    assert {report["type"] for report in reports} == {"summary", "individual"}
    assert faults(server, [(report, "") for report in reports]) == []
