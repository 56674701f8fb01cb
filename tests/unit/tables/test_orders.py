"""Who takes which drug by requests, statements and dispenses, wherever the Medication stands."""

from __future__ import annotations

from datetime import date

import pytest

from adapter.tables import orders
from tests.unit.tables.samples import OWN, RXNORM, concept, dispense, medication, request, statement


def to(reference, **more):
    return {"medicationReference": {"reference": reference} | more}


STORED = [
    medication("m1", "111"),
    medication("-932.a", "222"),
    medication("text", code={"text": "Fish oil"}),
    medication("bad", code=None),
    medication("old", "333", meta={"versionId": "1"}),
    medication("old", "444", meta={"versionId": "2"}),
]
INSIDE = [{"resourceType": "Medication", "id": "in", "code": concept((RXNORM, "555"), text="inside")}]
INSIDE_TEXT = [{"resourceType": "Medication", "id": "in", "code": {"text": "St. John's wort"}}]
INSIDE_NOTHING = [{"resourceType": "Medication", "id": "in"}]

# title -> (elements of a request, (codes, label, missing))
MEDICATIONS = {
    "by code": ({"medicationCodeableConcept": concept((RXNORM, "1"), text="a")}, (["1"], "a", None)),
    "several codings": ({"medicationCodeableConcept": concept((RXNORM, "1"), (None, "2"))}, (["1", "2"], None, None)),
    "text only": ({"medicationCodeableConcept": {"text": "Tylenol"}}, ([None], "Tylenol", None)),
    "null coding": ({"medicationCodeableConcept": {"coding": None, "text": "Tylenol"}}, ([None], "Tylenol", None)),
    "null in the list": ({"medicationCodeableConcept": {"coding": [None], "text": "a"}}, ([None], "a", None)),
    "referenced": (to("Medication/m1"), (["111"], None, None)),
    "absolute": (to("https://fhir.example/r4/Medication/m1"), (["111"], None, None)),
    "versioned": (to("Medication/m1/_history/3"), (["111"], None, None)),
    "an id with signs": (to("Medication/-932.a"), (["222"], None, None)),
    "referenced with text only": (to("Medication/text"), ([None], "Fish oil", None)),
    "the newest version": (to("Medication/old"), (["444"], None, None)),
    "missing": (to("Medication/none"), ([None], None, "Medication/none")),
    "missing with a display": (to("Medication/none", display="Aspirin"), ([None], "Aspirin", "Medication/none")),
    "a Medication with a fault is missing": (to("Medication/bad"), ([None], None, "Medication/bad")),
    "urn": (to("urn:uuid:1"), ([None], None, "urn:uuid:1")),
    "contained": (to("#in") | {"contained": INSIDE}, (["555"], "inside", None)),
    "contained, text only": (to("#in") | {"contained": INSIDE_TEXT}, ([None], "St. John's wort", None)),
    "contained without code": (to("#in", display="x") | {"contained": INSIDE_NOTHING}, ([None], "x", None)),
    "contained that is not there": (to("#out") | {"contained": INSIDE}, ([None], None, "#out")),
    "contained of another name": (to("Medication/in") | {"contained": INSIDE}, ([None], None, "Medication/in")),
}


@pytest.fixture(scope="module")
def resolved(engine, read):
    given = [request(f"r{n}", **elements) for n, (elements, _) in enumerate(MEDICATIONS.values())]
    rows = orders.orders(
        orders.requests(read("MedicationRequest", given)), orders.medications(read("Medication", STORED))
    )
    found = {row["source"]: row for row in engine.records(rows)}
    return {title: found[f"MedicationRequest/r{n}"] for n, title in enumerate(MEDICATIONS)}


@pytest.mark.parametrize("title", MEDICATIONS)
def test_the_medication_is_found_where_it_stands(resolved, title):
    row = resolved[title]
    assert ([c["code"] for c in row["codings"]], row["label"], row["missing"]) == MEDICATIONS[title][1]
    assert {c["part"] for c in row["codings"]} == {"item"}


ENDED = ("stopped", "completed", "cancelled", "entered-in-error", "on-hold", "draft", "unknown", "")

