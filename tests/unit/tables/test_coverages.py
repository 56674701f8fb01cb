"""Who is a member of which contract and plan, and from when to when, in every dress that Coverage was met in."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from adapter.tables import coverages
from tests.unit.tables.samples import V2, V3, coverage, plan

DATA = Path(__file__).parents[2] / "data" / "coverages"
NOT_PART_D = (False, None, None)
MEDICARE_DRUG_BENEFIT = {"coding": [{"system": "https://nahdo.org/sopt", "code": "122"}]}


def v3(contract="H1234", pbp="003", base=V3, key="valueString"):
    parts = [("BENE-CNTRCT-NUM", contract), ("CNTRCT-PBP-SGMT-NUM", "000"), ("BENE-PBP-NUM", pbp)]
    return [{"url": base + name, key: value} for name, value in parts if value is not None]


V2_PLAN = [
    {"url": V2 + name, "valueIdentifier": {"value": value}}
    for name, value in (("plan_cntrct_rec_id", "H1234"), ("plan_pbp_rec_num", "003"))
]


def months(*contracts):
    """Monthly extensions of BFD v2 that do not tell their year."""
    return [
        {"url": f"{V2}ptdcntrct{number:02}", "valueCoding": {"code": contract}}
        for number, contract in enumerate(contracts * (12 // len(contracts)), start=1)
    ]


# title -> (elements of the Coverage without a class of its own, (part_d, contract, pbp))
DRESSES = {
    "CARIN class": ({"class": [plan("H1234-003")]}, (True, "H1234", "003")),
    "CARIN class after others": ({"class": [plan("G1", "group"), plan("H1234-003")]}, (True, "H1234", "003")),
    "class with segment": ({"class": [plan("H1234-003-001")]}, (True, "H1234", "003")),
    "class with a short segment": ({"class": [plan("H1234-003-1")]}, (True, "H1234", "003")),
    "class with the word PBP": ({"class": [plan("H1234 PBP 003")]}, (True, "H1234", "003")),
    "class with underscore": ({"class": [plan("H1234_003")]}, (True, "H1234", "003")),
    "BFD v2 as on its claims": ({"extension": V2_PLAN, "class": [plan("Part D")]}, (True, "H1234", "003")),
    "BFD v2 months of no year that agree": (
        {"extension": months("H1234"), "class": [plan("Part D")]},
        (True, "H1234", None),
    ),
    "class with blank": ({"class": [plan("H1234 003")]}, (True, "H1234", "003")),
    "class with slash": ({"class": [plan("H1234/003")]}, (True, "H1234", "003")),
    "class without hyphen": ({"class": [plan("H1234003")]}, (True, "H1234", "003")),
    "contract alone": ({"class": [plan("S5678")]}, (True, "S5678", None)),
    "plan in a class of its own": ({"class": [plan("H1234"), plan("003", "subplan")]}, (True, "H1234", "003")),
    "a class that only holds a contract": ({"class": [plan("XH1234-003X")]}, NOT_PART_D),
    "class in lower case, with blanks": ({"class": [plan(" h1234-003 ")]}, (True, "H1234", "003")),
    "empty class": ({"class": [plan("")]}, NOT_PART_D),
    "class without value": ({"class": [plan(None)]}, NOT_PART_D),
    "no class": ({"class": None}, NOT_PART_D),
    "BFD v3": ({"extension": v3(), "class": [plan("Part D")]}, (True, "H1234", "003")),
    "BFD v3 under http": ({"extension": v3(base=V3.replace("https", "http"))}, (True, "H1234", "003")),
    "BFD v3 without PBP": ({"extension": v3(pbp=None), "class": [plan("Part D")]}, (True, "H1234", None)),
    "BFD v3 Part C": ({"extension": v3(), "class": [plan("Part C")]}, (False, "H1234", "003")),
    "Part A": ({"class": [plan("Part A")]}, NOT_PART_D),
    "Part B": ({"class": [plan("Part B")]}, NOT_PART_D),
    "Part D that names no contract": ({"class": [plan("Part D")]}, (True, None, None)),
    "Medicare Drug Benefit": ({"type": MEDICARE_DRUG_BENEFIT}, (True, None, None)),
    "commercial": ({"type": {"coding": [{"code": "HIP"}]}, "class": [plan("XYZ123")]}, NOT_PART_D),
    "an rx group that looks like a contract": (
        {"extension": v3(), "class": [plan("R1234567", "rxgroup"), plan("Part D")]},
        (True, "H1234", "003"),
    ),
}


@pytest.fixture(scope="module")
def dressed(engine, read):
    given = [coverage(str(n), None, **elements) for n, (elements, _) in enumerate(DRESSES.values())]
    rows = engine.records(coverages.coverages(coverages.memberships(read("Coverage", given))))
    found = {row["source"]: (row["part_d"], row["contract"], row["pbp"]) for row in rows}
    return {title: found[f"Coverage/{n}"] for n, title in enumerate(DRESSES)}


@pytest.mark.parametrize("title", DRESSES)
def test_contract_and_plan_are_read_in_every_dress(dressed, title):
    assert dressed[title] == DRESSES[title][1]


def test_an_employers_group_that_looks_like_a_contract_is_no_part_d_coverage(engine, read):
    given = coverage(**{"class": [plan("E1234", "group"), plan("GR5")]})
    [row] = engine.records(coverages.coverages(coverages.memberships(read("Coverage", [given]))))
    assert (row["part_d"], row["contract"]) == (False, None)


# title -> (elements, (starts, ends) or None when it gives no row)
OPEN = (date(2022, 1, 1), None)
CANCELLED = {"status": "cancelled", "period": {"start": "2022-01-01", "end": "2023-06-30"}}
PERIODS = {
    "open": ({}, OPEN),
    "closed": ({"period": {"start": "2022-01-01", "end": "2023-06-30"}}, (date(2022, 1, 1), date(2023, 6, 30))),
    "without start": ({"period": {"end": "2023-06-30"}}, (None, date(2023, 6, 30))),
    "without period": ({"period": None}, (None, None)),
    "by month": ({"period": {"start": "2023-02", "end": "2023-02"}}, (date(2023, 2, 1), date(2023, 2, 28))),
    "by year": ({"period": {"start": "2023", "end": "2023"}}, (date(2023, 1, 1), date(2023, 12, 31))),
    "cancelled when it had ended": (
        CANCELLED | {"meta": {"lastUpdated": "2023-06-30T10:00:00Z"}},
        (date(2022, 1, 1), date(2023, 6, 30)),
    ),
    "cancelled before its end": (CANCELLED | {"meta": {"lastUpdated": "2023-06-29T10:00:00Z"}}, None),
    "cancelled, nobody knows when": (CANCELLED, None),
    "cancelled without end": ({"status": "cancelled"}, None),
    "cancelled without period": ({"status": "cancelled", "period": None}, None),
    "entered in error": ({"status": "entered-in-error", "period": {"end": "2023-06-30"}}, None),
    "draft": ({"status": "draft"}, None),
    "without status": ({"status": None}, OPEN),
}


@pytest.fixture(scope="module")
def dated(engine, read):
    given = [coverage(str(n), **elements) for n, (elements, _) in enumerate(PERIODS.values())]
    rows = engine.records(coverages.coverages(coverages.memberships(read("Coverage", given))))
    found = {row["source"]: (row["starts"], row["ends"]) for row in rows}
    return {title: found.get(f"Coverage/{n}") for n, title in enumerate(PERIODS)}


@pytest.mark.parametrize("title", PERIODS)
def test_the_period_decides_and_not_the_status_alone(dated, title):
    assert dated[title] == PERIODS[title][1]


# ---- CMS BFD v2: the contract of each month of one reference year


def month(number, contract, tail="", key="valueCoding"):
    value = {"code": contract} if key == "valueCoding" else {"value": contract}
    return {"url": f"{V2}ptdcntrct{number:02}{tail}", key: contract if key == "valueString" else value}


def pbp(number, value):
    return {"url": f"{V2}ptdpbpid{number:02}", "valueCoding": {"code": value}}


YEAR = {"url": V2 + "rfrnc_yr", "valueDate": "2018"}
JANUARY = (date(2018, 1, 1), date(2018, 1, 31))
FEBRUARY = (date(2018, 2, 1), date(2018, 2, 28))

MONTHS = {
    "two months": (
        {"extension": [month(1, "S4607"), month(2, "S4607"), pbp(1, "003"), pbp(2, "004"), YEAR]},
        [("S4607", "003", *JANUARY), ("S4607", "004", *FEBRUARY)],
    ),
    "a change of contract": (
        {"extension": [month(1, "S4607"), month(2, "H1234"), YEAR]},
        [("S4607", None, *JANUARY), ("H1234", None, *FEBRUARY)],
    ),
    "a month without contract": (
        {"extension": [month(1, "0"), month(2, "S4607"), month(3, "N"), month(4, ""), month(5, "*"), YEAR]},
        [("S4607", None, *FEBRUARY)],
    ),
    "the year in the address": ({"extension": [month(1, "S4607", "/2018-1")]}, [("S4607", None, *JANUARY)]),
    "both forms of one month": (
        {"extension": [month(1, "S4607"), month(1, "S4607", "/2018-1"), pbp(1, "003"), YEAR]},
        [("S4607", "003", *JANUARY)],
    ),
    "the year in the address wins": (
        {"extension": [month(1, "S4607", "/2019-1"), YEAR]},
        [("S4607", None, date(2019, 1, 1), date(2019, 1, 31))],
    ),
    "no year at all": ({"extension": [month(1, "S4607")]}, []),
    "no year, two contracts": ({"extension": [month(n, "S4607" if n < 7 else "H1234") for n in range(1, 13)]}, []),
    "as identifier": ({"extension": [month(1, "S4607", key="valueIdentifier"), YEAR]}, [("S4607", None, *JANUARY)]),
    "as string": ({"extension": [month(1, "S4607", key="valueString"), YEAR]}, [("S4607", None, *JANUARY)]),
    "cut by the period": (
        {
            "extension": [month(1, "S4607"), month(2, "S4607"), YEAR],
            "period": {"start": "2018-01-15", "end": "2018-01-20"},
        },
        [("S4607", None, date(2018, 1, 15), date(2018, 1, 20))],
    ),
}


@pytest.fixture(scope="module")
def monthly(engine, read):
    given = [coverage(str(n), None, **({"period": None} | elements)) for n, (elements, _) in enumerate(MONTHS.values())]
    rows = engine.records(coverages.coverages(coverages.memberships(read("Coverage", given))).order_by("starts"))
    assert all(row["part_d"] for row in rows)
    return {
        title: [
            (row["contract"], row["pbp"], row["starts"], row["ends"])
            for row in rows
            if row["source"] == f"Coverage/{n}"
        ]
        for n, title in enumerate(MONTHS)
    }


@pytest.mark.parametrize("title", MONTHS)
def test_a_bfd_v2_coverage_gives_a_row_per_month_with_a_contract(monthly, title):
    assert monthly[title] == MONTHS[title][1]


# ---- real files


def real(name):
    return json.loads((DATA / name).read_text(encoding="utf-8"))


REAL = {
    "bfd-v3-part-d": (True, "H1234", "003", date(2020, 9, 3), None),
    "bfd-v3-part-d-segment": (True, "S1234", None, date(2018, 4, 11), None),
    "bfd-v3-part-c": (False, "H1234", "001", date(2018, 4, 11), None),
    "carin-2.0.0": (False, None, None, date(2019, 1, 1), date(2019, 10, 31)),
    "us-core-8.0.1": (False, None, None, date(2020, 1, 1), None),
}


@pytest.fixture(scope="module")
def real_coverages(engine, read):
    given = [real(f"{name}.json") | {"id": name} for name in REAL]
    rows = engine.records(coverages.coverages(engine.keep(coverages.memberships(read("Coverage", given)))))
    return {row["source"].partition("/")[2]: row for row in rows}


@pytest.mark.parametrize("name", REAL)
def test_a_real_coverage_is_read(real_coverages, name):
    columns = ("part_d", "contract", "pbp", "starts", "ends")
    assert tuple(real_coverages[name][column] for column in columns) == REAL[name]


def test_the_months_of_a_bfd_v2_coverage_outside_its_period_are_none(engine, read):
    """CMS's sample has random dates: the months are of 2018, the period is of 2021 and 2022."""
    rows = coverages.coverages(coverages.memberships(read("Coverage", [real("bfd-v2-part-d.json")])))
    assert engine.records(rows) == []


