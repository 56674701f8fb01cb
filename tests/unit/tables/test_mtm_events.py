"""Enrollment CarePlans as rows: which count, which are faulty, and what a row holds."""

import json
from datetime import date

import pytest

from adapter.engines.duckdb import Engine
from adapter.tables import mtm_events

# Ibis 12.0.0 calls a method of DuckDB that DuckDB 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

BASE = "https://w3id.org/mtm-adapter/fhir/"


@pytest.fixture(scope="module")
def engine():
    with Engine() as engine:
        yield engine


def care_plan(identity="mtm-1", parts=(), drop=(), **elements):
    given = {
        "contract": ("valueString", "H1234"),
        "pbp": ("valueString", "001"),
        "planYear": ("valueInteger", 2023),
        "program": ("valueString", "health-partners-2023"),
        "reasonCode": ("valueCode", "01"),
        "criteriaMetOn": ("valueDate", "2023-09-30"),
        "door": ("valueCode", "core"),
    } | dict(parts)
    extension = [{"url": name, key: value} for name, (key, value) in given.items() if name not in drop]
    return {
        "resourceType": "CarePlan",
        "id": identity,
        "meta": {"tag": [{"system": BASE + "CodeSystem/resource-kind", "code": "enrollment"}]},
        "extension": [{"url": BASE + "StructureDefinition/mtm-enrollment", "extension": extension}],
        "status": "active",
        "intent": "plan",
        "subject": {"reference": "Patient/a.1"},
        "period": {"start": "2023-09-30", "end": "2023-12-31"},
    } | elements


@pytest.fixture
def table(engine, tmp_path):
    def read(*resources):
        path = tmp_path / "CarePlan.ndjson"
        path.write_text("".join(json.dumps(resource) + "\n" for resource in resources), encoding="utf-8")
        return engine.keep(engine.read_ndjson([path], mtm_events.SHAPE))

    return read


def rows(expression):
    return expression.to_pyarrow().to_pylist()


def test_a_row_holds_what_the_care_plan_says(table):
    assert rows(mtm_events.enrollments(table(care_plan()))) == [
        {
            "enrollment": "mtm-1",
            "source": "CarePlan/mtm-1",
            "version_id": None,
            "beneficiary": "a.1",
            "contract": "H1234",
            "pbp": "001",
            "plan_year": 2023,
            "program": "health-partners-2023",
            "reason_code": "01",
            "criteria_met_on": date(2023, 9, 30),
            "enrolled_on": date(2023, 9, 30),
            "ends_on": date(2023, 12, 31),
            "status": "active",
            "opted_out_on": None,
            "opt_out_reason": None,
            "re_enrolled_on": None,
        }
    ]


def test_the_plans_own_criteria_have_no_date(table):
    plan = care_plan(parts={"reasonCode": ("valueCode", "04")}, drop=("criteriaMetOn",))
    [row] = rows(mtm_events.enrollments(table(plan)))
    assert (row["reason_code"], row["criteria_met_on"]) == ("04", None)


def test_tag_or_extension_recognizes_an_enrollment(table):
    untagged = care_plan("mtm-2", meta={"versionId": "1"})
    foreign = {"resourceType": "CarePlan", "id": "x", "status": "active", "subject": {"reference": "Patient/a"}}
    tag = {"system": BASE + "CodeSystem/resource-kind", "code": "pml"}
    other_kind = care_plan("mtm-3", extension=[], meta={"tag": [tag]})
    found = rows(mtm_events.enrollments(table(care_plan(), untagged, foreign, other_kind)))
    assert sorted(row["enrollment"] for row in found) == ["mtm-1", "mtm-2"]


def test_no_care_plan_gives_no_row_but_the_columns(engine):
    empty = mtm_events.enrollments(engine.read_ndjson([], mtm_events.SHAPE))
    assert rows(empty) == []
    assert empty.schema()["enrolled_on"].is_date()


@pytest.mark.parametrize("status", ["completed", "revoked", "on-hold", None])
def test_an_enrollment_that_ended_stays_a_row(table, status):
    assert len(rows(mtm_events.enrollments(table(care_plan(status=status))))) == 1


