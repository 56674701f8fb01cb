"""The CSV roster as real exports are, and which file is a roster and which a MARx report."""

import gzip
from datetime import date
from hashlib import sha256

import pytest

from adapter.errors import ConfigError
from adapter.plan_lists.rosters import read_at_risk, read_roster, strangers
from tests.data.marx.records import record, report

HEADER = "beneficiary,mbi,contract,status,start,end,source"
ROW = "p1,,H1234,AR,2023-01-01,2023-12-31,DMP"
MBI = "1EG4TE5MK73"
PLAIN = {
    "beneficiary": "p1", "mbi": "", "contract": "H1234", "status": "AR",
    "starts": date(2023, 1, 1), "ends": date(2023, 12, 31), "source": "roster.csv row 2",
}  # fmt: skip


@pytest.fixture
def roster(tmp_path):
    def write(text):
        path = tmp_path / "roster.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


DRESSES = {
    "plain": f"{HEADER}\n{ROW}\n",
    "no last line end": f"{HEADER}\n{ROW}",
    "byte-order mark": f"\ufeff{HEADER}\n{ROW}\n",
    "CR LF": f"{HEADER}\r\n{ROW}\r\n",
    "mixed line ends": f"{HEADER}\r\n{ROW}\n",
    "semicolons": f"{HEADER}\n{ROW}\n".replace(",", ";"),
    "tabs": f"{HEADER}\n{ROW}\n".replace(",", "\t"),
    "quoted": '"' + HEADER.replace(",", '","') + '"\n"' + ROW.replace(",", '","') + '"\n',
    "quoted semicolons and mark": '\ufeff"' + HEADER.replace(",", '";"') + '"\r\n"' + ROW.replace(",", '";"') + '"\r\n',
    "header in another case with blanks": f"{HEADER.upper().replace(',', ' , ')}\n{ROW.replace(',', ' , ')}\n",
    "columns in another order": "source,end,start,status,contract,mbi,beneficiary\nDMP,2023-12-31,2023-01-01,AR,H1234,,p1\n",
    "one column more": f"{HEADER},note\n{ROW},seen\n",
    "blank cells beyond the last": f"{HEADER}\n{ROW},,\n",
    "without its source": f"{HEADER}\n{ROW.removesuffix(',DMP')}\n",
    "days of CMS": f"{HEADER}\np1,,H1234,AR,20230101,20231231,DMP\n",
    "days of a spreadsheet": f"{HEADER}\np1,,H1234,AR,01/01/2023,12/31/2023,DMP\n",
    "days of a spreadsheet without zeros": f"{HEADER}\np1,,H1234,AR,1/1/2023,12/31/2023,DMP\n",
    "lower case": f"{HEADER}\np1,,h1234,ar,2023-01-01,2023-12-31,DMP\n",
    "with its type": f"{HEADER}\nPatient/{ROW}\n",
    "the same row twice": f"{HEADER}\n{ROW}\n{ROW}\n",
    "the delimiter in a quoted cell": f'{HEADER}\np1,,H1234,AR,2023-01-01,2023-12-31,"DMP, case 1"\n',
    "blank lines": f"{HEADER}\n{ROW}\n\n , ,\n",
}


@pytest.mark.parametrize("text", DRESSES.values(), ids=DRESSES)
def test_a_row_in_every_dress(roster, text):
    assert read_roster(roster(text)) == ([PLAIN], [])


@pytest.mark.parametrize("mbi", [MBI, MBI.lower(), "1EG4-TE5-MK73", "1EG4 TE5 MK73"])
def test_an_mbi_is_read_without_its_dress(roster, mbi):
    [row] = read_roster(roster(f"{HEADER}\n,{mbi},,PAR,,,\n"))[0]
    assert (row["mbi"], row["beneficiary"], row["starts"], row["ends"]) == (MBI, "", None, None)


