"""What stands in the resources and cannot stand in the file: each planted once, found by its edit and by no other."""

from datetime import date

import pytest

from adapter.reporting.checks import EDITS
from adapter.reporting.checks_sources import source_findings
from adapter.reporting.edits import load_edits
from adapter.reporting.file import as_table, texts
from adapter.reporting.records import parts, records
from adapter.reporting.sheet import Sheet

from .conftest import LISTS
from .planted import BENEFICIARY, ENROLLMENT, SERVICE, enrollment, person, reviewed, service

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
EDIT_LIST = load_edits("edits", LISTS, EDITS)


def day(text):
    return date(2023, int(text[:2]), int(text[2:]))


@pytest.fixture
def found(engine, layout):
    def of(enrollments, services=(), persons=None):
        persons = [person(), person("b", mbi="2EG4TE5MK74")] if persons is None else persons
        given = zip((enrollments, persons, services), (ENROLLMENT, BENEFICIARY, SERVICE), strict=True)
        made = parts(*(engine.table(rows, schema) for rows, schema in given), "H1234", 2023)
        rows = as_table(records(made).to_pyarrow(), layout)
        sheet = Sheet(texts(rows, layout), layout, 2023, EDIT_LIST, rows)
        return [(f.edit, f.element, f.row, f.beneficiary, f.rule) for f in source_findings(sheet, made)]

    return of


def test_a_good_source_has_no_finding(found):
    done = [*reviewed(), service("tmr", "0401"), service("cmr_offer", "0115", answer="undeliverable", contract="H9999")]
    assert found([enrollment(), enrollment(2, beneficiary="b")], done) == []


OUT = {"opted_out_on": day("0601"), "opt_out_reason": "03", "ends_on": day("0601"), "status": "revoked"}


@pytest.mark.parametrize(
    ("planted", "edit", "rule"),
    [
        (
            service("cmr", "0131"),
            "service_not_counted",
            "a CMR lies before the enrollment or the year and does not count",
        ),
        (
            service("tmr", "0602"),
            "service_not_counted",
            "a TMR lies after the end of the enrollment, the opt-out or the year",
        ),
        (service("cmr_offer", None), "service_not_counted", "a CMR offer has no day"),
        (
            service("safe_disposal", date(2024, 1, 2)),
            "service_not_counted",
            "a safe-disposal information lies after the end",
        ),
        (service("summary_sent", "0301"), "summary_without_cmr", "a written summary is of no CMR that is known"),
        (service("summary_sent", "0301", about="Procedure/x"), "summary_without_cmr", "a written summary is of no CMR"),
    ],
)
def test_a_service_that_does_not_count_is_told(found, planted, edit, rule):
    [(of, element, row, whose, told)] = found([enrollment(2, beneficiary="b"), enrollment(**OUT)], [planted])
    assert (of, element, row, whose) == (edit, "", 1, "a")
    assert told.startswith(rule)


def test_a_service_of_somebody_who_is_not_enrolled_is_told_without_a_row(found):
    [(edit, _, row, whose, rule)] = found([enrollment()], [service("tmr", "0401", beneficiary="b")])
    assert (edit, row, whose) == ("service_not_counted", None, "b")
    assert rule == "a TMR is of a beneficiary who was not enrolled in the contract in the year and does not count"


@pytest.mark.parametrize(
    "planted",
    [
        service("invitation", "0101"),
        service("tmr", "0401", contract="H9999"),
        service("tmr", date(2022, 5, 1), plan_year=2022),
    ],
)
def test_what_the_file_does_not_ask_for_is_not_told(found, planted):
    assert found([enrollment()], [planted]) == []


@pytest.mark.parametrize(
    ("edit", "element", "plans", "people"),
    [
        ("no_patient", "B", [enrollment()], [person("b")]),
        ("died_before_enrollment", "I", [enrollment()], [person(deceased=True, deceased_on="2023-01", died_by=day("0101"))]),
        ("died_before_enrollment", "I", [enrollment()], [person(deceased=True, deceased_on="2023-01-31", died_by=day("0131"))]),
        ("death_without_opt_out", "K", [enrollment()], [person(deceased=True, deceased_on="2023-02-01", died_by=day("0201"))]),
        ("death_without_opt_out", "K", [enrollment()], [person(deceased=True, deceased_on="2023", died_by=day("0101"))]),
        ("death_without_opt_out", "K", [enrollment()], [person(deceased=True)]),
        ("revoked_without_opt_out", "K", [enrollment(status="revoked")], None),
        ("several_mbis", "B", [enrollment()], [person(current_mbis=2)]),
        ("enrollments_overlap", "I", [enrollment(1), enrollment(2, enrolled_on=day("0301"))], None),
        ("enrolled_elsewhere", "I", [enrollment(1), enrollment(2, contract="H5678", enrolled_on=day("0301"))], None),
    ],
)  # fmt: skip
def test_a_fault_of_enrollment_or_person_is_told(found, edit, element, plans, people):
    assert [one[:4] for one in found(plans, persons=people)] == [(edit, element, 1, "a")]


@pytest.mark.parametrize(
    ("plans", "people"),
    [
        ([enrollment(**OUT)], None),
        ([enrollment(**{**OUT, "opted_out_on": day("1231"), "opt_out_reason": "02"})], None),  # no opt-out, and explained
        (
            [enrollment(opted_out_on=day("0601"), opt_out_reason="01")],
            [person(deceased=True, deceased_on="2023-06-01", died_by=day("0601"))],
        ),
        ([enrollment()], [person(deceased=True, deceased_on="2024-01-01", died_by=date(2024, 1, 1))]),
        ([enrollment(1, ends_on=day("0301")), enrollment(2, enrolled_on=day("0302"))], None),
        ([enrollment(1, opted_out_on=day("0301"), opt_out_reason="02"), enrollment(2, contract="H5678", enrolled_on=day("0302"))], None),
        ([enrollment(), enrollment(2, contract="H5678", enrolled_on=date(2024, 1, 1), plan_year=2024, ends_on=None)], None),
    ],
)  # fmt: skip
def test_what_is_in_order_is_not_told(found, plans, people):
    assert found(plans, persons=people) == []


def test_an_earlier_mbi_that_another_row_has(found):
    people = [person(), person("b", mbi="2EG4TE5MK74", mbis=["1EG4TE5MK73", "2EG4TE5MK74"])]
    told = found([enrollment(), enrollment(2, beneficiary="b")], persons=people)
    assert [one[:4] for one in told] == [("earlier_mbi", "B", 2, "b")]
    assert found([enrollment(2, beneficiary="b")], persons=people) == []  # the other is not in the file


def test_everybody_with_a_care_plan_of_the_year_is_in_the_file(found):
    ended_before_it_began = enrollment(enrolled_on=day("0501"), ends_on=date(2022, 12, 1))
    [(edit, element, row, whose, rule)] = found([ended_before_it_began, enrollment(2, beneficiary="b")])
    assert (edit, element, row, whose) == ("enrollment_total", "", None, None)
    assert rule == "the file has 1 rows, and 2 beneficiaries were enrolled by the CarePlans of plan year 2023"
