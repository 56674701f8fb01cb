"""The resources of a review: SMP and US Core rule by rule (reference/fhir-profiles.md 0 and 1.1), superseding, and writing twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from adapter.fhir.conformance import validate
from adapter.resources.action_plan import ToDo
from adapter.resources.definitions import definitions
from adapter.resources.detected_issue import Mitigation, Problem, detected_issue
from adapter.resources.ids import RESOURCE_KIND, reference_to
from adapter.resources.review import ReviewProblem, keys
from adapter.resources.review_note import Printed
from adapter.resources.reviewed_allergy import ToldAllergy
from tests.unit.resources.reviews import (
    BASE,
    FOUND,
    HERBAL,
    LATER,
    NOW,
    PATIENT,
    REVIEW,
    STATIN,
    every,
    only,
    with_,
    write,
)

SMP, US_CORE = "http://hl7.org/fhir/us/smp/StructureDefinition/", "http://hl7.org/fhir/us/core/StructureDefinition/"
PDF = Printed("JVBERi0=", "aGFzaA==", 5)


@pytest.fixture(scope="module")
def made():
    return write()


def of_document(made):
    return {entry["resource"]["resourceType"]: entry["resource"] for entry in only(made, "Bundle")["entry"]}


def test_everything_is_valid_r4_and_has_an_id_of_its_own(made):
    for resource in made.resources:
        validate(resource)
    assert len({reference_to(one) for one in made.resources}) == len(made.resources) == 11
    assert {tag["code"] for one in made.resources for tag in one["meta"]["tag"]} == {
        "reviewer", "reviewed-statement", "reviewed-list", "detected-issue", "action-plan", "reviewed-allergy", "cmr",
        "review-composition", "review-document", "review-note",
    }  # fmt: skip
    assert {reference_to(one) for one in made.resources} <= set(keys(REVIEW))


# ---- the list and its statements: SMP 1.0.0


def test_the_list_is_the_reconciled_one_and_the_persons(made):
    codes = [coding["code"] for coding in only(made, "List")["code"]["coding"]]
    assert codes == ["104203-5", "10160-0"]


def test_the_source_of_the_list_is_the_pharmacist(made):
    reference = only(made, "List")["source"]["reference"]
    assert reference == reference_to(only(made, "Practitioner"))


def test_entries_of_a_snapshot_have_no_date_and_lead_to_smp_statements(made):
    listed = only(made, "List")
    assert listed["mode"] == "snapshot"
    statements = {reference_to(one): one for one in every(made, "MedicationStatement")}
    for entry in listed["entry"]:
        assert "date" not in entry
        assert statements[entry["item"]["reference"]]["meta"]["profile"] == [f"{SMP}smp-medicationstatement"]


def test_a_drug_that_was_stopped_has_a_statement_and_no_entry(made):
    assert [entry["item"]["display"] for entry in only(made, "List")["entry"]] == ["atorvastatin 20 mg tablet"]
    [stopped] = [one for one in every(made, "MedicationStatement") if one["status"] == "stopped"]
    assert stopped["effectivePeriod"] == {"end": "2023-10-12"}
    assert stopped["statusReason"] == [{"text": "It weakens others."}]


def test_without_drugs_nil_is_known_because_somebody_asked():
    listed = only(write(with_(drugs=(), problems=())), "List")
    assert "entry" not in listed
    assert listed["emptyReason"]["coding"][0]["code"] == "nilknown"


def test_a_statement_tells_what_the_papers_print(made):
    statement = every(made, "MedicationStatement")[0]
    assert statement["medicationCodeableConcept"]["text"] == "atorvastatin 20 mg tablet"
    assert statement["dosage"] == [{"text": "Take 1 tablet at bedtime."}]
    assert statement["reasonCode"] == [{"text": "cholesterol"}]
    assert [one["valueString"] for one in statement["extension"]] == ["Helen Park, MD"]
    assert statement["effectivePeriod"] == {"start": "2021-04"}
    assert statement["dateAsserted"] == "2023-10-12"
    assert [one["reference"] for one in statement["derivedFrom"]] == ["ExplanationOfBenefit/e1", "MedicationRequest/r1"]


def test_informed_by_the_practitioner_never_by_an_organization(made):
    assert {one["informationSource"]["reference"].partition("/")[0] for one in every(made, "MedicationStatement")} == {
        "Practitioner"
    }


def test_every_statement_has_an_effective_time():
    """IPS asks for effective[x]; the day of the review is what is known when nothing else is."""
    [statement] = every(write(with_(drugs=(replace(STATIN, started=""),), problems=())), "MedicationStatement")
    assert statement["effectiveDateTime"] == "2023-10-12"


def test_the_prescriber_is_told_as_its_definition_says(made):
    [definition] = [one for one in definitions() if one["id"] == "mtm-prescriber"]
    [extension] = every(made, "MedicationStatement")[0]["extension"]
    assert extension["url"] == definition["url"]
    [value] = [one for one in definition["differential"]["element"] if one["id"] == "Extension.value[x]"]
    assert (value["type"], set(extension)) == ([{"code": "string"}], {"url", "valueString"})


def test_adherence_is_pre_adopted_where_it_was_talked_about():
    [statement] = every(
        write(with_(drugs=(replace(STATIN, adherence="taking-as-directed"),), problems=())), "MedicationStatement"
    )
    [adherence] = [one for one in statement["extension"] if "adherence" in one["url"]]
    assert adherence["url"] == "http://hl7.org/fhir/5.0/StructureDefinition/extension-MedicationStatement.adherence"
    assert adherence["extension"][0]["valueCodeableConcept"]["coding"][0]["code"] == "taking-as-directed"


# ---- the action plan: SMP CI build of 2026-05


def test_the_plan_has_both_categories_with_their_exact_displays(made):
    codings = [category["coding"][0] for category in only(made, "CarePlan")["category"]]
    assert codings == [
        {
            "system": "http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "code": "assess-plan",
            "display": "Assessment and Plan of Treatment",
        },
        {"system": "http://snomed.info/sct", "code": "736378000", "display": "Medication management plan (record artifact)"},
    ]  # fmt: skip


def test_the_plan_is_a_plan_by_the_pharmacist_with_a_generated_text(made):
    plan = only(made, "CarePlan")
    assert (plan["intent"], plan["status"], plan["text"]["status"]) == ("plan", "active", "generated")
    assert plan["author"]["reference"] == reference_to(only(made, "Practitioner"))


def test_one_activity_for_each_action_in_their_order(made):
    details = [activity["detail"] for activity in only(made, "CarePlan")["activity"]]
    assert [(one["code"]["text"], one["description"]) for one in details] == [
        ("Your herbal product", "Stop it."),
        ("Your herbal product", "Tell your pharmacist."),
        ("Your cholesterol", "Have it tested."),
    ]


def test_with_a_problem_the_plan_is_smp_and_rests_on_detected_issues_only(made):
    plan = only(made, "CarePlan")
    assert plan["meta"]["profile"] == [f"{SMP}smp-medication-action-plan", f"{US_CORE}us-core-careplan"]
    assert [one["reference"] for one in plan["supportingInfo"]] == [reference_to(only(made, "DetectedIssue"))]
    assert made.smp


def test_without_a_problem_the_plan_is_us_core_only_and_says_so():
    made = write(with_(problems=()))
    plan = only(made, "CarePlan")
    assert plan["meta"]["profile"] == [f"{US_CORE}us-core-careplan"]
    assert "supportingInfo" not in plan
    for kind in ("Composition", "Bundle"):
        assert "profile" not in only(made, kind)["meta"]
    assert not made.smp
    assert "at least one DetectedIssue" in made.notices[0]


def test_a_plan_corrected_to_have_no_problem_claims_smp_no_more(made):
    again = write(with_(problems=()), *made.resources)
    assert only(again, "CarePlan")["meta"]["profile"] == [f"{US_CORE}us-core-careplan"]
    for kind in ("Composition", "Bundle"):
        assert "profile" not in only(again, kind)["meta"]


def test_a_problem_is_about_smp_statements_and_the_pharmacists(made):
    issue = only(made, "DetectedIssue")
    stopped = next(one for one in every(made, "MedicationStatement") if one["status"] == "stopped")
    assert issue["implicated"] == [{"reference": reference_to(stopped)}]
    assert issue["author"]["reference"] == reference_to(only(made, "Practitioner"))
    assert issue["meta"]["profile"] == [f"{SMP}smp-medication-action-plan-detected-issue"]
    assert issue["mitigation"][0]["date"] == "2023-10-12"
    assert issue["status"] == "final"


# ---- proposals of the rules

PROPOSED = detected_issue(
    Problem("No statin", "Diabetes without a statin.", "moderate", rule="diabetes_without_statin"), beneficiary="p1", contract="H1234",
    plan_year=2023, identified="2023-10-01",
)  # fmt: skip


def test_a_proposal_that_is_taken_over_gets_an_author_and_stands():
    made = write(
        with_(problems=(ReviewProblem(proposal=PROPOSED["id"], drugs=(STATIN.key,), mitigations=(Mitigation("5"),)),)),
        PROPOSED,
    )
    issue = only(made, "DetectedIssue")
    assert (issue["id"], issue["status"], issue["identifiedDateTime"]) == (PROPOSED["id"], "final", "2023-10-01")
    assert issue["implicated"][0]["reference"].startswith("MedicationStatement/")
    assert made.smp


def test_a_proposal_that_is_dismissed_supports_nothing():
    made = write(with_(problems=(ReviewProblem(proposal=PROPOSED["id"], dismissed=True),)), PROPOSED)
    issue = only(made, "DetectedIssue")
    assert issue["status"] == "cancelled"
    assert "supportingInfo" not in only(made, "CarePlan")
    assert "DetectedIssue" not in of_document(made)
    assert not made.smp


# ---- the document


def test_bdl_9_10_11_identifier_timestamp_and_the_composition_first(made):
    document = only(made, "Bundle")
    assert document["type"] == "document"
    assert document["identifier"]["system"].startswith("https://w3id.org/mtm-adapter/fhir/")
    assert document["identifier"]["value"] == document["id"]
    assert document["timestamp"] == NOW
    assert document["entry"][0]["resource"]["resourceType"] == "Composition"
    assert document["meta"]["profile"] == [f"{SMP}smp-medication-action-plan-bundle"]


def test_one_composition_one_patient_one_list_and_nothing_of_a_search_or_transaction(made):
    kinds = [entry["resource"]["resourceType"] for entry in only(made, "Bundle")["entry"]]
    assert [kinds.count(kind) for kind in ("Composition", "Patient", "List")] == [1, 1, 1]
    assert {name for entry in only(made, "Bundle")["entry"] for name in entry} == {"fullUrl", "resource"}


def test_every_address_is_absolute_and_every_reference_leads_inside(made):
    entries = only(made, "Bundle")["entry"]
    addresses = {entry["fullUrl"] for entry in entries}
    assert addresses == {f"{BASE}/{reference_to(entry['resource'])}" for entry in entries}
    for entry in entries:
        for reference in references(entry["resource"]):
            assert reference.startswith("#") or f"{BASE}/{reference}" in addresses


def references(value):
    if isinstance(value, dict):
        found = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return found + [one for inner in value.values() for one in references(inner)]
    return [one for inner in value for one in references(inner)] if isinstance(value, list) else []


def test_what_lies_outside_is_named_and_not_pointed_at(made):
    patient = of_document(made)["Patient"]
    assert patient["managingOrganization"] == {
        "type": "Organization",
        "identifier": {"system": BASE, "value": "Organization/o1"},
    }
    procedure = of_document(made)["Procedure"]
    assert procedure["basedOn"][0]["identifier"]["value"] == "mtm-enrollment"


def test_an_absolute_reference_to_the_same_server_leads_inside():
    absolute = PATIENT | {"link": [{"other": {"reference": f"{BASE}/Patient/p1/_history/3"}, "type": "seealso"}]}
    assert of_document(write(patient=absolute))["Patient"]["link"][0]["other"]["reference"] == "Patient/p1"


def test_lineage_stays_in_the_stored_statement_and_out_of_the_document(made):
    inside = [
        entry["resource"]
        for entry in only(made, "Bundle")["entry"]
        if entry["resource"]["resourceType"] == "MedicationStatement"
    ]
    assert not [one for one in inside if "derivedFrom" in one]
    assert [one for one in every(made, "MedicationStatement") if "derivedFrom" in one]


def test_every_entry_and_every_section_has_a_narrative(made):
    for entry in only(made, "Bundle")["entry"]:
        assert entry["resource"]["text"]["div"].startswith("<div")
    for section in only(made, "Composition")["section"]:
        assert section["text"]["status"] == "generated"


def test_the_patient_of_the_document_has_nothing_of_the_server(made):
    versioned = PATIENT | {
        "meta": {"versionId": "7", "lastUpdated": "2023-01-01T00:00:00Z", "source": "#x", "profile": ["b", "a"]}
    }
    assert of_document(write(patient=versioned))["Patient"]["meta"] == {"profile": ["a", "b"]}


def test_in_a_folder_no_server_gives_the_addresses():
    document = only(write(base_url=""), "Bundle")
    assert {entry["fullUrl"].rsplit("/", 2)[0] for entry in document["entry"]} == {
        "https://w3id.org/mtm-adapter/fhir/folder"
    }


def test_the_composition_has_its_type_attester_and_sections(made):
    composition = only(made, "Composition")
    assert composition["type"]["coding"] == [
        {"system": "http://loinc.org", "code": "80797-4", "display": "Pharmacology Plan of care note"}
    ]
    assert composition["attester"][0]["mode"] == "professional"
    assert (
        composition["attester"][0]["party"]
        == composition["author"][0]
        == {"reference": reference_to(only(made, "Practitioner"))}
    )
    codes = {section["title"]: section.get("code", {}).get("coding", [{}])[0] for section in composition["section"]}
    assert codes["Recommended To-Do List"]["display"] == "Medication management plan (record artifact)"
    assert codes["Personal Medication List"]["code"] == "10160-0"
    assert "Summary as printed" not in codes
    assert composition["meta"]["profile"] == [f"{SMP}smp-map-composition"]


@pytest.mark.parametrize(
    "patient", [{"name": []}, {"identifier": [{"value": "p1"}]}, {"name": [{"text": "Ana Rivera"}]}]
)
def test_a_patient_without_what_us_core_asks_makes_no_smp_document(patient):
    made = write(patient=PATIENT | patient)
    assert "profile" not in only(made, "Bundle")["meta"]
    assert "the Patient has no identifier" in made.notices[0]


def test_allergies_not_gone_through_are_said_to_be_so():
    told = write(with_(allergies_confirmed=False))
    [section] = [one for one in only(told, "Composition")["section"] if one["title"] == "Allergies and side effects"]
    assert "not gone through" in section["text"]["div"]


def test_allergies_on_record_stand_in_the_document_and_are_not_written():
    known = {
        "resourceType": "AllergyIntolerance", "id": "a1", "patient": {"reference": "Patient/p1"}, "code": {"text": "latex"},
        "clinicalStatus": {"coding": [{"code": "active"}]},
    }  # fmt: skip
    over = known | {"id": "a2", "clinicalStatus": {"coding": [{"code": "resolved"}]}}
    made = write(REVIEW, known, over)
    assert [one["code"]["text"] for one in every(made, "AllergyIntolerance")] == ["penicillin"]
    inside = [entry["resource"]["id"] for entry in only(made, "Bundle")["entry"]]
    assert ("a1" in inside, "a2" in inside) == (True, False)


def test_no_known_allergy_is_recorded_as_such():
    allergy = only(write(with_(allergies=(ToldAllergy(""),))), "AllergyIntolerance")
    assert allergy["code"]["coding"][0]["code"] == "716186003"


# ---- the note


def test_the_note_has_its_exact_type_and_an_organization_as_author(made):
    note = only(made, "DocumentReference")
    assert note["type"]["coding"] == [
        {"system": "http://loinc.org", "code": "70006-2", "display": "Medication Management Note"}
    ]
    assert note["category"][0]["coding"][0]["code"] == "clinical-note"
    assert (note["author"], note["contained"][0]["resourceType"]) == ([{"reference": "#organization"}], "Organization")
    assert note["meta"]["profile"] == [f"{SMP}smp-bundle-documentreference"]


def test_the_note_points_at_the_document(made):
    [content] = only(made, "DocumentReference")["content"]
    assert content["attachment"]["url"] == reference_to(only(made, "Bundle"))
    assert content["attachment"]["contentType"] == "application/fhir+json"
    assert content["attachment"]["creation"] == NOW


def test_the_printed_summary_stands_first_and_in_a_section_of_its_own():
    made = write(with_(pdf=PDF))
    printed = only(made, "DocumentReference")["content"][0]["attachment"]
    assert (printed["data"], printed["hash"], printed["size"], printed["contentType"]) == (
        "JVBERi0=",
        "aGFzaA==",
        5,
        "application/pdf",
    )
    [section] = [one for one in only(made, "Composition")["section"] if one["title"] == "Summary as printed"]
    assert section["code"]["coding"][0]["code"] == "80797-4"
    assert "DocumentReference" in of_document(made)


def test_a_summary_once_there_stays_without_being_given_again():
    made = write(with_(pdf=PDF))
    assert write(REVIEW, *made.resources, recorded=LATER).resources == made.resources


# ---- twice, corrected, and superseding


def test_the_same_review_again_is_the_same_whenever_it_is_written(made):
    assert write(REVIEW, *made.resources, recorded=LATER).resources == made.resources
    assert write(REVIEW, *made.resources, recorded=LATER).earlier == ()


def test_what_others_added_stays(made):
    plan = only(made, "CarePlan") | {"note": [{"text": "seen"}]}
    others = [one for one in made.resources if one["resourceType"] != "CarePlan"]
    assert only(write(REVIEW, *others, plan), "CarePlan")["note"] == [{"text": "seen"}]


def test_a_corrected_review_is_dated_anew_and_a_lost_drug_is_withdrawn(made):
    again = write(with_(drugs=(STATIN,), problems=()), *made.resources, recorded=LATER)
    assert only(again, "Bundle")["timestamp"] == LATER
    assert not [one for one in again.earlier if one["status"] == "stopped"]  # that it is stopped is still so
    gone = write(with_(drugs=(HERBAL,), problems=()), *made.resources, recorded=LATER)
    [withdrawn] = [one for one in gone.earlier if one["resourceType"] == "MedicationStatement"]
    assert withdrawn["statusReason"][0]["coding"][0]["code"] == "superseded"


NEXT = with_(service=replace(REVIEW.service, on_day=date(2023, 11, 20)), drugs=(STATIN,), problems=(), allergies=())


def test_an_earlier_review_is_superseded_and_not_deleted(made):
    after = write(NEXT, *made.resources)
    earlier = {one["resourceType"]: one for one in after.earlier}
    assert {kind: one["status"] for kind, one in earlier.items()} == {
        "List": "retired", "MedicationStatement": "unknown", "CarePlan": "completed", "DocumentReference": "superseded",
    }  # fmt: skip
    [new] = every(after, "MedicationStatement")
    assert reference_to(new) in earlier["MedicationStatement"]["statusReason"][0]["text"]
    assert only(after, "CarePlan")["replaces"] == [{"reference": reference_to(only(made, "CarePlan"))}]
    for one in after.earlier:
        validate(one)


def test_superseding_happens_once(made):
    after = write(NEXT, *made.resources)
    state = {reference_to(one): one for one in (*made.resources, *after.resources, *after.earlier)}
    again = write(NEXT, *state.values(), recorded=LATER)
    assert (again.resources, again.earlier) == (after.resources, ())


def own(kind, **more):
    return {"meta": {"tag": [{"system": RESOURCE_KIND, "code": kind}]}} | more


def test_the_list_before_a_review_and_its_derived_statements_are_superseded():
    listed = own("medication-list", resourceType="List", id="mtm-l", status="current", mode="snapshot")
    derived = own("medication-statement", resourceType="MedicationStatement", id="mtm-s", status="unknown") | {
        "derivedFrom": [{"reference": "MedicationRequest/r1"}], "subject": {"reference": "Patient/p1"},
    }  # fmt: skip
    theirs = {
        "resourceType": "MedicationStatement",
        "id": "s1",
        "status": "active",
        "subject": {"reference": "Patient/p1"},
    }
    made = write(REVIEW, listed, derived, theirs)
    after = {one["id"]: one for one in made.earlier}
    assert set(after) == {"mtm-l", "mtm-s"}
    assert after["mtm-l"]["status"] == "retired"
    assert reference_to(every(made, "MedicationStatement")[0]) in after["mtm-s"]["statusReason"][0]["text"]


def test_lists_and_plans_of_others_are_left_alone():
    theirs = [
        {"resourceType": "List", "id": "l1", "status": "current"},
        {"resourceType": "CarePlan", "id": "c1", "status": "active"},
        own("enrollment", resourceType="CarePlan", id="mtm-e", status="active"),
        {"resourceType": "DocumentReference", "id": "d1", "status": "current"},
    ]
    assert write(REVIEW, *theirs).earlier == ()


# ---- the pharmacist


def test_the_pharmacist_is_a_us_core_practitioner_with_npi(made):
    person = only(made, "Practitioner")
    assert person["identifier"][0] == {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}
    assert person["name"] == [
        {"family": "Whitfield", "given": ["Dana"], "suffix": ["PharmD"], "text": "Dana Whitfield, PharmD"}
    ]
    assert person["meta"]["profile"] == [f"{US_CORE}us-core-practitioner"]


def test_a_practitioner_whom_the_server_holds_is_used_and_not_written():
    known = {
        "resourceType": "Practitioner",
        "id": "rx7",
        "identifier": [{"system": "s", "value": "1"}],
        "name": [{"family": "Whitfield"}],
    }
    made = write(with_(known_reviewer="Practitioner/rx7"), known)
    assert every(made, "Practitioner") == []
    assert only(made, "List")["source"] == {"reference": "Practitioner/rx7"}
    assert of_document(made)["Practitioner"]["text"]["div"]


def test_one_pharmacist_is_one_practitioner_whatever_the_person_and_year(made):
    other = with_(service=replace(REVIEW.service, beneficiary="p2", plan_year=2024, contract="H9999"))
    assert only(write(other, patient=PATIENT | {"id": "p2"}), "Practitioner")["id"] == only(made, "Practitioner")["id"]


# ---- the CMR


def test_the_cmr_is_a_procedure_of_the_enrollment_by_the_pharmacist(made):
    procedure = only(made, "Procedure")
    assert procedure["code"]["coding"][0]["code"] == "428911000124108"
    assert procedure["basedOn"] == [{"reference": "CarePlan/mtm-enrollment"}]
    assert procedure["performer"][0]["actor"] == {"reference": reference_to(only(made, "Practitioner"))}


def test_no_name_of_the_person_stands_in_what_is_not_of_a_person(made):
    for one in made.resources:
        if one["resourceType"] != "Bundle":
            assert "Rivera" not in str(one)


def test_equal_topics_keep_their_order_and_an_empty_plan_says_so():
    plan = only(write(with_(to_do=(), problems=())), "CarePlan")
    assert "activity" not in plan
    assert "nothing to do" in plan["text"]["div"]
    plan = only(write(with_(to_do=(ToDo("A", ("1",)), ToDo("B", ("2",)), ToDo("A", ("3",))))), "CarePlan")
    assert [one["detail"]["description"] for one in plan["activity"]] == ["1", "2", "3"]


def test_a_problem_found_keeps_its_own_facts(made):
    issue = only(made, "DetectedIssue")
    assert (issue["code"]["coding"][0]["code"], issue["code"]["text"], issue["detail"]) == (
        "DRG",
        FOUND.title,
        FOUND.detail,
    )
