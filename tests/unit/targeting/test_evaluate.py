"""Who is a member on the day, and which doors are open: the whole truth table of met, not met and unknown."""

from __future__ import annotations

from datetime import date
from itertools import product

import msgspec
import pytest

from adapter.targeting.decision import CRITERIA
from adapter.targeting.evaluate import (
    Question,
    Tables,
    criterion_rows,
    evidence_rows,
    membership,
    required,
    targeting,
    with_evidence,
)

AS_OF = date(2023, 9, 30)
OUTCOMES = ("met", "not_met", "unknown")
SNP, PLAIN = ("H1234", "003"), ("H1234", "001")

MEMBERS = {"beneficiary": "string", "contract": "string", "pbp": "string", "enrolled": "boolean"}
ROWS = {"beneficiary": "string", "criterion": "string", "outcome": "string", "observed": "string"}


# ---- doors: computed here once more with Python's own logic, where None is unknown


def both(*truths):
    return False if False in truths else None if None in truths else True


def either(*truths):
    return True if True in truths else None if None in truths else False


TRUTH = {"met": True, "not_met": False, "unknown": None}


def expected(outcomes, plan):
    truth = dict(zip(CRITERIA, (TRUTH[one] for one in outcomes), strict=True))
    doors = {
        "core": both(truth["chronic_diseases"], truth["part_d_drugs"], truth["drug_cost"]),
        "at_risk": truth["at_risk"],
        "snp_adherence": both(plan == SNP, truth["adherence_drug"]),
    }
    decided = {True: "targeted", None: "unknown", False: "not_targeted"}[either(*doors.values())]
    if decided != "targeted":
        return decided, "", ""
    opened = [door for door, is_open in doors.items() if is_open]
    reason = {(True, True): "03", (True, False): "01", (False, True): "02", (False, False): "04"}
    return decided, ";".join(opened), reason["core" in opened, "at_risk" in opened]


CASES = [(outcomes, plan) for outcomes in product(OUTCOMES, repeat=5) for plan in (SNP, PLAIN)]


@pytest.fixture(scope="module")
def table(engine, program_2023):
    members = [
        {"beneficiary": f"{n:03}", "contract": plan[0], "pbp": plan[1], "enrolled": True}
        for n, (_, plan) in enumerate(CASES)
    ]
    rows = [
        {"beneficiary": f"{n:03}", "criterion": name, "outcome": one, "observed": one}
        for n, (outcomes, _) in enumerate(CASES)
        for name, one in zip(CRITERIA, outcomes, strict=True)
    ]
    return engine.records(targeting(engine.table(members, MEMBERS), engine.table(rows, ROWS), program_2023))


def test_every_combination_of_outcomes_opens_the_doors_that_it_must(table):
    assert len(table) == len(CASES) == 486
    found = [(row["outcome"], row["doors"], row["reason_code"]) for row in table]
    wrong = [(case, one) for case, one in zip(CASES, found, strict=True) if one != expected(*case)]
    assert wrong == []


def test_the_table_is_in_the_order_of_the_persons_and_tells_each_criterion(table):
    assert [row["beneficiary"] for row in table] == sorted(row["beneficiary"] for row in table)
    for row, (outcomes, _) in zip(table, CASES, strict=True):
        assert tuple(row[f"{name}_outcome"] for name in CRITERIA) == outcomes
        assert tuple(row[f"{name}_observed"] for name in CRITERIA) == outcomes


def one_person(engine, program, plan=SNP, enrolled=True, **outcomes):
    members = [{"beneficiary": "p", "contract": plan[0], "pbp": plan[1], "enrolled": enrolled}]
    rows = [
        {"beneficiary": "p", "criterion": name, "outcome": outcomes.get(name, "not_met"), "observed": ""}
        for name in CRITERIA
    ]
    [row] = engine.records(targeting(engine.table(members, MEMBERS), engine.table(rows, ROWS), program))
    return row


def test_who_is_not_enrolled_comes_through_no_door(engine, program_2023):
    row = one_person(engine, program_2023, enrolled=False, **dict.fromkeys(CRITERIA, "met"))
    assert (row["outcome"], row["doors"], row["reason_code"]) == ("not_enrolled", "", "")


