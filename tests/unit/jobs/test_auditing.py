"""The audit universes of a contract and year: who is in them, since when and why, and that the same data give the same bytes.

Synthetic members of the Special Needs Plan H1234-003 of the program health-partners-2023: each is targeted from the fill of a
statin on.
"""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re

import pytest

from adapter.cli.audit import told
from adapter.config import Config
from adapter.errors import ConfigError
from adapter.jobs.auditing import Auditing, account, audit, write_audit
from adapter.measures import universes
from tests.data.marx.records import MBI, record, report
from tests.spec import enrolled, expand
from tests.unit.cli.running import run

SNP = "H1234-003"
ALL_YEAR = [f"2023-{month:02}" for month in range(1, 13)]


def statin(day):
    return {"coverage": SNP, "claims": [{"drug": "atorvastatin", "date": day, "days": 30}]}


# id -> what is known of the person, enrollments (None: none at all), CMRs
PEOPLE = {
    "never": (statin("2023-02-10"), None, []),
    "last-day": (statin("2023-12-31"), None, []),
    "later": (statin("2023-01-05"), ["2023-03-15"], [{"on": "2023-06-01"}, {"on": "2023-03-14"}]),
    "in-time": (statin("2023-01-05"), ["2023-01-20"], [{"on": "2023-12-20", "summary": "2024-01-03"}]),
    "on-the-month-end": (statin("2023-01-05"), ["2023-01-31"], []),
    "a-day-late": (statin("2023-01-05"), ["2023-02-01"], []),
    "out-in-may": (statin("2023-01-05"), [{"start": "2023-01-20", "opt_out": ["2023-05-31", "03"]}], []),
    "out-in-june": (statin("2023-01-05"), [{"start": "2023-01-20", "opt_out": ["2023-06-01", "03"]}], []),
    "revoked": (statin("2023-01-05"), [{"start": "2023-01-20", "status": "revoked"}], []),
    "month-known": (statin("2023-01-05"), [{"start": "2023-03", "met": "2023-03-05"}], []),
    "of-the-year-before": (statin("2023-01-05"), [{"start": "2022-02-01", "plan_year": 2022}], []),
    "left": (statin("2023-02-10") | {"coverage": [{"plan": SNP, "end": "2023-04-30"}]}, None, []),
    "unlisted": ({"coverage": SNP, "claims": [{"text": "a drug on no list", "date": "2023-03-03"}]}, None, []),
    "unlisted-then-statin": (
        {"coverage": SNP, "claims": [{"text": "a drug on no list", "date": "2023-03-03"}, *statin("2023-08-08")["claims"]]}, None, [],
    ),
    "no-claim": (
        {"conditions": ["E11.9", "I10", "M81.0"],
         "requests": [{"drug": drug} for drug in (
             "lisinopril", "amlodipine", "metoprolol tartrate", "atorvastatin", "metformin", "ezetimibe", "hydrochlorothiazide")]},
        None, [],
    ),
    "at-risk-in-june": ({"mbi": MBI}, None, []),
    "healthy": ({}, None, []),
    "elsewhere": (statin("2023-02-10") | {"coverage": "S9999-003"}, None, []),
}  # fmt: skip


def fill(folder):
    """The source of all ``PEOPLE``, each under its own id."""
    folder.mkdir(parents=True)
    for key, (known, plans, cmrs) in PEOPLE.items():
        resources = [expand.with_suffix(one, "x") for one in expand.resources_of({"given": known})]
        if plans:
            case = {"year": 2023, "given": {"enrolled": plans, "cmrs": cmrs}}
            resources += [one for one in enrolled.resources_of(1, case) if one["resourceType"] != "Patient"]
        for one in resources:
            line = (
                expand.json_line(one)
                .replace("p001.000", key)
                .replace('"px"', f'"{key}"')
                .replace("Patient/px", f"Patient/{key}")
            )
            line = re.sub(r"-(\d)x\b", rf"-\1.{key}", line)
            with (folder / f"{one['resourceType']}.ndjson").open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("audit") / "source")


@pytest.fixture(scope="module")
def dtrr(tmp_path_factory):
    path = tmp_path_factory.mktemp("dtrr") / "dtrr.txt"
    path.write_bytes(report(record(known="20230610", starts="20230101", ends="20231231")))
    return path


