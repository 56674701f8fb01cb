"""The list of one beneficiary from a folder: one table path recognizes the drugs, the resources tell the rest."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from adapter.config import Config
from adapter.errors import UnknownBeneficiary
from adapter.jobs.reconciling import reconcile, reconcile_all
from tests.unit.cli.running import run
from tests.unit.fhir.scripted import FhirStore, outcome, serving
from tests.unit.tables.samples import NDC, RXNORM, claim, dispense, item, medication, patient, request, statement

DEMO = Path(__file__).parents[3] / "fixtures" / "demo"
AS_OF = date(2023, 9, 30)
TWENTY, TEN = (RXNORM, "617310"), (RXNORM, "617312")  # atorvastatin 20 MG, atorvastatin 10 MG Oral Tablet
OWN = "https://w3id.org/mtm-adapter/fhir/CodeSystem/resource-kind"


def tagged(kind):
    return {"meta": {"tag": [{"system": OWN, "code": kind}]}}


@pytest.fixture
def folder(tmp_path):
    """Writes resources to a folder of NDJSON, in the order given."""

    def of(*resources):
        for path in tmp_path.glob("*.ndjson"):
            path.unlink()
        for one in (patient(), *resources):
            with (tmp_path / f"{one['resourceType']}.ndjson").open("a", encoding="utf-8") as file:
                file.write(json.dumps(one) + "\n")
        return tmp_path

    return of


@pytest.fixture
def made(folder, pool):
    def of(*resources, beneficiary="p1"):
        return reconcile(str(folder(*resources)), beneficiary, AS_OF, Config(), pool)

    return of


def test_orders_claims_and_medications_meet_in_one_line(made):
    order = request(
        "r1", TWENTY, dosageInstruction=[{"text": "1 tab po qhs"}], requester={"reference": "Practitioner/d1"}
    )
    by_reference = request("r2", medicationReference={"reference": "Medication/m1"})
    doctor = {"resourceType": "Practitioner", "id": "d1", "name": [{"text": "Helen Park, MD"}]}
    filled = claim("e1", item("10.00", code="00071015623", filled="2023-08-02"))
    [line] = made(order, by_reference, medication("m1", "617310"), doctor, filled).pml.entries
    assert line.name == "atorvastatin (Lipitor) 20 mg tablet"
    assert line.sources == ("ExplanationOfBenefit/e1", "MedicationRequest/r1", "MedicationRequest/r2")
    assert (line.use, line.prescriber, line.last_filled) == (
        "1 tablet by mouth at bedtime.",
        "Helen Park, MD",
        "2023-08-02",
    )


def test_a_claim_that_part_d_does_not_cover_is_a_drug_that_is_taken(made):
    uncovered = {"category": {"coding": [{"code": "CLM_DRUG_CVRG_STUS_CD"}]}, "code": {"coding": [{"code": "E"}]}}
    filled = claim("e1", item("10.00", filled="2023-08-02"), supportingInfo=[uncovered])
    assert len(made(filled).pml.entries) == 1


def test_a_stopped_order_is_told_and_not_dropped(made):
    [line] = made(request("r1", TWENTY, status="stopped")).pml.entries
    assert line.state == "stopped"


def test_only_the_person_asked_for_is_read(made):
    other = {"subject": {"reference": "Patient/p10"}}
    result = made(
        patient("p10"),
        request("r1", TWENTY),
        request("r2", TEN) | other,
        request("r3", TEN) | {"subject": {"reference": "Patient/p"}},
    )
    assert [line.sources for line in result.pml.entries] == [("MedicationRequest/r1",)]
    assert not [
        key for key in result.resources if key in ("Patient/p10", "MedicationRequest/r2", "MedicationRequest/r3")
    ]


def test_the_newest_version_counts_wherever_it_stands(made):
    old = request("r1", TWENTY) | {"meta": {"versionId": "1", "lastUpdated": "2023-01-01T00:00:00Z"}}
    new = request("r1", TWENTY, status="stopped") | {"meta": {"versionId": "2", "lastUpdated": "2023-02-01T00:00:00Z"}}
    for order in ([old, new], [new, old]):
        [line] = made(*order).pml.entries
        assert line.state == "stopped"


def test_own_statements_say_nothing_unless_a_pharmacist_settled_them(made):
    derived = statement("s1", TWENTY) | tagged("medication-statement")
    settled = statement("s2", TEN) | tagged("reviewed-statement")
    [line] = made(derived, settled).pml.entries
    assert line.sources == ("MedicationStatement/s2",)


def test_the_same_drug_by_ndc_and_by_name(made):
    told = statement("s1", medicationCodeableConcept={"text": "Lipitor 20mg"})
    [line] = made(dispense("d1", (NDC, "00071015623")), told).pml.entries
    assert (line.brand, len(line.sources)) == ("Lipitor", 2)


def test_a_line_that_cannot_be_read_is_told_and_the_rest_is_there(folder, pool):
    path = folder(request("r1", TWENTY)) / "MedicationRequest.ndjson"
    path.write_text(path.read_text() + '{"resourceType":"MedicationRequest","subject":{"reference":"Patient/p1"\n')
    result = reconcile(str(path.parent), "p1", AS_OF, Config(), pool)
    assert len(result.pml.entries) == 1
    assert len(result.rejected) == 1


def test_a_medication_that_is_not_there_is_told(made):
    result = made(request("r1", medicationReference={"reference": "Medication/m9"}))
    assert [line.state for line in result.pml.entries] == ["current"]
    assert "Medication/m9" in result.rejected[0].reason
    assert [question.kind for question in result.pml.questions] == ["not_recognized"]


def test_nobody_of_that_id(made):
    with pytest.raises(UnknownBeneficiary):
        made(request("r1", TWENTY), beneficiary="p9")


def test_all_at_once_is_the_same_as_one_by_one(pool):
    every = {pml.beneficiary: pml for pml in reconcile_all(str(DEMO), AS_OF, Config())}
    assert len(every) == 54
    for key in ("mtm-demo-17", "mtm-demo-22", "mtm-demo-23"):
        assert reconcile(str(DEMO), key, AS_OF, Config(), pool).pml == every[key]


def test_the_command_tells_lines_questions_and_blanks():
    ran = run("pml", DEMO, "mtm-demo-17", "--as-of", "2023-09-30")
    assert (ran.code, ran.err) == (0, "")
    assert "Taken (11)" in ran.out
    assert "metformin 500 mg tablet" in ran.out
    assert "How: 1 tablet twice daily with meals." in ran.out
    assert "ibuprofen (Advil)" in ran.out
    assert "Why: ________" in ran.out
    assert "Hernández" not in ran.out


def test_the_command_gives_json():
    ran = run("pml", DEMO, "mtm-demo-22", "--as-of", "2023-09-30", "--json")
    told = json.loads(ran.out)
    assert (told["beneficiary"], told["as_of"], len(told["entries"])) == ("mtm-demo-22", "2023-09-30", 7)
    assert "MedicationDispense/mtm-demo-22-disp-1" in [source for line in told["entries"] for source in line["sources"]]


def test_an_unknown_beneficiary_is_one_sentence():
    ran = run("pml", DEMO, "nobody")
    assert (ran.code, ran.out) == (4, "")
    assert "nobody" not in ran.sentence


# ---- a server

DOCTOR = {"resourceType": "Practitioner", "id": "d1", "name": [{"text": "Helen Park, MD"}]}
ROLE = {"resourceType": "PractitionerRole", "id": "o1", "practitioner": {"reference": "Practitioner/d1"}}
ABOUT = {"reference": "Patient/p1"}
ALLERGY = {"resourceType": "AllergyIntolerance", "id": "a1", "code": {"text": "latex"}, "patient": ABOUT}
EVENT = {
    "resourceType": "AdverseEvent", "id": "v1", "actuality": "actual", "subject": ABOUT, "event": {"text": "cough"},
    "suspectEntity": [{"instance": {"display": "lisinopril"}}],
}  # fmt: skip


def test_from_a_server_the_person_and_what_is_pointed_at_is_read(pool):
    order = request(
        "r1", medicationReference={"reference": "Medication/m1"}, requester={"reference": "PractitionerRole/o1"}
    )
    store = FhirStore(patient(), patient("p2"), order, medication("m1", "617310"), ROLE, DOCTOR, ALLERGY, EVENT)
    with serving(store) as server:
        made = reconcile(server.base, "p1", AS_OF, Config(), pool)
    [line] = made.pml.entries
    assert (line.name, line.prescriber) == ("atorvastatin 20 mg tablet", "Helen Park, MD")
    assert [one.substance for one in made.pml.allergies.known] == ["latex", "lisinopril"]
    assert "Patient/p2" not in made.resources
    assert made.notices == ()


def test_a_server_that_serves_no_adverse_events_is_told(pool):
    store = FhirStore(patient(), request("r1", TWENTY))

    def without(asked):
        return outcome(400, "no such search") if "/AdverseEvent/" in asked.target else store(asked)

    with serving(without) as server:
        made = reconcile(server.base, "p1", AS_OF, Config(), pool)
    assert [notice.partition(" does ")[2] for notice in made.notices] == [
        "not find AdverseEvent by subject (status 400); it is read as having none"
    ]


def test_nobody_of_that_id_at_a_server(pool):
    with serving(FhirStore(patient())) as server, pytest.raises(UnknownBeneficiary):
        reconcile(server.base, "p9", AS_OF, Config(), pool)
