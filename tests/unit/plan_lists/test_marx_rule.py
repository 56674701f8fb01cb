"""What CARA records mean together: each rule of reference/cms-rules.md section 2 as its own case."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.plan_lists.rosters import read_at_risk
from tests.data.marx.records import MBI, OTHER, record, report

AS_OF = date(2023, 9, 30)
OLD, NEW = "H1234", "S5555"


@pytest.fixture
def read(tmp_path):
    """Reads records as of a day."""

    def run(*records, as_of=AS_OF):
        path = tmp_path / "dtrr.txt"
        path.write_bytes(report(*records))
        return read_at_risk(path, as_of)

    return run


def on(facts, day=AS_OF, contract=OLD):
    """The statuses of the contract on a day, as the criterion reads the rows."""
    return sorted(
        row["status"]
        for row in facts.rows
        if row["contract"] == contract and row["starts"] <= day <= (row["ends"] or date.max)
    )


NOTIFIED = {"notified": "20230901", "notified_to": "20231030"}
NO_PERIOD = {"starts": "", "ends": ""}
ONE_RECORD = {
    "a point-of-sale edit is a limitation": ({}, ["AR"]),
    "a prescriber limitation is one": ({"pos": "N", "prescriber": "Y"}, ["AR"]),
    "a pharmacy limitation is one": ({"pos": "N", "pharmacy": "Y"}, ["AR"]),
    "without any limitation nobody is at risk": ({"pos": "N"}, []),
    "blank limitations are none": ({"pos": "", "prescriber": "", "pharmacy": ""}, []),
    "accepted through the user interface": ({"reply": "723"}, ["AR"]),
    "a notice to the new plan": ({"reply": "376"}, ["AR"]),
    "a notice to the new plan may lack the flag": ({"reply": "376", "flag": ""}, ["AR"]),
    "an update alone states the limitation": ({"flag": "U"}, ["AR"]),
    "a deletion": ({"flag": "D", "reply": "724"}, []),
    "an accepted record with the flag D deletes": ({"flag": "D"}, []),
    "a deletion by its reply code alone": ({"flag": "", "reply": "724"}, []),
    "refused": ({"reply": "377"}, []),
    "a note": ({"reply": "343"}, []),
    "refused, the last code": ({"reply": "391"}, []),
    "another transaction": ({"transaction": "61"}, []),
    "another record type": ({"record_type": "V"}, []),
    "begins on the day": ({"starts": "20230930"}, ["AR"]),
    "begins on the day after": ({"starts": "20231001"}, []),
    "ends on the day": ({"ends": "20230930"}, ["AR"]),
    "ended the day before": ({"ends": "20230929"}, []),
    "an open end lasts one year": ({"starts": "20221001", "ends": ""}, ["AR"]),
    "and not a day longer": ({"starts": "20220930", "ends": ""}, []),
    "zeros are no date": ({"starts": "20230101", "ends": "00000000"}, ["AR"]),
    "the last day of all is an open end": ({"starts": "20220930", "ends": "99991231"}, []),
    "an extension states its end": ({"starts": "20220101", "ends": "20231231"}, ["AR"]),
    "known on the day": ({"known": "20230930"}, ["AR"]),
    "known the day after does not count": ({"known": "20231001"}, []),
    "a notification alone is only potential": ({"pos": "", **NO_PERIOD, **NOTIFIED}, ["PAR"]),
    "also when it says what is planned": ({**NO_PERIOD, **NOTIFIED}, ["PAR"]),
    "a notification without end stays": ({**NO_PERIOD, "notified": "20230901"}, ["PAR"]),
    "a notification that is over": ({**NO_PERIOD, "notified": "20230701", "notified_to": "20230929"}, []),
    "the limitation follows its notification": ({"starts": "20230930", **NOTIFIED}, ["AR"]),
    "before it the person is potential": ({"starts": "20231001", **NOTIFIED}, ["PAR"]),
    "a notification within the limitation adds nothing": ({**NOTIFIED}, ["AR"]),
    "an MBI of CMS's synthetic persons": ({"mbi": "1S00E00AA00"}, ["AR"]),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), ONE_RECORD.values(), ids=ONE_RECORD)
def test_one_record(read, changes, expected):
    facts = read(record(known=changes.get("known", "20220901"), **{k: v for k, v in changes.items() if k != "known"}))
    assert on(facts) == expected
    assert facts.rejected == []


LATER = {"known": "20230601"}
DELETE = {**LATER, "flag": "D", "reply": "724"}
UPDATE = {**LATER, "flag": "U"}
LAST_YEAR = {"notified": "20221101", "notified_to": "20221231"}
SEVERAL = {
    "a deleted record does not stand": ([{}, DELETE], []),
    "a deletion without dates takes the latest": ([{}, {**DELETE, **NO_PERIOD}], []),
    "a deletion of another period takes nothing": ([{}, {**DELETE, "starts": "20210101", "ends": "20211231"}], ["AR"]),
    "a deletion of another drug class takes nothing": ([{}, {**DELETE, "drug": "BZD"}], ["AR"]),
    "a deletion of another contract takes nothing": ([{}, {**DELETE, "contract": NEW}], ["AR"]),
    "a deletion of another person takes nothing": ([{}, {**DELETE, "mbi": OTHER}], ["AR"]),
    "a deletion that is refused takes nothing": ([{}, {**LATER, "flag": "D", "reply": "380"}], ["AR"]),
    "a deletion known later does not count yet": ([{}, {"known": "20231001", "flag": "D", "reply": "724"}], ["AR"]),
    "what is added again after a deletion stands": ([{}, DELETE, {"known": "20230701"}], ["AR"]),
    "a deletion does not bring back what was superseded": ([{}, {**UPDATE, "ends": "20230831"}, {**DELETE, "known": "20230701"}], []),
    "an update may shorten": ([{}, {**UPDATE, "ends": "20230831"}], []),
    "an update may extend": ([{"ends": "20230831"}, {**UPDATE, "ends": "20231031"}], ["AR"]),
    "an update may end all limitations": ([{}, {**UPDATE, "pos": "N"}], []),
    "also without any date": ([{}, {**UPDATE, "pos": "N", **NO_PERIOD}], []),
    "an update may move the start": ([{}, {**UPDATE, "starts": "20231101", "ends": "20241031"}], []),
    "a later addition of the same start supersedes": ([{}, {**LATER, "ends": "20230831"}], []),
    "a later addition that overlaps supersedes": ([{}, {**LATER, "starts": "20230601", "ends": "20230831"}], []),
    "an addition of a later period leaves the present one": ([{}, {**LATER, "starts": "20240101", "ends": "20241231"}], ["AR"]),
    "the notification of the next limitation leaves the present one": ([{}, {**LATER, **NO_PERIOD, **NOTIFIED}], ["AR", "PAR"]),
    "an implementation supersedes its notification": ([{**NO_PERIOD, **NOTIFIED}, {**UPDATE, **NOTIFIED, "starts": "20230915"}], ["AR"]),
    "also when it does not repeat it": ([{**NO_PERIOD, **NOTIFIED}, {**LATER, "starts": "20230915"}], ["AR"]),
    "an update may take the implementation back": ([LAST_YEAR, {**UPDATE, **NO_PERIOD, **LAST_YEAR}], []),
    "an update that is refused changes nothing": ([{}, {**UPDATE, "pos": "N", "reply": "385"}], ["AR"]),
    "two drug classes stand side by side": ([{}, {**LATER, "drug": "BZD", "pos": "N"}], ["AR"]),
    "an update known later does not count yet": ([{}, {"known": "20231001", "flag": "U", "pos": "N"}], ["AR"]),
    "of one day the later in the file wins": ([{}, {"flag": "U", "pos": "N"}], []),
    "also the other way round": ([{"pos": "N"}, {"flag": "U"}], ["AR"]),
    "the transaction date wins over the order in the file": ([{**UPDATE, "pos": "N"}, {}], []),
}  # fmt: skip


@pytest.mark.parametrize(("records", "expected"), SEVERAL.values(), ids=SEVERAL)
def test_several_records(read, records, expected):
    facts = read(*(record(**changes) for changes in records))
    assert on(facts) == expected
    assert facts.rejected == []


def test_what_was_known_decides_for_every_day(read):
    records = [
        record(),
        record(known="20230601", flag="U", ends="20230831"),
        record(known="20231101", flag="D", reply="724"),
    ]
    days = [date(2023, 5, 31), date(2023, 8, 31), date(2023, 9, 1), date(2023, 11, 1)]
    assert [on(read(*records, as_of=day), day) for day in days] == [["AR"], ["AR"], [], []]


def test_a_notice_without_dates_carries_over_the_status_of_the_old_plan(read):
    notice = record(contract=NEW, reply="376", known="20230601", effective="20230601", pos="", starts="", ends="")
    facts = read(record(), record(drug="BZD", starts="", ends="", notified="20230901"), notice)
    assert on(facts, contract=NEW) == ["AR"]
    assert [row["source"] for row in facts.rows if row["contract"] == NEW] == ["dtrr.txt row 3"]
    every = record(contract=NEW, reply="376", known="20230601", pos="", starts="", ends="", drug="")
    assert on(read(record(), record(drug="BZD", starts="", ends="", notified="20230901"), every), contract=NEW) == [
        "AR",
        "PAR",
    ]


def test_a_notice_repeated_says_it_once(read):
    notice = record(contract=NEW, reply="376", known="20230601", pos="", starts="", ends="")
    assert on(read(record(), notice, notice), contract=NEW) == ["AR"]


def test_what_was_carried_over_can_be_deleted_in_the_new_contract(read):
    notice = record(contract=NEW, reply="376", known="20230601", pos="", starts="", ends="")
    facts = read(record(), notice, record(contract=NEW, known="20230701", flag="D", reply="724"))
    assert (on(facts), on(facts, contract=NEW)) == (["AR"], [])


def test_a_notice_of_a_limitation_without_dates_begins_on_its_effective_date(read):
    facts = read(record(contract=NEW, reply="376", known="20230601", effective="20230701", starts="", ends=""))
    assert [(row["starts"], row["ends"]) for row in facts.rows] == [(date(2023, 7, 1), date(2024, 6, 30))]


def test_a_notice_that_tells_nothing_is_listed(read):
    facts = read(record(), record(mbi=OTHER, reply="376", pos="", starts="", ends=""))
    assert [(fault.file, fault.line, fault.resource_id) for fault in facts.rejected] == [("dtrr.txt", 2, "")]
    assert "states no limitation and no period" in facts.rejected[0].reason


def test_a_limitation_that_begins_on_29_february_lasts_to_28_february(read):
    facts = read(record(starts="20240229", ends=""))
    assert facts.rows[0]["ends"] == date(2025, 2, 28)


CHOICES = st.fixed_dictionaries({
    "mbi": st.sampled_from([MBI, OTHER]),
    "drug": st.sampled_from(["OPI", "BZD"]),
    "flag": st.sampled_from("AUD"),
    "pos": st.sampled_from("YN"),
    "starts": st.sampled_from(["20221101", "20230101", "20230801"]),
    "ends": st.sampled_from(["", "20230831", "20240630"]),
})  # fmt: skip


@given(st.lists(CHOICES, max_size=12), st.randoms(use_true_random=False))
def test_the_order_within_a_file_matters_only_by_the_rule(tmp_path_factory, choices, random):
    """Each record of a person and class has its own day here, so that no order in the file can decide."""
    records = [record(known=f"202301{day:02}", **chosen) for day, chosen in enumerate(choices, start=1)]
    if not records:
        return
    mixed = random.sample(records, len(records))
    folder = tmp_path_factory.mktemp("order")
    told = []
    for name, some in (("in-order", records), ("mixed", mixed)):
        (folder / name).write_bytes(report(*some))
        rows = read_at_risk(folder / name, AS_OF).rows
        told.append(sorted((r["mbi"], r["contract"], r["status"], r["starts"], r["ends"]) for r in rows))
    assert told[0] == told[1]


@given(st.lists(CHOICES, max_size=12))
def test_records_of_others_in_between_change_nothing(tmp_path_factory, choices):
    """All of one day: grouped by person and class, each group in its order, they say the same."""
    folder = tmp_path_factory.mktemp("between")
    grouped = sorted(choices, key=lambda chosen: (chosen["mbi"], chosen["drug"]))
    told = []
    for name, some in (("as-drawn", choices), ("grouped", grouped)):
        (folder / name).write_bytes(report(*(record(**chosen) for chosen in some), record(transaction="61")))
        rows = read_at_risk(folder / name, AS_OF).rows
        told.append(sorted((r["mbi"], r["contract"], r["status"], r["starts"], r["ends"]) for r in rows))
    assert told[0] == told[1]
