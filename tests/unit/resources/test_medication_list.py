from __future__ import annotations

from copy import deepcopy
from datetime import date

import pytest
from fhir.resources.R4B.list import List
from fhir.resources.R4B.medicationstatement import MedicationStatement

from adapter.resources.ids import reference_to, resource_id, tag
from adapter.resources.medication_list import medication_list

DAY, LATER = date(2023, 3, 5), date(2023, 6, 1)


def make(drugs, held=(), as_of=DAY, **changes):
    owner = {"beneficiary": "b1", "contract": "H1234", "plan_year": 2023} | changes
    by_key = {str(number): resource for number, resource in enumerate(held)}
    made = medication_list(drugs, **owner, as_of=as_of, held=by_key)
    for resource in made:
        {"List": List, "MedicationStatement": MedicationStatement}[resource["resourceType"]].model_validate(resource)
    return made


def own_reference(name, contract="H1234", year=2023):
    return "MedicationStatement/" + resource_id("medication-statement", contract, "b1", year, f"text:{name}")


def listed(made):
    return [entry["item"]["reference"] for entry in made[0].get("entry", [])]


def names(made):
    return [entry["item"]["display"] for entry in made[0]["entry"]]


# The list -------------------------------------------------------------------------------------------------------------


def test_the_list_is_an_active_medication_list_in_loinc_with_the_older_code_second(drug):
    code = make([drug()])[0]["code"]
    assert [(c["system"], c["code"], c["display"]) for c in code["coding"]] == [
        ("http://loinc.org", "104202-7", "Active medication list [Identifier] Episode Pharmacy"),
        ("http://loinc.org", "10160-0", "History of Medication use Narrative"),
    ]


def test_the_list_is_a_current_snapshot_of_the_person(drug):
    made = make([drug()])[0]
    assert (made["status"], made["mode"], made["date"]) == ("current", "snapshot", "2023-03-05")
    assert made["subject"] == {"reference": "Patient/b1"}
    assert made["id"] == resource_id("medication-list", "H1234", "b1", 2023)
    assert made["meta"]["tag"] == [tag("medication-list")]


def test_lst_3_a_snapshot_has_no_entry_dates(drug):
    assert all("date" not in entry for entry in make([drug()])[0]["entry"])


def test_lst_1_an_empty_reason_only_without_entries(drug):
    assert "emptyReason" not in make([drug()])[0]
    empty = make([])[0]
    assert "entry" not in empty
    assert empty["emptyReason"]["coding"][0]["code"] == "notasked"


def test_smp_list_is_not_claimed_before_a_review_for_it_has_no_practitioner_as_source(drug):
    made = make([drug()])[0]
    assert "source" not in made
    assert "profile" not in made["meta"]


def test_the_list_comes_first_as_smp_bundles_want_it(drug):
    assert [r["resourceType"] for r in make([drug(), drug("lisinopril")])] == ["List"] + 2 * ["MedicationStatement"]


def test_prescription_drugs_by_name_then_otc_then_supplements_then_unknown(drug):
    kinds = {"zinc": "mineral", "aspirin": "otc", "Warfarin": "rx", "amlodipine": "rx", "garlic": "herbal"}
    kinds |= {"levothyroxine": "both", "biotin": "vitamin", "qqq": "unknown", "fish oil": "other_supplement"}
    drugs = [drug(name, kind=kind) for name, kind in kinds.items()]
    expected = "amlodipine levothyroxine Warfarin aspirin biotin fish-oil garlic zinc qqq".replace("-", "_").split()
    assert [name.replace(" ", "_") for name in names(make(drugs))] == expected
    assert make(drugs) == make(drugs[::-1])


# Its items ------------------------------------------------------------------------------------------------------------


def test_an_existing_statement_is_referenced_and_not_written(drug):
    made = make([drug(statement="MedicationStatement/s1", sources=("MedicationStatement/s1",))])
    assert listed(made) == ["MedicationStatement/s1"]
    assert len(made) == 1


def test_two_drugs_of_one_statement_are_one_entry(drug):
    assert listed(
        make([drug("a", statement="MedicationStatement/s1"), drug("b", statement="MedicationStatement/s1")])
    ) == ["MedicationStatement/s1"]


def test_a_drug_known_from_other_records_gets_a_statement(drug):
    made = make([drug(sources=("ExplanationOfBenefit/e1", "MedicationRequest/r1"))])
    assert listed(made) == [own_reference("metformin")] == [reference_to(made[1])]
    assert [r["reference"] for r in made[1]["derivedFrom"]] == ["ExplanationOfBenefit/e1", "MedicationRequest/r1"]


def test_a_statement_without_id_cannot_be_referenced_so_one_is_made(drug):
    made = make([drug(statement="MedicationStatement/?", sources=("MedicationStatement/?",))])
    assert listed(made) == [own_reference("metformin")]
    assert "derivedFrom" not in made[1]


# The second run -------------------------------------------------------------------------------------------------------


def stored(resources):
    """As a server holds them: with versions."""
    return [
        {**deepcopy(r), "meta": {**r["meta"], "versionId": "1", "lastUpdated": "2023-03-05T00:00:00Z"}}
        for r in resources
    ]


