"""The job of the measures: what it writes, that the same data give the same bytes, and its refusals. Synthetic persons."""

from __future__ import annotations

import csv
import hashlib
import json
import random
from pathlib import Path

import pytest

from adapter.config import Config
from adapter.errors import ConfigError, MappingError, SourceError
from adapter.fhir.conformance import validate
from adapter.fhir.json import loads
from adapter.jobs.measuring import Measuring, account, cmr_total, measure, write_measures, write_reports
from adapter.mappings.folder import load_mappings
from adapter.measures.cmr_completion import Enrolled
from adapter.measures.settings import load_settings
from adapter.population import plan_year_tables
from adapter.sinks import FolderSink
from adapter.sources.opening import open_source
from tests.spec import enrolled, expand
from tests.unit.cli.running import run

FILES = ["MeasureReport.ndjson", "beneficiaries.csv", "manifest.json", "measures.csv", "rejected.csv"]
STATIN = {"drug": "atorvastatin", "days": 90}
PEOPLE = {
    "year": 2023,
    "people": [
        {"copies": 31, "cmrs": ["2023-06-01"]},
        {"enrolled": ["2023-12-10"]},
        {"enrolled": [{"start": "2023-01-01", "reason": "04"}]},
    ],
}


def fill(folder, people=PEOPLE, covered=True, extra=()):
    """A source of the people; the first of them fills a statin twice."""
    enrolled.write(folder, [(1, people)])
    resources = [
        *(expand.with_suffix(one, "001.000") for one in expand.resources_of(
            {"given": {"claims": [STATIN | {"date": "2023-01-01"}, STATIN | {"date": "2023-04-01"}]}}
        )),
        *extra,
    ]  # fmt: skip
    for one in resources:
        if one["resourceType"] not in ("Patient", *(() if covered else ("Coverage",))):
            with (folder / f"{one['resourceType']}.ndjson").open("a", encoding="utf-8") as stream:
                stream.write(expand.json_line(one) + "\n")
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("measured") / "source")


@pytest.fixture(scope="module")
def made(source):
    return measure(Measuring(str(source), "H1234", 2023), Config())


@pytest.fixture(scope="module")
def out(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "made"
    write_measures(made, folder)
    return folder


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_sums(made):
    cmr, _, _, statins = made.totals
    assert (cmr.population, cmr.denominator, cmr.numerator, str(cmr.rate)) == (33, 31, 31, "1.000000")
    assert cmr.reasons == (("criteria_not_met", 1), ("under_60_days", 1))
    assert (statins.denominator, statins.numerator, statins.rate) == (1, 0, None)


def test_the_files(out):
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert [row["measure"] for row in rows(out / "measures.csv")] == [
        "cmr_completion", "pdc_diabetes", "pdc_ras_antagonists", "pdc_statins",
    ]  # fmt: skip
    assert rows(out / "measures.csv")[0]["rate"] == "1.000000"
    beneficiaries = rows(out / "beneficiaries.csv")
    assert len(beneficiaries) == 34
    assert {row["in_numerator"] for row in beneficiaries} == {"Y", "N"}
    (statin,) = [row for row in beneficiaries if row["measure"] == "pdc_statins"]
    assert (statin["days"], statin["days_covered"], statin["proportion"], statin["shortfall"]) == (
        "365", "180", "0.493151", "below_threshold",
    )  # fmt: skip
    assert statin["sources"].count("ExplanationOfBenefit/") == 2


def test_the_reports_are_valid_and_one_for_each_row_and_measure(out):
    reports = [loads(line) for line in (out / "MeasureReport.ndjson").read_bytes().splitlines()]
    for report in reports:
        validate(report)
    kinds = [report["type"] for report in reports]
    assert (kinds.count("summary"), kinds.count("individual")) == (4, 34)
    assert len({report["id"] for report in reports}) == 38


def test_the_manifest_tells_the_hashes_of_what_was_read_and_written(source, out):
    manifest = json.loads((out / "manifest.json").read_text())
    digest = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (*source.iterdir(), *out.iterdir())}
    assert manifest["inputs"] == {path.name: digest[path.name] for path in sorted(source.iterdir())}
    assert manifest["outputs"] == {name: digest[name] for name in FILES if name != "manifest.json"}
    assert "measures/cmr_completion.toml" in manifest["mappings"]
    assert any("not verified (U)" in notice for notice in manifest["notices"])


def test_the_order_of_the_source_changes_no_byte_of_what_is_written(source, out, tmp_path):
    shuffled, dice = tmp_path / "source", random.Random(1)
    shuffled.mkdir()
    for path in source.iterdir():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        dice.shuffle(lines)
        (shuffled / path.name).write_text("".join(lines), encoding="utf-8")
    write_measures(measure(Measuring(str(shuffled), "H1234", 2023), Config()), tmp_path / "out")
    same = [name for name in FILES if name != "manifest.json"]
    assert {name: (tmp_path / "out" / name).read_bytes() for name in same} == {
        name: (out / name).read_bytes() for name in same
    }