def test_a_real_bfd_v2_coverage_is_eleven_months(engine, read):
    given = real("bfd-v2-part-d.json") | {"period": {"start": "2006-01-01"}}
    rows = coverages.coverages(coverages.memberships(read("Coverage", [given])))
    found = engine.records(rows.order_by("starts"))
    assert {(row["contract"], row["pbp"], row["part_d"]) for row in found} == {("S4607", "003", True)}
    assert [row["starts"] for row in found] == [date(2018, n, 1) for n in range(1, 12)]
    assert found[-1]["ends"] == date(2018, 11, 30)


# ---- faults and versions


FAULTS = [
    (coverage(), None),
    (coverage(None), "the Coverage has no id"),
    (coverage(beneficiary=None), "the Coverage names no Patient as beneficiary"),
    (coverage(beneficiary={"reference": "Group/1"}), "the Coverage names no Patient as beneficiary"),
    (coverage(beneficiary={"reference": ""}), "the Coverage names no Patient as beneficiary"),
    (coverage(period={"start": "2023-02-30"}), "period.start is no date of the calendar"),
    (coverage(period={"end": ""}), "period.end is no date of the calendar"),
    (coverage(resourceType="Claim"), "this is no Coverage (see its resourceType)"),
]


@pytest.fixture(scope="module")
def judged(judge):
    return judge("Coverage", [one for one, _ in FAULTS], coverages.memberships, coverages.coverages)


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_a_faulty_coverage_is_told_and_does_not_count(judged, number):
    fault = FAULTS[number][1]
    assert judged[number] == (fault, fault is None)


def test_a_coverage_entered_in_error_is_gone_with_all_its_versions(engine, read):
    old = coverage(meta={"lastUpdated": "2023-01-01T00:00:00Z"})
    withdrawn = coverage(status="entered-in-error", meta={"lastUpdated": "2023-02-01T00:00:00Z"})
    rows = coverages.memberships(read("Coverage", [withdrawn, old]))
    assert engine.records(coverages.coverages(rows)) == []
