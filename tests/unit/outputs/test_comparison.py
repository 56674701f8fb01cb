"""A screening against an earlier one: what changed, since when the criteria are met, and which earlier runs are refused."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapter.cli.screen import screen_command
from adapter.errors import ConfigError
from adapter.outputs import comparison
from adapter.outputs.comparison import BEFORE, FIRST_MET, changes, criteria_met_on, first_met, read_run
from adapter.resources.care_plan import enrollment
from adapter.targeting.decision import CRITERIA, CriterionResult, Decision

DEMO = Path(__file__).parents[3] / "fixtures" / "demo"
EARLIER, NOW = date(2023, 6, 30), date(2023, 9, 30)


def row(beneficiary="p1", outcome="not_targeted", doors="", reason="", contract="H1234", **criteria):
    columns = {f"{name}_outcome": criteria.get(name, "not_met") for name in CRITERIA}
    given = {
        "beneficiary": beneficiary,
        "contract": contract,
        "outcome": outcome,
        "doors": doors,
        "reason_code": reason,
    }
    return given | columns


CORE = {"outcome": "targeted", "doors": "core", "reason": "01"}
BOTH = {"outcome": "targeted", "doors": "core;at_risk", "reason": "03"}
GONE = {"outcome": "not_enrolled"}

# title -> (before or None, after or None, changes as (change, criterion, before, after))
CASES = {
    "nothing": (row(**CORE), row(**CORE), set()),
    "newly targeted, and why": (
        row(), row(**CORE, drug_cost="met"),
        {("newly_targeted", "", "not_targeted", "targeted"), ("changed_criterion", "drug_cost", "not_met", "met")},
    ),
    "decided at last": (row(outcome="unknown"), row(**CORE), {("newly_targeted", "", "unknown", "targeted")}),
    "no longer meeting": (row(**CORE), row(), {("no_longer_meeting", "", "targeted", "not_targeted")}),
    "no longer decided": (row(**CORE), row(outcome="unknown"), {("no_longer_meeting", "", "targeted", "unknown")}),
    "another door": (
        row(**CORE), row(**BOTH),
        {("changed_doors", "", "core", "core;at_risk"), ("changed_reason", "", "01", "03")},
    ),
    "another contract": (row(**CORE), row(**CORE, contract="H5678"), {("changed_contract", "", "H1234", "H5678")}),
    "new in the source": (None, row(), {("joined", "", "", "not_targeted")}),
    "new in the source and targeted": (
        None, row(**CORE, drug_cost="met"), {("joined", "", "", "targeted"), ("newly_targeted", "", "", "targeted")},
    ),
    "new in the source, without Part D": (None, row(**GONE), {("joined", "", "", "not_enrolled")}),
    "new in Part D": (row(**GONE), row(), {("joined", "", "not_enrolled", "not_targeted")}),
    "left Part D": (row(**CORE, drug_cost="met"), row(**GONE), {("left", "", "targeted", "not_enrolled")}),
    "left the source": (row(**CORE), None, {("left", "", "targeted", "")}),
    "left the source without Part D": (row(**GONE), None, {("left", "", "not_enrolled", "")}),
    "never in Part D": (row(**GONE), row(**GONE, drug_cost="met"), set()),
}  # fmt: skip


@pytest.fixture(scope="module")
def changed(engine):
    before = [one | {"beneficiary": title} for title, (one, _, _) in CASES.items() if one]
    after = [one | {"beneficiary": title} for title, (_, one, _) in CASES.items() if one]
    return engine.records(changes(engine.table(before, BEFORE), engine.table(after, BEFORE)))


@pytest.mark.parametrize("title", CASES)
def test_a_change_is_told_with_before_and_after(changed, title):
    found = [
        (row["change"], row["criterion"], row["before"], row["after"]) for row in changed if row["beneficiary"] == title
    ]
    assert len(found) == len(set(found))
    assert set(found) == CASES[title][2]


def test_changes_are_sorted_and_counted_by_beneficiary(changed):
    assert changed == sorted(changed, key=lambda row: tuple(row.values()))
    counts = comparison.counted(
        [*changed, {"beneficiary": "nothing", "change": "left"}, {"beneficiary": "nothing", "change": "left"}]
    )
    assert tuple(counts) == comparison.CHANGES
    assert counts["left"] == 4
    assert counts["newly_targeted"] == 3


def met(beneficiary, door, day, reason="01", contract="H1234"):
    return {"beneficiary": beneficiary, "contract": contract, "door": door, "met_on": day, "reason_code": reason}


def test_the_first_day_of_each_door_is_kept(engine, program_2023):
    earlier = [
        met("kept", "core", EARLIER), met("gone", "core", EARLIER), met("moved", "core", EARLIER, contract="H5678"),
        met("again", "core", NOW, "03"), met("later", "core", date(2023, 12, 1)),
    ]  # fmt: skip
    now = [
        row("kept", **BOTH),
        row("gone"),
        row("moved", **CORE),
        row("again", **CORE),
        row("later", **CORE),
        row("new", **BOTH),
    ]
    table = first_met(engine.table(now, BEFORE), engine.table(earlier, FIRST_MET), NOW, program_2023)
    assert engine.records(table) == [
        met("again", "core", NOW),
        met("gone", "core", EARLIER),
        met("kept", "at_risk", NOW, "03"),
        met("kept", "core", EARLIER),
        met("later", "core", NOW),
        met("moved", "core", NOW),
        met("moved", "core", EARLIER, contract="H5678"),
        met("new", "at_risk", NOW, "03"),
        met("new", "core", NOW, "03"),
    ]


@pytest.mark.parametrize("day", [date(2022, 12, 31), date(2024, 1, 1)])
def test_a_day_outside_the_plan_year_is_not_when_the_criteria_were_met(engine, program_2023, day):
    table = first_met(engine.table([row(**CORE)], BEFORE), engine.table([], FIRST_MET), day, program_2023)
    assert engine.records(table) == []


def test_the_care_plan_gets_the_earliest_day_of_a_cms_door():
    own = [met("p1", "snp_adherence", date(2023, 1, 1), "04"), met("p2", "snp_adherence", NOW, "04")]
    rows = [met("p1", "core", NOW), met("p1", "at_risk", EARLIER), *own]
    assert criteria_met_on(rows) == {("p1", "H1234"): EARLIER}


@pytest.mark.parametrize(
    ("first", "held", "told"),
    [
        (None, None, NOW),
        (EARLIER, None, EARLIER),
        (date(2023, 12, 1), None, NOW),
        (EARLIER, date(2023, 8, 1), date(2023, 8, 1)),
    ],
)
def test_an_earlier_day_counts_unless_the_care_plan_that_is_held_tells_one(program_2023, first, held, told):
    criteria = tuple(CriterionResult(name, "met", "", "") for name in CRITERIA)
    decision = Decision("p1", "H1234", "", "targeted", ("core",), "01", criteria, NOW)
    before = enrollment(replace(decision, as_of=held), program_2023, None) if held else None
    plan = enrollment(decision, program_2023, before, first)
    assert {"url": "criteriaMetOn", "valueDate": told.isoformat()} in plan["extension"][0]["extension"]


def run(folder, **manifest):
    """The folder of a small earlier run, as ``screen --out`` writes it."""
    made = {
        "as_of": "2023-06-30", "contract": "", "program": {"name": "health-partners-2023", "version": "2023.1", "plan_year": 2023},
        "outcomes": {"targeted": 1, "not_targeted": 1, "unknown": 0, "not_enrolled": 0}, "first_met": 1,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(made | manifest))
    write(folder / "targeting.csv", [row("p1", **CORE), row("p2")])
    write(folder / "first_met.csv", [met("p1", "core", EARLIER)])
    return folder


def write(path, rows):
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_an_earlier_run_is_read(tmp_path, program_2023):
    found = read_run(run(tmp_path), program_2023, "", NOW)
    assert (found.as_of, found.program, found.version) == (EARLIER, "health-partners-2023", "2023.1")
    assert list(found.targeting) == [row("p1", **CORE), row("p2")]
    assert list(found.first_met) == [met("p1", "core", EARLIER)]
    assert found.notices(program_2023) == [
        f"the earlier run was by the program health-partners-2023 version 2023.1, this one is by health-partners-2023 version "
        f"{program_2023.version}; a change may come from the program rather than from the beneficiary"
    ] * (program_2023.version != "2023.1")
    assert read_run(tmp_path, program_2023, "", EARLIER).as_of == EARLIER  # the same day again


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        (
            {"program": {"name": "x", "version": "1", "plan_year": 2022}},
            "is of plan year 2022, not 2023; a new plan year starts anew",
        ),
        ({"contract": "H5678"}, "is of contract H5678, this one of all contracts; give the same --contract"),
        ({"as_of": "2023-10-01"}, "is of 2023-10-01, later than 2023-09-30"),
        ({"as_of": "2023-13-01"}, "manifest.json is not that of a screening"),
        ({"as_of": None}, "manifest.json is not that of a screening"),
        ({"program": "x"}, "manifest.json is not that of a screening"),
        ({"outcomes": {"targeted": 2}}, "its files do not have the rows that manifest.json counts"),
        ({"first_met": 2}, "its files do not have the rows that manifest.json counts"),
    ],
)
def test_a_run_that_cannot_be_compared_is_refused_in_one_sentence(tmp_path, program_2023, manifest, sentence):
    with pytest.raises(ConfigError) as refused:
        read_run(run(tmp_path, **manifest), program_2023, "", NOW)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def damage(name, content):
    def damaged(folder):
        (folder / name).write_bytes(content)

    return damaged


DAMAGES = {
    "no folder": lambda folder: [path.unlink() for path in folder.iterdir()] and folder.rmdir(),
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "no targeting.csv": lambda folder: (folder / "targeting.csv").unlink(),
    "no first_met.csv": lambda folder: (folder / "first_met.csv").unlink(),
    "a folder in place of a file": lambda folder: [(folder / "targeting.csv").unlink(), (folder / "targeting.csv").mkdir()],
    "a manifest that is no JSON": damage("manifest.json", b'{"as_of":'),
    "a manifest that is a list": damage("manifest.json", b"[]"),
    "a manifest that is no text": damage("manifest.json", b"\xff\xfe\xff"),
    "an empty table": damage("targeting.csv", b""),
    "a table of another kind": damage("targeting.csv", b"file,line\nx,1\n"),
    "a table that is no text": damage("targeting.csv", b"\xff\xfe\x00"),
    "no day": damage("first_met.csv", b"beneficiary,contract,door,met_on,reason_code\np1,H1234,core,June,01\n"),
    "a row cut short": damage("first_met.csv", b"beneficiary,contract,door,met_on,reason_code\np1,H1234,core,2023-06-30\n"),
    "an open quote": damage("first_met.csv", b'beneficiary,contract,door,met_on,reason_code\np1,H1234,core,2023-06-30,"01\n'),
    "one door twice": damage("first_met.csv", b"beneficiary,contract,door,met_on,reason_code\n" + b"p1,H1234,core,2023-06-30,01\n" * 2),
    "somebody twice": lambda folder: write(folder / "targeting.csv", [row("p1", **CORE), row("p1")]),
    "rows are missing": lambda folder: write(folder / "targeting.csv", [row("p1", **CORE)]),
}  # fmt: skip


@pytest.mark.parametrize("title", DAMAGES)
def test_a_damaged_run_is_refused_in_one_sentence(tmp_path, program_2023, title):
    folder = tmp_path / "run"
    folder.mkdir()
    DAMAGES[title](run(folder))
    with pytest.raises(
        ConfigError, match=r"is no whole earlier run \(.*\); give the --out folder of a screening, or run it again$"
    ):
        read_run(folder, program_2023, "", NOW)


def screen(*arguments):
    done = CliRunner().invoke(screen_command, [str(DEMO), "--at-risk", str(DEMO / "at-risk.csv"), *map(str, arguments)])
    assert done.exit_code == 0, done.exception
    return done.stdout


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The folder of a screening in June that September's is laid over, with CarePlans; and what September said."""
    out = tmp_path_factory.mktemp("out")
    screen("--as-of", EARLIER, "--out", out)
    assert not (out / "changes.csv").exists()
    said = screen("--as-of", NOW, "--since-run", out, "--out", out, "--sink", out / "sink")
    return out, said


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_a_screening_tells_what_changed_since_an_earlier_one(compared):
    out, said = compared
    found = rows_of(out / "changes.csv")
    told = json.loads((out / "manifest.json").read_text())["changes"]
    assert told["since"] == "2023-06-30"
    assert told["newly_targeted"] == sum(row["change"] == "newly_targeted" for row in found) > 10
    assert f"Changes since 2023-06-30\n               {told['newly_targeted']} newly targeted\n" in said
    assert "changes.csv" in said