@pytest.fixture(scope="module")
def asked(source, dtrr):
    return Auditing(str(source), "H1234", 2023, at_risk=dtrr)


@pytest.fixture(scope="module")
def made(asked):
    return audit(asked, Config())


@pytest.fixture(scope="module")
def missed(made):
    return {row["beneficiary"]: row for row in made.not_enrolled}


def test_month_ends():
    assert [f"{day:%m%d}" for day in universes.month_ends(2024)][:3] == ["0131", "0229", "0331"]
    assert f"{universes.month_ends(2023)[-1]}" == "2023-12-31"


# id -> finding, first eligible month, missed months, why, days to enrollment
NOT_ENROLLED = {
    "never": ("eligible", "2023-02", ALL_YEAR[1:], "never_enrolled", None),
    "last-day": ("eligible", "2023-12", ["2023-12"], "never_enrolled", None),
    "later": ("eligible", "2023-01", ALL_YEAR[:2], "enrolled_later", 43),
    "a-day-late": ("eligible", "2023-01", ["2023-01"], "enrolled_later", 1),
    "out-in-may": ("eligible", "2023-01", ALL_YEAR[4:], "opted_out", None),
    "out-in-june": ("eligible", "2023-01", ALL_YEAR[5:], "opted_out", None),
    "revoked": ("eligible", "2023-01", ALL_YEAR, "opt_out_day_unknown", None),
    "month-known": ("eligible", "2023-01", ALL_YEAR, "enrollment_day_unknown", None),
    "of-the-year-before": ("eligible", "2023-01", ALL_YEAR, "never_enrolled", None),
    "left": ("eligible", "2023-02", ["2023-02", "2023-03", "2023-04"], "never_enrolled", None),
    "unlisted": ("undecided", None, ALL_YEAR[2:], "never_enrolled", None),
    "unlisted-then-statin": ("eligible", "2023-08", ALL_YEAR[7:], "never_enrolled", None),
    "no-claim": ("undecided", None, ALL_YEAR[2:], "never_enrolled", None),
    "at-risk-in-june": ("eligible", "2023-06", ALL_YEAR[5:], "never_enrolled", None),
}  # fmt: skip


@pytest.mark.parametrize("who", NOT_ENROLLED)
def test_a_member_not_enrolled(missed, who):
    row, (finding, first, months, why, days) = missed[who], NOT_ENROLLED[who]
    assert (row["finding"], row["first_eligible_month"], row["why"], row["days_to_enrollment"]) == (
        finding,
        first,
        why,
        days,
    )
    assert row["missed_months"] == ";".join(months)
    assert row["first_missed_month"] == months[0]


def test_nobody_else_is_in_it(missed):
    assert set(missed) == set(NOT_ENROLLED)


def test_the_criteria_are_those_of_the_first_missed_month(missed):
    row = missed["never"]
    assert (row["doors"], row["reason_code"], row["adherence_drug_outcome"], row["adherence_drug_observed"]) == (
        "snp_adherence", "04", "met", "statins",
    )  # fmt: skip
    assert (missed["at-risk-in-june"]["doors"], missed["at-risk-in-june"]["reason_code"]) == ("at_risk", "02")
    assert (missed["out-in-may"]["opted_out_on"].isoformat(), missed["out-in-may"]["opt_out_reason"]) == (
        "2023-05-31",
        "03",
    )


def test_the_undecided_with_the_facts_that_are_missing(made):
    found = {(row["beneficiary"], row["criterion"]): row for row in made.missing}
    assert {key for key in found if key[0] == "no-claim"} == {("no-claim", "drug_cost")}
    assert found["no-claim", "drug_cost"]["fact"] == "drugs are taken and no claim tells their cost"
    row = found["unlisted", "adherence_drug"]
    assert (row["month"], row["source"]) == ("2023-03", "ExplanationOfBenefit/claim-1.unlisted")
    assert row["fact"].startswith("a drug on no list (not on a list")
    assert {key[0] for key in found} == {"no-claim", "unlisted"}  # who is eligible is not asked for facts


def test_the_months(made):
    first, last = made.months[0], made.months[-1]
    assert [row["month"] for row in made.months] == ALL_YEAR
    assert first["members"] == 17  # all but the one of another contract
    assert (first["targeted"], first["targeted_not_enrolled"]) == (9, 5)
    assert (last["members"], last["unknown"], last["undecided_not_enrolled"]) == (16, 2, 2)
    assert all(row["members"] == row["targeted"] + row["not_targeted"] + row["unknown"] for row in made.months)