REFUSED = {
    "nobody": (",,H1234,AR,,,DMP", "the row names nobody"),
    "status": (f",{MBI},H1234,XX,,,DMP", "the status is neither AR nor PAR"),
    "no status": (f",{MBI},H1234,,,,DMP", "the status is neither AR nor PAR"),
    "contract": (f",{MBI},1234,AR,,,DMP", "the contract is no CMS contract number"),
    "a day that no month has": (f",{MBI},H1234,AR,2023-02-30,,DMP", "the start is no date of the calendar"),
    "a month alone": (f",{MBI},H1234,AR,2023-02,,DMP", "the start is no date of the calendar"),
    "seven digits": (f",{MBI},H1234,AR,,2023115,DMP", "the end is no date of the calendar"),
    "a day in another order": (f",{MBI},H1234,AR,31/12/2023,,DMP", "the start is no date of the calendar"),
    "reversed": (f",{MBI},H1234,AR,2023-12-31,2023-01-01,DMP", "the end lies before the start"),
    "a cell more": (f",{MBI},H1234,AR,,,DMP,more", "the row has 8 cells, the header 7"),
    "cut before its end": (f",{MBI},H1234,AR,2023-01-01", "the row has 5 cells, the header 7"),
    "quotes that do not pair": (f',{MBI},H1234,AR,,,"DMP', "the quotes do not pair on this line"),
}


@pytest.mark.parametrize(("line", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_row_that_cannot_be_read_is_refused_with_its_line(roster, line, reason):
    rows, [fault] = read_roster(roster(f"{HEADER}\n{ROW}\n{line}\n{ROW.replace('p1', 'p2')}\n"))
    assert [row["beneficiary"] for row in rows] == ["p1", "p2"]
    assert (fault.file, fault.line, fault.resource_type) == ("roster.csv", 3, "roster")
    assert reason in fault.reason
    assert MBI not in fault.sentence


UNUSABLE = {
    "empty": (b"", "is empty and lacks the column beneficiary"),
    "blank": (b" \r\n", "is empty and lacks the column beneficiary"),
    "another table": (b"name,age\nx,1\n", "lacks the column beneficiary"),
    "a column missing": (HEADER.replace(",status", "").encode(), "lacks the column status"),
    "a column twice": (f"{HEADER},start\n".encode(), "names twice the column start"),
    "not UTF-8": (f"{HEADER}\n{ROW}\xe9\n".encode("latin-1"), "is not UTF-8"),
    "UTF-16": (f"{HEADER}\n{ROW}\n".encode("utf-16"), "is not UTF-8"),
}


@pytest.mark.parametrize(("data", "told"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_file_that_cannot_be_used_is_told_in_one_sentence(roster, data, told):
    for read in (read_roster, lambda path: read_at_risk(path, date(2023, 9, 30))):
        with pytest.raises(ConfigError, match=told) as error:
            read(roster(data))
        assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_or_cannot_be_unpacked_is_told(tmp_path):
    with pytest.raises(ConfigError, match="There is no roster"):
        read_roster(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_roster(tmp_path)
    (tmp_path / "bad.csv.gz").write_bytes(gzip.compress(HEADER.encode())[:-9])
    with pytest.raises(ConfigError, match="cannot be read"):
        read_roster(tmp_path / "bad.csv.gz")


@pytest.mark.parametrize("as_of", [date(2020, 1, 1), date(2023, 9, 30)])
def test_a_roster_is_recognized_and_read_whatever_the_day(roster, as_of):
    facts = read_at_risk(roster(DRESSES["quoted semicolons and mark"]), as_of)
    assert (facts.rows, facts.rejected, facts.notices) == ([PLAIN], [], [])


def test_a_packed_report_and_a_roster_may_lie_in_one_folder(tmp_path):
    (tmp_path / "day.gz").write_bytes(gzip.compress(report(record())))
    (tmp_path / "roster.csv").write_text(f"{HEADER}\n{ROW}\n,,,,,,x\n")
    facts = read_at_risk(tmp_path, date(2023, 9, 30))
    assert [row["source"] for row in facts.rows] == ["roster.csv row 2", "day.gz row 1"]
    assert [fault.line for fault in facts.rejected] == [3]
    assert facts.hashes == {
        "day.gz": sha256(report(record())).hexdigest(),  # of the content, as packing the same again gives other bytes
        "roster.csv": sha256((tmp_path / "roster.csv").read_bytes()).hexdigest(),
    }


def test_strangers_are_told_once_each_without_their_mbi(roster):
    rows, _ = read_roster(roster(f"{HEADER}\n{ROW}\nnobody,,,AR,,,\n,{MBI},,AR,,,\n,{MBI},,PAR,,,\n"))
    told = strangers([*rows, rows[1]], {"p1"}, {"1EG4TE5MK74"})
    assert [(fault.line, fault.resource_id) for fault in told] == [(3, "nobody"), (4, ""), (5, "")]
    assert all(MBI not in fault.sentence for fault in told)
    assert strangers(rows[2:], set(), {MBI}) == []
