"""What stands in the resources and cannot stand in the file: each planted in a person of its own, found by its edit and by no other."""

from datetime import date

import pytest

from adapter.engines.duckdb import Engine
from adapter.reporting.checks import EDITS
from adapter.reporting.checks_sources import source_findings
from adapter.reporting.edits import load_edits
from adapter.reporting.file import as_table, texts
from adapter.reporting.layout import load_layout
from adapter.reporting.records import parts, records
from adapter.reporting.sheet import Sheet

from .conftest import LAYOUTS, LISTS
from .planted import BENEFICIARY, ENROLLMENT, SERVICE, enrollment, person, reviewed, service

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
EDIT_LIST = load_edits("edits", LISTS, EDITS)


def day(text):
    return date(2023, int(text[:2]), int(text[2:]))


OUT = {"opted_out_on": day("0601"), "opt_out_reason": "03", "ends_on": day("0601"), "status": "revoked"}
LEFT = {"opted_out_on": day("0301"), "opt_out_reason": "02", "ends_on": day("0301"), "status": "revoked"}
DEAD = {"deceased": True, "deceased_on": "2023-06-01", "died_by": day("0601")}
LATE = {"contract": "H5678", "enrolled_on": day("0302")}
# name of the person: enrollments, services, changes of the Patient (None: the source has none)
GOOD = {
    "reviewed": ([{}], [*reviewed(), service("tmr", "0401")], {}),
    "undeliverable": ([{}], [service("cmr_offer", "0205", answer="undeliverable")], {}),
    "invited-early": ([{}], [service("invitation", "0101")], {}),
    "served-elsewhere": ([{}], [service("tmr", "0115", contract="H9999")], {}),
    "served-last-year": ([{}], [service("tmr", date(2022, 5, 1), plan_year=2022)], {}),
    "opted-out": ([OUT], [], {}),
    "end-of-year": ([{**OUT, "opted_out_on": day("1231"), "opt_out_reason": "02"}], [], {}),
    "died": ([{"opted_out_on": day("0601"), "opt_out_reason": "01"}], [], DEAD),
    "died-later": ([{}], [], {"deceased": True, "deceased_on": "2024-01-01", "died_by": date(2024, 1, 1)}),
    "came-back": ([{"ends_on": day("0301")}, {"enrolled_on": day("0302")}], [], {}),
    "moved": ([LEFT, LATE], [], {}),
    "next-year": ([{}, {"contract": "H5678", "enrolled_on": date(2024, 1, 1), "plan_year": 2024, "ends_on": None}], [], {}),
    "had-another-mbi": ([{}], [], {"mbis": ["9EG4TE5MK99"]}),
}  # fmt: skip
ELSEWHERE = [{}, {"contract": "H5678", "enrolled_on": day("0301")}]
AFTER = "a TMR lies after the end of the enrollment, the opt-out or the year and does not count"
# the same, and the edit, the element and the rule of the one finding
PLANTED = {
    "early": (
        [{}],
        [service("cmr", "0131")],
        {},
        "service_not_counted",
        "",
        "a CMR lies before the enrollment or the year and does not count",
    ),
    "late": ([OUT], [service("tmr", "0602")], {}, "service_not_counted", "", AFTER),
    "next-january": ([{}], [service("tmr", date(2024, 1, 2))], {}, "service_not_counted", "", AFTER),
    "undated": (
        [{}],
        [service("cmr_offer", None)],
        {},
        "service_not_counted",
        "",
        "a CMR offer has no day and does not count",
    ),
    "loose": (
        [{}],
        [service("summary_sent", "0301")],
        {},
        "summary_without_cmr",
        "",
        "a written summary is of no CMR that is known and does not count",
    ),
    "astray": (
        [{}],
        [service("summary_sent", "0301", about="Procedure/x")],
        {},
        "summary_without_cmr",
        "",
        "a written summary is of no CMR that is known and does not count",
    ),
    "no-patient": ([{}], [], None, "no_patient", "B", "the source holds no such Patient"),
    "dead-in-january": (
        [{}],
        [],
        {**DEAD, "deceased_on": "2023-01", "died_by": day("0101")},
        "died_before_enrollment",
        "I",
        "the beneficiary died before the enrollment",
    ),
    "dead-the-day-before": (
        [{}],
        [],
        {**DEAD, "deceased_on": "2023-01-31", "died_by": day("0131")},
        "died_before_enrollment",
        "I",
        "the beneficiary died before the enrollment",
    ),
    "dead-on-the-day": (
        [{}],
        [],
        {**DEAD, "deceased_on": "2023-02-01", "died_by": day("0201")},
        "death_without_opt_out",
        "K",
        "the beneficiary died, and no opt-out is told",
    ),
    "dead-some-day": (
        [{}],
        [],
        {**DEAD, "deceased_on": "2023", "died_by": day("0101")},
        "death_without_opt_out",
        "K",
        "the beneficiary died, and no opt-out is told",
    ),
    "dead-undated": (
        [{}],
        [],
        {"deceased": True},
        "death_without_opt_out",
        "K",
        "the beneficiary died, and no opt-out is told",
    ),
    "revoked": (
        [{"status": "revoked"}],
        [],
        {},
        "revoked_without_opt_out",
        "K",
        "the enrollment is revoked, and no day of an opt-out is told",
    ),
    "two-mbis": (
        [{}],
        [],
        {"current_mbis": 2},
        "several_mbis",
        "B",
        "several Medicare Beneficiary Identifiers are current",
    ),
    "overlap": (
        [{}, {"enrolled_on": day("0301")}],
        [],
        {},
        "enrollments_overlap",
        "I",
        "two enrollments in the contract overlap",
    ),
    "in-two-contracts": (
        ELSEWHERE,
        [],
        {},
        "enrolled_elsewhere",
        "I",
        "the beneficiary is enrolled in another contract on the same days",
    ),
    "earlier-mbi": (
        [{}],
        [],
        {"mbis": ["1AA0AA0AA00"]},
        "earlier_mbi",
        "B",
        "an earlier MBI of the beneficiary is the MBI of another row",
    ),
}
STRANGER = "a TMR is of a beneficiary who was not enrolled in the contract in the year and does not count"


