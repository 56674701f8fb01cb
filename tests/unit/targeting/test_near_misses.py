"""Near misses of the core door: exactly one criterion missed, and that one by one disease, one drug or a tenth of the cost."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from adapter.targeting.near_misses import COLUMNS, near_misses

AS_OF = date(2023, 9, 30)
CORE = ("chronic_diseases", "part_d_drugs", "drug_cost")
ENOUGH = {"chronic_diseases": ("met", "3"), "part_d_drugs": ("met", "7"), "drug_cost": ("met", "5000.00")}
SCHEMA = dict.fromkeys(
    ["beneficiary", "outcome", *(f"{name}_{part}" for name in CORE for part in ("outcome", "observed"))], "string"
)


def row(beneficiary="p1", outcome="not_targeted", **given):
    columns = {}
    for name, (how, observed) in (ENOUGH | given).items():
        columns |= {f"{name}_outcome": how, f"{name}_observed": observed}
    return {"beneficiary": beneficiary, "outcome": outcome} | columns


# title -> (row, (criterion, short_by) or None)
CASES = {
    "one disease short": (row(chronic_diseases=("not_met", "2")), ("chronic_diseases", "1")),
    "two diseases short": (row(chronic_diseases=("not_met", "1")), None),
    "one drug short": (row(part_d_drugs=("not_met", "6")), ("part_d_drugs", "1")),
    "one drug short, and one that no list knows": (
        row(outcome="unknown", part_d_drugs=("unknown", "6")),
        ("part_d_drugs", "1"),
    ),
    "two drugs short": (row(part_d_drugs=("not_met", "5")), None),
    "cost at the threshold, which must be exceeded": (row(drug_cost=("not_met", "4935.00")), ("drug_cost", "0.01")),
    "cost a tenth short": (row(drug_cost=("not_met", "4441.50")), ("drug_cost", "493.51")),
    "cost a cent more than a tenth short": (row(drug_cost=("not_met", "4441.49")), None),
    "cost unknown, but what is priced lies near": (
        row(outcome="unknown", drug_cost=("unknown", "4900.00")),
        ("drug_cost", "35.01"),
    ),
    "cost not known at all": (row(outcome="unknown", drug_cost=("unknown", "")), None),
    "two criteria short": (row(chronic_diseases=("not_met", "2"), part_d_drugs=("not_met", "6")), None),
    "one short, another unknown": (
        row(outcome="unknown", chronic_diseases=("not_met", "2"), drug_cost=("unknown", "4900.00")),
        None,
    ),
    "targeted by another door": (row(outcome="targeted", chronic_diseases=("not_met", "2")), None),
    "not in Part D": (row(outcome="not_enrolled", chronic_diseases=("not_met", "2")), None),
    "all met": (row(outcome="targeted"), None),
}


def found(engine, rows, program):
    return engine.records(near_misses(engine.table(rows, SCHEMA), program, AS_OF))


@pytest.fixture(scope="module")
def cases(engine, program_2023):
    rows = found(engine, [one | {"beneficiary": title} for title, (one, _) in CASES.items()], program_2023)
    return {row["beneficiary"]: (row["criterion"], row["short_by"]) for row in rows}


@pytest.mark.parametrize("title", CASES)
def test_a_near_miss_is_one_step_short_in_one_criterion(cases, title):
    assert cases.get(title) == CASES[title][1]


def test_the_rows_tell_observed_and_required_and_are_sorted(engine, program_2023):
    rows = found(
        engine, [row("b", drug_cost=("not_met", "4900.00")), row("a", part_d_drugs=("not_met", "6"))], program_2023
    )
    assert tuple(rows[0]) == COLUMNS
    assert rows == [
        {
            "beneficiary": "a", "criterion": "part_d_drugs", "observed": "6",
            "required": "at least 7 covered Part D chronic/maintenance drugs", "short_by": "1",
        },
        {
            "beneficiary": "b", "criterion": "drug_cost", "observed": "4900.00", "required": "more than $4935.00",
            "short_by": "35.01",
        },
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "observed", "short_by"),
    [
        ({"comparator": ">="}, "4934.99", "0.01"),
        ({"method": "quarter"}, "1233.75", "0.01"),  # 4935 / 4 = 1233.75 must be exceeded
        ({"method": "quarter", "comparator": ">="}, "1233.74", "0.01"),
        ({"method": "quarter"}, "1110.38", "123.38"),  # 0.9 x 1233.75 = 1110.375
        ({"method": "quarter"}, "1110.37", None),
    ],
)
def test_the_comparator_and_the_share_of_the_year_decide_what_is_wanted(
    engine, program_2023, settings, observed, short_by
):
    cost = msgspec.structs.replace(program_2023.drug_cost, **settings)
    program = msgspec.structs.replace(program_2023, drug_cost=cost)
    rows = found(engine, [row(drug_cost=("not_met", observed))], program)
    assert [one["short_by"] for one in rows] == ([short_by] if short_by else [])


def test_the_minimum_of_the_program_decides(engine, program_2023):
    drugs = msgspec.structs.replace(program_2023.part_d_drugs, minimum=8)
    program = msgspec.structs.replace(program_2023, part_d_drugs=drugs)
    rows = found(engine, [row(part_d_drugs=("not_met", "6")), row("p2", part_d_drugs=("not_met", "7"))], program)
    assert [one["beneficiary"] for one in rows] == ["p2"]
