"""Facts to a file and back: read(write(x)) = x for every fact that fits into its field."""

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.reporting.file import render
from adapter.reporting.layout import load_layout
from adapter.reporting.reading import day_of, number_of, read_texts, typed

from .conftest import LAYOUTS

YEARS = [load_layout(f"cms-mtm-{year}", LAYOUTS) for year in range(2022, 2027)]
NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(
    lambda name: " ".join(name.split()) or None
)


def fact_of(field):
    """A fact as the records hold it: a date, a number, a word of the adapter, or nothing."""
    if field.type == "text":
        return NAMES
    if field.type == "date8":
        return st.one_of(st.none(), st.dates(date(1, 1, 1), date(9999, 12, 31)))
    if field.type == "count":
        return st.one_of(st.none(), st.integers(0, 10**field.length - 1))
    if field.codes:
        own = {written: fact for fact, written in field.write.items()}
        return st.sampled_from([None, *(own.get(code, code) for code in field.codes)])
    return st.sampled_from([None, "1EG4TE5MK73" if field.type == "mbi" else "H1234"])


@pytest.mark.parametrize("layout", YEARS, ids=lambda layout: layout.name)
@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_reading_gives_the_facts_that_were_written(layout, data):
    facts = data.draw(
        st.lists(st.fixed_dictionaries({field.name: fact_of(field) for field in layout.fields}), max_size=6)
    )
    kinds = {"date8": pa.date32(), "count": pa.int64()}
    columns = {
        f.name: pa.chunked_array([pa.array([row[f.name] for row in facts], kinds.get(f.type, pa.string()))])
        for f in layout.fields
    }
    read = typed(read_texts(render(pa.table(columns), layout), layout), layout)
    assert read.to_pylist() == facts
    assert read.schema.types == [column.type for column in columns.values()]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20240229", date(2024, 2, 29)),
        ("20230229", None),
        ("2023010", None),
        ("202301011", None),
        ("2023-1-1", None),
        ("00000000", None),
        ("２０２３０１０１", None),
    ],
)
def test_days(text, day):
    assert day_of(text) == day


@pytest.mark.parametrize(("text", "number"), [("003", 3), ("-1", None), ("1.5", None), ("x", None), ("9" * 19, None)])
def test_numbers(text, number):
    assert number_of(text) == number