@pytest.mark.parametrize("plan", [("H1234", None), (None, None), (None, "003"), ("H1234", "03"), ("h1234", "003")])
def test_without_the_plan_the_snp_door_is_shut(engine, program_2023, plan):
    row = one_person(engine, program_2023, plan, adherence_drug="met")
    assert (row["outcome"], row["contract"], row["pbp"]) == ("not_targeted", plan[0] or "", plan[1] or "")


def test_a_program_without_snp_plans_has_no_such_door(engine, program_2023):
    program = msgspec.structs.replace(program_2023, snp_plans=[])
    assert one_person(engine, program, adherence_drug="met")["outcome"] == "not_targeted"


# ---- membership

PEOPLE = {"beneficiary": "string", "deceased": "boolean", "died_by": "date"}
COVERS = {
    "beneficiary": "string", "source": "string", "part_d": "boolean", "contract": "string", "pbp": "string", "starts": "date",
    "ends": "date",
}  # fmt: skip


def cover(contract="H1234", pbp="001", starts=date(2022, 1, 1), ends=None, part_d=True, source="Coverage/1"):
    return {"source": source, "part_d": part_d, "contract": contract, "pbp": pbp, "starts": starts, "ends": ends}


JUNE, JULY = date(2023, 6, 30), date(2023, 7, 1)
TOMORROW = date(2023, 10, 1)
IN = ("H1234", "001", True)
NOBODY = (None, None, False)

# title -> (Coverages, contract that is asked about, (contract, pbp, enrolled))
MEMBERSHIPS = {
    "in force": ([cover()], "", IN),
    "in force, its contract asked about": ([cover()], "H1234", IN),
    "in force, another asked about": ([cover()], "S0001", ("H1234", "001", False)),
    "none": ([], "", NOBODY),
    "none, a contract asked about": ([], "H1234", NOBODY),
    "not Part D": ([cover(part_d=False)], "", NOBODY),
    "from the day on": ([cover(starts=AS_OF)], "", IN),
    "from tomorrow on": ([cover(starts=TOMORROW)], "", ("H1234", "001", False)),
    "to the day": ([cover(ends=AS_OF)], "", IN),
    "to yesterday": ([cover(ends=date(2023, 9, 29))], "", ("H1234", "001", False)),
    "open on both sides": ([cover(starts=None)], "", IN),
    "no contract told": ([cover(None, None)], "", (None, None, True)),
    "no contract told, one asked about": ([cover(None, None)], "H1234", ("H1234", None, True)),
    "no contract told, ended": ([cover(None, None, ends=JUNE)], "H1234", NOBODY),
    "a change of plan": ([cover(pbp="002", ends=JUNE), cover(pbp="001", starts=JULY, source="Coverage/2")], "", IN),
    "a change of contract": ([cover("S0001", ends=JUNE), cover(starts=JULY)], "", IN),
    "two in force, the later begun": ([cover("S0001"), cover(starts=JULY)], "", IN),
    "two in force, the asked one": ([cover(), cover("S0001", starts=JULY)], "H1234", IN),
    "two in force, one tells no contract": ([cover(None, None, starts=JULY), cover()], "", IN),
    "one in force and a later one that is not": ([cover(), cover("S0001", starts=TOMORROW)], "", IN),
    "two ended, the later begun": ([cover("S0001", ends=JUNE), cover(starts=date(2022, 2, 1), ends=JUNE)], "", ("H1234", "001", False)),
    "medical and Part D": ([cover("H9999", part_d=False, starts=JULY), cover()], "", IN),
}  # fmt: skip


def persons(engine, rows):
    return engine.table([{"deceased": False, "died_by": None} | row for row in rows], PEOPLE)


def asked(engine, program, people, covers, contract="", known=True):
    tables = Tables(
        beneficiaries=people, coverages=engine.table(covers, COVERS), conditions=None, diagnoses=None, drug_uses=None,
        at_risk=None, entries=None,
    )  # fmt: skip
    rows = engine.records(membership(tables, Question(program, AS_OF, contract, known)))
    return {row["beneficiary"]: (row["contract"], row["pbp"], row["enrolled"]) for row in rows}


