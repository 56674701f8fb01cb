"""Which claims stand, what each line cost, which drug it was: in all three shapes, and never twice."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from adapter.tables import claims
from tests.unit.tables.samples import CARIN, NDC, RXNORM, V2, amount, claim, concept, info, item, related

DATA = Path(__file__).parents[2] / "data" / "claims"


def evaluated(engine, read, cases):
    """Title -> the lines of its claims by cost. All cases are read at once, each with a person and ids of its own."""
    given = []
    for number, resources in enumerate(cases.values()):
        for one in _own_ids(resources if isinstance(resources, list) else [resources], number):
            given.append(one | {"patient": {"reference": f"Patient/{number}"}})
    rows = claims.claims(engine.keep(claims.explanations(read("ExplanationOfBenefit", given))))
    found = engine.records(rows.order_by("beneficiary", "cost"))
    return {title: [row for row in found if row["beneficiary"] == str(n)] for n, title in enumerate(cases)}


def _own_ids(given, number):
    text = json.dumps(given)
    for key in ("e1", "e2", "e3"):
        text = text.replace(f'"id": "{key}"', f'"id": "{key}.{number}"').replace(f'/{key}"', f'/{key}.{number}"')
    return json.loads(text)


# ---- money


def charges(*entries, total=None):
    made = claim("e1", item(adjudication=list(entries)))
    return made | ({"total": total} if total else {})


UNPRICED = [None]

# title -> (claim, cost of each line)
COSTS = {
    "CARIN drugcost": (charges(amount(12.34)), ["12.34"]),
    "BFD v2 variable": (charges(amount(12.34, V2 + "tot_rx_cst_amt")), ["12.34"]),
    "BFD v3 code beside submitted": (charges(amount(12.34, "submitted", "TOT_RX_CST_AMT")), ["12.34"]),
    "drugcost among others": (charges(amount(1, "benefit"), amount(12.34), amount(2, "paidbypatient")), ["12.34"]),
    "submitted alone is no cost": (charges(amount(1000, "submitted")), UNPRICED),
    "BFD v2 gross cost parts are no total": (charges(amount(995.34, "coinsurance", V2 + "gdc_blw_oopt_amt")), UNPRICED),
    "one amount under two entries counts once": (
        charges(amount(12.34), amount(12.34, V2 + "tot_rx_cst_amt")),
        ["12.34"],
    ),
    "whole dollars": (charges(amount(1000)), ["1000.00"]),
    "a cent": (charges(amount(0.01)), ["0.01"]),
    "as text": (charges(amount("12.34")), ["12.34"]),
    "zero dollars is a price": (charges(amount(0.0)), ["0.00"]),
    "negative": (charges(amount(-5)), UNPRICED),
    "largest": (charges(amount(9999999999)), ["9999999999.00"]),
    "absurd": (charges(amount(10**15)), UNPRICED),
    "no number": (charges(amount("free")), UNPRICED),
    "empty": (charges(amount("")), UNPRICED),
    "value null": (charges(amount(None)), UNPRICED),
    "value null before a value": (charges(amount(None), amount(3)), ["3.00"]),
    "no amount": (charges({"category": {"coding": [{"code": "drugcost"}]}}), UNPRICED),
    "no category": (charges({"amount": {"value": 5}}), UNPRICED),
    "no adjudication": (claim("e1", item()), UNPRICED),
    "in total only": (charges(total=[amount(12.34)]), ["12.34"]),
    "item and total are one amount": (charges(amount(12.34), total=[amount(12.34)]), ["12.34"]),
    "the item goes before another total": (charges(amount(12.34), total=[amount(99)]), ["12.34"]),
    "total of other amounts": (charges(total=[amount(620, "paidtoprovider"), amount(2650, "submitted")]), UNPRICED),
    "two items": (claim("e1", item(1), item(2)), ["1.00", "2.00"]),
    "two items and their total": (claim("e1", item(1), item(2), total=[amount(3)]), ["1.00", "2.00"]),
    "two items, one priced": (claim("e1", item(1), item()), ["1.00", None]),
    "two items, one priced, and a total": (claim("e1", item(1), item(), total=[amount(9)]), ["0.00", "9.00"]),
    "two items with a total only": (claim("e1", item(), item(), total=[amount(9)]), ["0.00", "9.00"]),
    "two equal items": (claim("e1", item(1), item(1)), ["1.00", "1.00"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def priced(engine, read):
    return evaluated(engine, read, {title: given for title, (given, _) in COSTS.items()})


@pytest.mark.parametrize("title", COSTS)
def test_the_cost_of_a_line_is_the_total_drug_cost_or_unknown(priced, title):
    assert [None if row["cost"] is None else str(row["cost"]) for row in priced[title]] == COSTS[title][1]


# ---- which claims stand


def adjudicated(*codes, category="benefitpaymentstatus"):
    return [
        {"category": {"coding": [{"code": category}]}, "reason": {"coding": [{"code": code} for code in codes]}},
    ]


def typed(*codings):
    return {"coding": [{"code": "pharmacy"}, *({"system": system, "code": code} for system, code in codings)]}


CLM_TYPE = "https://bluebutton.cms.gov/fhir/CodeSystem/CLM-TYPE-CD"

# title -> (claim, whether it counts)
STANDING = {
    "plain": (claim(), True),
    "by the BFD type": (claim(kind="PDE"), True),
    "without status": (claim(status=None), True),
    "cancelled": (claim(status="cancelled"), False),
    "entered in error": (claim(status="entered-in-error"), False),
    "draft": (claim(status="draft"), False),
    "without use": (claim(use=None), True),
    "predetermination": (claim(use="predetermination"), False),
    "preauthorization": (claim(use="preauthorization"), False),
    "without outcome": (claim(outcome=None), True),
    "partial": (claim(outcome="partial"), True),
    "in error": (claim(outcome="error"), False),
    "original": (claim(type=typed((CLM_TYPE, "1"))), True),
    "adjusted": (claim(type=typed((CLM_TYPE, "2"))), True),
    "BFD v3 deleted though active": (claim(type=typed((CLM_TYPE, "3"))), False),
    "a 3 of another system": (claim(type=typed(("http://other", "3"))), True),
    "a 3 of no system": (claim(type=typed((None, "3"))), True),
    "BFD v2 deleted": (claim(supportingInfo=[info(V2 + "adjstmt_dltn_cd", "D")]), False),
    "BFD v2 adjusted": (claim(supportingInfo=[info(V2 + "adjstmt_dltn_cd", "A")]), True),
    "BFD v2 neither": (claim(supportingInfo=[info(V2 + "adjstmt_dltn_cd")]), True),
    "covered, v2": (claim(supportingInfo=[info(V2 + "drug_cvrg_stus_cd", "C")]), True),
    "covered, v3": (claim(supportingInfo=[info("CLM_DRUG_CVRG_STUS_CD", "C")]), True),
    "over the counter, v3": (claim(supportingInfo=[info("CLM_DRUG_CVRG_STUS_CD", "O")]), False),
    "enhanced, v2": (claim(supportingInfo=[info("x", "y"), info(V2 + "drug_cvrg_stus_cd", "E")]), False),
    "coverage status empty": (claim(supportingInfo=[info("CLM_DRUG_CVRG_STUS_CD", "")]), False),
    "coverage status without code": (claim(supportingInfo=[info("CLM_DRUG_CVRG_STUS_CD")]), True),
    "denied": (claim(adjudication=adjudicated("denied")), False),
    "denied among others": (claim(adjudication=adjudicated("innetwork") + adjudicated("x", "denied")), False),
    "paid in network": (claim(adjudication=adjudicated("innetwork")), True),
    "another category is denied": (claim(adjudication=adjudicated("denied", category="billingnetworkstatus")), True),
    "denied by supporting info": (claim(supportingInfo=[info("benefitpaymentstatus", "denied")]), False),
    "replaced by another": (claim(related=[related("replacedby", reference="ExplanationOfBenefit/e2")]), False),
    "itself an adjustment": (claim(related=[related("prior", reference="ExplanationOfBenefit/e0")]), True),
    "related otherwise": (claim(related=[related("associated", reference="ExplanationOfBenefit/e2")]), True),
    "related to nothing": (claim(related=[]), True),
    "BFD v3 not the final action": (claim(meta={"tag": [{"system": "x", "code": "NotFinalAction"}]}), False),
    "BFD v3 the final action": (claim(meta={"tag": [{"system": "x", "code": "FinalAction"}]}), True),
    "BFD v3 deletion by adjustment type": (claim(supportingInfo=[info("CLM_ADJSTMT_TYPE_CD", "D")]), False),
    "BFD v3 original by adjustment type": (claim(supportingInfo=[info("CLM_ADJSTMT_TYPE_CD", "0")]), True),
    "professional": (claim(kind="professional"), False),
    "institutional": (claim(kind="institutional"), False),
    "type without code": (claim(type={"coding": [{"system": "x"}]}), False),
    "type null in the list": (claim(type={"coding": None, "text": "Pharmacy"}), False),
}


@pytest.fixture(scope="module")
def standing(engine, read):
    return evaluated(engine, read, {title: given for title, (given, _) in STANDING.items()})


@pytest.mark.parametrize("title", STANDING)
def test_a_claim_stands_or_does_not(standing, title):
    assert bool(standing[title]) is STANDING[title][1]


# ---- adjustments and repetitions


def adjustment(**target):
    return claim("e2", item(2), related=[related("prior", **target)])


ORIGINAL = claim("e1", item(1), identifier=[{"value": "89"}, {"value": None}])
PRIOR_89 = {"reference": {"value": "89"}, "relationship": {"coding": [{"code": "prior"}]}}


def unique(key, cost, month, system="pde_id", kind="uc", **more):
    """A claim of one unique claim id, last updated in ``month``."""
    identifier = {"type": {"coding": [{"code": kind}]}, "system": V2 + system, "value": "77"}
    return claim(key, item(cost), identifier=[identifier], meta={"lastUpdated": f"2023-{month:02}-01T00:00:00Z"}) | more


BOTH, NEW, OLD = ["1.00", "2.00"], ["2.00"], ["1.00"]

# title -> (claims of one person, costs that count)
REPLACED = {
    "by reference": ([ORIGINAL, adjustment(reference="ExplanationOfBenefit/e1")], NEW),
    "before the original": ([adjustment(reference="ExplanationOfBenefit/e1"), ORIGINAL], NEW),
    "by absolute reference": ([ORIGINAL, adjustment(reference="https://fhir.example/r4/ExplanationOfBenefit/e1")], NEW),
    "by Claim of the same id": ([ORIGINAL, adjustment(reference="Claim/e1")], NEW),
    "by identifier": ([ORIGINAL, adjustment(identifier="89")], NEW),
    "by an unknown reference": ([ORIGINAL, adjustment(reference="ExplanationOfBenefit/e9")], BOTH),
    "by an unknown identifier": ([ORIGINAL, adjustment(identifier="90")], BOTH),
    "by an empty identifier": ([ORIGINAL, adjustment(identifier="")], BOTH),
    "by nothing": ([ORIGINAL, claim("e2", item(2), related=[related("prior", identifier=None)])], BOTH),
    "by a cancelled adjustment": ([ORIGINAL, adjustment(identifier="89") | {"status": "cancelled"}], OLD),
    "by the identifier of CARIN": ([ORIGINAL, claim("e2", item(2), related=[PRIOR_89])], NEW),
    "by one that Part D does not cover": (
        [ORIGINAL, claim("e2", item(2), related=[PRIOR_89], supportingInfo=[info("CLM_DRUG_CVRG_STUS_CD", "O")])],
        [],
    ),
    "by a deletion": (
        [ORIGINAL, claim("e2", item(2), related=[PRIOR_89], supportingInfo=[info(V2 + "adjstmt_dltn_cd", "D")])],
        [],
    ),
    "one claim under two ids": ([unique("e1", 1, 4), unique("e2", 2, 5)], NEW),
    "one claim under two ids, the newer first": ([unique("e1", 2, 5), unique("e2", 1, 4)], NEW),
    "one claim under two ids, the newer cancelled": ([unique("e1", 1, 4), unique("e2", 2, 5, status="cancelled")], []),
    "one claim with money and without": ([unique("e1", 1, 4), unique("e2", None, 4)], OLD),
    "one unique claim id, two drugs": (
        [unique("e1", 1, 4), unique("e2", 2, 5, item=[item(2, "00071015540")])],
        BOTH,
    ),
    "one unique claim id, two days": ([unique("e1", 1, 4), unique("e2", 2, 5, item=[item(2, filled="2023-04-01")])], BOTH),
    "one claim group": ([unique("e1", 1, 4, "claim-group"), unique("e2", 2, 5, "claim-group")], BOTH),
    "one identifier of another type": ([unique("e1", 1, 4, kind="x"), unique("e2", 2, 5, kind="x")], BOTH),
    "twice": (
        [ORIGINAL, adjustment(identifier="89"), claim("e3", item(3), related=[related("prior", identifier="89")])],
        ["2.00", "3.00"],
    ),
    "a chain": (
        [ORIGINAL, adjustment(identifier="89"), claim("e3", item(3), related=[related("prior", reference="ExplanationOfBenefit/e2")])],
        ["3.00"],
    ),
    "a claim read twice": ([ORIGINAL, ORIGINAL], OLD),
    "an older version after the newer": (
        [
            claim("e1", item(2), meta={"lastUpdated": "2023-05-01T00:00:00Z"}),
            claim("e1", item(1), meta={"lastUpdated": "2023-04-01T00:00:00Z"}),
        ],
        NEW,
    ),
    "the newer version is cancelled": (
        [
            claim("e1", item(1), meta={"lastUpdated": "2023-04-01T00:00:00Z"}),
            claim("e1", item(1), status="cancelled", meta={"lastUpdated": "2023-05-01T00:00:00Z"}),
        ],
        [],
    ),
    "without id, read twice": ([claim(None, item(1)), claim(None, item(1))], OLD),
    "without id, another cost": ([claim(None, item(1)), claim(None, item(2))], BOTH),
    "without id, another day": ([claim(None, item(1)), claim(None, item(1, filled="2023-04-01"))], ["1.00", "1.00"]),
    "without id, another drug": ([claim(None, item(1)), claim(None, item(1, "00071015540"))], ["1.00", "1.00"]),
    "without id, another identifier": (
        [claim(None, item(1), identifier=[{"value": "a"}]), claim(None, item(1), identifier=[{"value": "b"}])],
        ["1.00", "1.00"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def replaced(engine, read):
    return evaluated(engine, read, {title: given for title, (given, _) in REPLACED.items()})


@pytest.mark.parametrize("title", REPLACED)
def test_each_fill_counts_once(replaced, title):
    assert [str(row["cost"]) for row in replaced[title]] == REPLACED[title][1]


def test_the_adjustment_of_another_person_replaces_nothing(engine, read):
    other = adjustment(identifier="89") | {"patient": {"reference": "Patient/p2"}}
    rows = claims.claims(engine.keep(claims.explanations(read("ExplanationOfBenefit", [ORIGINAL, other]))))
    assert sorted(row["source"] for row in engine.records(rows)) == [
        "ExplanationOfBenefit/e1",
        "ExplanationOfBenefit/e2",
    ]


# ---- the drug and the day


COMPOUND = concept((CARIN + "C4BBCompoundLiteral", "compound"))


def detail(*codes):
    return [{"productOrService": concept((NDC, code))} for code in codes]


# title -> (item, [(part, code)])
DRUGS = {
    "an NDC": (item(), [("item", "00071015523")]),
    "several codings": (
        item(productOrService=concept((NDC, "a"), (RXNORM, "b"))),
        [("item", "a"), ("item", "b")],
    ),
    "a compound has its parts": (
        item(productOrService=COMPOUND, detail=detail("a", "b")),
        [("a", "a"), ("b", "b")],
    ),
    "a compound without parts": (item(productOrService=COMPOUND), [("item", "compound")]),
    "a compound of parts without code": (
        item(productOrService=COMPOUND, detail=detail(None)),
        [("item", "compound")],
    ),
    "details of what is no compound": (item(detail=detail("a")), [("item", "00071015523")]),
    "text only": (item(productOrService={"text": "Metformin 500"}), [("item", None)]),
    "no code": (item(code=None), [("item", None)]),
}


@pytest.fixture(scope="module")
def named(engine, read):
    return evaluated(engine, read, {title: claim("e1", given) for title, (given, _) in DRUGS.items()})


@pytest.mark.parametrize("title", DRUGS)
def test_a_line_names_its_drug_or_its_parts(named, title):
    [row] = named[title]
    assert [(c["part"], c["code"]) for c in row["codings"]] == DRUGS[title][1]


# title -> (claim, (day_first, day_last))
FILLED = {
    "servicedDate": (claim(), (date(2023, 3, 2), date(2023, 3, 2))),
    "servicedPeriod": (
        claim("e1", item(filled=None, servicedPeriod={"start": "2023-03-04"})),
        (date(2023, 3, 4), date(2023, 3, 4)),
    ),
    "billablePeriod": (claim("e1", item(filled=None)), (date(2023, 3, 1), date(2023, 3, 1))),
    "a month": (claim("e1", item(filled="2023-03")), (date(2023, 3, 1), date(2023, 3, 31))),
    "none": (claim("e1", item(filled=None), billablePeriod=None), (None, None)),
}


@pytest.fixture(scope="module")
def filled(engine, read):
    return evaluated(engine, read, {title: given for title, (given, _) in FILLED.items()})


@pytest.mark.parametrize("title", FILLED)
def test_the_fill_has_the_day_that_is_told_and_no_other(filled, title):
    [row] = filled[title]
    assert (row["day_first"], row["day_last"]) == FILLED[title][1]


SUPPLIES = {30: Decimal("30.00"), "30": Decimal("30.00"), "x": None, "": None, None: None}


@pytest.fixture(scope="module")
def supplied(engine, read):
    given = {
        value: claim(supportingInfo=[info("x"), info("dayssupply", valueQuantity={"value": value})])
        for value in SUPPLIES
    }
    return evaluated(engine, read, given)


@pytest.mark.parametrize("value", SUPPLIES)
def test_days_supply_is_a_number_or_unknown(supplied, value):
    [row] = supplied[value]
    assert row["days_supply"] == SUPPLIES[value]


# ---- faults


NO_DAY = "a fill date (item.servicedDate or servicedPeriod.start) is no date of the calendar"
NO_PRODUCT = "no item has a productOrService (FHIR R4; STU3 is not read)"

FAULTS = [
    (claim(), None),
    (claim(type=None), "the ExplanationOfBenefit has no type"),
    (claim(patient=None), "the ExplanationOfBenefit names no Patient"),
    (claim(patient={"reference": "Group/1"}), "the ExplanationOfBenefit names no Patient"),
    (claim(patient={"reference": ""}), "the ExplanationOfBenefit names no Patient"),
    (claim() | {"item": []}, "the ExplanationOfBenefit has no item"),
    (claim() | {"item": None}, "the ExplanationOfBenefit has no item"),
    (claim("e1", item(productOrService=None)), NO_PRODUCT),
    (claim("e1", item(productOrService={"coding": []})), NO_PRODUCT),
    (claim("e1", item(productOrService=None), item()), None),
    (claim("e1", item(filled="2023-02-30")), NO_DAY),
    (claim("e1", item(), item(filled="2023-13-01")), NO_DAY),
    (claim("e1", item(filled="")), NO_DAY),
    (claim("e1", item(filled=None, servicedPeriod={"start": "x"})), NO_DAY),
    (claim(billablePeriod={"start": "IGNORED_FIELD"}), "billablePeriod.start is no date of the calendar"),
    (claim(billablePeriod={"start": ""}), "billablePeriod.start is no date of the calendar"),
    (claim(resourceType="Claim"), "this is no ExplanationOfBenefit (see its resourceType)"),
]


@pytest.fixture(scope="module")
def judged(judge):
    return judge("ExplanationOfBenefit", [one for one, _ in FAULTS], claims.explanations, claims.claims)


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_a_faulty_claim_is_told_and_does_not_count(judged, number):
    fault = FAULTS[number][1]
    assert judged[number] == (fault, fault is None)


def test_a_medical_claim_needs_no_item(engine, read):
    rows = claims.explanations(read("ExplanationOfBenefit", [claim(kind="professional") | {"item": None}]))
    assert [(row["kind"], row["fault"]) for row in engine.records(rows)] == [("outpatient", None)]


# ---- real files


def real(name):
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


# name -> (person, day, cost, days supply, codes); None when the claim does not count
REAL = {
    "bfd-v2-pde": ("567834", date(2015, 5, 12), "550.00", 30, ["000000000"]),
    "bfd-v3-compound": ("123456789", date(2024, 1, 15), "45.50", 30, ["00071015523"]),
    "carin-1.1.0": ("Patient1", date(2019, 10, 30), None, 30, ["0777-3105-02"]),
    "carin-2.0.0": ("Patient2", date(2019, 7, 2), None, 30, ["0777-3105-02"]),
    "carin-2.0.0-nonfinancial": ("Patient2", date(2019, 7, 2), None, 30, ["0777-3105-02"]),
    "bfd-v2-carrier": None,
    "bfd-v3-carrier": None,
}


@pytest.fixture(scope="module")
def real_claims(engine, read):
    # Without identifiers: two of the files are one claim, with money and without.
    given = [real(name) | {"id": name, "identifier": []} for name in REAL]
    rows = engine.records(claims.claims(engine.keep(claims.explanations(read("ExplanationOfBenefit", given)))))
    return {row["source"].partition("/")[2]: row for row in rows}


@pytest.mark.parametrize("name", REAL)
def test_a_real_claim_is_read(real_claims, name):
    row = real_claims.get(name)
    told = row and (
        row["beneficiary"],
        row["day_first"],
        None if row["cost"] is None else str(row["cost"]),
        row["days_supply"],
        [c["code"] for c in row["codings"]],
    )
    assert told == REAL[name]


def test_a_real_claim_without_id_keeps_its_name_in_every_read(engine, read):
    given = real("bfd-v3-compound")
    first, second = (
        engine.records(claims.explanations(read("ExplanationOfBenefit", [given])))[0]["source"] for _ in range(2)
    )
    assert first == second
    assert first.startswith("ExplanationOfBenefit/no-id-")


def test_a_claim_without_id_is_the_same_however_its_cost_is_written(engine, read):
    given = [
        {name: part for name, part in charges(amount(cost)).items() if name != "id"}
        for cost in ("1.1", "1.10", "1.101")
    ]
    one, again, other = (
        engine.records(claims.explanations(read("ExplanationOfBenefit", [resource])))[0]["id"] for resource in given
    )
    assert one == again != other


@pytest.mark.parametrize(
    ("written", "told"),
    [("-12.5", "-12.50"), ("-12.50", "-12.50"), (-12.5, "-12.50"), (-12, "-12"), ("-1e1", "-10.00"), ("-0.001", None),
     ("-0.006", "-0.006"), ("-12.505", "-12.505"), ("free", "free"), (1e20, "100000000000000000000.00")],
)  # fmt: skip
def test_a_cost_that_is_no_price_is_told_in_one_way(engine, read, written, told):
    rows = claims.claims(claims.explanations(read("ExplanationOfBenefit", [charges(amount(written))])))
    assert {row["refused_cost"] for row in engine.records(rows)} == {told}
