"""At-risk from the MARx Daily Transaction Reply Report: records, files and folders as they come."""

from datetime import date

import pytest

from adapter.errors import ConfigError
from adapter.plan_lists.rosters import read_at_risk
from tests.data.marx.records import MBI, OTHER, record, report

AS_OF = date(2023, 9, 30)
OLD = "H1234"


@pytest.fixture
def read(tmp_path):
    """Reads records, or the bytes of a file, as of a day."""

    def run(*records, as_of=AS_OF, data=None):
        path = tmp_path / "dtrr.txt"
        path.write_bytes(report(*records) if data is None else data)
        return read_at_risk(path, as_of)

    return run


def on(facts, day=AS_OF, contract=OLD):
    """The statuses of the contract on a day, as the criterion reads the rows."""
    return sorted(
        row["status"]
        for row in facts.rows
        if row["contract"] == contract and row["starts"] <= day <= (row["ends"] or date.max)
    )


def test_an_accepted_limitation_makes_a_row(read):
    facts = read(record())
    row = {
        "beneficiary": "", "mbi": MBI, "contract": OLD, "status": "AR",
        "starts": date(2023, 1, 1), "ends": date(2023, 12, 31), "source": "dtrr.txt row 1",
    }  # fmt: skip
    assert facts.rows == [row]
    assert facts.rejected == []
    assert facts.notices == [
        "the transaction reply reports hold 1 records: 1 accepted or deleted CARA records, 0 refusals and notes, 0 of other transactions"
    ]