@pytest.fixture(scope="module")
def memberships(engine, program_2023):
    found = {}
    for contract in {contract for _, contract, _ in MEMBERSHIPS.values()}:
        titles = [title for title, (_, wanted, _) in MEMBERSHIPS.items() if wanted == contract]
        covers = [row | {"beneficiary": title} for title in titles for row in MEMBERSHIPS[title][0]]
        people = persons(engine, [{"beneficiary": title} for title in titles])
        found |= asked(engine, program_2023, people, covers, contract)
    return found


@pytest.mark.parametrize("title", MEMBERSHIPS)
def test_a_member_is_who_has_part_d_coverage_on_the_day(memberships, title):
    assert memberships[title] == MEMBERSHIPS[title][2]


# (deceased, died by) -> enrolled
DEATHS = {
    (False, None): True,
    (True, None): False,
    (True, AS_OF): False,
    (True, date(2023, 1, 1)): False,
    (True, TOMORROW): True,
}


@pytest.mark.parametrize("known", [True, False])
def test_the_dead_are_not_enrolled(engine, program_2023, known):
    people = persons(
        engine, [{"beneficiary": str(n), "deceased": d, "died_by": by} for n, (d, by) in enumerate(DEATHS)]
    )
    covers = [cover() | {"beneficiary": str(n)} for n in range(len(DEATHS))] if known else []
    found = asked(engine, program_2023, people, covers, "H1234", known)
    assert [found[str(n)][2] for n in range(len(DEATHS))] == list(DEATHS.values())


@pytest.mark.parametrize(("contract", "member"), [("H1234", ("H1234", None, True)), ("", (None, None, True))])
def test_without_any_coverage_the_contract_is_the_one_that_is_named(engine, program_2023, contract, member):
    people = persons(engine, [{"beneficiary": "p"}])
    assert asked(engine, program_2023, people, [], contract, known=False) == {"p": member}


# ---- criteria of everybody


def test_who_has_no_fact_meets_no_criterion(engine, program_2023):
    from adapter.targeting.criteria import ENTRY_ROWS
    from tests.unit.targeting.test_criteria import CONDITIONS, DIAGNOSES, FACT, USES

    nothing = {
        "conditions": CONDITIONS,
        "diagnoses": DIAGNOSES,
        "drug_uses": USES,
        "at_risk": FACT,
        "entries": ENTRY_ROWS,
    }
    tables = Tables(
        beneficiaries=None, coverages=None, **{name: engine.table([], columns) for name, columns in nothing.items()}
    )
    members = engine.table([{"beneficiary": "p", "contract": "H1234", "pbp": "001", "enrolled": True}], MEMBERS)
    question = Question(program_2023, AS_OF)
    found = with_evidence(criterion_rows(tables, question, members), evidence_rows(tables, question, members))
    rows = engine.records(found)
    told = {row["criterion"]: (row["outcome"], row["observed"], row["evidence"]) for row in rows}
    assert told == {
        "chronic_diseases": ("not_met", "0", []),
        "part_d_drugs": ("not_met", "0", []),
        "drug_cost": ("not_met", "0.00", []),
        "at_risk": ("not_met", "", []),
        "adherence_drug": ("not_met", "", []),
    }
    assert {row["criterion"]: row["required"] for row in rows} == required(program_2023)


def test_what_is_required_is_told_in_words(program_2023):
    assert required(program_2023) == {
        "chronic_diseases": "at least 3 of 7 entries",
        "part_d_drugs": "at least 7 covered Part D chronic/maintenance drugs",
        "drug_cost": "more than $4935.00",
        "at_risk": "status AR",
        "adherence_drug": "a drug for diabetes, ras antagonists, statins",
    }


def test_other_settings_are_told_otherwise(program_2023):
    drugs = msgspec.structs.replace(program_2023.part_d_drugs, count="all", minimum=2)
    cost = msgspec.structs.replace(program_2023.drug_cost, comparator=">=")
    told = required(msgspec.structs.replace(program_2023, part_d_drugs=drugs, drug_cost=cost))
    assert told["part_d_drugs"] == "at least 2 covered Part D drugs"
    assert told["drug_cost"] == "at least $4935.00"
