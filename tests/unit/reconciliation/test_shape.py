"""What has not the shape that FHIR gives it is not told, and everything beside it is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapter.reconciliation.shape import formed_dosage, shaped


def test_what_has_its_shape_stays_and_the_rest_goes():
    record = {
        "resourceType": "MedicationRequest", "id": "r1", "status": "active", "authoredOn": 2024, "requester": "Dr. Who",
        "reasonCode": [{"text": "diabetes"}, "x", {"text": 5}], "reasonReference": {"reference": "Condition/1"}, "x": 1,
    }  # fmt: skip
    assert shaped(record) == {
        "resourceType": "MedicationRequest", "id": "r1", "status": "active", "reasonCode": [{"text": "diabetes"}, {}],
    }  # fmt: skip


@pytest.mark.parametrize(
    "dosage", [None, "x", 5, [], {"timing": None}, {"timing": {"repeat": []}}, {"doseAndRate": {}}]
)
def test_a_dosage_that_is_none(dosage):
    assert formed_dosage(dosage) in ({}, {"timing": {}})


@pytest.mark.parametrize("value", [1, 0.5, Decimal("1.5"), "2", "0.25"])
def test_a_value_above_zero(value):
    dosage = {"doseAndRate": [{"doseQuantity": {"value": value}}]}
    assert formed_dosage(dosage) == dosage


@pytest.mark.parametrize("value", [0, -1, "two", "-1", True, None, float("nan"), float("inf")])
def test_a_value_that_is_none(value):
    assert formed_dosage({"doseAndRate": [{"doseQuantity": {"value": value}}]}) == {
        "doseAndRate": [{"doseQuantity": {}}]
    }


@pytest.mark.parametrize(
    "wrong", [{"frequency": 0}, {"frequencyMax": "3"}, {"period": -1}, {"periodMax": True}, {"periodUnit": 1}]
)
def test_how_often_is_told_whole_or_not_at_all(wrong):
    repeat = {"frequency": 2, "period": 1, "periodUnit": "d", "when": ["AC"]} | wrong
    assert formed_dosage({"timing": {"repeat": repeat}}) == {"timing": {"repeat": {"when": ["AC"]}}}