def test_reports_written_twice_are_written_once(made, tmp_path):
    sink = FolderSink(tmp_path / "sink")
    first, second = write_reports(made, sink), write_reports(made, sink)
    assert (first.written, first.unchanged, first.failures) == (38, 0, ())
    assert (second.written, second.unchanged) == (0, 38)
    assert (tmp_path / "sink" / "MeasureReport.ndjson").read_bytes().count(b"\n") == 38


def test_another_contract_has_nobody(source):
    made = measure(Measuring(str(source), "S9999", 2023), Config())
    assert (list(made.rows), [one.population for one in made.totals]) == ([], [0, 0, 0, 0])


def test_without_any_coverage_everybody_is_a_member(tmp_path):
    source = fill(tmp_path / "source", {"year": 2023, "people": [{}]}, covered=False)
    made = measure(Measuring(str(source), "H1234", 2023), Config())
    assert made.totals[3].denominator == 1
    assert "the source holds no Coverage: everybody in it is taken as a member of H1234 all year" in made.notices


def test_a_refused_resource_is_told_once(tmp_path):
    faulty = {"resourceType": "Procedure", "id": "x", "status": "completed", "subject": {"reference": "Patient/p001.000"},
              "code": {"coding": [{"system": "https://w3id.org/mtm-adapter/fhir/CodeSystem/service", "code": "cmr"}]}}  # fmt: skip
    double = {"resourceType": "Coverage", "id": "y", "status": "active"}
    made = measure(Measuring(str(fill(tmp_path / "source", extra=[faulty, double])), "H1234", 2023), Config())
    assert [(one.resource_type, one.resource_id) for one in made.rejected] == [("Coverage", "y"), ("Procedure", "x")]


def test_a_person_of_the_hospice_list_who_is_not_in_the_source(source, tmp_path):
    stays = tmp_path / "hospice.csv"
    stays.write_text("beneficiary,mbi,start,end,source\np001.000,,2023-02-01,,x\nnobody,,2023-02-01,,x\n")
    made = measure(Measuring(str(source), "H1234", 2023, hospice=stays), Config())
    assert (made.totals[0].denominator, made.totals[0].excluded, made.totals[3].excluded) == (30, 1, 1)
    assert [(one.file, one.line, one.reason) for one in made.rejected] == [
        ("hospice.csv", 3, "the person of this row is not in the source")
    ]
    assert "hospice: hospice.csv" in made.made_from["inputs"]


REFUSALS = {
    "contract": (Measuring("x", "1234", 2023), ConfigError, "1234 is no CMS contract number"),
    "year": (Measuring("x", "H1234", 2013), MappingError, "not 2013"),
    "source": (Measuring("does-not-exist", "H1234", 2023), SourceError, "There is no folder"),
    "hospice": (Measuring("x", "H1234", 2023, hospice=Path("none.csv")), ConfigError, "There is no list none.csv"),
}


@pytest.mark.parametrize(("asked", "error", "sentence"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_measured_is_refused(asked, error, sentence):
    with pytest.raises(error, match=sentence):
        measure(asked, Config())


def test_the_command_tells_the_rates_and_what_they_rest_on(source, tmp_path):
    done = run(
        "measures",
        source,
        "--contract",
        "H1234",
        "--year",
        2023,
        "--out",
        tmp_path / "out",
        "--sink",
        tmp_path / "sink",
    )
    assert done.code == 0
    assert "MTM Program Completion Rate for CMR                             31 of      31  100.00%" in done.out
    assert "not enough: 1 in the denominator, a rate needs 31" in done.out
    assert "Written    38 MeasureReports" in done.out
    assert "notice: cmr_completion: not verified (U): cmr_on_opt_out_day" in done.err
    assert (tmp_path / "out" / "manifest.json").is_file()


def test_the_command_as_json(source, made):
    done = run("measures", source, "--contract", "H1234", "--year", 2023, "--json")
    assert json.loads(done.out) == json.loads(json.dumps(account(made)))


def test_the_cmr_rate_alone_for_who_has_the_tables_at_hand(source, made, engine, tmp_path):
    tables = plan_year_tables(engine, open_source(str(source), Config(), tmp_path))
    given = Enrolled(tables.enrollments, tables.services, tables.beneficiaries)
    settings = load_settings(load_mappings().folder)
    assert cmr_total(engine, given, settings, "H1234", 2023) == made.totals[0]


def test_a_display_year_is_told(tmp_path):
    source = fill(tmp_path / "source", {"year": 2025, "people": [{"enrolled": ["2025-01-01"]}]})
    made = measure(Measuring(str(source), "H1234", 2025), Config())
    assert "cmr_completion: CMS shows this measure for 2025 and does not rate it" in made.notices


def test_a_roster_of_the_at_risk_tells_no_hospice(source, tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text("beneficiary,mbi,contract,status,start,end,source\n")
    made = measure(Measuring(str(source), "H1234", 2023, at_risk=roster), Config())
    assert "the file of --at-risk holds no MARx reply report, so it tells neither hospice nor ESRD" in made.notices
