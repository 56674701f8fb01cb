"""Who is in the file of a contract and year, and what a row says of person and enrollment."""

from datetime import date

import pytest

from .planted import enrollment, person

# Ibis 12.0.0 calls a method of DuckDB that DuckDB 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

NOTHING_DONE = {
    "cognitively_impaired": "U",
    "ltc_facility": "U",
    "opted_out_on": None,
    "opt_out_reason": None,
    "cmr_offered": "N",
    "cmr_offered_on": None,
    "cmr_offer_recipient": None,
    "cmr_received": "N",
    "cmr_on": None,
    "cmr_summary_sent_on": None,
    "cmr_method": None,
    "cmr_provider": None,
    "cmr_recipient": None,
    "tmr_count": 0,
    "tmr_first_on": None,
    "recommendations": 0,
    "therapy_changes": 0,
    "safe_disposal": "N",
}


def test_a_row_without_a_service(rows):
    [row] = rows([enrollment()])
    assert row == NOTHING_DONE | {
        "beneficiary": "a",
        "contract_number": "H1234",
        "mbi": "1EG4TE5MK73",
        "mbi_history": None,
        "first_name": "Ana",
        "middle_initial": None,
        "last_name": "Diaz",
        "birth_date": date(1950, 1, 2),
        "met_criteria": "01",
        "enrolled_on": date(2023, 2, 1),
        "criteria_met_on": date(2023, 2, 1),
    }


def test_nobody_enrolled_gives_no_row(rows):
    assert rows([]) == [] and rows([], persons=[]) == []


def test_only_the_contract_asked_for(rows):
    moved = [enrollment(1), enrollment(2, contract="H5678", enrolled_on=date(2023, 11, 1))]
    assert [row["enrolled_on"] for row in rows(moved, contract="H5678")] == [date(2023, 11, 1)]
    assert [row["enrolled_on"] for row in rows(moved)] == [date(2023, 2, 1)]


@pytest.mark.parametrize(
    ("keys", "counts"),
    [
        ({"enrolled_on": date(2023, 12, 31)}, True),
        ({"enrolled_on": date(2023, 1, 1), "ends_on": date(2023, 1, 1)}, True),
        ({"enrolled_on": date(2024, 1, 1), "ends_on": date(2024, 12, 31), "plan_year": 2024}, False),
        ({"enrolled_on": date(2022, 5, 1), "ends_on": date(2022, 12, 31), "plan_year": 2022}, False),
        ({"ends_on": None}, True),
        ({"ends_on": date(2023, 10, 1), "status": "revoked"}, True),
        # never closed, but an enrollment does not outlast its plan year
        ({"enrolled_on": date(2022, 5, 1), "ends_on": None, "plan_year": 2022}, False),
        ({"enrolled_on": date(2022, 5, 1), "ends_on": date(2024, 1, 1), "plan_year": 2022}, False),
        ({"enrolled_on": date(2022, 5, 1), "ends_on": None, "plan_year": None}, False),
        # an unknown start counts for the plan year: it must show in the findings
        ({"enrolled_on": None}, True),
        ({"enrolled_on": None, "plan_year": 2022}, False),
        ({"enrolled_on": None, "plan_year": None}, False),
        ({"enrolled_on": date(2023, 5, 1), "ends_on": None, "plan_year": None}, True),
    ],
)
def test_enrolled_at_any_time_of_the_year(rows, keys, counts):
    assert bool(rows([enrollment(**keys)])) == counts


def test_two_enrollments_in_one_contract_are_one_row_from_the_earliest(rows):
    second = enrollment(1, enrolled_on=date(2023, 10, 5), criteria_met_on=date(2023, 10, 1))
    first = enrollment(2, ends_on=date(2023, 3, 1))
    [row] = rows([second, first])
    assert (row["enrolled_on"], row["criteria_met_on"]) == (date(2023, 2, 1), date(2023, 2, 1))


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        (("01", "01"), "01"),
        (("01", "02"), "03"),
        (("02", "04"), "02"),
        (("04", "01"), "01"),
        (("04", "04"), "04"),
        (("03", "01"), "03"),
        ((None, "02"), "02"),
        ((None, None), None),
    ],
)
def test_reasons_add_up_over_the_year(rows, codes, reason):
    [row] = rows([enrollment(number, reason_code=code) for number, code in enumerate(codes)])
    assert row["met_criteria"] == reason


