"""What must hold for every date and every text: cheap, hence with many examples, the same in every run."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapter.outputs.files import csv_bytes
from adapter.sources.quarantine import fault_of_line, head_of
from adapter.tables import columns
from adapter.tables.drug_names import lexicon, named
from adapter.targeting.windows import months_before

many = settings(max_examples=200, derandomize=True, deadline=None, database=None)
few = settings(max_examples=5, derandomize=True, deadline=None, database=None)

days = st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31))
fhir_dates = days.flatmap(
    lambda day: st.sampled_from([day.isoformat()[:n] for n in (4, 7, 10)] + [f"{day}T23:59:60.1+14:00"])
)
texts = st.text(max_size=30)


@few
@given(st.lists(st.tuples(fhir_dates, texts), min_size=100, max_size=200))
def test_a_date_begins_before_it_ends_and_no_text_is_a_day_by_chance(engine, pairs):
    rows = [{"text": text, "given": True} for text, _ in pairs] + [{"text": text, "given": False} for _, text in pairs]
    table = engine.table(rows, {"text": "string", "given": "boolean"})
    told = table.mutate(
        first=columns.earliest(table.text), last=columns.latest(table.text), bad=columns.is_bad_date(table.text)
    )
    for row in engine.records(told.filter(told.given)):
        text, first, last = row["text"], row["first"], row["last"]
        assert first <= last
        assert first.isoformat().startswith(text[:10])
        assert last.isoformat().startswith(text[:10])
        assert not (last + timedelta(days=1)).isoformat().startswith(text[:10])
    assert all(row["bad"] != is_fhir(row["text"]) for row in engine.records(told.select("text", "bad")))


def is_fhir(text: str) -> bool:
    """The same rule in other words."""
    if "T" in text and text.index("T") == 10:
        text = text[:10]
    parts = text.split("-")
    try:
        date(*[int(part) for part in (*parts, "1", "1")[:3]])
    except (ValueError, OverflowError):
        return False
    return [len(part) for part in parts] in ([4], [4, 2], [4, 2, 2]) and all(c in "0123456789-" for c in text)


cells = st.one_of(
    st.none(), st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)
)


@many
@given(st.lists(st.tuples(cells, cells), max_size=5))
@example([("", None), ("a\r\nb", '"'), (" ", ";,\t"), ("\r", "\n")])
def test_a_csv_file_is_read_back_as_it_was_written(rows):
    data = csv_bytes(["x", "y"], [{"x": x, "y": y} for x, y in rows])
    found = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
    assert found == [["x", "y"], *([plain(x), plain(y)] for x, y in rows)]


def plain(cell):
    """A cell with line feeds as its line ends, "" when it is absent."""
    return (cell or "").replace("\r\n", "\n").replace("\r", "\n")


@many
@given(st.one_of(st.binary(max_size=60), texts.map(str.encode)))
@example(b"\xef\xbb\xbf{}")
@example(b'{"id":' * 30)
def test_any_line_at_all_is_judged_and_never_crashes(line):
    reason = fault_of_line(line, "Condition")
    assert reason is None or reason.startswith(("the line is not JSON (", "the element "))
    kind, key = head_of(line)
    assert isinstance(kind, str)
    assert isinstance(key, str)


@many
@given(days, st.integers(min_value=1, max_value=36))
def test_months_before_a_day_are_as_long_as_they_say(day, months):
    first = months_before(day, months)
    following = day + timedelta(days=1)
    between = (following.year - first.year) * 12 + following.month - first.month
    assert between == months
    assert first.day in (following.day, first.day if following.day > 28 else following.day)
    assert first <= day


WORDS = lexicon({
    "ingredients": [{"name": "lisinopril", "ingredient_rxcuis": "29046"}, {"name": "metformin", "ingredient_rxcuis": "6809"}],
    "synonyms": [], "brands": [], "otc_supplements": [],
})  # fmt: skip
words = st.lists(
    st.sampled_from(["lisinopril", "metformin", "zz", "10", "MG", "/", "and", ",", "-", "[Brand]", "tablet", ""]),
    max_size=7,
)


@many
@given(words.map(" ".join))
def test_a_name_is_a_set_of_ingredients_that_stand_in_it_or_nothing(text):
    found = named(text, WORDS)
    if found is not None:
        names = {"29046": "lisinopril", "6809": "metformin"}
        assert all(names[one] in text for one in found.drug.split(";"))
        assert "zz" not in text.lower().split("10")[0].split("tablet")[0].replace(",", " ").split() or "zz" not in text