# title -> (resource, whether the person takes the drug)
TAKEN = {
    "an active order": (request(), True),
    **{f"intent {intent}": (request(intent=intent), True) for intent in orders.ORDER_INTENTS},
    **{f"intent {intent}": (request(intent=intent), False) for intent in ("plan", "proposal", "option", "")},
    "no intent": (request(intent=None), True),
    "a plan that the person reports": (request(intent="plan", reportedBoolean=True), True),
    "a plan that nobody reports": (request(intent="plan", reportedBoolean=False), False),
    "a proposal that the person reports": (request(intent="proposal", reportedBoolean=True), True),
    **{f"request {s}": (request(status=s), False) for s in ENDED},
    "request without status": (request(status=None), False),
    "must not be taken": (request(doNotPerform=True), False),
    "may be taken": (request(doNotPerform=False), True),
    "an active statement": (statement(), True),
    **{f"statement {s}": (statement(status=s), False) for s in (*ENDED, "not-taken", "intended")},
    "statement without status": (statement(status=None), False),
    "a statement of the adapter": (statement(meta={"tag": [{"system": OWN, "code": "pml"}]}), False),
    "a statement with another tag": (statement(meta={"tag": [{"system": "x", "code": "pml"}]}), True),
    "handed over": (dispense(), True),
    "in progress": (dispense(status="in-progress"), True),
    **{f"dispense {s}": (dispense(status=s), False) for s in ("preparation", "cancelled", "stopped", "declined", "entered-in-error", "")},
    "dispense without status": (dispense(status=None), False),
}  # fmt: skip


def kept(engine, read, resources):
    """Id -> row, for resources of all three types."""
    found = {}
    known = orders.medications(read("Medication", []))
    for kind, reader in orders.READERS.items():
        table = read(kind, [one for one in resources if one["resourceType"] == kind])
        for row in engine.records(orders.orders(reader(table), known)):
            found[row["source"].partition("/")[2]] = row
    return found


@pytest.fixture(scope="module")
def taken(engine, read):
    found = kept(engine, read, [one | {"id": str(n)} for n, (one, _) in enumerate(TAKEN.values())])
    return {title: str(n) in found for n, title in enumerate(TAKEN)}


@pytest.mark.parametrize("title", TAKEN)
def test_a_drug_is_taken_or_it_is_not(taken, title):
    assert taken[title] is TAKEN[title][1]


DAY = date(2023, 2, 4)

# title -> (resource, (kind, day_first, day_last, ends))
DAYS = {
    "an order": (request(authoredOn="2023-02-04"), ("request", DAY, DAY, None)),
    "an order of a month": (request(authoredOn="2023-02"), ("request", date(2023, 2, 1), date(2023, 2, 28), None)),
    "an order without a day": (request(authoredOn=None), ("request", None, None, None)),
    "a statement of a day": (statement(effectiveDateTime="2023-02-04T10:00:00Z"), ("statement", DAY, DAY, None)),
    "a statement of a period": (
        statement(effectivePeriod={"start": "2023-02-04", "end": "2023-05"}),
        ("statement", DAY, DAY, date(2023, 5, 31)),
    ),
    "a statement of an assertion": (statement(dateAsserted="2023-02-04"), ("statement", DAY, DAY, None)),
    "a statement without a day": (statement(), ("statement", None, None, None)),
    "the period goes before the assertion": (
        statement(dateAsserted="2023-09-01", effectivePeriod={"start": "2023-02-04"}),
        ("statement", DAY, DAY, None),
    ),
    "a dispense handed over": (
        dispense(whenHandedOver="2023-02-04", whenPrepared="2023-02-01"),
        ("dispense", DAY, DAY, None),
    ),
    "a dispense prepared": (dispense(whenHandedOver=None, whenPrepared="2023-02-04"), ("dispense", DAY, DAY, None)),
    "a dispense without a day": (dispense(whenHandedOver=None), ("dispense", None, None, None)),
}


@pytest.fixture(scope="module")
def days(engine, read):
    found = kept(engine, read, [one | {"id": str(n)} for n, (one, _) in enumerate(DAYS.values())])
    return {title: found[str(n)] for n, title in enumerate(DAYS)}


