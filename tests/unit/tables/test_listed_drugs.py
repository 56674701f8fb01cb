"""What stands on a Personal Medication List: each drug once, with every source, in the precision that the sources gave."""

from __future__ import annotations

from datetime import date

import pytest

from adapter.tables.listed_drugs import listed_drugs

AS_OF = date(2023, 9, 30)
CODING = "struct<part: string, system: string, code: string, display: string>"
USES = {
    "beneficiary": "string", "drug": "string", "name": "string", "kind": "string", "source": "string", "otc": "string",
    "supplement": "string", "listed": "boolean", "day_first": "date", "day_last": "date", "ends": "date", "recorded": "date",
    "codings": f"array<{CODING}>",
}  # fmt: skip


def use(kind="request", source="r1", day=date(2023, 2, 1), **more):
    first, last = day if isinstance(day, tuple) else (day, day)
    row = {
        "beneficiary": "p1", "drug": "d", "name": "Drug", "kind": kind, "source": source, "otc": "rx", "supplement": "",
        "listed": True, "day_first": first, "day_last": last, "ends": None, "recorded": None, "codings": [code("1")],
    }  # fmt: skip
    return row | more


def code(text, display=None):
    return {"part": "item", "system": "s", "code": text, "display": display}


MONTH = (date(2021, 4, 1), date(2021, 4, 30))
YEAR = (date(2021, 1, 1), date(2021, 12, 31))
FEBRUARY = (date(2024, 2, 1), date(2024, 2, 29))


def listed(engine, *uses):
    return engine.records(listed_drugs(engine.table(uses, USES), "plan_year_to_date", AS_OF))


def test_a_drug_is_one_line_with_all_its_sources(engine):
    uses = [
        use(source="r2"),
        use(source="r1"),
        use("claim", "e1", date(2023, 5, 6)),
        use("claim", "e1", date(2023, 5, 6)),
    ]
    [row] = listed(engine, *uses)
    assert (row["beneficiary"], row["drug"], row["sources"]) == ("p1", "d", ["e1", "r1", "r2"])
    assert (row["since"], row["latest"], row["statement"]) == ("2023-02-01", "2023-05-06", "")


def test_lines_are_in_the_order_of_persons_and_drugs(engine):
    rows = listed(engine, use(beneficiary="p2"), use(drug="e"), use(drug="d"))
    assert [(row["beneficiary"], row["drug"]) for row in rows] == [("p1", "d"), ("p1", "e"), ("p2", "d")]


def test_a_statement_names_the_drug_and_is_referenced(engine):
    uses = [use(name="A"), use("statement", "s2", name="Y"), use("statement", "s1", name="Z")]
    [row] = listed(engine, *uses)
    assert (row["statement"], row["name"]) == ("s1", "Y")


def test_codings_are_there_once_each_in_one_order(engine):
    [row] = listed(engine, use(codings=[code("2"), code("1")]), use(codings=[code("1"), code("1", "d")]))
    assert [(c["code"], c["display"]) for c in row["codings"]] == [("1", "d"), ("1", None), ("2", None)]
    assert set(row["codings"][0]) == {"system", "code", "display"}


# title -> (days of the uses, since, latest)
DATES = {
    "a day": ([date(2021, 4, 5)], "2021-04-05", "2021-04-05"),
    "a month": ([MONTH], "2021-04", "2021-04"),
    "a year": ([YEAR], "2021", "2021"),
    "a February": ([FEBRUARY], "2024-02", "2024-02"),
    "none": ([(None, None)], "", ""),
    "none and a day": ([(None, None), date(2021, 4, 5)], "2021-04-05", "2021-04-05"),
    "a year and a later day": ([YEAR, date(2022, 4, 5)], "2021", "2022-04-05"),
    "an earlier day and a month": ([date(2020, 4, 5), MONTH], "2020-04-05", "2021-04"),
}


@pytest.mark.parametrize("title", DATES)
def test_a_date_keeps_the_precision_of_its_source(engine, title):
    days, since, latest = DATES[title]
    far = {"ends": None}
    [row] = engine.records(
        listed_drugs(
            engine.table([use("statement", f"s{n}", day, **far) for n, day in enumerate(days)], USES),
            "plan_year_to_date",
            date(2024, 12, 31),
        )
    )
    assert (row["since"], row["latest"]) == (since, latest)


@pytest.mark.parametrize(
    ("elements", "kind"),
    [
        ({}, "rx"),
        ({"otc": "both"}, "both"),
        ({"otc": "otc"}, "otc"),
        ({"otc": "otc", "supplement": "vitamin"}, "vitamin"),
        ({"otc": None}, "rx"),
        ({"otc": None, "listed": False}, "unknown"),
        ({"otc": None, "listed": False, "supplement": "herbal"}, "herbal"),
    ],
)
def test_over_the_counter_and_supplements_are_on_the_list_by_their_kind(engine, elements, kind):
    [row] = listed(engine, use(**elements))
    assert row["kind"] == kind


@pytest.mark.parametrize(
    ("given", "on"),
    [
        (use("claim", day=date(2023, 1, 1)), True),
        (use("claim", day=date(2022, 12, 31)), False),
        (use("claim", day=date(2023, 10, 1)), False),
        (use("claim", day=(date(2023, 9, 1), date(2023, 10, 31))), True),  # it may have been filled by then
        (use("claim", day=(None, None)), True),
        (use(ends=date(2023, 9, 30)), True),
        (use(ends=date(2023, 9, 29)), False),
        (use(day=date(2023, 10, 1)), False),
        (use(day=date(2015, 1, 1)), True),
    ],
)
def test_the_list_holds_what_may_be_taken_on_the_day(engine, given, on):
    assert len(listed(engine, given)) == on