def test_the_enrollees(made):
    rows = {row["beneficiary"]: row for row in made.enrollees}
    assert set(rows) == {
        "later",
        "in-time",
        "on-the-month-end",
        "a-day-late",
        "out-in-may",
        "out-in-june",
        "revoked",
        "month-known",
    }
    later = rows["later"]
    assert (later["cmrs"], later["summaries_sent"], later["first_cmr_on"].isoformat()) == (1, 1, "2023-06-01")
    assert later["sources"] == "CarePlan/later.plan0"
    assert (rows["a-day-late"]["cmrs"], rows["a-day-late"]["first_cmr_on"]) == (0, None)
    assert (rows["revoked"]["opted_out_without_a_day"], later["opted_out_without_a_day"]) == ("Y", "N")


def test_the_services(made):
    rows = [(row["beneficiary"], row["kind"], f"{row['on_day']}", row["within_enrollment"]) for row in made.services]
    assert rows == [
        ("in-time", "cmr", "2023-12-20", "Y"),
        ("in-time", "summary_sent", "2024-01-03", "Y"),  # of a CMR within, whatever its own day
        ("later", "cmr", "2023-03-14", "N"),
        ("later", "cmr", "2023-06-01", "Y"),
        ("later", "summary_sent", "2023-03-14", "N"),
        ("later", "summary_sent", "2023-06-01", "Y"),
    ]


def test_the_order_of_the_source_changes_no_byte(source, asked, made, tmp_path):
    write_audit(made, tmp_path / "one")
    shuffled, dice = tmp_path / "source", random.Random(5)
    shuffled.mkdir()
    for path in source.iterdir():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        dice.shuffle(lines)
        (shuffled / path.name).write_text("".join(lines), encoding="utf-8")
    again = Auditing(str(shuffled), "H1234", 2023, at_risk=asked.at_risk)
    write_audit(audit(again, Config()), tmp_path / "two")
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == [
        "enrollees.csv", "manifest.json", "missing_facts.csv", "months.csv", "not_enrolled.csv", "rejected.csv", "services.csv",
    ]  # fmt: skip
    for name in names:
        if name != "manifest.json":
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_the_manifest(made, tmp_path):
    write_audit(made, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for name, digest in manifest["outputs"].items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    assert "at-risk: dtrr.txt" in manifest["inputs"]
    assert manifest["rows"]["eligible"] == {
        "never_enrolled": 6, "enrolled_later": 2, "opted_out": 2, "opt_out_day_unknown": 1, "enrollment_day_unknown": 1,
    }  # fmt: skip
    with (tmp_path / "not_enrolled.csv").open(encoding="utf-8", newline="") as stream:
        assert next(csv.reader(stream)) == list(universes.NOT_ENROLLED)


def test_the_account_for_a_person(made, tmp_path):
    said = told(made, [tmp_path / "out" / "enrollees.csv"])
    assert "Enrollees       8 with 6 services" in said
    assert "Eligible and not enrolled at a month's end: 12" in said
    assert "Undecided and not enrolled: 2" in said
    assert said.count("2023-") == 12


def test_the_command_as_json(source, dtrr, made, tmp_path):
    done = run(
        "audit", source, "--contract", "H1234", "--year", 2023, "--at-risk", dtrr, "--out", tmp_path / "out", "--json"
    )
    assert done.code == 0
    assert json.loads(done.out) == json.loads(json.dumps(account(made)))
    assert (tmp_path / "out" / "manifest.json").is_file()
    assert "notice: " in done.err


def test_a_program_of_another_year_is_refused(source, tmp_path):
    done = run("audit", source, "--contract", "H1234", "--year", 2024, "--program", "cms-2023", "--out", tmp_path / "out")
    assert (done.code, done.out) == (2, "")
    assert "is of plan year 2023, not 2024" in done.sentence
    assert not (tmp_path / "out").exists()


def test_what_is_no_contract_is_refused(source):
    with pytest.raises(ConfigError, match="is no CMS contract number"):
        audit(Auditing(str(source), "1234", 2023), Config())