def test_the_care_plan_tells_when_the_criteria_were_first_met(compared):
    out, _ = compared
    days = {(row["beneficiary"], row["door"]): row["met_on"] for row in rows_of(out / "first_met.csv")}
    assert {"2023-06-30", "2023-09-30"} == set(days.values())
    outcomes = {row["beneficiary"]: row for row in rows_of(out / "targeting.csv")}
    plans = [json.loads(line) for line in (out / "sink" / "CarePlan.ndjson").read_text().splitlines()]
    assert len(plans) == sum(row["outcome"] == "targeted" for row in outcomes.values())
    for plan in plans:
        person = plan["subject"]["reference"].removeprefix("Patient/")
        [extension] = plan["extension"]
        told = [part["valueDate"] for part in extension["extension"] if part["url"] == "criteriaMetOn"]
        cms = [day for (who, door), day in days.items() if who == person and door in ("core", "at_risk")]
        assert told == ([min(cms)] if outcomes[person]["reason_code"] != "04" else [])
        assert plan["period"]["start"] == "2023-09-30"


def test_a_screening_without_an_earlier_one_takes_its_old_changes_away(tmp_path):
    (tmp_path / "changes.csv").write_text("of another run")
    said = json.loads(screen("--as-of", NOW, "--out", tmp_path, "--json"))
    assert not (tmp_path / "changes.csv").exists()
    assert "changes" not in said
    assert said["near_misses"] == {"chronic_diseases": 3, "part_d_drugs": 7, "drug_cost": 2}
