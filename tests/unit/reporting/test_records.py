"""Who is in the file of a contract and year, and what a row says: enrollments merged, joined to persons."""

from datetime import date

import pytest

from adapter.reporting.records import NOT_FOLLOWED, records

# Ibis 12.0.0 calls a method of DuckDB that DuckDB 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

ENROLLMENT = {
    "enrollment": "string",
    "source": "string",
    "beneficiary": "string",
    "contract": "string",
    "pbp": "string",
    "plan_year": "int64",
    "program": "string",
    "reason_code": "string",
    "criteria_met_on": "date",
    "enrolled_on": "date",
    "ends_on": "date",
    "status": "string",
}
BENEFICIARY = {
    "beneficiary": "string",
    "source": "string",
    "mbi": "string",
    "family": "string",
    "given": "string",
    "middle": "string",
    "birth_date": "string",
    "birth_day": "date",
    "deceased": "boolean",
    "deceased_on": "string",
}


def enrollment(number=1, **keys):
    return {
        "enrollment": f"mtm-{number}",
        "source": f"CarePlan/mtm-{number}",
        "beneficiary": "a",
        "contract": "H1234",
        "pbp": "001",
        "plan_year": 2023,
        "program": "p",
        "reason_code": "01",
        "criteria_met_on": date(2023, 9, 30),
        "enrolled_on": date(2023, 9, 30),
        "ends_on": date(2023, 12, 31),
        "status": "active",
    } | keys


def person(beneficiary="a", **keys):
    return {
        "beneficiary": beneficiary,
        "source": f"Patient/{beneficiary}",
        "mbi": "1EG4TE5MK73",
        "family": "Diaz",
        "given": "Ana",
        "middle": None,
        "birth_date": "1950-01-02",
        "birth_day": date(1950, 1, 2),
        "deceased": False,
        "deceased_on": None,
    } | keys


@pytest.fixture
def rows(engine):
    def run(enrollments, persons=None, contract="H1234", year=2023):
        persons = [person()] if persons is None else persons
        expression = records(engine.table(enrollments, ENROLLMENT), engine.table(persons, BENEFICIARY), contract, year)
        return expression.to_pyarrow().to_pylist()

    return run


def test_a_row(rows):
    [row] = rows([enrollment()])
    assert row == {
        "beneficiary": "a",
        "patient": "Patient/a",
        "enrollments": "CarePlan/mtm-1",
        "contract_number": "H1234",
        "mbi": "1EG4TE5MK73",
        "first_name": "Ana",
        "last_name": "Diaz",
        "birth_date": date(1950, 1, 2),
        "met_criteria": "01",
        "enrolled_on": date(2023, 9, 30),
        "criteria_met_on": date(2023, 9, 30),
    } | dict.fromkeys(NOT_FOLLOWED)


def test_nobody_enrolled_gives_no_row(rows):
    assert rows([]) == [] and rows([], []) == []


def test_only_the_contract_asked_for(rows):
    moved = [enrollment(1, contract="H1234"), enrollment(2, contract="H5678", enrolled_on=date(2023, 11, 1))]
    assert [row["enrolled_on"] for row in rows(moved, contract="H5678")] == [date(2023, 11, 1)]
    assert [row["enrollments"] for row in rows(moved)] == ["CarePlan/mtm-1"]


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
    first = enrollment(2, enrolled_on=date(2023, 2, 1), criteria_met_on=date(2023, 2, 1), ends_on=date(2023, 3, 1))
    [row] = rows([second, first])
    assert (row["enrolled_on"], row["criteria_met_on"]) == (date(2023, 2, 1), date(2023, 2, 1))
    assert row["enrollments"] == "CarePlan/mtm-1;CarePlan/mtm-2"


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
    assert (row["met_criteria"], row["criteria_met_on"]) == ("01", date(2023, 9, 30))


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
    [row] = rows([enrollment()], [person(family=family, given=given)])
    assert (row["first_name"], row["last_name"]) == (first, last)


def test_a_partial_birth_date_is_no_birth_date(rows):
    [row] = rows([enrollment()], [person(birth_date="1950-01", birth_day=None)])
    assert row["birth_date"] is None


def test_an_enrollment_without_its_patient_stays_a_row(rows):
    [row] = rows([enrollment()], [person("b")])
    assert (row["beneficiary"], row["patient"], row["mbi"]) == ("a", None, None)


def test_rows_are_sorted_by_mbi_then_patient_and_missing_mbis_last(rows):
    people = [person("a", mbi=None), person("b", mbi="2EG4TE5MK73"), person("c"), person("d")]
    found = rows([enrollment(i, beneficiary=p["beneficiary"]) for i, p in enumerate(people)], people)
    assert [row["beneficiary"] for row in found] == ["c", "d", "b", "a"]
