"""Hospice and ESRD from a list of stays and from MARx reply reports, told apart by content."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from adapter.errors import ConfigError, MappingError
from adapter.measures.settings import load_settings
from adapter.plan_lists.status_lists import read_statuses
from tests.data.marx.records import MBI, OTHER, POSITIONS, record, report

CARE = load_settings(Path(__file__).parents[3] / "mappings").care
HEADER = "beneficiary,mbi,start,end,source"


@pytest.fixture(autouse=True)
def _indicators(monkeypatch):
    """The places of the two indicators, by reference/cms-rules.md section 2."""
    monkeypatch.setitem(POSITIONS, "hospice", (54, 54))
    monkeypatch.setitem(POSITIONS, "esrd", (56, 56))


@pytest.fixture
def read(tmp_path):
    def run(*contents, option="--hospice"):
        folder = tmp_path / "given"
        folder.mkdir(exist_ok=True)
        for number, content in enumerate(contents):
            (folder / f"{number}.txt").write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_statuses(folder, CARE, option)

    return run


def told(found):
    return [(row["mbi"] or row["beneficiary"], row["status"], row["starts"], row["ends"]) for row in found.rows]


def test_a_list_of_stays(read):
    found = read(f"{HEADER}\nPatient/p1,,2023-02-01,,nurse\n,1eg4-te5-mk73,20230301,4/1/2023,\n")
    assert told(found) == [
        ("p1", "hospice", date(2023, 2, 1), None),
        (MBI, "hospice", date(2023, 3, 1), date(2023, 4, 1)),
    ]
    assert [row["fact"] for row in found.rows] == ["hospice list: nurse", "hospice list"]
    assert [row["source"] for row in found.rows] == ["0.txt row 2", "0.txt row 3"]
    assert (found.rejected, found.notices) == ([], [])


def test_a_row_that_cannot_be_read_is_refused_and_the_rest_goes_on(read):
    found = read(f"{HEADER}\n,,2023-01-01,,\np1,,2023-02-30,,\np2,,2023-03-01,2023-02-01,\np3,,,,\n")
    assert told(found) == [("p3", "hospice", None, None)]
    assert [(one.line, one.reason) for one in found.rejected] == [
        (2, "the row names nobody; give beneficiary or mbi"),
        (3, "the start is no date of the calendar"),
        (4, "the end lies before the start"),
    ]


def test_a_list_that_lacks_a_column(read):
    with pytest.raises(ConfigError, match=r"The list of hospice stays 0\.txt lacks the column mbi"):
        read("beneficiary,start,end,source\np1,,,\n")


def test_reply_codes_set_and_end_a_status(read):
    found = read(
        report(
            record(reply="071", transaction="01", effective="20230115", hospice="1"),
            record(reply="072", transaction="01", effective="20230301", hospice="0"),
            record(reply="073", transaction="01", effective="20220501", esrd="1", mbi=OTHER),
        )
    )
    assert told(found) == [
        (MBI, "hospice", date(2023, 1, 15), date(2023, 3, 1)),
        (OTHER, "esrd", date(2022, 5, 1), None),
    ]
    assert found.notices == ["1 transaction reply reports tell hospice or ESRD in 3 records"]


def test_the_set_and_its_end_may_stand_in_two_files(read):
    found = read(
        report(record(reply="072", transaction="01", effective="20230301")),
        report(record(reply="071", transaction="01", effective="20230115")),
    )
    assert told(found) == [(MBI, "hospice", date(2023, 1, 15), date(2023, 3, 1))]


def test_an_indicator_alone_tells_its_effective_date_only(read):
    found = read(
        report(
            record(hospice="1", effective="20230601"), record(hospice="0", effective="20230701"), record(hospice=" ")
        )
    )
    assert told(found) == [(MBI, "hospice", date(2023, 6, 1), date(2023, 6, 1))]


def test_without_an_effective_date_the_day_of_the_transaction_is_told(read):
    assert told(read(report(record(hospice="1", effective="        ", known="20230605"))))[0][2] == date(2023, 6, 5)


def test_an_end_without_a_beginning_is_told_for_its_day(read):
    assert told(read(report(record(reply="072", effective="20230301")))) == [
        (MBI, "hospice", date(2023, 3, 1), date(2023, 3, 1))
    ]


def test_a_record_that_tells_a_status_and_cannot_be_read_is_refused(read):
    found = read(
        report(
            record(hospice="1", mbi="1EG4TE5MK7"),
            record(hospice="1", effective="", known=""),
            record(mbi="short"),
            record()[:700],
        )
    )
    assert found.rows == []
    assert [(one.line, one.reason.split(";")[0]) for one in found.rejected] == [
        (1, "the MBI is malformed"),
        (2, "the record has neither an effective date nor a transaction date"),
        (4, "the record has 700 bytes instead of 800"),
    ]
    assert not any(MBI in one.sentence or "SECRETNAME" in one.sentence for one in found.rejected)


def test_with_at_risk_a_roster_tells_nothing(read):
    roster = "beneficiary,mbi,contract,status,start,end,source\np1,,H1234,AR,2023-01-01,,DMP\n"
    found = read(roster, report(record(hospice="1")), option="--at-risk")
    assert len(found.rows) == 1
    assert found.notices == ["1 transaction reply reports tell hospice or ESRD in 1 records"]


def test_a_layout_without_the_indicators_is_refused(read, tmp_path, monkeypatch):
    shipped = Path(__file__).parents[3] / "mappings" / "layouts" / "marx" / "dtrr.toml"
    folder = tmp_path / "mappings" / "layouts" / "marx"
    folder.mkdir(parents=True)
    text = shipped.read_text(encoding="utf-8").replace('name = "hospice"', 'name = "other"')
    (folder / "dtrr.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("MTM_MAPPINGS", str(tmp_path / "mappings"))
    with pytest.raises(MappingError, match=r"fields\.hospice: the field is needed for hospice and ESRD"):
        read(report(record()))