def test_a_second_run_on_a_later_day_changes_nothing(drug):
    drugs = [
        drug(),
        drug("aspirin", kind="otc", sources=("ExplanationOfBenefit/e1",)),
        drug("x", statement="MedicationStatement/s"),
    ]
    held = stored(make(drugs))
    assert make(drugs, held, LATER) == held


def test_an_empty_list_too(drug):
    held = stored(make([]))
    assert make([], held, LATER) == held


def test_the_own_statement_read_back_as_a_source_changes_nothing(drug):
    """State lives in FHIR: the next run reads the derived statement with everything else."""
    held = stored(make([drug()]))
    own = own_reference("metformin")
    again = [drug(statement=own, sources=("MedicationRequest/r1", own))]
    assert make(again, held, LATER) == held


def test_a_derived_statement_is_no_evidence_for_itself(drug):
    held = stored(make([drug()]))
    own = own_reference("metformin")
    made = make([drug(statement=own, sources=(own,))], held, LATER)
    assert listed(made) == []
    assert made[1]["status"] == "completed"


def test_nor_is_one_of_last_year_or_another_contract(drug):
    last_year = stored(make([drug()], plan_year=2022))
    before = own_reference("metformin", year=2022)
    made = make([drug(statement=before, sources=(before,))], last_year)
    assert listed(made) == []
    assert len(made) == 1
    made = make([drug(statement=before, sources=("MedicationRequest/r1", before))], last_year)
    assert listed(made) == [own_reference("metformin")]
    assert made[1]["derivedFrom"] == [{"reference": "MedicationRequest/r1"}]


def test_a_new_drug_dates_the_list_anew_but_not_the_other_statement(drug):
    held = stored(make([drug()]))
    made = make([drug(), drug("lisinopril")], held, LATER)
    assert made[0]["date"] == "2023-06-01"
    assert {r["id"]: r["dateAsserted"] for r in made[1:]} == {
        own_reference("metformin").partition("/")[2]: "2023-03-05",
        own_reference("lisinopril").partition("/")[2]: "2023-06-01",
    }


def test_what_others_added_to_the_list_stays(drug):
    held = stored(make([drug()]))
    held[0] |= {"note": [{"text": "theirs"}], "source": {"reference": "Practitioner/1"}}
    held[0]["subject"]["display"] = "shown"
    assert make([drug()], held, LATER) == held


@pytest.mark.parametrize("status", ["retired", "entered-in-error"])
def test_a_list_that_a_review_superseded_is_left_alone(drug, status):
    held = stored(make([drug()]))
    held[0]["status"] = status
    assert make([drug(), drug("lisinopril")], held, LATER) == held[:1]


# Drugs that are gone --------------------------------------------------------------------------------------------------


def test_the_statement_of_a_drug_no_longer_listed_is_completed_and_says_why(drug):
    held = stored(make([drug(), drug("lisinopril")]))
    made = make([drug()], held, LATER)
    gone = made[-1]
    assert reference_to(gone) == own_reference("lisinopril")
    assert (gone["status"], gone["dateAsserted"]) == ("completed", "2023-06-01")
    assert gone["statusReason"][0]["coding"][0]["code"] == "no-longer-listed"
    assert listed(made) == [own_reference("metformin")]


def test_after_that_there_is_nothing_more_to_do(drug):
    first = stored(make([drug(), drug("lisinopril")]))
    second = stored(make([drug()], first, LATER))
    assert make([drug()], second, LATER) == second[:2]


def test_a_drug_that_comes_back_is_current_again(drug):
    drugs = [drug(), drug("lisinopril")]
    first = stored(make(drugs))
    held = stored(make([drug()], first, LATER))
    back = next(r for r in make(drugs, held, LATER) if reference_to(r) == own_reference("lisinopril"))
    assert back["status"] == "active"
    assert "statusReason" not in back


def test_a_statement_that_somebody_made_since_takes_the_place_of_the_derived_one(drug):
    held = stored(make([drug()]))
    made = make([drug(statement="MedicationStatement/s1", sources=("MedicationStatement/s1",))], held, LATER)
    assert listed(made) == ["MedicationStatement/s1"]
    assert made[1]["status"] == "unknown"  # not completed: the drug is still taken
    assert made[1]["statusReason"][0]["coding"][0]["code"] == "superseded"
    assert "MedicationStatement/s1" in made[1]["statusReason"][0]["text"]


def test_statements_of_others_and_of_another_year_are_never_touched(drug):
    held = stored(make([drug()]))
    other_year = stored(make([drug("lisinopril")], plan_year=2022))
    foreign = {"resourceType": "MedicationStatement", "id": "s9", "status": "active"}
    made = make([], [*held, *other_year, foreign], LATER)
    assert [reference_to(r) for r in made[1:]] == [own_reference("metformin")]


# Corrections by others ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["stopped", "not-taken", "entered-in-error", "completed"])
def test_a_drug_that_somebody_says_is_not_taken_leaves_the_list(drug, status):
    held = stored(make([drug(), drug("lisinopril")]))
    held[1]["status"] = status
    made = make([drug(), drug("lisinopril")], held, LATER)
    assert reference_to(held[1]) not in listed(made)
    assert held[1] in made  # as it is


@pytest.mark.parametrize("status", ["on-hold", "intended"])
def test_a_drug_on_hold_stays_on_the_list_as_somebody_set_it(drug, status):
    held = stored(make([drug()]))
    held[1]["status"] = status
    assert make([drug()], held, LATER) == held
