"""Rows to bytes and back: every line has the length of the record, and reading gives what was written."""

from datetime import date

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.errors import ReportError
from adapter.reporting.file import file_name, render
from adapter.reporting.form import Field
from adapter.reporting.layout import load_layout
from adapter.reporting.reading import parse

from .conftest import LAYOUTS

LAYOUT = load_layout("cms-mtm-2023", LAYOUTS)
PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)


def cell_of(field):
    """A cell of ``field`` as ``parse`` gives it: a text that the field may hold, or nothing."""
    if field.type == "text":
        return st.text(PRINTABLE, max_size=field.length).map(lambda text: " ".join(text.split()))
    if field.type == "date8":
        return st.one_of(st.just(""), st.dates(date(1900, 1, 1)).map(lambda day: day.strftime("%Y%m%d")))
    if field.type == "count":
        return st.one_of(st.just(""), st.integers(0, 10**field.length - 1).map(lambda n: str(n).zfill(field.length)))
    if field.codes:
        return st.sampled_from(["", *field.codes])
    return st.sampled_from(["", "1EG4TE5MK73" if field.type == "mbi" else "H1234"])


ROWS = st.lists(st.fixed_dictionaries({field.name: cell_of(field) for field in LAYOUT.fields}), max_size=8)


@given(ROWS)
@settings(deadline=None, max_examples=60)
def test_reading_gives_what_was_written(rows):
    assert parse(render(rows, LAYOUT), LAYOUT) == rows


ANYTHING = st.lists(
    st.fixed_dictionaries({f.name: st.one_of(st.none(), st.text(max_size=40)) for f in LAYOUT.fields}), max_size=4
)


@given(ANYTHING)
@settings(deadline=None, max_examples=60)
def test_no_text_whatever_moves_a_position(rows):
    data = render(rows, LAYOUT)
    lines = data.split(b"\r\n")
    assert lines.pop() == b"" and len(lines) == len(rows)
    assert all(len(line) == LAYOUT.record_length for line in lines)
    assert render(parse(data, LAYOUT), LAYOUT) == data


def cells(data, layout):
    line = data.decode("ascii").removesuffix("\r\n")
    return {field.name: line[field.start - 1 : field.end] for field in layout.fields}


def test_typed_values_as_the_layout_writes_them(layout, good_row):
    written = cells(render([good_row | {"tmr_count": 3, "recommendations": 0}], layout), layout)
    assert written["mbi"] == "1EG4TE5MK73 "
    assert written["first_name"] == "Ana" + " " * 27
    assert written["enrolled_on"] == "20230201"
    assert (written["cmr_method"], written["cmr_provider"], written["cmr_recipient"]) == ("02", "08", "01")
    assert (written["tmr_count"], written["recommendations"]) == ("003", "00")


def test_what_is_not_known_is_blank_and_never_no_or_zero(layout, good_row):
    written = cells(render([good_row], layout), layout)
    unknown = [written[field.name] for field in layout.fields if field.name not in good_row]
    assert "".join(unknown).strip() == ""


def test_leap_day_and_long_name(layout, good_row):
    row = good_row | {"birth_date": date(1952, 2, 29), "last_name": "Wolfeschlegelsteinhausenbergerdorff-Smith"}
    written = cells(render([row], layout), layout)
    assert written["birth_date"] == "19520229"
    assert written["last_name"] == "Wolfeschlegelsteinhausenberger"


def test_no_rows_make_an_empty_file(layout):
    assert render([], layout) == b"" and parse(b"", layout) == []


def changed(layout, name, **keys):
    fields = [msgspec.structs.replace(field, **keys) if field.name == name else field for field in layout.fields]
    return msgspec.structs.replace(layout, fields=fields)


def test_an_empty_date_as_zeros_where_the_layout_says_so(layout, good_row):
    zeros = changed(layout, "opted_out_on", when_empty="zeros")
    data = render([good_row], zeros)
    assert cells(data, zeros)["opted_out_on"] == "00000000"
    assert parse(data, zeros)[0]["opted_out_on"] == ""


def test_a_layout_may_write_other_codes_than_the_adapter(layout, good_row):
    own = changed(layout, "met_criteria", values={"1": "a", "4": "b"}, write={"01": "1", "04": "4"})
    assert parse(render([good_row, good_row | {"met_criteria": "04"}], own), own)[1]["met_criteria"] == "4"


def test_a_filler_is_blank_and_not_read_back(layout, good_row):
    filled = changed(layout, "safe_disposal", type="filler")
    assert "safe_disposal" not in parse(render([good_row], filled), filled)[0]


def test_a_field_that_no_column_fills_is_refused(layout):
    import pyarrow as pa

    with pytest.raises(ReportError, match=r"the layout cms-mtm-2023 has the field 'contract_number'.*type filler"):
        render(pa.table({"mbi": ["x"]}), layout)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"abc\r\n", "line 1 of the file has 3 bytes, and the layout cms-mtm-2023 asks for 165"),
        (b" " * 165, "may be cut off"),
        (b" " * 165 + b"\n", "may be cut off"),
        (b" " * 164 + b"\xe9\r\n", "byte 165 of the file is not ascii"),
    ],
)
def test_what_is_no_such_file_is_refused(layout, data, fault):
    with pytest.raises(ReportError, match=fault):
        parse(data, layout)


def test_the_file_name_follows_the_layout(layout):
    assert file_name(layout, "H1234", 2023) == "MTM_H1234_2023.txt"


def test_codes_of_flags():
    kinds = {field.type: field.codes for field in LAYOUT.fields}
    assert kinds["yn"] == ("Y", "N") and kinds["ynu"] == ("Y", "N", "U") and kinds["date8"] == ()
    assert isinstance(LAYOUT.fields[0], Field) and LAYOUT.fields[0].label == "A (Contract number)"