def world():
    """Enrollments, persons and services of all; the first good person has the MBI 1AA0AA0AA00."""
    plans, people, done = [], [person("stranger", mbi="9ZZ9ZZ9ZZ99")], [service("tmr", "0401", beneficiary="stranger")]
    for number, (name, (own, services, changes, *_)) in enumerate((GOOD | PLANTED).items()):
        plans += [enrollment(f"{name}-{n}", beneficiary=name, **keys) for n, keys in enumerate(own)]
        done += [{**one, "beneficiary": name} for one in services]
        if changes is not None:
            mbi = f"1AA0AA0AA{number:02}"
            people.append(person(name, mbi=mbi, **{**changes, "mbis": [*changes.get("mbis", []), mbi]}))
    return plans, people, done


def findings(engine, plans, people, done):
    layout = load_layout("cms-mtm-2023", LAYOUTS)
    given = zip((plans, people, done), (ENROLLMENT, BENEFICIARY, SERVICE), strict=True)
    made = parts(*(engine.table(rows, schema) for rows, schema in given), "H1234", 2023)
    rows = as_table(records(made).to_pyarrow(), layout)
    sheet = Sheet(texts(rows, layout), layout, 2023, EDIT_LIST, rows)
    places = {whose: row for row, whose in enumerate(rows["beneficiary"].to_pylist(), start=1)}
    return list(source_findings(sheet, made)), places


@pytest.fixture(scope="module")
def told():
    with Engine() as engine:
        found, places = findings(engine, *world())
    return found, places


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_by_its_edit_and_no_other(told, name):
    found, places = told
    edit, element, rule = PLANTED[name][3:]
    assert [(f.edit, f.element, f.row, f.rule) for f in found if f.beneficiary == name] == [
        (edit, element, places[name], rule)
    ]


def test_nobody_else_has_a_finding_but_the_stranger(told):
    found, _ = told
    others = [f for f in found if f.beneficiary not in PLANTED]
    assert [(f.edit, f.row, f.beneficiary, f.rule) for f in others] == [
        ("service_not_counted", None, "stranger", STRANGER)
    ]


def test_every_edit_against_the_source_is_planted():
    of_sources = {
        edit for edit in EDITS if edit.startswith(("service_not", "summary_without", "died", "death", "revoked"))
    }
    of_sources |= {"no_patient", "enrollments_overlap", "enrolled_elsewhere", "several_mbis", "earlier_mbi"}
    assert {one[3] for one in PLANTED.values()} == of_sources


def test_everybody_with_a_care_plan_of_the_year_is_in_the_file(engine):
    ended_before_it_began = enrollment(enrolled_on=day("0501"), ends_on=date(2022, 12, 1))
    people = [person(), person("b", mbi="2EG4TE5MK74")]
    [finding], _ = findings(engine, [ended_before_it_began, enrollment(2, beneficiary="b")], people, [])
    assert (finding.edit, finding.element, finding.row, finding.beneficiary) == ("enrollment_total", "", None, None)
    assert finding.rule == "the file has 1 rows, and 2 beneficiaries were enrolled by the CarePlans of plan year 2023"
