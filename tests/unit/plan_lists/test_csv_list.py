"""Lists of persons as CSV; how a roster comes in every dress stands in test_rosters.py."""

from __future__ import annotations

from datetime import date

import pytest

from adapter.errors import ConfigError
from adapter.plan_lists.csv_list import day_of, days_fault, delimiter_of, lines_of


def rows(text, columns=("who", "note")):
    return list(lines_of("list.csv", text.encode(), columns, "list of persons"))


def test_rows_have_their_number_in_the_file_and_blank_ones_are_passed_over():
    assert rows("who,note\na,x\n\nb,y\n") == [
        (2, {"who": "a", "note": "x"}, None),
        (4, {"who": "b", "note": "y"}, None),
    ]


def test_the_last_column_may_lack_in_a_row_and_no_other():
    assert rows("who,note\na\n") == [(2, {"who": "a", "note": ""}, None)]
    ((_, cells, fault),) = rows("who,when,note\na\n", ("who", "when", "note"))
    assert cells == {"who": "a", "when": "", "note": ""}
    assert fault == "the row has 1 cells, the header 3; quote a cell that holds the delimiter"


def test_quotes_that_do_not_pair():
    ((number, cells, fault),) = rows('who,note\n"a,x\n')
    assert (number, cells) == (2, {"who": "", "note": ""})
    assert fault.startswith("the quotes do not pair on this line")


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("who\na\n", "lacks the column note"),
        ("who,note,who\n", "names twice the column who"),
        ("", "is empty and lacks the column who"),
    ],
)
def test_a_header_that_cannot_be_used(text, how):
    with pytest.raises(ConfigError, match=f"The list of persons list.csv {how}; its header must be who,note"):
        rows(text)


def test_another_encoding():
    with pytest.raises(ConfigError, match="is not UTF-8; save it as CSV UTF-8"):
        list(lines_of("list.csv", b"who,note\n\xe9,x\n", ("who", "note"), "list of persons"))


@pytest.mark.parametrize(
    ("text", "day"),
    [("2024-02-29", date(2024, 2, 29)), ("20240229", date(2024, 2, 29)), ("2/29/2024", date(2024, 2, 29)),
     ("2023-02-29", None), ("29.02.2024", None), ("", None)],
)  # fmt: skip
def test_a_day(text, day):
    assert day_of(text) == day


def test_days():
    assert days_fault({"start": "2023-01-02", "end": "2023-01-02"}) is None
    assert days_fault({"start": "2023-01-02", "end": "2023-01-01"}) == "the end lies before the start"
    assert days_fault({"start": "", "end": "2023-13-01"}) == "the end is no date of the calendar"


def test_the_delimiter_is_the_most_frequent():
    assert [delimiter_of(header) for header in ("a,b;c,d", "a;b;c", "a\tb")] == [",", ";", "\t"]
