"""Header, trailer, delimiter and encoding as the layout has them, and what a file that differs is told."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.errors import ReportError
from adapter.reporting.file import render
from adapter.reporting.form import Setting
from adapter.reporting.form_checks import faults_of
from adapter.reporting.layout import load_layout
from adapter.reporting.reading import parse

from .conftest import LAYOUTS

LAYOUT = load_layout("cms-mtm-2023", LAYOUTS)


def formed(**settings):
    """The layout of 2023 with other settings of its file."""
    changed = {name: Setting(value=value, standing="V") for name, value in settings.items()}
    layout = msgspec.structs.replace(LAYOUT, file=msgspec.structs.replace(LAYOUT.file, **changed))
    assert list(faults_of(layout)) == []
    return layout


PIPES = formed(kind="delimited", delimiter="|", header="names")
FRAMED = formed(header="HDR{contract}{year}", trailer="TRL{count:8}")


def test_header_and_trailer_are_as_long_as_a_record(good_row):
    lines = render([good_row, good_row], FRAMED, "H1234").decode().split("\r\n")
    assert lines[0] == "HDRH12342023".ljust(165) and lines[3] == "TRL00000002".ljust(165) and lines[4] == ""
    assert len(parse(render([good_row, good_row], FRAMED, "H1234"), FRAMED)) == 2


def test_a_delimited_file_has_its_names_and_no_padding(good_row):
    head, line, end = render([good_row | {"tmr_count": 3}], PIPES).decode().split("\r\n")
    assert head.startswith("contract_number|mbi|first_name|last_name|birth_date|") and end == ""
    assert line.startswith("H1234|1EG4TE5MK73|Ana|Diaz|19500102|01|N|N|20230201|20230201|||Y|20230210|01|Y|")
    assert line.endswith("|003|20230401|02|01|Y")


@pytest.mark.parametrize("name", ["a|b", 'a"b', '"', "|", 'a "b" | c'])
def test_a_delimiter_in_a_name_is_quoted(good_row, name):
    assert parse(render([good_row | {"last_name": name}], PIPES), PIPES)[0]["last_name"] == name


def test_without_quotes_a_delimiter_in_a_name_becomes_a_blank(good_row):
    bare = formed(kind="delimited", delimiter="|", quote="none")
    row = good_row | {"last_name": 'a|b "c"', "mbi": "1EG4|E5MK73"}
    read = parse(render([row], bare), bare)[0]
    assert (read["last_name"], read["mbi"]) == ('a b "c"', "1EG4 E5MK73")


@pytest.mark.parametrize("encoding", ["cp1252", "iso-8859-1"])
def test_an_encoding_with_letters_keeps_them_and_their_place(good_row, encoding):
    layout = formed(encoding=encoding)
    data = render([good_row | {"last_name": "Núñez Łukasz"}], layout)
    assert len(data) == LAYOUT.record_length + 2
    assert parse(data, layout)[0]["last_name"] == "Núñez Lukasz"


def test_utf_8_in_a_delimited_file_keeps_every_name(good_row):
    layout = formed(kind="delimited", encoding="utf-8")
    assert parse(render([good_row | {"last_name": "李 Łukasz"}], layout), layout)[0]["last_name"] == "李 Łukasz"


def cell_of(field, text):
    if field.type == "text":
        return text.map(lambda name: " ".join(name.split())[: field.length].strip())
    if field.type == "count":
        return st.integers(0, 10**field.length - 1).map(lambda n: str(n).zfill(field.length))
    if field.codes:
        return st.sampled_from(["", *field.codes])
    return st.sampled_from(["", "20230102"]) if field.type == "date8" else st.sampled_from(["", "H1234"])


def rows_of(layout, text):
    return st.lists(st.fixed_dictionaries({field.name: cell_of(field, text) for field in layout.fields}), max_size=5)


ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
LETTERS = st.text(st.characters(codec="cp1252", categories=["Lu", "Ll", "Zs", "Pd"]), max_size=30)


@pytest.mark.parametrize("layout", [PIPES, FRAMED, formed(kind="delimited", delimiter=",", line_end="\n")])
@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_reading_gives_what_was_written(layout, data):
    rows = data.draw(rows_of(layout, ASCII))
    assert parse(render(rows, layout, "H1234"), layout) == rows


@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_reading_gives_what_was_written_with_letters(data):
    layout = formed(encoding="cp1252")
    rows = data.draw(rows_of(layout, LETTERS))
    assert parse(render(rows, layout), layout) == rows


@pytest.mark.parametrize("layout", [PIPES, formed(kind="delimited", quote="none")])
@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_no_text_whatever_moves_a_column(layout, data):
    anything = st.one_of(st.none(), st.text(max_size=40))
    rows = data.draw(st.lists(st.fixed_dictionaries({f.name: anything for f in layout.fields}), max_size=4))
    written = render(rows, layout)
    assert len(parse(written, layout)) == len(rows)
    assert render(parse(written, layout), layout) == written


@pytest.mark.parametrize(
    ("layout", "data", "fault"),
    [
        (FRAMED, b"", "the file has no header and trailer, which the layout cms-mtm-2023 asks for"),
        (FRAMED, b"HDR\r\nTRL00000000\r\n", "the header of the file is not as the layout cms-mtm-2023 says"),
        (FRAMED, b"HDRH12342023\r\nTRL00000001\r\n", "the trailer of the file tells 1 records, and 0 are there"),
        (FRAMED, b"HDRH12342023\r\nabc\r\nTRL00000001\r\n", "line 2 of the file has 3 bytes"),
        (PIPES, b"mbi|contract_number\r\n", "the header of the file is not as"),
        (
            formed(kind="delimited"),
            b"a|b\r\n",
            "line 1 of the file has 2 fields, and the layout cms-mtm-2023 asks for 26",
        ),
        (formed(kind="delimited"), b'"a|b\r\n', "the quotes of line 1 of the file do not pair"),
    ],
)
def test_what_is_no_such_file_is_refused(layout, data, fault):
    with pytest.raises(ReportError, match=fault.replace("(", "\\(")):
        parse(data, layout)


def test_the_notices_name_the_settings_of_a_delimited_file():
    from adapter.reporting.notice import notices

    layout = msgspec.structs.replace(
        LAYOUT, file=msgspec.structs.replace(LAYOUT.file, kind=Setting(value="delimited", standing="U"))
    )
    assert (
        notices(layout)[0]
        == "Unverified: kind of file, line end, encoding, header, trailer, file name, delimiter, quote"
    )
