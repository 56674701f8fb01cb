from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from datetime import date

import pytest
from fhir.resources.R4B.careplan import CarePlan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapter.resources.care_plan import ENROLLMENT_EXTENSION, enrollment
from adapter.resources.ids import is_own, resource_id
from adapter.targeting.decision import CriterionResult, Evidence

LATER = date(2023, 6, 1)


@pytest.fixture
def plan(decide, program):
    return enrollment(decide(), program, None)


def parts(plan):
    (extension,) = [e for e in plan["extension"] if e["url"] == ENROLLMENT_EXTENSION]
    values = [(p["url"], next(v for k, v in p.items() if k.startswith("value"))) for p in extension["extension"]]
    return {name: [v for n, v in values if n == name] for name, _ in values}


def said(plan):
    return " | ".join(t.strip() for t in etree.fromstring(plan["text"]["div"]).itertext() if t.strip())


# The resource ---------------------------------------------------------------------------------------------------------


def test_it_is_a_valid_r4_care_plan(plan):
    CarePlan.model_validate(plan)


def test_its_id_identifier_and_tag_are_those_of_the_enrollment(plan):
    own_id = resource_id("enrollment", "H1234", "b1", 2023)
    assert plan["id"] == own_id
    assert plan["identifier"] == [
        {"system": "https://w3id.org/mtm-adapter/fhir/NamingSystem/resource", "value": own_id}
    ]
    assert is_own(plan, "enrollment")


def test_it_runs_from_the_day_of_the_decision_to_the_end_of_the_plan_year(plan):
    assert plan["period"] == {"start": "2023-03-05", "end": "2023-12-31"}
    assert plan["created"] == "2023-03-05"


def test_the_extension_tells_what_the_cms_file_asks(plan):
    assert parts(plan) == {
        "contract": ["H1234"],
        "pbp": ["003"],
        "planYear": [2023],
        "program": ["health-partners-2023"],
        "reasonCode": ["03"],
        "criteriaMetOn": ["2023-03-05"],
        "door": ["core", "at_risk"],
    }


def test_parts_that_are_not_known_are_absent_not_empty(decide, program):
    made = enrollment(decide(contract="", pbp="", doors=("snp_adherence",), reason_code="04"), program, None)
    assert set(parts(made)) == {"planYear", "program", "reasonCode", "door"}
    CarePlan.model_validate(made)


def test_only_the_targeted_are_enrolled(decide, program):
    with pytest.raises(ValueError, match="only a targeted"):
        enrollment(decide(outcome="unknown", doors=(), reason_code=""), program, None)


# US Core CarePlan 6.1.0 to 9.0.0, rule by rule (reference/fhir-profiles.md 0.3, 1.1, 1.3) ----------------------------


def test_us_core_text_is_generated_and_has_content(plan):
    assert plan["text"]["status"] in ("generated", "additional")
    assert said(plan)


def test_us_core_status_intent_and_subject(plan):
    assert (plan["status"], plan["intent"]) == ("active", "plan")
    assert plan["subject"] == {"reference": "Patient/b1"}


def test_us_core_up_to_7_exactly_one_category_assess_plan(plan):
    codings = [c for category in plan["category"] for c in category["coding"]]
    system = "http://hl7.org/fhir/us/core/CodeSystem/careplan-category"
    assert [c["code"] for c in codings if c["system"] == system] == ["assess-plan"]


def test_us_core_9_addresses_are_conditions(plan):
    assert plan["addresses"] == [{"reference": "Condition/c1"}, {"reference": "Condition/c2"}]


def test_it_claims_us_core_and_not_the_smp_action_plan(plan):
    assert plan["meta"]["profile"] == ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan"]
    assert "736378000" not in str(plan)


# Evidence -------------------------------------------------------------------------------------------------------------


def test_other_evidence_is_supporting_info_sorted_once_without_the_claims_of_the_cost(plan):
    assert [r["reference"] for r in plan["supportingInfo"]] == [
        "ExplanationOfBenefit/e1",
        "ExplanationOfBenefit/e9",
        "Flag/f1",
        "MedicationDispense/d1",
        "MedicationRequest/m1",
    ]


def test_sources_that_are_no_resources_stand_in_the_narrative(plan):
    references = re.findall(r"'reference': '([^']*)'", str(plan))
    assert not [r for r in references if "?" in r or "roster" in r]
    assert "roster.csv row 4" in said(plan)
    assert "Condition/?" in said(plan)


def test_without_evidence_there_are_no_empty_lists(decide, program):
    made = enrollment(decide(criteria=(CriterionResult("at_risk", "met", "", ""),)), program, None)
    assert "addresses" not in made
    assert "supportingInfo" not in made
    CarePlan.model_validate(made)


