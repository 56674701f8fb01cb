"""Who is reviewed, what is found, and the files of a review."""

from __future__ import annotations

import csv
import json
from datetime import date

import pytest

from adapter.config import Config
from adapter.errors import ConfigError, UnknownBeneficiary
from adapter.jobs.problem_finding import COLUMNS, last_day_of_quarter, of_quarter, problem_of, review, write_files
from adapter.jobs.targeting import Screening
from tests.unit.problem_source import NOTHING, STATINS, source

DAY = date(2023, 9, 30)
PROGRAM = "health-partners-2023"


def reviewed(folder, beneficiary="", **changes):
    values = {"source": str(folder), "as_of": DAY, "program": PROGRAM}
    return review(Screening(**(values | changes)), Config(), beneficiary)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return source(tmp_path_factory.mktemp("review"))


@pytest.fixture(scope="module")
def found(folder):
    return reviewed(folder)


def told(hits):
    return sorted((hit.beneficiary, hit.rule) for hit in hits)


@pytest.mark.parametrize(
    ("written", "day"),
    [("2023Q1", date(2023, 3, 31)), ("2024q2", date(2024, 6, 30)), ("2023Q3", DAY), ("2023Q4", date(2023, 12, 31))],
)
def test_a_review_of_a_quarter_is_one_of_its_last_day(written, day):
    assert last_day_of_quarter(written) == day
    assert of_quarter(Screening("x", date(2020, 1, 1)), written).as_of == day


@pytest.mark.parametrize("written", ["2023", "2023Q5", "2023Q0", "23Q1", "Q3", "2023Q33", "abcdQ1"])
def test_what_is_no_quarter_is_refused(written):
    with pytest.raises(ConfigError, match="is no quarter"):
        last_day_of_quarter(written)


def test_the_enrolled_are_reviewed(found):
    assert (found.who, set(found.persons)) == ("enrolled", {"p.001", "p.002", "p.003"})
    assert ("p.001", "duplicate_therapy") in told(found.found)
    assert ("p.002", "duplicate_therapy") in told(found.undecided)
    assert "p.003" not in {hit.beneficiary for hit in (*found.found, *found.undecided)}


def test_counts_name_every_rule_the_worst_first(found):
    counts = found.counts()
    assert set(counts) == set(found.rules)
    assert counts["duplicate_therapy"] == (1, 1)
    severities = [found.rules[name].severity for name in counts]
    assert severities == sorted(severities, key=("high", "moderate", "low").index)


@pytest.mark.parametrize(
    "plan",
    [
        {"status": "revoked"},
        {"period": {"start": "2023-10-01", "end": "2023-12-31"}},
        {"period": {"start": "2023-01-01", "end": "2023-09-29"}},
    ],
    ids=["opted out", "later", "ended"],
)
def test_who_is_not_enrolled_on_the_day_is_not_reviewed(tmp_path, plan):
    other = reviewed(source(tmp_path, **plan))
    assert (other.who, other.persons, other.found) == ("targeted", {}, ())
    assert any("nobody is enrolled" in notice for notice in other.notices)


def test_when_nobody_is_enrolled_the_targeted_are_reviewed(demo_targeted):
    assert demo_targeted.who == "targeted"
    assert len(demo_targeted.persons) > 10
    assert {"diabetes_without_statin", "never_filled_90"} <= {hit.rule for hit in demo_targeted.found}


@pytest.fixture(scope="module")
def demo_targeted(request):
    return reviewed(request.config.rootpath / "fixtures" / "demo")


def test_only_members_of_the_contract(folder):
    assert set(reviewed(folder, contract="H1234").persons) == {"p.001", "p.002", "p.003"}
    assert reviewed(folder, contract="H9999").persons == {}


def test_one_beneficiary(folder):
    one = reviewed(folder, "p.001")
    assert (one.who, one.persons, one.writable >= {"p.001"}) == ("one, enrolled", {"p.001": "H1234"}, True)
    assert {hit.beneficiary for hit in one.found} == {"p.001"}


def test_one_who_is_not_enrolled_is_shown_and_not_written(tmp_path):
    folder = source(tmp_path, (STATINS, NOTHING))
    lines = (folder / "CarePlan.ndjson").read_text().splitlines()
    (folder / "CarePlan.ndjson").write_text(lines[1] + "\n")
    one = reviewed(folder, "p.001")
    assert one.who == "one"
    assert told(one.found)
    assert "p.001" not in one.writable
    assert any("not enrolled" in notice for notice in one.notices)


def test_an_unknown_beneficiary_is_told(folder):
    with pytest.raises(UnknownBeneficiary):
        reviewed(folder, "nobody")


def test_the_files(found, tmp_path):
    paths = write_files(found, tmp_path / "out")
    assert [path.name for path in paths] == ["problems.csv", "undecided.csv"]
    with paths[0].open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    (row,) = [row for row in rows if row["rule"] == "duplicate_therapy"]
    assert row["beneficiary"] == "p.001"
    assert row["contact"] == "prescriber;pharmacist"
    assert row["sources"] == "ExplanationOfBenefit/claim-1.001;ExplanationOfBenefit/claim-2.001"
    assert "30 days together" in row["fact"]
    assert paths[1].read_text().count("\n") > 1


def test_the_problem_that_the_resource_tells(found):
    (hit,) = [hit for hit in found.found if hit.rule == "duplicate_therapy"]
    problem = problem_of(hit, found.rules)
    assert problem.detail.startswith("Two drugs of one class (")
    assert problem.detail.endswith("30 days together, from 2023-08-01 to 2023-08-30.")
    assert (problem.code, problem.drugs, problem.standing) == ("DUPTHPY", ("36567", "83367"), "U")


def test_a_rule_that_a_plan_takes_away_is_not_asked(tmp_path, folder, monkeypatch, request):
    own = tmp_path / "mappings"
    own.mkdir()
    for path in (request.config.rootpath / "mappings").iterdir():
        if path.name != "problems":
            (own / path.name).symlink_to(path)
    (own / "problems").mkdir()
    rule = request.config.rootpath / "mappings" / "problems" / "two_ras_blockers.toml"
    (own / "problems" / rule.name).write_bytes(rule.read_bytes())
    monkeypatch.setenv("MTM_MAPPINGS", str(own))
    assert json.dumps(list(reviewed(folder).rules)) == '["two_ras_blockers"]'