def test_an_unknown_date_leaves_the_earliest_unknown(rows):
    [row] = rows([enrollment(1), enrollment(2, enrolled_on=None, criteria_met_on=None)])
    assert (row["enrolled_on"], row["criteria_met_on"]) == (None, None)


def test_the_plans_own_criteria_have_no_date_and_hide_none(rows):
    [row] = rows([enrollment(1), enrollment(2, reason_code="04", criteria_met_on=None)])
    assert (row["met_criteria"], row["criteria_met_on"]) == ("01", date(2023, 2, 1))


def opt_out(day, reason, number=1, **keys):
    return enrollment(number, status="revoked", opted_out_on=day, opt_out_reason=reason, ends_on=day, **keys)


@pytest.mark.parametrize(
    ("day", "reason", "told"),
    [
        (date(2023, 6, 1), "03", True),
        (date(2023, 12, 30), "02", True),
        (date(2023, 12, 31), "02", False),  # the end of the year is no opt-out
        (date(2023, 12, 31), "01", True),  # a death on that day is
        (date(2023, 12, 31), "99", True),
        (date(2023, 12, 31), None, True),  # without a reason: the edits tell it
    ],
)
def test_opt_out_with_its_reason(rows, day, reason, told):
    [row] = rows([opt_out(day, reason)])
    assert (row["opted_out_on"], row["opt_out_reason"]) == ((day, reason) if told else (None, None))


def test_who_came_back_after_an_opt_out_has_none(rows):
    left = opt_out(date(2023, 4, 1), "02")
    [row] = rows([enrollment(2, enrolled_on=date(2023, 6, 1)), left])
    assert (row["enrolled_on"], row["opted_out_on"]) == (date(2023, 2, 1), None)
    [row] = rows([opt_out(date(2023, 9, 1), "03", 2, enrolled_on=date(2023, 6, 1)), left])
    assert (row["opted_out_on"], row["opt_out_reason"]) == (date(2023, 9, 1), "03")


@pytest.mark.parametrize(
    ("family", "given", "first", "last"),
    [
        ("Diaz", "Ana", "Ana", "Diaz"),
        ("Suharto", None, None, "Suharto"),
        (None, "Suharto", None, "Suharto"),
        (" ", "Suharto", None, "Suharto"),
        ("", "", None, None),
        (None, None, None, None),
    ],
)
def test_a_single_name_stands_in_the_last_name(rows, family, given, first, last):
    [row] = rows([enrollment()], persons=[person(family=family, given=given)])
    assert (row["first_name"], row["last_name"]) == (first, last)


def test_what_only_some_layouts_ask_for(rows):
    [row] = rows([enrollment()], persons=[person(middle="Maria", mbis=["3EG4TE5MK75", "1EG4TE5MK73", "2EG4TE5MK74"])])
    assert (row["middle_initial"], row["mbi_history"]) == ("M", "2EG4TE5MK74;3EG4TE5MK75")


def test_a_partial_birth_date_is_no_birth_date(rows):
    [row] = rows([enrollment()], persons=[person(birth_date="1950-01", birth_day=None)])
    assert row["birth_date"] is None


def test_an_enrollment_without_its_patient_stays_a_row(rows):
    [row] = rows([enrollment()], persons=[person("b")])
    assert (row["beneficiary"], row["last_name"], row["mbi"]) == ("a", None, None)


def test_rows_are_sorted_by_mbi_then_patient_and_missing_mbis_last(rows):
    people = [person("a", mbi=None), person("b", mbi="2EG4TE5MK73"), person("c"), person("d")]
    found = rows([enrollment(i, beneficiary=p["beneficiary"]) for i, p in enumerate(people)], persons=people)
    assert [row["beneficiary"] for row in found] == ["c", "d", "b", "a"]
