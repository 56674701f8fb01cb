"""Each criterion at its edges: met, not met, or unknown, with what was observed and the facts in one order."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import permutations

import ibis
import msgspec
import pytest

from adapter.targeting import criteria
from adapter.targeting.evaluate import with_evidence

AS_OF = date(2023, 9, 30)
NEW_YEAR, CHRISTMAS = date(2023, 1, 1), date(2022, 12, 25)
NOTHING = None


def decided(engine, cases, table, criterion):
    """Title -> (outcome, observed, evidence) or None; each case is a person of one table."""
    rows = [row | {"beneficiary": title} for title, (given, *_) in cases.items() for row in given]
    found = engine.records(proven(criterion(table(rows))))
    told = {row["beneficiary"]: (row["outcome"], row["observed"], row["evidence"]) for row in found}
    assert len(told) == len(found)
    return {title: told.get(title) for title in cases}


def proven(found):
    """What a criterion found, with its evidence as a list: one row per beneficiary."""
    named = found.rows.mutate(criterion=ibis.literal("c"))
    facts = found.evidence.mutate(criterion=ibis.literal("c")).distinct()
    return with_evidence(named, facts).drop("criterion")


def outcome(told):
    return told and told[:2]


# ---- chronic diseases

CONDITIONS = {
    "beneficiary": "string", "source": "string", "code": "string", "display": "string", "label": "string", "disease": "string",
    "subgroup": "string", "listed": "string", "clinical": "array<string>", "verification": "array<string>", "abated": "string",
    "onset": "string", "recorded": "string", "over": "boolean", "begins": "date",
}  # fmt: skip
DIAGNOSES = {
    "beneficiary": "string", "source": "string", "kind": "string", "code": "string", "display": "string", "disease": "string",
    "subgroup": "string", "listed": "string", "day_first": "date", "day_last": "date",
}  # fmt: skip


def problem(disease="diabetes", subgroup="type2", source="Condition/1", **more):
    given = {
        "source": source, "code": "X", "display": None, "label": None, "disease": disease, "subgroup": subgroup, "listed": "Y",
        "clinical": None, "verification": None, "abated": None, "onset": None, "recorded": None, "over": False, "begins": None,
    }  # fmt: skip
    return given | more


THREE = [problem("diabetes"), problem("hypertension"), problem("chf")]
TWO = THREE[:2]


def status(*codes):
    return [*TWO, problem("chf", clinical=list(codes))]


# title -> (Conditions, (outcome, observed))
DISEASES = {
    "none": ([], NOTHING),
    "two": (TWO, ("not_met", "2")),
    "three": (THREE, ("met", "3")),
    "four": ([*THREE, problem("dyslipidemia")], ("met", "4")),
    "one disease three times": ([problem(source=f"Condition/{n}") for n in range(3)], ("not_met", "1")),
    "two diseases of one entry": (
        [*TWO, problem("bone_arthritis", "osteoporosis"), problem("bone_arthritis", "rheumatoid_arthritis")],
        ("met", "3"),
    ),
    "asthma and COPD are two entries": (
        [problem(), problem("respiratory", "asthma"), problem("respiratory", "copd")],
        ("met", "3"),
    ),
    "a subgroup that no entry names": ([*TWO, problem("respiratory", "other_lung")], ("not_met", "2")),
    "a disease that no entry names": ([*TWO, problem("esrd")], ("not_met", "2")),
    "a disease of no list": ([*TWO, problem(None)], ("not_met", "2")),
    "off by default": ([*TWO, problem("chf", listed="N")], ("not_met", "2")),
    "active": (status("active"), ("met", "3")),
    "recurrence": (status("recurrence"), ("met", "3")),
    "relapse": (status("relapse"), ("met", "3")),
    "inactive": (status("inactive"), ("not_met", "2")),
    "remission": (status("remission"), ("not_met", "2")),
    "resolved": (status("resolved"), ("not_met", "2")),
    "an unknown status": (status("odd"), ("not_met", "2")),
    "one of two statuses is active": (status("odd", "active"), ("met", "3")),
    "an empty list of statuses": (status(), ("met", "3")),
    "refuted": ([*TWO, problem("chf", verification=["refuted"])], ("not_met", "2")),
    "entered in error": ([*TWO, problem("chf", verification=["entered-in-error"])], ("not_met", "2")),
    "provisional": ([*TWO, problem("chf", verification=["provisional"])], ("met", "3")),
    "no verification": ([*TWO, problem("chf", verification=[])], ("met", "3")),
    "abated without status": ([*TWO, problem("chf", abated="2023-01-01")], ("not_met", "2")),
    "abated and active": ([*TWO, problem("chf", abated="2023-01-01", clinical=["active"])], ("met", "3")),
    "begun on the day": ([*TWO, problem("chf", begins=AS_OF)], ("met", "3")),
    "begun the day after": ([*TWO, problem("chf", begins=date(2023, 10, 1))], ("not_met", "2")),
}


@pytest.fixture(scope="module")
def rule(program_2023):
    return program_2023.chronic_diseases


@pytest.fixture(scope="module")
def entries(engine, rule):
    return engine.table(criteria.entry_rows(rule), criteria.ENTRY_ROWS)


@pytest.fixture(scope="module")
def diseases(engine, rule, entries):
    none = engine.table([], DIAGNOSES)
    return decided(
        engine, DISEASES, lambda rows: engine.table(rows, CONDITIONS),
        lambda table: criteria.chronic_diseases(table, none, entries, rule, AS_OF),
    )  # fmt: skip


@pytest.mark.parametrize("title", DISEASES)
def test_diseases_are_counted_by_entries_of_the_program(diseases, title):
    assert outcome(diseases[title]) == DISEASES[title][1]


def test_a_subgroup_that_the_program_turns_on_counts(engine, rule, entries):
    on = msgspec.structs.replace(rule, with_subgroups=["chf/odd"])
    rows = engine.table([row | {"beneficiary": "p"} for row in [*TWO, problem("chf", "odd", listed="N")]], CONDITIONS)
    [found] = engine.records(proven(criteria.chronic_diseases(rows, engine.table([], DIAGNOSES), entries, on, AS_OF)))
    assert found["outcome"] == "met"


FACTS = [
    (problem(code="E11.9", display="Diabetes", label="text"), "E11.9 Diabetes"),
    (problem(code="E11.9", label="text"), "E11.9 text"),
    (problem(code="E11.9"), "E11.9"),
    (problem(code="E11.9", onset="2019-04", recorded="2020"), "E11.9, since 2019-04"),
    (problem(code="E11.9", onset="2019-04-05T10:00:00Z"), "E11.9, since 2019-04-05"),
    (problem(code="E11.9", recorded="2020"), "E11.9, recorded 2020"),
]


@pytest.mark.parametrize("number", range(len(FACTS)))
def test_a_diagnosis_is_told_with_code_name_and_day(engine, rule, entries, number):
    row, fact = FACTS[number]
    table = engine.table([row | {"beneficiary": "p"}], CONDITIONS)
    [found] = engine.records(
        proven(criteria.chronic_diseases(table, engine.table([], DIAGNOSES), entries, rule, AS_OF))
    )
    assert found["evidence"] == [{"item": "diabetes", "fact": fact, "source": "Condition/1"}]


def test_evidence_is_in_one_order_whatever_that_of_the_input(engine, rule, entries):
    rows = [
        problem(d, source=f"Condition/{n}") | {"beneficiary": "p"} for n, d in enumerate(("chf", "diabetes", "chf"))
    ]
    none = engine.table([], DIAGNOSES)
    told = [
        engine.records(proven(criteria.chronic_diseases(engine.table(order, CONDITIONS), none, entries, rule, AS_OF)))
        for order in permutations([*rows[:2], rows[2], rows[2]])
    ]
    assert all(one == told[0] for one in told)
    items = [(one["item"], one["source"]) for one in told[0][0]["evidence"]]
    assert items == [
        ("chronic_heart_failure", "Condition/0"),
        ("chronic_heart_failure", "Condition/2"),
        ("diabetes", "Condition/1"),
    ]


def billed(disease="chf", kind="outpatient", day=date(2023, 5, 1), source="Claim/1", **more):
    first, last = day if isinstance(day, tuple) else (day, day)
    given = {
        "source": source, "kind": kind, "code": "X", "display": None, "disease": disease, "subgroup": "s", "listed": "Y",
        "day_first": first, "day_last": last,
    }  # fmt: skip
    return given | more


LATER = date(2023, 6, 1)

# title -> (diagnoses beside two diseases by Condition, observed)
CLAIMED = {
    "one visit": ([billed()], "2"),
    "two visits": ([billed(), billed(day=LATER, source="Claim/2")], "3"),
    "two claims of one day": ([billed(), billed(source="Claim/2")], "2"),
    "one stay": ([billed(kind="inpatient")], "3"),
    "a stay and a visit of another disease": ([billed("esrd", "inpatient"), billed()], "2"),
    "two visits of two diseases": ([billed(), billed("dyslipidemia", day=LATER)], "2"),
    "24 months ago": ([billed(kind="inpatient", day=date(2021, 10, 1))], "3"),
    "longer ago": ([billed(kind="inpatient", day=date(2021, 9, 30))], "2"),
    "after the day": ([billed(kind="inpatient", day=date(2023, 10, 1))], "2"),
    "a month in the window": ([billed(kind="inpatient", day=(date(2023, 5, 1), date(2023, 5, 31)))], "3"),
    "a month that may lie outside": ([billed(kind="inpatient", day=(date(2021, 9, 1), date(2021, 10, 31)))], "2"),
    "without a day": ([billed(kind="inpatient", day=(None, None))], "2"),
    "off by default": ([billed(kind="inpatient", listed="N")], "2"),
    "known by Condition too": ([billed("diabetes", "inpatient")], "2"),
}


@pytest.fixture(scope="module")
def by_claims(engine, rule, entries):
    """Title -> observed, with the rule as it is, without claims, and without Conditions."""
    rows = [row | {"beneficiary": title} for title, (given, _) in CLAIMED.items() for row in given]
    known = [row | {"beneficiary": title} for title in CLAIMED for row in TWO]
    diagnoses, conditions = engine.table(rows, DIAGNOSES), engine.table(known, CONDITIONS)

    def observed(**changes):
        changed = msgspec.structs.replace(rule, **changes)
        found = engine.records(proven(criteria.chronic_diseases(conditions, diagnoses, entries, changed, AS_OF)))
        return {row["beneficiary"]: row["observed"] for row in found}

    return observed(), observed(sources=["condition"]), observed(sources=["claim"])


@pytest.mark.parametrize("title", CLAIMED)
def test_claims_prove_a_disease_when_there_are_enough(by_claims, title):
    assert by_claims[0][title] == CLAIMED[title][1]


def test_a_program_may_leave_out_claims_or_conditions(by_claims):
    _, conditions_only, claims_only = by_claims
    assert set(conditions_only.values()) == {"2"}
    assert (claims_only["one stay"], claims_only.get("one visit")) == ("1", None)


# ---- drugs

USES = {
    "beneficiary": "string", "kind": "string", "source": "string", "drug": "string", "name": "string", "brand": "string",
    "route": "string", "listed": "boolean", "maintenance": "string", "otc": "string", "measures": "array<string>",
    "day_first": "date", "day_last": "date", "ends": "date", "recorded": "date", "cost": "decimal(12,2)",
}  # fmt: skip


def use(drug="a", kind="request", day=date(2023, 2, 1), **more):
    first, last = day if isinstance(day, tuple) else (day, day)
    given = {
        "kind": kind, "source": f"{kind}/{drug}", "drug": drug, "name": f"name of {drug}", "brand": "", "route": "oral",
        "listed": True, "maintenance": "Y", "otc": "rx", "measures": [], "day_first": first, "day_last": last, "ends": None,
        "recorded": None, "cost": None,
    }  # fmt: skip
    return given | more


def drugs(count, *more):
    return [*(use(f"d{n}") for n in range(count)), *more]


OPEN_YEAR = (date(2022, 12, 1), date(2023, 1, 31))

# title -> (uses, (outcome, observed))
COUNTED = {
    "none": ([], NOTHING),
    "six": (drugs(6), ("not_met", "6")),
    "seven": (drugs(7), ("met", "7")),
    "eight": (drugs(8), ("met", "8")),
    "one drug seven times": ([use("a", source=f"r{n}") for n in range(7)], ("not_met", "1")),
    "one drug as claim, order, statement and dispense": (
        [use("a", kind) for kind in ("claim", "request", "statement", "dispense")],
        ("not_met", "1"),
    ),
    "a drug that no list knows": (drugs(6, use("x", listed=False, maintenance=None, otc=None)), ("unknown", "6")),
    "an unlisted drug too few": (drugs(5, use("x", listed=False)), ("not_met", "5")),
    "an unlisted drug more": (drugs(7, use("x", listed=False)), ("met", "7")),
    "maintenance not known": (drugs(6, use("x", maintenance=None)), ("unknown", "6")),
    "no maintenance drug": (drugs(6, use("x", maintenance="N")), ("not_met", "6")),
    "maintenance depends": (drugs(6, use("x", maintenance="D")), ("not_met", "6")),
    "over the counter": (drugs(6, use("x", otc="otc")), ("not_met", "6")),
    "sold both ways, ordered": (drugs(6, use("x", otc="both")), ("met", "7")),
    "sold both ways, claimed": (drugs(6, use("x", "claim", otc="both")), ("met", "7")),
    "sold both ways, only stated": (drugs(6, use("x", "statement", otc="both")), ("unknown", "6")),
    "sold both ways, stated and ordered": (
        drugs(6, use("x", "statement", otc="both"), use("x", otc="both")),
        ("met", "7"),
    ),
    "class not known": (drugs(6, use("x", otc=None)), ("met", "7")),
    "filled on the first day": (drugs(6, use("x", "claim", NEW_YEAR)), ("met", "7")),
    "filled the year before": (drugs(6, use("x", "claim", CHRISTMAS)), ("not_met", "6")),
    "filled after the day": (drugs(6, use("x", "claim", date(2023, 10, 1))), ("not_met", "6")),
    "filled in a month that is open": (drugs(6, use("x", "claim", OPEN_YEAR)), ("unknown", "6")),
    "filled without a day": (drugs(6, use("x", "claim", (None, None))), ("unknown", "6")),
    "ordered years ago": (drugs(6, use("x", day=date(2010, 1, 1))), ("met", "7")),
    "ordered after the day": (drugs(6, use("x", day=date(2023, 10, 1))), ("not_met", "6")),
    "ended": (drugs(6, use("x", ends=date(2023, 9, 29))), ("not_met", "6")),
}


@pytest.fixture(scope="module")
def counted(engine, program_2023):
    return decided(
        engine, COUNTED, lambda rows: engine.table(rows, USES),
        lambda table: criteria.part_d_drugs(table, program_2023.part_d_drugs, AS_OF),
    )  # fmt: skip


@pytest.mark.parametrize("title", COUNTED)
def test_drugs_are_counted_once_and_only_when_they_count(counted, title):
    assert outcome(counted[title]) == COUNTED[title][1]


def test_evidence_says_which_drug_is_not_certain(counted):
    told = {one["item"]: one["fact"] for one in counted["a drug that no list knows"][2]}
    assert told["d0"] == "name of d0"
    assert told["x"] == "name of x (not on a list, or not known to be a maintenance drug)"


# settings -> (uses, (outcome, observed))
SETTINGS = {
    "every drug": ({"count": "all"}, drugs(6, use("x", maintenance="N")), ("met", "7")),
    "what depends": ({"depends": "counted"}, drugs(6, use("x", maintenance="D")), ("met", "7")),
    "claims only": ({"sources": ["claim"]}, drugs(7), NOTHING),
    "the unlisted left out": ({"unlisted": "not_counted"}, drugs(6, use("x", listed=False)), ("not_met", "6")),
    "two drugs": ({"minimum": 2}, drugs(2), ("met", "2")),
    "the year before too": ({"window": "trailing_12_months"}, drugs(6, use("x", "claim", CHRISTMAS)), ("met", "7")),
    "each ingredient": ({"count_by": "ingredient"}, drugs(5, use("x;y")), ("met", "7")),
    "each ingredient once": ({"count_by": "ingredient"}, drugs(6, use("d0;d1")), ("not_met", "6")),
    "an unlisted drug is one": (
        {"count_by": "ingredient"},
        drugs(6, use("code:s|1;2", listed=False)),
        ("unknown", "6"),
    ),
    "each route": ({"count_by": "product_family"}, drugs(6, use("d0", route="nasal")), ("met", "7")),
}


@pytest.mark.parametrize("title", SETTINGS)
def test_a_program_may_count_otherwise(engine, program_2023, title):
    changes, uses, expected = SETTINGS[title]
    rule = msgspec.structs.replace(program_2023.part_d_drugs, **changes)
    found = decided(
        engine, {"p": (uses,)}, lambda rows: engine.table(rows, USES), lambda t: criteria.part_d_drugs(t, rule, AS_OF)
    )
    assert outcome(found["p"]) == expected


# ---- cost


def fill(cost, day=date(2023, 2, 1), source="e1", **more):
    return use("a", "claim", day, source=source, cost=None if cost is None else Decimal(cost)) | more


# title -> (uses, (outcome, observed))
COSTS = {
    "none": ([], NOTHING),
    "at the threshold": ([fill("4935.00")], ("not_met", "4935.00")),
    "a cent above": ([fill("4935.01")], ("met", "4935.01")),
    "a cent below": ([fill("4934.99")], ("not_met", "4934.99")),
    "in parts": ([fill("4935.00"), fill("0.01", source="e2")], ("met", "4935.01")),
    "two equal lines of one claim": ([fill("2467.51"), fill("2467.51")], ("met", "4935.02")),
    "a claim of nothing": ([fill("0.00")], ("not_met", "0.00")),
    "unpriced alone": ([fill(None)], ("unknown", "")),
    "below and unpriced": ([fill("1.00"), fill(None)], ("unknown", "1.00")),
    "above and unpriced": ([fill("5000.00"), fill(None)], ("met", "5000.00")),
    "the year before": ([fill("5000.00", CHRISTMAS)], NOTHING),
    "after the day": ([fill("5000.00", date(2023, 10, 1))], NOTHING),
    "a month in the year": ([fill("5000.00", (date(2023, 3, 1), date(2023, 3, 31)))], ("met", "5000.00")),
    "a month that may lie outside": ([fill("5000.00", OPEN_YEAR)], ("unknown", "")),
    "without a day": ([fill("5000.00", (None, None))], ("unknown", "")),
    "over the counter": ([fill("5000.00", otc="otc")], NOTHING),
    "a drug that no list knows": ([fill("5000.00", listed=False, otc=None)], ("met", "5000.00")),
    "orders without claims": ([use("a")], ("unknown", "")),
    "a dispense without claims": ([use("a", "dispense")], ("unknown", "")),
    "orders over the counter": ([use("a", otc="otc")], NOTHING),
    "an order that ended": ([use("a", ends=CHRISTMAS)], NOTHING),
    "orders and claims": ([use("a"), fill("1.00")], ("not_met", "1.00")),
    "the largest": ([fill("9999999999.99"), fill("9999999999.99")], ("met", "19999999999.98")),
}


@pytest.fixture(scope="module")
def costed(engine, program_2023):
    return decided(
        engine, COSTS, lambda rows: engine.table(rows, USES),
        lambda table: criteria.drug_cost(table, program_2023.drug_cost, AS_OF),
    )  # fmt: skip


@pytest.mark.parametrize("title", COSTS)
def test_cost_is_above_below_or_unknown_and_never_nothing_by_default(costed, title):
    assert outcome(costed[title]) == COSTS[title][1]


@pytest.mark.parametrize(
    ("title", "evidence"),
    [
        ("a cent above", [("priced", "$4935.01 for name of a, filled 2023-02-01", "e1")]),
        (
            "unpriced alone",
            [("unpriced", "no total drug cost, or no full date for name of a, filled 2023-02-01", "e1")],
        ),
        ("without a day", [("unpriced", "no total drug cost, or no full date for name of a", "e1")]),
        ("orders without claims", []),
    ],
)
def test_cost_is_proved_by_its_claims(costed, title, evidence):
    assert [(one["item"], one["fact"], one["source"]) for one in costed[title][2]] == evidence


LAST = date(2023, 9, 1)

COST_SETTINGS = {
    "at or above": ({"comparator": ">="}, [fill("4935.00")], ("met", "4935.00")),
    "at or above, a cent below": ({"comparator": ">="}, [fill("4934.99")], ("not_met", "4934.99")),
    "unpriced left out": ({"unpriced": "not_counted"}, [fill("1.00"), fill(None)], ("not_met", "1.00")),
    "unpriced alone left out": ({"unpriced": "not_counted"}, [fill(None)], ("not_met", "0.00")),
    "orders left out": ({"orders_without_claims": "not_counted"}, [use("a")], ("not_met", "0.00")),
    "the year before too": ({"method": "trailing_12_months"}, [fill("5000.00", CHRISTMAS)], ("met", "5000.00")),
    "a quarter above": ({"method": "quarter"}, [fill("1233.76", LAST)], ("met", "1233.76")),
    "a quarter at the threshold": ({"method": "quarter"}, [fill("1233.75", LAST)], ("not_met", "1233.75")),
    "a fill before the quarter": ({"method": "quarter"}, [fill("5000.00")], NOTHING),
    "carried to the end of the year": ({"method": "projected"}, [fill("273.00")], ("not_met", "365.00")),
    "millions carried to the end of the year": (
        {"method": "projected"},
        [fill("99999999.99")],
        ("met", "133699633.69"),
    ),
    "no threshold": ({"threshold": "0"}, [fill("0.01")], ("met", "0.01")),
}


@pytest.mark.parametrize("title", COST_SETTINGS)
def test_a_program_may_reckon_cost_otherwise(engine, program_2023, title):
    changes, uses, expected = COST_SETTINGS[title]
    rule = msgspec.structs.replace(program_2023.drug_cost, **changes)
    found = decided(
        engine, {"p": (uses,)}, lambda rows: engine.table(rows, USES), lambda t: criteria.drug_cost(t, rule, AS_OF)
    )
    assert outcome(found["p"]) == expected


# ---- at risk

FACT = {
    "beneficiary": "string",
    "status": "string",
    "contract": "string",
    "starts": "date",
    "ends": "date",
    "source": "string",
}


def fact(status="AR", contract="H1234", starts=NEW_YEAR, ends=None):
    return {"status": status, "contract": contract, "starts": starts, "ends": ends, "source": f"roster.csv {status}"}


# title -> (facts of a member of H1234, (outcome, observed))
RISKS = {
    "none": ([], NOTHING),
    "at risk": ([fact()], ("met", "AR")),
    "potentially at risk": ([fact("PAR")], ("not_met", "PAR")),
    "both": ([fact("PAR"), fact()], ("met", "AR;PAR")),
    "from the day on": ([fact(starts=AS_OF)], ("met", "AR")),
    "from the day after": ([fact(starts=date(2023, 10, 1))], NOTHING),
    "to the day": ([fact(ends=AS_OF)], ("met", "AR")),
    "to the day before": ([fact(ends=date(2023, 9, 29))], NOTHING),
    "without days": ([fact(starts=None)], ("met", "AR")),
    "of another contract": ([fact(contract="S0001")], NOTHING),
    "of no contract": ([fact(contract=None)], ("met", "AR")),
}


@pytest.fixture(scope="module")
def risks(engine, program_2023):
    members = engine.table(
        [{"beneficiary": t, "contract": "H1234"} for t in RISKS], {"beneficiary": "string", "contract": "string"}
    )
    return decided(
        engine, RISKS, lambda rows: engine.table(rows, FACT),
        lambda table: criteria.at_risk(table, members, program_2023.at_risk, AS_OF),
    )  # fmt: skip


@pytest.mark.parametrize("title", RISKS)
def test_at_risk_is_who_the_list_names_on_the_day(risks, title):
    assert outcome(risks[title]) == RISKS[title][1]


def test_a_person_whose_contract_is_not_known_is_at_risk_by_any_list(engine, program_2023):
    members = engine.table([{"beneficiary": "p", "contract": None}], {"beneficiary": "string", "contract": "string"})
    table = engine.table([fact(contract="S0001") | {"beneficiary": "p"}], FACT)
    [found] = engine.records(proven(criteria.at_risk(table, members, program_2023.at_risk, AS_OF)))
    assert found["outcome"] == "met"
    assert found["evidence"] == [{"item": "AR", "fact": "at-risk list, status AR", "source": "roster.csv AR"}]


# ---- adherence drug


def statin(**more):
    return use("83367", measures=["statins"]) | more


# title -> (uses, (outcome, observed))
ADHERENCE = {
    "none": ([], NOTHING),
    "another drug": ([use("a")], NOTHING),
    "measures not known": ([use("a", measures=None)], NOTHING),
    "a statin": ([statin()], ("met", "statins")),
    "two measures": ([use("a", measures=["diabetes", "ras_antagonists"])], ("met", "diabetes;ras_antagonists")),
    "two drugs": ([statin(), use("b", measures=["diabetes"])], ("met", "diabetes;statins")),
    "a drug that no list knows": ([use("x", listed=False, measures=None)], ("unknown", "")),
    "a statin and one that no list knows": ([statin(), use("x", listed=False, measures=None)], ("met", "statins")),
    "a refused brand": ([use("a", measures=["diabetes"], brand="Wegovy")], NOTHING),
    "a refused brand in capitals": ([use("a", measures=["diabetes"], brand="WEGOVY")], NOTHING),
    "another brand": ([use("a", measures=["diabetes"], brand="Ozempic")], ("met", "diabetes")),
    "filled the year before": ([statin(kind="claim", day_first=CHRISTMAS, day_last=CHRISTMAS)], NOTHING),
    "filled in a month that is open": (
        [statin(kind="claim", day_first=OPEN_YEAR[0], day_last=OPEN_YEAR[1])],
        ("unknown", ""),
    ),
    "ended": ([statin(ends=CHRISTMAS)], NOTHING),
}


@pytest.fixture(scope="module")
def adherence(engine, program_2023):
    return decided(
        engine, ADHERENCE, lambda rows: engine.table(rows, USES),
        lambda t: criteria.adherence_drug(t, program_2023.adherence_drug, program_2023.part_d_drugs, AS_OF),
    )  # fmt: skip


@pytest.mark.parametrize("title", ADHERENCE)
def test_a_drug_of_a_measure_is_taken_or_may_be(adherence, title):
    assert outcome(adherence[title]) == ADHERENCE[title][1]


@pytest.mark.parametrize(
    ("changes", "uses", "expected"),
    [
        ({"measures": ["diabetes"]}, [statin()], NOTHING),
        ({"unlisted": "not_counted"}, [use("x", listed=False, measures=None)], NOTHING),
        ({"refused_brands": []}, [use("a", measures=["diabetes"], brand="Wegovy")], ("met", "diabetes")),
    ],
)
def test_a_program_may_name_other_measures_and_brands(engine, program_2023, changes, uses, expected):
    rule = msgspec.structs.replace(program_2023.adherence_drug, **changes)
    found = decided(
        engine, {"p": (uses,)}, lambda rows: engine.table(rows, USES),
        lambda t: criteria.adherence_drug(t, rule, program_2023.part_d_drugs, AS_OF),
    )  # fmt: skip
    assert outcome(found["p"]) == expected
