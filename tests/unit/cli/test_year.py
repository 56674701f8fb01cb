"""record and worklist by the command line: what a person sees, the exit codes, and what is refused before anything is read."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.running import run

OWN = "https://w3id.org/mtm-adapter/fhir/"
TODAY = ("--today", "2023-12-20")


@pytest.fixture
def source(tmp_path):
    parts = [{"url": "contract", "valueString": "H1234"}, {"url": "planYear", "valueInteger": 2023}]
    plan = {
        "resourceType": "CarePlan", "id": "mtm-e", "status": "active", "intent": "plan",
        "subject": {"reference": "Patient/b1"}, "period": {"start": "2023-02-10", "end": "2023-12-31"},
        "extension": [{"url": OWN + "StructureDefinition/mtm-enrollment", "extension": parts}],
    }  # fmt: skip
    for one in ({"resourceType": "Patient", "id": "b1"}, plan):
        (tmp_path / f"{one['resourceType']}.ndjson").write_text(json.dumps(one) + "\n", encoding="utf-8")
    return tmp_path


def record(kind, source, *more):
    return run("record", kind, source, "b1", *TODAY, *more)


CMR = ("--method", "telephone", "--provider", "pbm_pharmacist", "--recipient", "beneficiary")


def test_a_record_is_told_and_the_same_again_too(source):
    first = record("cmr", source, "--on", "2023-06-01", *CMR, "--minutes", "30")
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("Recorded: cmr of 2023-06-01 in H1234, Procedure/mtm-")
    again = record("cmr", source, "--on", "2023-06-01", *CMR)
    assert again.out.startswith("Already recorded, nothing written: cmr of 2023-06-01")


def test_without_a_day_it_is_today(source):
    assert " of 2023-12-20 " in record("tmr", source).out


def test_each_kind_can_be_recorded(source):
    assert record("invitation", source, "--on", "2023-02-15", "--method", "mail").code == 0
    assert record("cmr-offer", source, "--on", "2023-03-01", "--method", "mail", "--answer", "accepted").code == 0
    assert record("cmr", source, "--on", "2023-03-05", *CMR).code == 0
    assert record("summary-sent", source, "--on", "2023-03-14", "--method", "mail").code == 0
    assert record("safe-disposal", source, "--on", "2023-03-14").code == 0
    assert record("recommendation", source, "--on", "2023-03-14", "--text", "Stop it", "--method", "fax").code == 0
    assert record("resolution", source, "--on", "2023-04-01", "--not-changed").code == 0
    assert record("opt-out", source, "--on", "2023-05-01", "--reason", "03").code == 0
    assert record("re-enroll", source, "--on", "2023-06-01").code == 0
    made = json.loads(record("tmr", source, "--on", "2023-06-02", "--json").out)
    assert (made["what"], made["day"], made["contract"], made["notices"]) == ("created", "2023-06-02", "H1234", [])
    assert record("withdraw", source, made["reference"]).out.startswith(
        "Recorded, changing what stood: withdrawal of 2023-06-02"
    )


def test_a_notice_of_an_opt_out_is_told(source):
    record("tmr", source, "--on", "2023-06-01")
    ran = record("opt-out", source, "--on", "2023-05-01", "--reason", "02")
    assert ran.err == "notice: 1 recorded services after 2023-05-01 no longer count\n"


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("tmr", ("--on", "2023-02-30"), "does not match the format"),
        ("cmr", ("--method", "letter"), "'letter' is not one of"),
        ("cmr", ("--provider", "dentist"), "'dentist' is not one of"),
        ("opt-out", (), "Missing option '--reason'"),
        ("opt-out", ("--reason", "04"), "'04' is not one of"),
        ("tmr", ("--minutes", "long"), "'long' is not a valid integer"),
        ("tmr", ("--contract",), "requires an argument"),
        ("tmr", ("--answer", "accepted"), "No such option"),
        ("anything", (), "No such command"),
    ],
)
def test_what_is_misspelled_is_refused_with_the_usage(source, kind, options, words):
    ran = record(kind, source, *options)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("tmr", ("--on", "2023-12-21"), "2023-12-21 is in the future"),
        ("tmr", ("--on", "2023-02-01"), "2023-02-01 is before the enrollment on 2023-02-10"),
        ("cmr", ("--on", "2023-06-01"), "method is missing"),
        ("summary-sent", ("--method", "mail"), "No CMR is recorded"),
        ("tmr", ("--contract", "H9999"), "not enrolled in contract H9999, but in H1234"),
        ("re-enroll", (), "did not opt out"),
        ("resolution", ("--changed",), "No recommendation is recorded"),
    ],
)
def test_what_is_impossible_is_refused_in_one_sentence(source, kind, options, words):
    ran = record(kind, source, *options)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.sentence


def test_the_worklist_is_told_with_reasons(source):
    record("invitation", source, "--on", "2023-02-15", "--method", "mail")
    ran = run("worklist", source, "--as-of", "2023-04-20")
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[0] == (
        "health-partners-2023, plan year 2023, as of 2023-04-20: 1 overdue, 2 due, 4 upcoming, 1 done, 2 not required"
    )
    assert "overdue       2023-04-11  b1  H1234  offer of the CMR" in lines
    assert "done          2023-02-15  b1  H1234  invitation letter" in lines
    assert "due           2023-05-09  b1  H1234  TMR 1" in lines
    assert any("Overdue since 2023-04-11, 9 days. Source: CMS MTM guidance" in line for line in lines)


def test_the_worklist_as_json_and_as_a_file(source, tmp_path):
    ran = run("worklist", source, "--as-of", "2023-04-20", "--json", "--all", "--csv", tmp_path / "list.csv")
    told = json.loads(ran.out)
    assert told["counts"] == {"overdue": 2, "due": 2, "upcoming": 4, "done": 0, "not_required": 2}
    assert len((tmp_path / "list.csv").read_text(encoding="utf-8").splitlines()) == 1 + len(told["duties"]) == 11


def test_proposed_opt_outs_and_refused_resources_are_told(source):
    dead = {"resourceType": "Patient", "id": "b1", "deceasedBoolean": True}
    (source / "Patient.ndjson").write_text(json.dumps(dead) + "\n", encoding="utf-8")
    record("tmr", source, "--on", "2023-03-01")
    path = source / "Procedure.ndjson"
    path.write_text(path.read_text(encoding="utf-8").replace("2023-03-01", "2023-02-30"), encoding="utf-8")
    ran = run("worklist", source, "--as-of", "2023-04-20")
    assert "Proposed opt-outs: 1" in ran.out
    assert (
        "  b1  H1234  reason 01  day not known  The Patient is deceased, the day is not told; find it out." in ran.out
    )
    assert ran.err == "refused: Procedure.ndjson line 1: performedDateTime is no date of the calendar\n"


def test_a_day_outside_the_plan_year_and_no_source(source, tmp_path):
    assert run("worklist", source, "--as-of", "2023-02-30").code == 2
    assert run("worklist", tmp_path / "nowhere", "--as-of", "2023-04-20").code == 4