def test_an_opt_out_has_its_day_and_reason(table):
    parts = {"optOutOn": ("valueDate", "2023-11-02"), "optOutReason": ("valueCode", "03")}
    [row] = rows(mtm_events.enrollments(table(care_plan(parts=parts, status="revoked"))))
    assert (row["opted_out_on"], row["opt_out_reason"]) == (date(2023, 11, 2), "03")


def test_a_re_enrollment_has_its_day(table):
    [row] = rows(mtm_events.enrollments(table(care_plan(parts={"reEnrolledOn": ("valueDate", "2023-12-01")}))))
    assert (row["re_enrolled_on"], row["opted_out_on"]) == (date(2023, 12, 1), None)


def test_an_enrollment_entered_in_error_is_gone_with_all_its_versions(table):
    old = care_plan(meta={"versionId": "1", "lastUpdated": "2023-10-01T00:00:00Z"})
    withdrawn = care_plan(status="entered-in-error", meta={"versionId": "2", "lastUpdated": "2023-10-02T00:00:00Z"})
    assert rows(mtm_events.enrollments(table(withdrawn, old))) == []


def test_of_several_versions_the_newest_counts(table):
    old = care_plan(meta={"versionId": "9", "lastUpdated": "2023-10-01T00:00:00Z"})
    new = care_plan(meta={"versionId": "10", "lastUpdated": "2023-10-02T00:00:00Z"}, period={"start": "2023-09-01"})
    [row] = rows(mtm_events.enrollments(table(new, old)))
    assert (row["enrolled_on"], row["ends_on"]) == (date(2023, 9, 1), None)


@pytest.mark.parametrize("start", ["2023", "2023-09", None])
def test_a_partial_date_is_never_the_first_of_the_month(table, start):
    [row] = rows(mtm_events.enrollments(table(care_plan(period={"start": start, "end": "2023-12-31"}))))
    assert row["enrolled_on"] is None


def test_a_date_time_gives_its_day(table):
    [row] = rows(mtm_events.enrollments(table(care_plan(period={"start": "2023-09-30T23:30:00-05:00"}))))
    assert row["enrolled_on"] == date(2023, 9, 30)


@pytest.mark.parametrize(
    ("plan", "fault"),
    [
        (care_plan(drop=("contract",)), "names no CMS contract"),
        (care_plan(parts={"contract": ("valueString", "1234")}), "names no CMS contract"),
        (care_plan(extension=None), "names no CMS contract"),
        (care_plan(subject={"display": "x"}), "names no Patient"),
        (care_plan(subject={"reference": "Group/1"}), "names no Patient"),
        (care_plan(period={"start": "2023-02-30"}), "period.start is no date"),
        (care_plan(parts={"criteriaMetOn": ("valueDate", "2023-13-01")}), "criteriaMetOn is no date"),
        (care_plan(parts={"optOutOn": ("valueDate", "2023-02-29")}), "optOutOn is no date"),
        (care_plan(parts={"reEnrolledOn": ("valueDate", "2023-00-01")}), "reEnrolledOn is no date"),
    ],
)
def test_a_faulty_enrollment_is_told_and_not_counted(table, plan, fault):
    received = table(plan)
    [row] = rows(mtm_events.plans(received))
    assert fault in row["fault"]
    assert rows(mtm_events.enrollments(received)) == []


@pytest.mark.parametrize("year", ["soon", None])
def test_a_plan_year_that_is_no_number_is_unknown(table, year):
    [row] = rows(mtm_events.enrollments(table(care_plan(parts={"planYear": ("valueString", year)}))))
    assert row["plan_year"] is None


@pytest.mark.parametrize("reference", ["Patient/a.1", "https://fhir.example/r4/Patient/a.1", "Patient/a.1/_history/3"])
def test_each_form_of_reference_names_the_beneficiary(table, reference):
    [row] = rows(mtm_events.enrollments(table(care_plan(subject={"reference": reference}))))
    assert row["beneficiary"] == "a.1"
