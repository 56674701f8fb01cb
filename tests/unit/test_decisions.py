"""Rows of the engine to plain values."""

from __future__ import annotations

from datetime import date

import pytest

from adapter.decisions import decisions, drugs_by_person
from adapter.targeting.decision import CRITERIA, CriterionResult, Evidence

DAY = date(2023, 9, 30)


def target(person="p1", **more):
    row = {
        "beneficiary": person,
        "contract": "H1234",
        "pbp": "",
        "outcome": "targeted",
        "doors": "core",
        "reason_code": "01",
    }
    return row | more


def row(criterion, person="p1", evidence=None):
    return {
        "beneficiary": person,
        "criterion": criterion,
        "outcome": "met",
        "observed": "1",
        "required": "at least 1",
        "evidence": evidence,
    }


def test_each_person_gets_the_criteria_in_the_order_of_the_program():
    rows = [row(name, person) for person in ("p1", "p2") for name in sorted(CRITERIA)]
    first, second = decisions([target("p1"), target("p2")], rows, DAY)
    assert [result.criterion for result in first.criteria] == list(CRITERIA)
    assert (second.beneficiary, second.as_of, len(second.criteria)) == ("p2", DAY, len(CRITERIA))


@pytest.mark.parametrize(("doors", "expected"), [("", ()), ("core", ("core",)), ("core;at_risk", ("core", "at_risk"))])
def test_doors_are_a_tuple(doors, expected):
    [decision] = decisions([target(doors=doors)], [], DAY)
    assert decision.doors == expected


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (None, ()),
        ([], ()),
        ([{"item": "a", "fact": "b", "source": "c"}], (Evidence("a", "b", "c"),)),
        ([{"item": None, "fact": None, "source": None}], (Evidence("", "", ""),)),
    ],
)
def test_evidence_is_never_none(evidence, expected):
    [decision] = decisions([target()], [row("drug_cost", evidence=evidence)], DAY)
    assert decision.criteria == (CriterionResult("drug_cost", "met", "1", "at least 1", expected),)
    assert decision.criterion("drug_cost") is decision.criteria[0]


def test_a_criterion_that_the_program_lacks_is_a_bug():
    [decision] = decisions([target()], [], DAY)
    with pytest.raises(KeyError):
        decision.criterion("drug_cost")


def listed(person="p1", drug="d", codings=()):
    return {
        "beneficiary": person, "drug": drug, "name": "Drug", "codings": codings, "statement": "", "sources": ["r1", "r2"],
        "since": "2021", "latest": "", "kind": "rx",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("codings", "expected"),
    [
        (None, ()),
        ([], ()),
        ([{"system": "s", "code": "c", "display": "d"}], (("s", "c", "d"),)),
        ([{"system": None, "code": "c", "display": None}], (("", "c", ""),)),
        ([{"system": "s", "code": None, "display": "d"}], ()),
        ([{"system": "s", "code": "", "display": "d"}], ()),
    ],
)
def test_a_coding_without_code_is_none(codings, expected):
    [drug] = drugs_by_person([listed(codings=codings)])["p1"]
    assert (drug.codings, drug.sources) == (expected, ("r1", "r2"))


def test_drugs_are_listed_by_person_in_their_order():
    lists = drugs_by_person([listed("p1", "b"), listed("p2", "a"), listed("p1", "c")])
    assert {person: [drug.drug for drug in drugs] for person, drugs in lists.items()} == {"p1": ["b", "c"], "p2": ["a"]}


def test_nobody_has_no_list():
    assert drugs_by_person([]) == {}