def test_the_narrative_reads(plan):
    assert said(plan).split(" | ") == [
        "Enrolled in Medication Therapy Management for 2023, from 2023-03-05 to 2023-12-31."
        " Program: Health Partners Medicare MTM program 2023 (health-partners-2023, version 2023.1).",
        "Reason for the enrollment:",
        "Meets the CMS criteria: chronic diseases, covered Part D drugs and yearly drug cost",
        "At-risk beneficiary under a drug management program",
        "Criteria at the latest screening:",
        "Chronic diseases: met; found 3, required at least 3",
        "diabetes: E11.9 Type 2 diabetes (and 1 more)",
        "hypertension: I10 Hypertension",
        "copd: J44.9 COPD",
        "asthma: J45.909 Asthma [Condition/?]",
        "Covered Part D drugs: met; found 8, required at least 7",
        "metformin: metformin 500 MG",
        "Yearly cost of covered Part D drugs: met; found $5,012.30, required more than $4,935.00; from 2 claims",
        "At-risk beneficiary: met; found AR, required AR",
        "AR: on the roster (and 1 more) [roster.csv row 4]",
        "Drug of an adherence measure: met; found statins, required any",
        "statins: atorvastatin",
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(text=st.text(st.characters(), max_size=30))
def test_any_text_gives_a_valid_resource(decide, program, text):
    criteria = (CriterionResult("at_risk", "met", text, text, (Evidence(text, text, text),)),)
    CarePlan.model_validate(enrollment(decide(criteria=criteria, contract=text), program, None))


# What the server holds ------------------------------------------------------------------------------------------------


def test_a_second_run_gives_the_same_resource_on_any_later_day(decide, program, plan):
    stored = {**deepcopy(plan), "meta": {**plan["meta"], "versionId": "1", "lastUpdated": "2023-03-05T10:00:00Z"}}
    assert enrollment(decide(as_of=LATER), program, stored) == stored


@pytest.mark.parametrize("status", ["revoked", "completed", "entered-in-error", "on-hold", "unknown"])
def test_an_enrollment_that_is_not_active_is_left_alone(decide, program, plan, status):
    held = {**plan, "status": status}
    assert enrollment(decide(as_of=LATER, pbp="004"), program, held) is held


def test_changed_facts_change_the_plan_but_not_its_dates(decide, program, plan):
    made = enrollment(decide(as_of=LATER, pbp="004", criteria=()), program, plan)
    assert made["period"] == plan["period"]
    assert made["created"] == plan["created"]
    assert parts(made)["pbp"] == ["004"]
    assert parts(made)["criteriaMetOn"] == ["2023-03-05"]
    assert "addresses" not in made


def test_what_others_added_stays(decide, program, plan):
    held = deepcopy(plan)
    theirs = {
        "activity": [{"detail": {"status": "scheduled"}}],
        "note": [{"text": "call after noon"}],
        "goal": [{"reference": "Goal/1"}],
        "careTeam": [{"reference": "CareTeam/1"}],
        "contributor": [{"reference": "Practitioner/1"}],
    }
    held.update(theirs)
    held["subject"]["display"] = "shown"
    held["addresses"][0]["display"] = "Diabetes"
    held["extension"].insert(0, {"url": "http://example.org/x", "valueString": "x"})
    held["extension"][1]["extension"].append({"url": "optOutReason", "valueCode": "03"})
    assert enrollment(decide(as_of=LATER), program, held) == held


def test_an_end_that_somebody_set_earlier_stays(decide, program, plan):
    held = {**plan, "period": {"start": "2023-03-05", "end": "2023-08-31"}}
    assert enrollment(decide(as_of=LATER), program, held)["period"]["end"] == "2023-08-31"


@pytest.mark.parametrize(
    ("before", "now", "reason", "met_on"),
    [
        ("04", "04", "04", None),
        ("04", "01", "01", "2023-06-01"),
        ("01", "04", "01", "2023-03-05"),
        ("01", "02", "03", "2023-03-05"),
        ("03", "01", "03", "2023-03-05"),
    ],
)
def test_cms_criteria_once_met_stay_met_for_the_year(decide, program, before, now, reason, met_on):
    held = enrollment(decide(reason_code=before), program, None)
    made = parts(enrollment(decide(reason_code=now, as_of=LATER), program, held))
    assert made["reasonCode"] == [reason]
    assert made.get("criteriaMetOn") == ([met_on] if met_on else None)


def test_doors_add_up_over_the_year_in_a_fixed_order(decide, program):
    held = enrollment(decide(doors=("snp_adherence",)), program, None)
    assert parts(enrollment(decide(doors=("core",)), program, held))["door"] == ["core", "snp_adherence"]


def test_another_contract_is_another_enrollment(decide, program):
    first, second = (enrollment(replace(decide(), contract=contract), program, None) for contract in ("H1234", "H9999"))
    assert first["id"] != second["id"]
