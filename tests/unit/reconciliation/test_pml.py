"""One line for each drug with all its sources, and a question wherever the records contradict each other: nothing is settled silently."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.unit.reconciliation.builders import AS_OF, kinds, of, pair

TWENTY, FORTY = "atorvastatin 20 MG Oral Tablet", "atorvastatin 40 MG Oral Tablet"


def days_ago(n: int) -> str:
    return str(AS_OF - timedelta(days=n))


# ---- one line for each drug


def test_records_of_one_drug_are_one_line_with_every_source():
    made = of(pair("request", "r1"), pair("claim", "e1"), pair("dispense", "d1"), pair("statement", "s1"))
    [line] = made.entries
    assert line.sources == (
        "ExplanationOfBenefit/e1",
        "MedicationDispense/d1",
        "MedicationRequest/r1",
        "MedicationStatement/s1",
    )
    assert (line.generic, line.strength, line.form, line.state, line.kind) == (
        "atorvastatin",
        "20 mg",
        "tablet",
        "current",
        "rx",
    )
    assert made.questions == ()


def test_brand_and_generic_of_one_strength_are_one_line_that_names_both():
    [line] = of(
        pair("request", "r1", "atorvastatin 20 MG Oral Tablet [Lipitor]", row_brand="Lipitor"), pair("claim", "e1")
    ).entries
    assert (line.name, line.brand) == ("atorvastatin (Lipitor) 20 mg tablet", "Lipitor")


def test_a_name_by_which_a_text_was_recognized_is_its_brand():
    [line] = of(pair("statement", "s1", "Lipitor 20 mg tablet", row_matched_by="name")).entries
    assert (line.generic, line.brand) == ("atorvastatin", "Lipitor")


def test_a_salt_is_no_brand():
    [line] = of(pair("statement", "s1", "atorvastatin calcium 20 mg tablet", row_matched_by="name")).entries
    assert line.brand == ""


def test_over_the_counter_drugs_vitamins_and_herbals_belong_on_the_list():
    drugs = [
        pair("statement", "s1", "ibuprofen 200 mg tablet", drug="5640", row_otc="otc"),
        pair("statement", "s2", "vitamin B12", drug="name:vitamin b12", row_supplement="vitamin"),
        pair("statement", "s3", "St. John's wort", drug="name:st. john's wort", row_supplement="herbal"),
    ]
    assert sorted(line.kind for line in of(*drugs).entries) == ["herbal", "otc", "vitamin"]
    assert of(*drugs).questions == ()


def test_what_the_member_adds_is_marked_until_another_record_names_it():
    told = pair("statement", "s1", informationSource={"reference": "Patient/p1"})
    assert of(told).entries[0].added_by_member
    assert not of(told, pair("claim", "e1")).entries[0].added_by_member


def test_a_record_without_strength_joins_the_only_one_and_a_question_tells_it():
    made = of(pair("request", "r1"), pair("statement", "s1", "atorvastatin"))
    assert len(made.entries) == 1
    assert kinds(made) == ["strength_not_told"]
    assert made.questions[0].sources == ("MedicationStatement/s1",)


def test_a_record_without_strength_stands_alone_beside_two():
    made = of(pair("request", "r1", TWENTY), pair("request", "r2", FORTY), pair("statement", "s1", "atorvastatin"))
    assert [line.strength for line in made.entries] == ["", "20 mg", "40 mg"]


def test_eye_drops_and_tablets_of_one_ingredient_are_two_lines():
    eye = pair("request", "r2", "timolol 5 MG/ML Ophthalmic Solution", row_route="ophthalmic")
    made = of(pair("request", "r1", "timolol 5 MG Oral Tablet"), eye)
    assert len(made.entries) == 2
    assert kinds(made) == []


# ---- what is not said


@pytest.mark.parametrize(
    "one",
    [
        pair("request", "r1", status="draft"),
        pair("request", "r1", status="entered-in-error"),
        pair("request", "r1", intent="proposal"),
        pair("statement", "s1", status="entered-in-error"),
        pair("dispense", "d1", status="cancelled"),
        pair("claim", "e1", day="2023-10-01"),
        pair("request", "r1", day="2023-10-01"),
        pair("statement", "s1", day="2023-10-01", row_day_first=None),
    ],
    ids=lambda one: f"{one[1]['resourceType']} {one[1]['status']} {one[1].get('intent')} {one[0]['day_first']}",
)
def test_drafts_mistakes_and_the_future_say_nothing(one):
    assert of(one).entries == ()


def test_the_day_of_the_list_itself_counts():
    assert len(of(pair("claim", "e1", day=str(AS_OF)), pair("request", "r1", day=str(AS_OF))).entries[0].sources) == 2


def test_a_plan_of_what_the_person_reports_counts():
    assert len(of(pair("request", "r1", intent="plan", reportedBoolean=True)).entries) == 1


# ---- state


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (pair("request", "r1"), "current"),
        (pair("request", "r1", status="on-hold"), "on_hold"),
        (pair("request", "r1", status="stopped"), "stopped"),
        (pair("request", "r1", doNotPerform=True), "stopped"),
        (pair("request", "r1", status="completed"), "past"),
        (pair("statement", "s1", status="not-taken"), "stopped"),
        (pair("statement", "s1", status="intended"), "planned"),
        (pair("statement", "s1", status="unknown"), "unknown"),
        (pair("statement", "s1", row_ends=date(2023, 9, 29), effectivePeriod={"end": "2023-09-29"}), "stopped"),
        (pair("statement", "s1", row_ends=AS_OF), "current"),
        (pair("statement", "s1", row_day_first=date(2023, 10, 1)), "planned"),
        (pair("claim", "e1", day=days_ago(90 + 89)), "current"),
        (pair("claim", "e1", day=days_ago(90 + 90)), "past"),
        (pair("claim", "e1", day=days_ago(30 + 89), row_days_supply=None), "current"),
        (pair("claim", "e1", day=days_ago(30 + 90), row_days_supply=None), "past"),
        (pair("claim", "e1", day=""), "past"),
    ],
)  # fmt: skip
def test_the_state_of_a_line(one, state):
    assert [line.state for line in of(one).entries] == [state]


# ---- stopped here and active there


def stopped(day="2023-06-01", end="2023-06-01"):
    period = {"effectivePeriod": {"end": end}} if end else {}
    return pair("statement", "s1", day=day, status="stopped", **period)


@pytest.mark.parametrize(
    ("others", "state", "asked"),
    [
        ([pair("request", "r1", day="2023-01-05")], "unsure", True),  # an order older than the stop still stands
        ([pair("request", "r1", day="2023-06-01")], "unsure", True),  # of the same day
        ([pair("request", "r1", day="2023-06-02")], "current", False),  # begun anew
        ([pair("statement", "s2", day="2023-08-01")], "unsure", True),  # somebody else says that it is taken
        ([pair("claim", "e1", day="2023-06-01")], "stopped", False),
        ([pair("claim", "e1", day="2023-06-02")], "unsure", True),  # filled after the stop
        ([pair("claim", "e1", day="2023-08-02"), pair("request", "r1", day="2023-08-01")], "current", False),
        ([], "stopped", False),
    ],
)
def test_a_stop_by_a_person_against_what_says_that_it_is_taken(others, state, asked):
    made = of(stopped(), *others)
    assert (made.entries[0].state, "stopped_and_active" in kinds(made)) == (state, asked)


@pytest.mark.parametrize(
    ("other", "state", "asked"),
    [
        (pair("request", "r2", day="2023-05-01"), "current", False),  # renewed on the same day or later
        (pair("request", "r2", day="2023-04-30"), "unsure", True),
        (pair("statement", "s1", day="2023-08-01"), "unsure", True),  # a stopped order tells no day of its stop
        (pair("claim", "e1", day=days_ago(89)), "unsure", True),  # its supply still lasts
        (pair("claim", "e1", day=days_ago(90)), "stopped", False),
    ],
)
def test_a_stopped_order_against_what_says_that_it_is_taken(other, state, asked):
    made = of(pair("request", "r1", day="2023-05-01", status="stopped"), other)
    assert (made.entries[0].state, "stopped_and_active" in kinds(made)) == (state, asked)


def test_another_strength_that_was_stopped_is_no_contradiction():
    made = of(pair("request", "r1", TWENTY, status="stopped"), pair("request", "r2", FORTY))
    assert kinds(made) == []
    assert [(line.strength, line.state) for line in made.entries] == [("40 mg", "current"), ("20 mg", "stopped")]


# ---- questions


def test_two_strengths_are_asked_about_with_every_record():
    made = of(pair("request", "r1", TWENTY), pair("claim", "e1", FORTY))
    [question] = made.questions
    assert (question.kind, len(question.entries)) == ("two_strengths", 2)
    assert question.sources == ("ExplanationOfBenefit/e1", "MedicationRequest/r1")


def ordered(ago: int, **more):
    return pair("request", "r1", day=days_ago(ago), **more)


@pytest.mark.parametrize(
    ("records", "asked"),
    [
        ([ordered(90)], False),
        ([ordered(91)], True),
        ([ordered(200), pair("claim", "e1", day=days_ago(90 + 89))], False),
        ([ordered(200), pair("claim", "e1", day=days_ago(90 + 90))], True),
        ([ordered(200), pair("claim", "e1", FORTY, day=days_ago(60))], False),  # filled in another strength
        ([ordered(200, row_otc="otc")], False),  # bought without a claim
    ],
)
def test_an_order_that_nobody_filled_for_90_days(records, asked):
    other = pair("claim", "e9", "metformin 500 MG Oral Tablet", drug="6809")
    assert ("not_filled" in kinds(of(other, *records))) == asked


def test_without_any_fill_in_the_source_not_filled_means_nothing():
    made = of(ordered(200))
    assert (kinds(made), made.fills_known) == ([], False)


def requester(name):
    return {"requester": {"display": name}}


def test_two_prescribers_of_one_drug():
    made = of(
        pair("request", "r1", **requester("Helen Park, MD")), pair("request", "r2", **requester("Samuel Adeyemi, MD"))
    )
    assert kinds(made) == ["two_prescribers"]


def test_one_prescriber_written_in_two_ways_is_one():
    made = of(pair("request", "r1", **requester("Helen Park, MD")), pair("request", "r2", **requester("H. Park")))
    assert kinds(made) == []


def dosage(text):
    return {"dosageInstruction": [{"text": text}]}


def test_two_directions_are_asked_about():
    made = of(
        pair("request", "r1", **dosage("1 tablet daily")), pair("statement", "s1", dosage=[{"text": "2 tablets daily"}])
    )
    assert kinds(made) == ["two_directions"]
    assert "1 tablet daily" in made.questions[0].text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Take 1 tablet by mouth once a day", "1 tablet daily"),
        ("one tablet every day", "1 tab PO QD"),
        ("1 tablet twice daily with meals", "1 tablet 2 times a day with food"),
    ],
)
def test_the_same_directions_in_other_words_are_no_question(one, other):
    assert kinds(of(pair("request", "r1", **dosage(one)), pair("request", "r2", **dosage(other)))) == []


def test_slow_and_plain_tablets_of_one_strength_are_asked_about():
    slow = "metformin hydrochloride 500 MG Extended Release Oral Tablet"
    made = of(
        pair("request", "r1", "metformin 500 MG Oral Tablet", drug="6809"), pair("request", "r2", slow, drug="6809")
    )
    assert (len(made.entries), kinds(made)) == (1, ["two_forms"])


def test_a_drug_that_no_list_knows_is_asked_about():
    made = of(pair("request", "r1", "Wonderpill", drug="text:Wonderpill"))
    assert (made.entries[0].kind, kinds(made)) == ("rx", ["not_recognized"])


# ---- details of a line


def test_why_from_the_reason_else_from_the_condition():
    condition = {
        "resourceType": "Condition",
        "id": "c1",
        "code": {"coding": [{"display": "Pure hypercholesterolemia"}]},
    }
    by_code = pair("request", "r1", reasonCode=[{"text": "high cholesterol"}])
    by_reference = pair("request", "r1", reasonReference=[{"reference": "Condition/c1"}])
    assert of(by_code).entries[0].why == "high cholesterol"
    assert of(by_reference, others=[condition]).entries[0].why == "Pure hypercholesterolemia"
    assert of(pair("request", "r1")).entries[0].why == ""


def test_prescriber_from_the_order_else_from_the_claim():
    doctor = {
        "resourceType": "Practitioner",
        "id": "d1",
        "name": [{"family": "Park", "given": ["Helen"], "suffix": ["MD"]}],
    }
    order = pair("request", "r1", requester={"reference": "Practitioner/d1", "display": "ignored"})
    role = {"coding": [{"code": "prescribing"}]}
    claim = pair(
        "claim",
        "e1",
        careTeam=[{"provider": {"display": "Pharmacy"}}, {"role": role, "provider": {"display": "S. Adeyemi"}}],
    )
    assert of(order, others=[doctor]).entries[0].prescriber == "Helen Park, MD"
    assert of(claim).entries[0].prescriber == "S. Adeyemi"
    assert (
        of(pair("request", "r1", requester={"reference": "Organization/o", "display": "A clinic"}))
        .entries[0]
        .prescriber
        == ""
    )


def test_the_directions_are_the_newest_of_who_says_that_it_is_taken():
    old = pair("request", "r1", day="2023-01-01", **dosage("1 tablet daily"))
    new = pair("request", "r2", day="2023-08-01", **dosage("2 tablets daily"))
    fill = pair("dispense", "d1", day="2023-09-01", **dosage("3 tablets daily"))
    assert of(old, new, fill).entries[0].use == "2 tablets daily."


def test_dates_keep_the_precision_of_their_source():
    made = of(pair("statement", "s1", effectivePeriod={"start": "2021-04"}), pair("claim", "e1", day="2023-08-01"))
    assert (made.entries[0].started, made.entries[0].last_filled) == ("2021-04", "2023-08-01")


def test_spanish_that_is_not_translated_is_told():
    timing = {
        "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
    }
    [line] = of(pair("request", "r1", **dosage("1 tablet daily"))).entries
    assert (line.use_es, line.use_es_translated) == ("1 tablet daily.", False)
    [line] = of(pair("request", "r1", dosageInstruction=[timing])).entries
    assert (line.use_es, line.use_es_translated) == ("Tome 1 tableta una vez al día.", True)


# ---- an earlier review

OWN = "https://w3id.org/mtm-adapter/fhir/CodeSystem/resource-kind"
REVIEWED = {"meta": {"tag": [{"system": OWN, "code": "reviewed-statement"}]}}
PRESCRIBER = "https://w3id.org/mtm-adapter/fhir/StructureDefinition/mtm-prescriber"


def test_what_a_pharmacist_settled_takes_back_an_earlier_stop():
    settled = pair(
        "statement", "s2", day="2023-08-01", **REVIEWED, extension=[{"url": PRESCRIBER, "valueString": "Helen Park"}]
    )
    made = of(stopped(), settled)
    assert (made.entries[0].state, made.entries[0].prescriber, kinds(made)) == ("current", "Helen Park", [])


def test_a_superseded_statement_says_nothing():
    reason = [
        {
            "coding": [
                {"system": "https://w3id.org/mtm-adapter/fhir/CodeSystem/statement-status-reason", "code": "superseded"}
            ]
        }
    ]
    assert of(pair("statement", "s1", status="unknown", statusReason=reason, **REVIEWED)).entries == ()
