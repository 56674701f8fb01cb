"""What differs between two files, by beneficiary and element."""

import pytest

from adapter.reporting.difference import changes

from .test_checks import sheet_of


@pytest.fixture
def told(layout):
    def of(before, after):
        found = changes(sheet_of(layout, before), sheet_of(layout, after))
        return [(one.change, one.row_before, one.row_after, one.element, one.before, one.after) for one in found]

    return of


def test_equal_files_do_not_differ_whatever_the_order(told, good_row):
    other = good_row | {"mbi": "2EG4TE5MK74"}
    assert told([good_row, other], [other, good_row]) == []


def test_a_cell_that_differs(told, good_row):
    other = good_row | {"mbi": "2EG4TE5MK74"}
    assert told([good_row, other], [other | {"tmr_count": 4, "safe_disposal": None}, good_row]) == [
        ("changed", 2, 1, "V", "3", "4"),
        ("changed", 2, 1, "Z", "Y", None),
    ]


def test_who_is_in_one_file_only(told, good_row):
    other = good_row | {"mbi": "2EG4TE5MK74"}
    assert told([good_row], [other]) == [("removed", 1, None, "", None, None), ("added", None, 1, "", None, None)]


def test_an_mbi_that_stands_twice_is_compared_in_its_order(told, good_row):
    again = good_row | {"tmr_count": 5}
    assert told([good_row, again], [good_row, again]) == []
    assert told([good_row, again], [good_row]) == [("removed", 2, None, "", None, None)]
    assert told([good_row], [again, good_row]) == [("changed", 1, 1, "V", "3", "5"), ("added", None, 2, "", None, None)]


def test_two_missing_mbis_and_no_row_at_all(told, good_row):
    nobody = good_row | {"mbi": None}
    assert told([nobody, nobody], [nobody, nobody]) == []
    assert told([], []) == [] and told([], [good_row]) == [("added", None, 1, "", None, None)]


def test_a_line_of_text_tells_nobody(layout, good_row):
    found = changes(
        sheet_of(layout, [good_row]), sheet_of(layout, [good_row | {"last_name": "Roe", "cmr_method": "other"}])
    )
    assert [str(one) for one in found] == [
        "row 1 and 1, element D (last_name): differs",
        "row 1 and 1, element S (cmr_method): 02 -> 04",
    ]
