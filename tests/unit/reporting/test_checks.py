"""Every finding, each planted once in a good row."""

from datetime import date

import msgspec
import pytest

from adapter.reporting.checks import check
from adapter.reporting.file import as_table, texts
from adapter.reporting.records import NOT_FOLLOWED


@pytest.fixture
def found(layout):
    def run(*rows, layout=layout, not_followed=tuple(NOT_FOLLOWED)):
        table = as_table([{key: row[key] for key in row if key != "beneficiary"} for row in rows], layout)
        table = table.append_column("beneficiary", [[row.get("beneficiary") for row in rows]])
        return check(table, texts(table, layout), layout, 2023, not_followed)

    return run


def test_a_good_row_has_only_the_finding_on_what_is_not_followed(found, good_row):
    [finding] = found(good_row)
    assert finding.severity == "warning" and finding.row is None
    assert str(finding).startswith(
        "elements G, H, K, L, M, N, O, P, Q, R, S, T, U, V, W, X, Y, Z are blank in every row"
    )


PLANTED = [
    ({"mbi": None}, "error", "B", "MBI is missing"),
    ({"mbi": " "}, "error", "B", "MBI is missing"),
    ({"mbi": "123456789A"}, "error", "B", "MBI is not an MBI of 11 characters"),  # a HICN
    ({"mbi": "1SG4TE5MK73"}, "error", "B", "MBI is not an MBI of 11 characters"),  # S is never a letter of an MBI
    ({"mbi": "0EG4TE5MK73"}, "error", "B", "MBI is not an MBI of 11 characters"),
    ({"mbi": "1EG4TE5MK731"}, "error", "B", "MBI is not an MBI of 11 characters"),
    ({"contract_number": "1234"}, "error", "A", "Contract number is not a contract number such as H1234"),
    ({"first_name": None}, "warning", "C", "the person has one name only"),
    ({"first_name": "José"}, "warning", "C", "First name is written without its accents"),
    ({"first_name": "李"}, "error", "C", "First name has a character that ASCII cannot write"),
    ({"last_name": None}, "error", "D", "Last name is missing"),
    ({"last_name": "x" * 31}, "warning", "D", "Last name is cut to 30 characters"),
    ({"last_name": "ß" * 16}, "warning", "D", "Last name is cut to 30 characters"),
    ({"birth_date": None}, "error", "E", "Date of birth is missing; give the Patient a birthDate with year, month"),
    ({"met_criteria": None}, "error", "F", "Met the targeting criteria: reason is missing"),
    ({"met_criteria": "05"}, "error", "F", "Met the targeting criteria: reason is none of 01, 02, 03, 04"),
    ({"enrolled_on": None}, "error", "I", "Date of MTM enrollment is missing"),
    ({"enrolled_on": date(2022, 12, 31)}, "error", "I", "Date of MTM enrollment is not in the contract year 2023"),
    (
        {"criteria_met_on": None},
        "error",
        "J",
        "it is required when element F (Met the targeting criteria: reason) is 01",
    ),
]


@pytest.mark.parametrize(("planted", "severity", "element", "rule"), PLANTED)
def test_a_planted_fault_is_found(found, good_row, planted, severity, element, rule):
    hits = [
        f for f in found(good_row | {"beneficiary": "x", "mbi": "2EG4TE5MK74"}, good_row | planted) if rule in str(f)
    ]
    assert [(f.severity, f.element, f.row, f.beneficiary) for f in hits] == [(severity, element, 2, "a")]
    assert str(hits[0]).startswith(f"row 2, element {element}: ") and hits[0].remedy


def test_no_finding_tells_who_it_is(found, good_row):
    for planted, *_ in PLANTED:
        row = good_row | planted
        for finding in found(row):
            assert not [
                row[key]
                for key in ("mbi", "first_name", "last_name")
                if (row[key] or "").strip() and row[key] in str(finding)
            ]
            assert "19500102" not in str(finding)


@pytest.mark.parametrize("name", ["O'Brien", "Smith-Jones", "de la Cruz", "X", "x" * 30])
def test_a_usual_name_is_no_finding(found, good_row, name):
    assert len(found(good_row | {"last_name": name})) == 1


def test_the_plans_own_criteria_need_no_date(found, good_row):
    assert len(found(good_row | {"met_criteria": "04", "criteria_met_on": None})) == 1


def test_a_missing_name_is_one_finding(found, good_row):
    named = [f for f in found(good_row | {"first_name": None, "last_name": None}) if f.element in ("C", "D")]
    assert [(f.severity, f.element) for f in named] == [("error", "D")]


def test_one_mbi_in_two_rows(found, good_row):
    other = good_row | {"mbi": "2EG4TE5MK74"}
    hits = [f for f in found(good_row, other, good_row) if "another row" in f.rule]
    assert [f.row for f in hits] == [1, 3]


def test_two_missing_mbis_are_not_one_mbi(found, good_row):
    rows = [good_row | {"mbi": None}] * 2
    assert not [f for f in found(*rows) if "another row" in f.rule]


def test_the_services_are_checked_once_they_are_followed(found, good_row):
    row = good_row | {
        "cmr_offered": "Y", "cmr_received": "N", "cmr_method": "07", "opted_out_on": "20230229", "tmr_count": 1000,
    }  # fmt: skip
    rules = {(f.element, f.rule) for f in found(row, not_followed=())}
    assert (
        "N",
        "Date of the first CMR offer is missing; it is required when element M (Offered the annual CMR) is Y",
    ) in rules
    assert ("S", "Delivery method of the initial CMR is none of 01, 02, 03, 04") in rules
    assert ("K", "Date of opt-out is not a day as YYYYMMDD") in rules
    assert ("L", "Reason of opt-out is missing; it is required when element K (Date of opt-out) is given") in rules
    assert ("V", "Number of TMRs does not fit into 3 digits") in rules
    assert ("X", "Drug therapy problem recommendations to prescribers is missing") in rules
    assert not [rule for element, rule in rules if element == "Q"]  # no CMR, so no date of one


@pytest.mark.parametrize(("count", "wrong"), [("3", False), ("-1", True), ("many", True)])
def test_a_count_is_a_whole_number(found, good_row, count, wrong):
    hits = [f for f in found(good_row | {"tmr_count": count}, not_followed=()) if f.element == "V"]
    assert bool(hits) == wrong


def test_findings_come_in_the_order_of_rows_and_elements(found, good_row):
    bad = {"mbi": None, "birth_date": None, "enrolled_on": None}
    places = [(f.row, f.element) for f in found(good_row | bad, good_row | bad)]
    assert places == [(None, ""), (1, "B"), (1, "E"), (1, "I"), (2, "B"), (2, "E"), (2, "I")]


def test_no_rows_no_findings_on_rows(found):
    assert [f.row for f in found()] == [None]


def test_a_single_element_that_is_not_followed(found, good_row, layout):
    less = msgspec.structs.replace(
        layout, fields=[f for f in layout.fields if f.name not in NOT_FOLLOWED or f.element == "M"]
    )
    [finding] = found(good_row, layout=less)
    assert str(finding).startswith("element M is blank in every row")


def test_a_layout_without_the_elements_of_a_rule(found, good_row, layout):
    less = msgspec.structs.replace(layout, fields=[f for f in layout.fields if f.element == "A"])
    assert found(good_row, layout=less) == ()
