"""At-risk facts from the plan's roster and from Flags, joined to persons by id or by MBI."""

from __future__ import annotations

from datetime import date

import pytest

from adapter.tables import at_risk, beneficiaries
from tests.unit.tables.samples import concept, flag, mbi, patient

CODES, TEXTS = ["AR"], ["At-Risk Beneficiary"]

# title -> (Flag, whether it says at-risk)
FLAGS = {
    "by code": (flag(), True),
    "another code": (flag(code=concept((None, "fall"))), False),
    "a code in lower case": (flag(code=concept((None, "ar"))), False),
    "one of several codes": (flag(code=concept((None, "fall"), (None, "AR"))), True),
    "by text": (flag(code={"text": "at-risk beneficiary"}), True),
    "by text in other letters": (flag(code={"text": "AT-RISK Beneficiary"}), True),
    "by display": (flag(code={"coding": [{"display": "At-risk beneficiary"}]}), True),
    "a part of the text": (flag(code={"text": "potential at-risk beneficiary"}), False),
    "empty text": (flag(code={"text": ""}), False),
    "no code": (flag(code=None), False),
    "null coding": (flag(code={"coding": [None]}), False),
    "inactive": (flag(status="inactive"), False),
    "entered in error": (flag(status="entered-in-error"), False),
    "without status": (flag(status=None), False),
}


@pytest.fixture(scope="module")
def flagged(engine, read):
    given = [one | {"id": str(n)} for n, (one, _) in enumerate(FLAGS.values())]
    rows = engine.records(at_risk.flags(read("Flag", given), CODES, TEXTS))
    found = {row["id"]: row["status"] for row in rows}
    return {title: found[str(n)] for n, title in enumerate(FLAGS)}


@pytest.mark.parametrize("title", FLAGS)
def test_a_flag_says_at_risk_by_code_or_whole_text(flagged, title):
    assert flagged[title] == ("AR" if FLAGS[title][1] else None)


@pytest.mark.parametrize(
    ("resource", "fault"),
    [
        (flag(), None),
        (flag(None), "the Flag has no id"),
        (flag(period={"start": "2023-02-30"}), "period.start is no date of the calendar"),
        (flag(period={"end": ""}), "period.end is no date of the calendar"),
        (flag(resourceType="Alert"), "this is no Flag (see its resourceType)"),
    ],
)
def test_a_faulty_flag_is_told(engine, read, resource, fault):
    assert [row["fault"] for row in engine.records(at_risk.flags(read("Flag", [resource]), CODES, TEXTS))] == [fault]


@pytest.fixture(scope="module")
def people(engine, read):
    given = [patient("p1", identifier=[mbi("1EG4TE5MK73")]), patient("p2"), patient("p3", identifier=[mbi("")])]
    return engine.keep(beneficiaries.beneficiaries(beneficiaries.patients(read("Patient", given))))


def facts(engine, read, people, flags=(), roster=()):
    rows = at_risk.flags(read("Flag", flags), CODES, TEXTS)
    found = engine.records(at_risk.at_risk(rows, engine.table(roster, at_risk.ROSTER), people))
    return [(row["beneficiary"], row["status"], row["contract"], row["starts"], row["ends"]) for row in found]


def entry(beneficiary="", mbi="", contract="H1234", status="AR"):
    row = {"beneficiary": beneficiary, "mbi": mbi, "contract": contract, "status": status}
    return row | {"starts": date(2023, 1, 1), "ends": None, "source": "roster.csv row 2"}


ROW = ("AR", "H1234", date(2023, 1, 1), None)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (entry("p1"), [("p1", *ROW)]),
        (entry("", "1EG4TE5MK73"), [("p1", *ROW)]),
        (entry("p2", "1EG4TE5MK73"), [("p2", *ROW)]),
        (entry("", "9AA9AA9AA99"), []),
        (entry("", ""), []),
        (entry("p1", status="PAR"), [("p1", "PAR", *ROW[1:])]),
        (entry("p1", contract=""), [("p1", "AR", None, *ROW[2:])]),
    ],
)
def test_a_roster_row_names_its_person_by_id_or_else_by_mbi(engine, read, people, row, expected):
    assert facts(engine, read, people, roster=[row]) == expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (flag(), [("p1", "AR", None, date(2023, 1, 1), None)]),
        (
            flag(period={"start": "2023-02", "end": "2023-04"}),
            [("p1", "AR", None, date(2023, 2, 1), date(2023, 4, 30))],
        ),
        (flag(period=None), [("p1", "AR", None, None, None)]),
        (flag(subject=None), []),
        (flag(subject={"reference": "Group/1"}), []),
        (flag(status="inactive"), []),
        (flag(period={"start": "2023-02-30"}), []),
    ],
)
def test_a_flag_is_a_fact_of_its_person(engine, read, people, resource, expected):
    assert facts(engine, read, people, flags=[resource]) == expected


def test_the_newest_version_of_a_flag_counts(engine, read, people):
    active = flag(meta={"lastUpdated": "2023-01-01T00:00:00Z"})
    ended = flag(status="inactive", meta={"lastUpdated": "2023-02-01T00:00:00Z"})
    assert facts(engine, read, people, flags=[ended, active]) == []


def test_roster_and_flags_are_put_together(engine, read, people):
    found = facts(engine, read, people, flags=[flag(code=concept((None, "AR")))], roster=[entry("p1"), entry("p2")])
    assert sorted(row[0] for row in found) == ["p1", "p1", "p2"]
