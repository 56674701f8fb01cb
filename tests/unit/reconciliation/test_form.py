"""The form of a review, read strictly: every fault at once, each with the path of its key."""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from adapter.reconciliation.form import review_form, schema, uncovered

ROOT = Path(__file__).parents[3]
EXAMPLE = json.loads((ROOT / "fixtures" / "review" / "review.json").read_text(encoding="utf-8"))
TODAY = date(2023, 10, 12)


@pytest.fixture
def raw():
    return copy.deepcopy(EXAMPLE)


def faults(raw, today=TODAY):
    form, found = review_form(raw, today)
    assert (form is None) == bool(found)
    return dict(found)


def test_the_example_is_without_fault(raw):
    assert faults(raw) == {}


def test_the_schema_is_that_of_the_form_and_the_example_follows_it(raw):
    shipped = json.loads((ROOT / "docs" / "review.schema.json").read_text(encoding="utf-8"))
    assert shipped == schema()
    jsonschema.Draft202012Validator(shipped).validate(raw)


def test_a_form_needs_only_what_cannot_be_left_out(raw):
    least = {name: raw[name] for name in ("pharmacist", "cmr", "medications")}
    assert faults(least) == {}


@pytest.mark.parametrize("raw", [[], "x", None, 3])
def test_what_is_no_form_is_told(raw):
    assert faults(raw)


def test_every_fault_is_told_at_once(raw):
    raw["pharmacist"] |= {"npi": "1234567890", "family": " "}
    raw["cmr"] |= {"method": "fax", "minutes": 0}
    raw["medications"][0] |= {"how": "", "howw": "x"}
    raw["medications"][1]["change"] = "better"
    raw["to_do"][0]["actions"] = []
    raw["problems"][0]["code"] = "X"
    raw["colour"] = "red"
    del raw["cmr"]["recipient"]
    found = faults(raw)
    assert set(found) == {
        "colour", "pharmacist.npi", "pharmacist.family", "cmr.method", "cmr.recipient", "medications[0].howw", "medications[1].change",
        "to_do[0].actions", "problems[0].code",
    }  # fmt: skip
    assert found["cmr.method"] == "it must be one of face_to_face, telephone, telehealth, other"
    assert found["medications[1].change"] == "it must be one of kept, changed, new, stopped"
    assert found["colour"].startswith("there is no such key; known are: pharmacist")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda f: f["cmr"].update(date="2023-02-30"), "cmr.date"),
        (lambda f: f["cmr"].update(date="2023-10"), "cmr.date"),
        (lambda f: f["cmr"].update(date="2023-10-13"), "cmr.date"),
        (lambda f: f["cmr"].update(minutes=601), "cmr.minutes"),
        (lambda f: f["pharmacist"].update(given=[""]), "pharmacist.given"),
        (lambda f: f["pharmacist"].update(organization=""), "pharmacist.organization"),
        (lambda f: f["medications"][0].update(name=" "), "medications[0].name"),
        (lambda f: f["medications"][0].update(how=""), "medications[0].how"),
        (lambda f: f["medications"][0].update(stopped="2023-01-01"), "medications[0].stopped"),
        (lambda f: f["medications"][0].update(stop_reason="x"), "medications[0].stop_reason"),
        (lambda f: f["medications"][0].update(started="2023-13"), "medications[0].started"),
        (lambda f: f["medications"][0].update(started="2023-10-13"), "medications[0].started"),
        (lambda f: f["medications"][0].update(started="2024"), "medications[0].started"),
        (lambda f: f["medications"][0].update(adherence="sometimes"), "medications[0].adherence"),
        (lambda f: f["medications"][0].update(change="new"), "medications[0].entry"),
        (lambda f: f["medications"][0].update(entry=""), "medications[0].entry"),
        (lambda f: f["medications"][9].update(started="2023-11", stopped="2023"), "medications[9].started"),
        (lambda f: f["medications"][9].update(started="2023-05", stopped="2022"), "medications[9].stopped"),
        (lambda f: f["medications"].append(f["medications"][0]), "medications"),
        (lambda f: f["to_do"][0].update(topic=""), "to_do[0].topic"),
        (lambda f: f["to_do"][0]["actions"].append(""), "to_do[0].actions[2]"),
        (lambda f: f["problems"][0].update(title=""), "problems[0].title"),
        (lambda f: f["problems"][0].update(dismissed=True), "problems[0].dismissed"),
        (lambda f: f["problems"][0].update(proposal="mtm-1"), "problems[0].proposal"),
        (lambda f: f["problems"][0].update(medications=["aspirin"]), "problems[0].medications[0]"),
        (lambda f: f["problems"][0]["mitigations"].append({"action": "99"}), "problems[0].mitigations[2].action"),
        (lambda f: f["problems"][0]["mitigations"].append({}), "problems[0].mitigations[2]"),
        (lambda f: f["allergies"][0].update(substance=""), "allergies[0].substance"),
        (lambda f: f.update(no_known_allergies=True), "no_known_allergies"),
        (lambda f: f.update(language="fr"), "language"),
    ],
)
def test_a_fault_is_told_with_its_path(raw, change, place):
    change(raw)
    assert list(faults(raw)) == [place]


def test_a_review_of_today_is_allowed_and_dates_of_its_year_and_month_too(raw):
    raw["medications"][0]["started"] = "2023-10"
    raw["medications"][1]["started"] = "2023"
    raw["medications"][2]["started"] = "2023-10-12"
    assert faults(raw) == {}


def test_every_line_of_the_records_must_be_settled(raw):
    form, _ = review_form(raw, TODAY)
    assert uncovered(form, {form.medications[0].entry: "x"}) == []
    [(place, told)] = uncovered(form, {"1191|81 mg|oral": "aspirin 81 mg tablet"})
    assert (place, "aspirin 81 mg tablet (entry 1191|81 mg|oral)" in told) == ("medications", True)