FAULTS = {
    "MBI malformed": ({"mbi": "1EG4TE5MK7"}, "the MBI is malformed"),
    "MBI with a forbidden letter": ({"mbi": "1EG4TE5MI73"}, "the MBI is malformed"),
    "no MBI": ({"mbi": "           "}, "the MBI is malformed"),
    "contract": ({"contract": "X12"}, "the contract is no CMS contract number"),
    "a day that no month has": ({"starts": "20230230"}, "the implementation start is no date of the calendar"),
    "letters in a date": ({"ends": "2023DEC1"}, "the implementation end is no date of the calendar"),
    "a cut date": ({"known": "202306"}, "the transaction date is no date of the calendar"),
    "no transaction date": ({"known": "        "}, "the record has no transaction date"),
    "a limitation neither Y nor N": ({"pos": "1"}, "the POS edit status is neither Y, N nor blank"),
    "flag": ({"flag": "X"}, "the CARA flag is none of A, D, U"),
    "no flag": ({"flag": " "}, "the CARA flag is none of A, D, U"),
    "reversed": ({"ends": "20221231"}, "a period of the record ends before it starts"),
    "no period": ({"starts": "", "ends": ""}, "states neither the start of a notification nor of an implementation"),
    "an end alone": ({"starts": "", "flag": "U"}, "states neither the start of a notification nor of an implementation"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_record_that_cannot_be_read_is_refused_with_its_row(read, changes, reason):
    facts = read(record(mbi=OTHER), record(**changes), record(mbi=OTHER, drug="BZD"))
    assert len(facts.rows) == 2
    [fault] = facts.rejected
    assert (fault.file, fault.line, fault.resource_type, fault.resource_id) == ("dtrr.txt", 2, "DTRR", "")
    assert reason in fault.reason
    assert not any(secret in fault.sentence for secret in (MBI, OTHER, "SECRETNAME", "HIDDEN", "19400102"))


def test_bytes_beyond_ascii_in_a_field_that_is_read_are_refused(read):
    facts = read(data=report(record(mbi=OTHER), record(drug="OP#").replace(b"#", b"\xe9")))
    assert [fault.reason for fault in facts.rejected] == ["the drug class is not ASCII"]


@pytest.mark.parametrize("cut", [b" ", b""], ids=["longer", "shorter"])
def test_a_record_of_another_length_is_refused_with_its_row(read, cut):
    wrong = record() + cut if cut else record()[:799]
    facts = read(data=report(record(mbi=OTHER), wrong))
    assert len(facts.rows) == 1
    [fault] = facts.rejected
    assert fault.line == 2
    assert f"the record has {len(wrong)} bytes instead of 800" in fault.reason


def test_a_file_of_cut_records_is_a_report_still(read):
    facts = read(data=report(record().rstrip()))
    assert facts.rows == []
    assert len(facts.rejected) == 1


WAYS = {
    "LF": lambda *r: report(*r),
    "CR LF": lambda *r: report(*r, line_end=b"\r\n"),
    "mixed": lambda first, *r: report(first, line_end=b"\r\n") + report(*r),
    "no line ends": lambda *r: b"".join(r),
    "no line ends but a last one": lambda *r: b"".join(r) + b"\r\n",
    "no last line end": lambda *r: report(*r)[:-1],
    "byte-order mark": lambda *r: b"\xef\xbb\xbf" + report(*r),
    "end of file mark": lambda *r: report(*r) + b"\x1a",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_records_with_or_without_line_ends(read, way):
    facts = read(data=way(record(), record(transaction="61"), record(mbi=OTHER)))
    assert [row["source"] for row in facts.rows] == ["dtrr.txt row 1", "dtrr.txt row 3"]
    assert facts.rejected == []


def test_other_records_are_counted_and_not_listed(read):
    records = [
        record(transaction="61"),
        record(reply="377"),
        record(reply="378"),
        record(reply="999"),
        record(known="20240101"),
    ]
    facts = read(*records, record(flag="D", reply="724"))
    assert (facts.rows, facts.rejected) == ([], [])
    assert facts.notices == [
        "the transaction reply reports hold 6 records: 2 accepted or deleted CARA records, 2 refusals and notes, 1 of other transactions",
        "1 CARA records have a transaction date after 2023-09-30 and do not count",
        "1 CARA records have a reply code that the layout does not name and do not count",
        "1 deletions meet no accepted record; give the earlier reports too if the folder lacks some",
    ]


def test_a_folder_is_read_in_order_of_the_transaction_dates(tmp_path):
    days = {
        "b-first.txt": report(record()),
        "a-second.txt": report(record(known="20230601", flag="U", pos="N")),
        "c.txt": b"\n",
    }
    for name, data in days.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / ".hidden").write_bytes(b"nothing of ours")
    (tmp_path / "old").mkdir()
    facts = read_at_risk(tmp_path, AS_OF)
    assert on(facts) == []
    assert on(read_at_risk(tmp_path, date(2023, 5, 31))) == ["AR"]
    assert facts.notices[-1] == "1 files of the reports are empty"


def test_of_one_transaction_date_the_report_of_the_later_day_wins(tmp_path):
    (tmp_path / "a.txt").write_bytes(report(record(flag="U", pos="N"), record(mbi=OTHER, known="20230102")))
    (tmp_path / "b.txt").write_bytes(report(record()))
    assert [row["mbi"] for row in read_at_risk(tmp_path, AS_OF).rows if row["status"] == "AR"] == [OTHER]


def test_a_report_kept_twice_says_nothing_new(tmp_path):
    data = report(record(), record(mbi=OTHER), record(mbi=OTHER, flag="D", reply="724", known="20230201"))
    for name in ("a.txt", "copy of a.txt"):
        (tmp_path / name).write_bytes(data)
    assert on(read_at_risk(tmp_path, AS_OF)) == ["AR"]


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="holds no file"):
        read_at_risk(tmp_path, AS_OF)


def test_ten_thousand_records_are_read_each_once(read):
    letters = "ACDEFGHJKM"
    records = [
        record(
            mbi=f"1EG4TE5{letters[n // 1000]}{letters[n // 100 % 10]}{n % 100:02}", transaction="90" if n % 2 else "61"
        )
        for n in range(10_000)
    ]
    facts = read(*records)
    assert len(facts.rows) == 5_000