@pytest.mark.parametrize("title", DAYS)
def test_the_day_is_the_one_that_is_told(days, title):
    row = days[title]
    assert (row["kind"], row["day_first"], row["day_last"], row["ends"]) == DAYS[title][1]


NAMES = {"MedicationRequest": request, "MedicationStatement": statement, "MedicationDispense": dispense}

FAULTS = [
    ({}, None),
    ({"id": None}, "the {} has no id"),
    ({"subject": None}, "the {} names no Patient as subject"),
    ({"subject": {"reference": "Group/1"}}, "the {} names no Patient as subject"),
    ({"subject": {"reference": ""}}, "the {} names no Patient as subject"),
    ({"medicationCodeableConcept": None}, "the {} has no medication"),
    ({"medicationCodeableConcept": {}}, "the {} has no medication"),
    ({"medicationCodeableConcept": {"coding": []}}, "the {} has no medication"),
    ({"medicationReference": {}}, "the {} has no medication"),
    ({"medicationReference": {"display": "Aspirin"}}, None),
    ({"resourceType": "Task"}, "this is no {} (see its resourceType)"),
]
BAD_DATES = [
    (request(authoredOn="2023-02-30"), "authoredOn"),
    (statement(effectiveDateTime=""), "effectiveDateTime"),
    (statement(effectivePeriod={"start": "2023-13"}), "effectivePeriod.start"),
    (statement(effectivePeriod={"end": "x"}), "effectivePeriod.end"),
    (statement(dateAsserted="2023-2-3"), "dateAsserted"),
    (dispense(whenHandedOver="2023-02-29"), "whenHandedOver"),
    (dispense(whenPrepared=" "), "whenPrepared"),
]


@pytest.fixture(scope="module")
def judged(engine, judge, read):
    """(name of the type, number of the case) -> fault, and whether it counts; the bad dates come after the faults."""
    known, found = orders.medications(read("Medication", [])), {}
    for name, build in NAMES.items():
        dated = {len(FAULTS) + n: one for n, (one, _) in enumerate(BAD_DATES) if one["resourceType"] == name}
        given = {n: {"id": "x"} | build(**elements) | elements for n, (elements, _) in enumerate(FAULTS)} | dated
        told = judge(name, list(given.values()), orders.READERS[name], lambda rows: orders.orders(rows, known))
        found |= {(name, number): one for number, one in zip(given, told, strict=True)}
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_a_faulty_order_is_told_and_does_not_count(judged, name, number):
    fault = FAULTS[number][1]
    assert judged[name, number] == (fault and fault.format(name), fault is None)


@pytest.mark.parametrize("number", range(len(BAD_DATES)))
def test_a_date_that_does_not_exist_is_told_with_its_element(judged, number):
    resource, element = BAD_DATES[number]
    told = judged[resource["resourceType"], len(FAULTS) + number]
    assert told == (f"{element} is no date of the calendar", False)


@pytest.mark.parametrize(
    ("resource", "fault"),
    [
        (medication(), None),
        (medication(None), "the Medication has no id"),
        (medication(code=None), "the Medication has no code"),
        (medication(code={"coding": []}), "the Medication has no code"),
        (medication(code={"text": "x"}), None),
        (medication(resourceType="Substance"), "this is no Medication (see its resourceType)"),
    ],
)
def test_a_faulty_medication_is_told(engine, read, resource, fault):
    assert [row["fault"] for row in engine.records(orders.medications(read("Medication", [resource])))] == [fault]


def test_the_newest_version_of_an_order_counts(engine, read):
    active = request(meta={"lastUpdated": "2023-01-01T00:00:00Z"})
    stopped = request(status="stopped", meta={"lastUpdated": "2023-02-01T00:00:00Z"})
    assert kept(engine, read, [stopped, active]) == {}


def test_a_dispense_has_its_days_supply_and_nothing_else_has_one(engine, read):
    supplies = [{"value": 30}, {"value": "x"}, None]
    given = [dispense(f"d{n}", daysSupply=supply) for n, supply in enumerate(supplies)]
    found = kept(engine, read, [*given, request("r"), statement("s")])
    assert {key: row["days_supply"] for key, row in found.items()} == {
        "d0": 30, "d1": None, "d2": None, "r": None, "s": None,
    }  # fmt: skip
