"""MeasureReports: valid R4, the populations of a proportion measure, the extension as it is defined."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapter.fhir.conformance import validate
from adapter.measures.rows import REASONS, SHORTFALLS, Total
from adapter.resources.definitions import definitions
from adapter.resources.ids import BASE
from adapter.resources.measure_report import POPULATIONS, RESULT_EXTENSION, VERSION, individual, measure_url, summary
from tests.unit.resources.test_definitions import assert_as_defined, codes

BY_URL = {one["url"]: one for one in definitions() if "url" in one}
ROW = {
    "measure": "pdc_statins", "beneficiary": "b1", "in_denominator": True, "in_numerator": True, "excluded": False, "reason": "",
    "shortfall": "", "days": 365, "days_covered": 292, "proportion": Decimal("0.800000"),
    "sources": ["ExplanationOfBenefit/e1", "hospice.csv row 2"],
}  # fmt: skip
TOTAL = Total("cmr_completion", "CMR", "H1234", 2023, 40, 4, 2, 31, 21, 1, 31)
MEASURES = ("cmr_completion", "pdc_diabetes", "pdc_ras_antagonists", "pdc_statins")


def counts(report):
    (group,) = report["group"]
    return {one["code"]["coding"][0]["code"]: one.get("count") for one in group["population"]}


def parts(report):
    (extension,) = report["extension"]
    return {
        part["url"]: next(value for name, value in part.items() if name != "url") for part in extension["extension"]
    }


def score(report):
    """The score, or why there is none."""
    told = report["group"][0]["measureScore"]
    return told["value"] if "value" in told else told["_value"]["extension"][0]["valueCode"]


SCORES = {
    "in the numerator": ({}, 1), "not in it": ({"in_numerator": False}, 0), "undecided": ({"in_numerator": None}, "unknown"),
    "undecided whether counted": ({"in_denominator": None, "in_numerator": None}, "unknown"),
    "not counted": ({"in_denominator": False, "in_numerator": False}, "not-applicable"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "wanted"), SCORES.values(), ids=SCORES)
def test_the_score_of_an_individual_report(changes, wanted):
    report = individual(ROW | changes, "H1234", 2023)
    validate(report)
    assert score(report) == wanted


def test_an_individual_report():
    report = individual(ROW, "H1234", 2023)
    validate(report)
    assert (report["type"], report["status"], report["subject"]) == (
        "individual",
        "complete",
        {"reference": "Patient/b1"},
    )
    assert report["measure"] == f"{BASE}Measure/mtm-pdc-statins|{VERSION}"
    assert report["period"] == {"start": "2023-01-01", "end": "2023-12-31"}
    assert counts(report) == {"initial-population": 1, "denominator": 1, "denominator-exclusion": 0, "numerator": 1}
    assert report["evaluatedResource"] == [{"reference": "ExplanationOfBenefit/e1"}]  # what is no reference is none
    assert parts(report) == {"contract": "H1234", "days": 365, "daysCovered": 292, "proportion": Decimal("0.800000")}
    assert "date" not in report


def test_the_denominator_of_a_report_holds_the_excluded_too():
    report = individual(
        ROW | {"in_denominator": False, "in_numerator": False, "excluded": True, "reason": "hospice"}, "H1234", 2023
    )
    validate(report)
    assert counts(report) == {"initial-population": 1, "denominator": 1, "denominator-exclusion": 1, "numerator": 0}
    assert parts(report)["reason"] == "hospice"


def test_what_is_undecided_has_no_count():
    report = individual(
        ROW | {"in_denominator": None, "in_numerator": None, "reason": "age_unknown", "days": None}, "H1234", 2023
    )
    validate(report)
    assert counts(report) == {
        "initial-population": 1,
        "denominator": None,
        "denominator-exclusion": 0,
        "numerator": None,
    }
    assert "days" not in parts(report)


def test_a_summary_report():
    report = summary(TOTAL)
    validate(report)
    assert report["type"] == "summary"
    assert "subject" not in report
    assert counts(report) == {"initial-population": 40, "denominator": 35, "denominator-exclusion": 4, "numerator": 21}
    assert report["group"][0]["measureScore"] == {"value": Decimal("0.677419")}
    assert parts(report)["undecided"] == 3


def test_without_a_rate_the_score_is_not_applicable():
    report = summary(Total("cmr_completion", "CMR", "H1234", 2023, 30, 0, 0, 30, 21, 0, 31))
    validate(report)
    assert score(report) == "not-applicable"
    assert parts(report)["remark"] == "not enough: 30 in the denominator, a rate needs 31"


def test_the_ids_tell_measure_beneficiary_contract_and_year_apart():
    one = individual(ROW, "H1234", 2023)["id"]
    others = [
        individual(ROW | {"measure": "pdc_diabetes"}, "H1234", 2023), individual(ROW | {"beneficiary": "b2"}, "H1234", 2023),
        individual(ROW, "S9999", 2023), individual(ROW, "H1234", 2024), summary(TOTAL),
    ]  # fmt: skip
    assert len({one, *(other["id"] for other in others)}) == 6
    assert individual(ROW | {"days": 1}, "H1234", 2023)["id"] == one


@pytest.mark.parametrize("measure", MEASURES)
def test_each_measure_is_defined_with_the_populations_of_its_reports(measure):
    definition = BY_URL[measure_url(measure)]
    assert definition["version"] == VERSION
    (group,) = definition["group"]
    assert [one["code"]["coding"][0]["code"] for one in group["population"]] == list(POPULATIONS)


def test_the_extension_is_as_its_definition_says():
    full = individual(ROW | {"reason": "hospice", "shortfall": "no_cmr"}, "H1234", 2023)
    assert_as_defined(RESULT_EXTENSION, [*full["extension"], *summary(TOTAL)["extension"]])


def test_the_reasons_are_those_of_the_code_system():
    assert set(codes(f"{BASE}CodeSystem/measure-reason")) == {*REASONS, *SHORTFALLS}
