"""The small expressions, each with None and "": absent data is where a decision goes wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import permutations

import pytest

from adapter.tables import columns
from tests.unit.tables.samples import OWN, condition

YEAR = (date(2023, 1, 1), date(2023, 12, 31))
DAY = (date(2023, 3, 5), date(2023, 3, 5))
NOTHING = (None, None)

# text -> (earliest, latest), the full date or None, whether it is bad
DATES = {
    "2023": (YEAR, None, False),
    "2023-03": ((date(2023, 3, 1), date(2023, 3, 31)), None, False),
    "2024-02": ((date(2024, 2, 1), date(2024, 2, 29)), None, False),
    "2023-12": ((date(2023, 12, 1), date(2023, 12, 31)), None, False),
    "2023-03-05": (DAY, DAY[0], False),
    "2023-03-05T23:30:00-05:00": (DAY, DAY[0], False),
    "2023-03-05T23:30:00Z": (DAY, DAY[0], False),
    "2023-03-05T16: 09: 08.000Z": (DAY, DAY[0], False),  # data-quirks.md 9
    "2023-02-30": (NOTHING, None, True),
    "2023-13-01": (NOTHING, None, True),
    "2023-13": (NOTHING, None, True),
    "2023-3-5": (NOTHING, None, True),
    "23-03-05": (NOTHING, None, True),
    "03/05/2023": (NOTHING, None, True),
    "IGNORED_FIELD": (NOTHING, None, True),  # data-quirks.md 9
    "": (NOTHING, None, True),
    "    ": (NOTHING, None, True),
    " 2023-03-05": (None, None, True),
    None: (NOTHING, None, False),
}


@pytest.fixture(scope="module")
def dates(engine):
    table = engine.table([{"text": text} for text in DATES], {"text": "string"})
    told = table.mutate(
        earliest=columns.earliest(table.text),
        latest=columns.latest(table.text),
        full=columns.text_date(table.text),
        bad=columns.is_bad_date(table.text),
    )
    return {row["text"]: row for row in engine.records(told)}


@pytest.mark.parametrize("text", DATES)
def test_a_date_of_any_precision_has_a_first_and_a_last_day(dates, text):
    span, full, bad = DATES[text]
    row = dates[text]
    assert row["bad"] is bad
    if not bad:
        assert (row["earliest"], row["latest"], row["full"]) == (*span, full)


@pytest.mark.parametrize("text", [text for text, (_, full, bad) in DATES.items() if text and full is None and not bad])
def test_a_partial_date_is_no_day(dates, text):
    assert dates[text]["full"] is None


REFERENCES = {
    "Patient/p1": "p1",
    "/Patient/p1": "p1",
    "Patient/-9322784674137": "-9322784674137",  # data-quirks.md 7
    "Patient/a.b-c": "a.b-c",
    "Patient/p1/_history/2": "p1",
    "https://fhir.example/r4/Patient/p1": "p1",
    "https://fhir.example/r4/Patient/p1/_history/2": "p1",
    "Practitioner/p1": None,
    "SubPatient/p1": None,
    "Patient/": None,
    "Patient": None,
    "Patient/p1/x": None,
    "Patient?identifier=a|b": None,
    "urn:uuid:0b8e52a2-6d3e-4d0d-8f0f-1c1f3b0d5a11": None,
    "#p1": None,
    "": None,
    None: None,
}


@pytest.fixture(scope="module")
def targets(engine):
    table = engine.table([{"text": text} for text in REFERENCES], {"text": "string"})
    return {
        row["text"]: row["found"]
        for row in engine.records(table.mutate(found=columns.reference_id(table.text, "Patient")))
    }


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_reference_gives_the_id_of_its_type_only(targets, reference):
    assert targets[reference] == REFERENCES[reference]


# ---- the newest version of each id


def at(day):
    return datetime(2023, 1, day, tzinfo=UTC)


VERSIONS = {
    "id": "string",
    "updated": "timestamp('UTC')",
    "version": "int64",
    "text": "string",
    "list": "array<string>",
}


def version(updated=None, number=None, text=None, items=None):
    return {"id": "a", "updated": updated, "version": number, "text": text, "list": items}


@pytest.mark.parametrize(
    ("expected", "others"),
    [
        (version(at(3)), [version(at(1)), version(at(2))]),
        (version(at(1)), [version(None), version(None, 9)]),
        (version(at(1), 10), [version(at(1), 9), version(at(1))]),
        (version(None, 10), [version(None, 9), version()]),
        (version(text="a"), [version(text="b"), version(text="c")]),
        (version(items=["a"]), [version(items=["b"]), version(items=["c"])]),
        (version(at(1), 1, "x", ["a"]), [version(at(1), 1, "x", ["a", "b"])]),
    ],
    ids=["last updated", "without a time", "version as number", "version alone", "text", "list", "longer list"],
)
def test_the_newest_version_is_the_same_for_every_order_of_the_input(engine, expected, others):
    wanted = {"id": "a", "text": expected["text"], "list": expected["list"]}
    for rows in permutations([expected, *others]):
        assert engine.records(columns.newest(engine.table(rows, VERSIONS))) == [wanted]


def test_the_newest_keeps_one_row_of_each_id(engine):
    rows = [version() | {"id": key} for key in ("a", "b", "a")]
    found = engine.records(columns.newest(engine.table(rows, VERSIONS)))
    assert sorted(row["id"] for row in found) == ["a", "b"]


METAS = {
    "2023-01-02T03:04:05Z": datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC),
    "2023-01-02T03:04:05.123-05:00": datetime(2023, 1, 2, 8, 4, 5, 123000, tzinfo=UTC),
    "IGNORED_FIELD": None,
    "": None,
    None: None,
}


@pytest.mark.parametrize("text", METAS)
def test_a_time_that_cannot_be_read_is_no_time(engine, read, text):
    table = read("Condition", [condition(meta={"lastUpdated": text, "versionId": "7"})])
    [row] = engine.records(table.select(**columns.versioned(table)))
    assert row == {"updated": METAS[text], "version": 7}


@pytest.mark.parametrize(("text", "number"), [("10", 10), ("a1b2", None), ("", None), (None, None)])
def test_a_version_that_is_no_number_is_none(engine, read, text, number):
    table = read("Condition", [condition(meta={"versionId": text})])
    [row] = engine.records(table.select(**columns.versioned(table)))
    assert row["version"] == number


# ---- faults and codings


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (True, True, "first"),
        (False, True, "second"),
        (None, True, "second"),
        (False, False, None),
        (None, None, None),
    ],
)
def test_the_first_rule_that_holds_is_told(engine, first, second, told):
    table = engine.table([{"a": first, "b": second}], {"a": "boolean", "b": "boolean"})
    [row] = engine.records(table.select(fault=columns.fault_of((table.a, "first"), (table.b, "second"))))
    assert row["fault"] == told


@pytest.mark.parametrize(("given", "wrong"), [("Condition", False), ("Patient", True), ("", True), (None, True)])
def test_a_resource_must_be_of_the_type_that_its_file_says(engine, given, wrong):
    table = engine.table([{"resourceType": given}], {"resourceType": "string"})
    rule, sentence = columns.wrong_type(table, "Condition")
    assert engine.records(table.select(wrong=rule)) == [{"wrong": wrong}]
    assert sentence == "this is no Condition (see its resourceType)"


def test_a_bad_date_is_told_with_the_name_of_its_element(engine):
    table = engine.table([{"a": "2023-02-30"}], {"a": "string"})
    [(rule, sentence)] = columns.bad_dates(table, period__start=table.a)
    assert engine.records(table.select(bad=rule)) == [{"bad": True}]
    assert sentence == "period.start is no date of the calendar"


CODING = "array<struct<system: string, code: string, display: string>>"


def coding(code, display=None):
    return {"system": "s", "code": code, "display": display}


@pytest.mark.parametrize(
    ("codings", "found"),
    [
        ([coding("a")], True),
        ([coding("x"), coding("b")], True),
        ([coding("x")], False),
        ([coding("A")], False),
        ([coding("")], False),
        ([coding(None)], False),
        ([None, coding("a")], True),
        ([None], False),
        ([], False),
        (None, False),
    ],
)
def test_a_code_is_found_among_codings_or_it_is_not(engine, codings, found):
    table = engine.table([{"codings": codings}], {"codings": CODING})
    assert engine.records(table.select(found=columns.has_code(table.codings, ["a", "b"]))) == [{"found": found}]


@pytest.mark.parametrize(
    ("codings", "text", "expected"),
    [
        ([coding("a", "A")], "text", [coding("a", "A")]),
        ([coding("a"), coding("b")], None, [coding("a"), coding("b")]),
        ([], "text", [{"system": None, "code": None, "display": "text"}]),
        (None, "text", [{"system": None, "code": None, "display": "text"}]),
        (None, "", [{"system": None, "code": None, "display": ""}]),
        (None, None, [{"system": None, "code": None, "display": None}]),
    ],
)
def test_a_concept_without_coding_is_its_text(engine, codings, text, expected):
    table = engine.table(
        [{"concept": {"coding": codings, "text": text}}], {"concept": f"struct<coding: {CODING}, text: string>"}
    )
    assert engine.records(table.select(found=columns.codings_or_label(table.concept))) == [{"found": expected}]


def test_no_concept_at_all_is_one_coding_of_nothing(engine):
    table = engine.table([{"concept": None}], {"concept": f"struct<coding: {CODING}, text: string>"})
    [row] = engine.records(table.select(found=columns.codings_or_label(table.concept)))
    assert row["found"] == [{"system": None, "code": None, "display": None}]


@pytest.mark.parametrize(
    ("meta", "own"),
    [
        ({"tag": [{"system": OWN, "code": "pml"}]}, True),
        ({"tag": [{"system": "http://other", "code": "pml"}, {"system": OWN}]}, True),
        ({"tag": [{"system": "http://other", "code": "pml"}]}, False),
        ({"tag": [{"code": "pml"}]}, False),
        ({"tag": []}, False),
        ({}, False),
        (None, False),
    ],
)
def test_what_the_adapter_wrote_is_recognized_by_its_tag(engine, read, meta, own):
    table = read("Condition", [condition(meta=meta)])
    assert engine.records(table.select(own=columns.is_own(table))) == [{"own": own}]


def test_codes_are_those_of_each_coding(engine):
    table = engine.table([{"codings": [coding("a"), coding(None)]}], {"codings": CODING})
    assert engine.records(table.select(found=columns.codes(table.codings))) == [{"found": ["a", None]}]
