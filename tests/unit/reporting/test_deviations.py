"""A file that others made: every fault of its form is told, and its rows are checked as far as they can be read."""

from pathlib import Path

import msgspec
import pytest

from adapter.errors import ReportError
from adapter.reporting.checks import EDITS, check
from adapter.reporting.deviations import EDITS as FORM_EDITS
from adapter.reporting.deviations import read_in_form
from adapter.reporting.edits import load_edits
from adapter.reporting.form import Setting
from adapter.reporting.reading import read_texts
from adapter.reporting.sheet import Sheet

ROOT = Path(__file__).parents[3]
GOOD = (ROOT / "tests/golden/report/MTM_H1234_2023.txt").read_bytes()
LINES = GOOD.split(b"\r\n")[:-1]
COUNTED = {
    "trailer": Setting(value="TRL{count:8}", standing="U"),
    "header": Setting(value="HDR{contract}", standing="U"),
}


def joined(lines, end=b"\r\n"):
    return b"".join(line + end for line in lines)


def told(data, layout):
    return [(one.edit, one.row) for one in read_in_form(data, layout)[1]]


def with_line(number, line):
    return joined([*LINES[: number - 1], line, *LINES[number:]])


@pytest.mark.parametrize(
    ("data", "deviations"),
    [
        (GOOD, []),
        (b"", []),
        (b"\xef\xbb\xbf" + GOOD, [("byte_order_mark", None)]),
        (joined(LINES, b"\n"), [("bad_line_end", None)]),
        (GOOD.replace(b"\r\n", b"\n", 1), [("bad_line_end", None)]),
        (GOOD[:-2], [("bad_line_end", None)]),
        (GOOD + b"\r\n  \r\n", [("blank_line", None)] * 2),
        (joined([LINES[0], b"", *LINES[1:]]), [("blank_line", None)]),
        (with_line(2, LINES[1][:-1]), [("bad_line_length", 2)]),
        (with_line(2, LINES[1] + b"x"), [("bad_line_length", 2)]),
        (joined([LINES[0], LINES[1][1:], LINES[2], LINES[3] + b"  ", *LINES[4:]]), [("bad_line_length", n) for n in (2, 4)]),
        (with_line(1, LINES[0].replace(b"Ana ", b"An\xe9 ")), [("bad_encoding", 1)]),
        (with_line(1, LINES[0].replace(b"Ana ", "Ané ".encode())), [("bad_encoding", 1)]),  # letters counted
        (with_line(1, LINES[0].replace(b"Ana  ", "Ané ".encode())), [("bad_encoding", 1)]),  # bytes counted
        (GOOD[:400], [("bad_line_end", None), ("bad_line_length", 3)]),
    ],
)  # fmt: skip
def test_every_deviation_is_told(layout, data, deviations):
    assert told(data, layout) == deviations


def test_the_rows_are_those_of_the_file_as_it_should_be(layout):
    good = read_texts(GOOD, layout)
    for data in (b"\xef\xbb\xbf" + joined(LINES, b"\n")[:-1] + b"\n\n", with_line(2, LINES[1] + b" ")):
        assert read_in_form(data, layout)[0].equals(good)
    cut = read_in_form(with_line(2, LINES[1][:-1]), layout)[0].to_pylist()
    assert cut[1] == good.to_pylist()[1] | {"safe_disposal": None} and cut[2] == good.to_pylist()[2]


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7\n" + b"x" * 400, GOOD.decode().encode("utf-16"), joined(line[:80] for line in LINES)]
)
def test_another_kind_of_file_is_refused(layout, data):
    with pytest.raises(ReportError, match="most of its lines are not as the layout cms-mtm-2023 says"):
        read_in_form(data, layout)


@pytest.mark.parametrize(
    ("head", "tail", "deviations"),
    [
        ([b"HDRH1234"], [b"TRL00000006"], []),
        ([b"HDRH1234"], [b"TRL00000007"], ["the trailer of the file tells 7 records, and 6 are there"]),
        ([b"HEAD"], [b"TRL00000006"], ["the header of the file is not as the layout cms-mtm-2023 says"]),
        ([], [b"TRL00000006"], ["the header of the file is not as the layout cms-mtm-2023 says"]),
        ([b"HDRH1234"], [], ["the trailer of the file is not as the layout cms-mtm-2023 says"]),
    ],
)
def test_header_and_trailer(layout, head, tail, deviations):
    framed = msgspec.structs.replace(layout, file=msgspec.structs.replace(layout.file, **COUNTED))
    padded = [line.ljust(layout.record_length) for line in (*head, *LINES, *tail)]
    texts, found = read_in_form(joined(padded), framed)
    assert [one.rule for one in found] == deviations and {one.edit for one in found} <= {"bad_frame"}
    assert texts.num_rows == len(LINES)


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ("a|b", "the line has 2 fields in place of 26"),
        ("|".join("x" * 27), "the line has 27 fields in place of 26"),
        ('"a|b', "the quotes of the line do not pair"),
    ],
)
def test_a_delimited_file(layout, cells, rule):
    kind = Setting(value="delimited", standing="U")
    delimited = msgspec.structs.replace(layout, file=msgspec.structs.replace(layout.file, kind=kind))
    good = "|".join(["H1234", *"b" * 25])
    texts, found = read_in_form("".join(f"{line}\r\n" for line in (good, cells, good)).encode(), delimited)
    assert [(one.edit, one.rule, one.row) for one in found] == [("bad_line_length", rule, 2)]
    assert texts.num_rows == 3 and texts["contract_number"][2].as_py() == "H1234"


@pytest.mark.parametrize("name", [b"An\x00 ", b" Ana", b"A\tna"])
def test_a_name_that_cannot_be_printed_or_begins_with_a_blank(layout, name):
    data = GOOD.replace(b"Ana ", name, 1)
    sheet = Sheet(read_texts(data, layout), layout, 2023, load_edits("edits", ROOT / "mappings" / "reporting", EDITS))
    assert [(one.row, one.element) for one in check(sheet) if one.edit == "bad_text"] == [(1, "C")]


@pytest.mark.parametrize("count", [b"2  ", b"  2", b" 02"])
def test_a_count_that_is_not_filled_with_zeros(layout, count):
    line = LINES[0][:149] + count + LINES[0][152:]
    sheet = Sheet(
        read_texts(with_line(1, line), layout),
        layout,
        2023,
        load_edits("edits", ROOT / "mappings" / "reporting", EDITS),
    )
    assert [(one.row, one.element) for one in check(sheet) if one.edit == "bad_count"] == [(1, "V")]


def test_each_has_an_edit():
    assert set(FORM_EDITS) <= EDITS
