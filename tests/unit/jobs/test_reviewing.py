"""A review from its form to what is written: all of it or nothing, once, and refused with the reason where it is impossible."""

from __future__ import annotations

import json
from base64 import b64decode
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from adapter.config import Config
from adapter.errors import ConfigError, RefusedRecord, SinkError, SourceError
from adapter.jobs.reviewing import Reviewing, review
from adapter.resources.detected_issue import Problem, detected_issue
from adapter.resources.enrollment_life import opted_out
from adapter.resources.ids import RESOURCE_KIND
from adapter.resources.service_events import Service, service_event
from tests.unit.cli.running import run
from tests.unit.documents.conftest import EXAMPLES, text_of
from tests.unit.fhir.scripted import FhirStore, outcome, serving
from tests.unit.tables.samples import RXNORM, claim, item, request, statement

NOW, LATER, TODAY = "2023-10-20T09:00:00+00:00", "2023-10-21T09:00:00+00:00", date(2023, 10, 20)
ROOT = Path(__file__).parents[3]
PLAN_FILE = EXAMPLES / "plan.toml"
EXTENSION = "https://w3id.org/mtm-adapter/fhir/StructureDefinition/mtm-enrollment"
PATIENT = {
    "resourceType": "Patient", "id": "p1", "identifier": [{"system": "urn:example", "value": "p1"}],
    "name": [{"family": "Rivera", "given": ["Ana"]}],
}  # fmt: skip
PLAN = {
    "resourceType": "CarePlan", "id": "mtm-e", "status": "active", "intent": "plan", "subject": {"reference": "Patient/p1"},
    "meta": {"tag": [{"system": RESOURCE_KIND, "code": "enrollment"}]}, "period": {"start": "2023-02-01", "end": "2023-12-31"},
    "extension": [
        {"url": EXTENSION, "extension": [
            {"url": "contract", "valueString": "H1234"}, {"url": "planYear", "valueInteger": 2023},
            {"url": "program", "valueString": "health-partners-2023"},
        ]}
    ],
}  # fmt: skip
ORDERED = request("r1", (RXNORM, "617310"), authoredOn="2023-08-01", dosageInstruction=[{"text": "1 tablet daily"}])
TOLD = statement("s1", medicationCodeableConcept={"text": "vitamin B12"}, informationSource={"reference": "Patient/p1"})
ALLERGY = {
    "resourceType": "AllergyIntolerance",
    "id": "a1",
    "code": {"text": "latex"},
    "patient": {"reference": "Patient/p1"},
}
RECORDS = [PATIENT, PLAN, ORDERED, TOLD]


def form(**more):
    pharmacist = {"family": "Whitfield", "given": ["Dana"], "npi": "1234567893", "organization": "Maple MTM Services"}
    cmr = {
        "date": "2023-10-12", "method": "telephone", "provider": "local_pharmacist", "recipient": "beneficiary",
        "cognitively_impaired": "N", "ltc_facility": "N", "minutes": 35,
    }  # fmt: skip
    statin = {
        "name": "atorvastatin 20 mg tablet", "change": "kept", "entry": "83367|20 mg|oral", "how": "1 tablet daily", "why": "cholesterol",
    }  # fmt: skip
    vitamin = {"name": "vitamin B12", "change": "stopped", "entry": "11248||", "stopped": "2023-10"}
    problem = {"title": "Vitamin without need", "severity": "low", "medications": ["vitamin B12"]}
    to_do = [{"topic": "Vitamins", "actions": ["Stop vitamin B12."]}]
    return {
        "pharmacist": pharmacist,
        "cmr": cmr,
        "medications": [statin, vitamin],
        "problems": [problem],
        "to_do": to_do,
    } | more


@pytest.fixture
def folder(tmp_path):
    """A folder with the records of the person."""

    def of(*resources):
        made = tmp_path / "source"
        made.mkdir(exist_ok=True)
        for one in resources:
            with (made / f"{one['resourceType']}.ndjson").open("a", encoding="utf-8") as file:
                file.write(json.dumps(one) + "\n")
        return made

    return of


@pytest.fixture
def asked(tmp_path, pool):
    """Reviews by a form."""

    def of(source, written=None, today=TODAY, recorded=NOW, **more):
        path = tmp_path / "review.json"
        path.write_text(json.dumps(form() if written is None else written), encoding="utf-8")
        return review(Reviewing(str(source), "p1", path, today, recorded, **more), Config(), pool)

    return of


def held(folder, kind):
    path = folder / f"{kind}.ndjson"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def everything(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def cmr(**more):
    return form()["cmr"] | more


def test_a_review_is_written_whole_and_once(asked, folder):
    source = folder(*RECORDS)
    made = asked(source)
    assert (made.count("created"), made.count("changed"), made.smp) == (10, 0, True)
    assert [one["status"] for one in held(source, "MedicationStatement") if one["id"] != "s1"].count("active") == 1
    [provenance] = held(source, "Provenance")
    assert len(provenance["target"]) == 10
    assert {"reference": "MedicationRequest/r1"} in [entity["what"] for entity in provenance["entity"]]
    author = next(agent for agent in provenance["agent"] if agent["type"]["coding"][0]["code"] == "author")
    assert author["who"]["reference"].startswith("Practitioner/")
    assert author["onBehalfOf"]["display"] == "Sponsor of Medicare Part D contract H1234"
    before = everything(source)
    again = asked(source, recorded=LATER)
    assert (again.count("created"), again.count("changed")) == (0, 0)
    assert everything(source) == before


def test_a_dry_run_tells_the_same_and_writes_nothing(asked, folder):
    source = folder(*RECORDS)
    before = everything(source)
    would = asked(source, dry_run=True)
    assert everything(source) == before
    assert would.report is None
    assert would.changes == asked(source).changes


def test_another_folder_can_be_the_sink(asked, folder, tmp_path):
    source, sink = folder(*RECORDS), tmp_path / "sink"
    before = everything(source)
    asked(source, sink=str(sink))
    assert everything(source) == before
    assert len(held(sink, "List")) == 1
    assert asked(source, sink=str(sink), recorded=LATER).count("unchanged") == 10


# ---- refused


@pytest.mark.parametrize(
    ("plan", "day", "told"),
    [
        (PLAN, "2023-01-31", "before the enrollment"),
        (opted_out(PLAN, date(2023, 10, 11), "03"), "2023-10-12", "opted out on 2023-10-11"),
        (PLAN | {"period": {"start": "2023-02-01", "end": "2023-10-11"}}, "2023-10-12", "ended on 2023-10-11"),
        (PLAN, "2022-10-12", "not enrolled in plan year 2022"),
        (None, "2023-10-12", "not enrolled in the MTM program"),
    ],
)
def test_who_is_not_enrolled_on_that_day_is_refused(asked, folder, plan, day, told):
    source = folder(*([one for one in RECORDS if one is not PLAN] + ([plan] if plan else [])))
    before = everything(source)
    medications = [one | {"stopped": ""} for one in form()["medications"]]
    with pytest.raises(RefusedRecord, match=told):
        asked(source, form(cmr=cmr(date=day), medications=medications))
    assert everything(source) == before


def test_on_the_day_of_the_opt_out_a_review_still_counts(asked, folder):
    out = opted_out(PLAN, date(2023, 10, 12), "03")
    assert asked(folder(PATIENT, ORDERED, TOLD, out)).count("created") == 10


def test_the_future_is_refused(asked, folder):
    with pytest.raises(ConfigError, match="has not come yet"):
        asked(folder(*RECORDS), today=date(2023, 10, 11))


def test_another_contract_must_be_named_when_there_are_several(asked, folder):
    parts = [
        one if one["url"] != "contract" else {"url": "contract", "valueString": "H9999"}
        for one in PLAN["extension"][0]["extension"]
    ]
    other = PLAN | {"id": "mtm-f", "extension": [{"url": EXTENSION, "extension": parts}]}
    source = folder(*RECORDS, other)
    with pytest.raises(RefusedRecord, match="H1234, H9999"):
        asked(source)
    asked(source, contract="H9999")
    [procedure] = held(source, "Procedure")
    assert procedure["basedOn"] == [{"reference": "CarePlan/mtm-f"}]


def test_a_cmr_that_is_recorded_otherwise_is_not_replaced_unseen(asked, folder):
    recorded = Service(
        "cmr",
        "p1",
        "H1234",
        2023,
        "CarePlan/mtm-e",
        date(2023, 10, 12),
        "face_to_face",
        "physician",
        "beneficiary",
        "N",
        "N",
    )
    source = folder(*RECORDS, service_event(recorded))
    with pytest.raises(RefusedRecord, match="recorded with another method"):
        asked(source)
    assert asked(source, correct=True).count("changed") == 1


def test_a_cmr_recorded_before_is_the_same_cmr(asked, folder):
    recorded = Service(
        "cmr", "p1", "H1234", 2023, "CarePlan/mtm-e", date(2023, 10, 12), "telephone", "local_pharmacist", "beneficiary"
    )
    source = folder(*RECORDS, service_event(recorded))
    made = asked(source)
    assert (made.count("changed"), len(held(source, "Procedure"))) == (1, 1)


# ---- the form against the records


def refused(asked, source, written):
    before = everything(source)
    with pytest.raises(ConfigError) as caught:
        asked(source, written)
    assert everything(source) == before
    return str(caught.value).splitlines()


def test_no_drug_on_record_is_lost_unseen(asked, folder):
    [told] = refused(asked, folder(*RECORDS), form(medications=form()["medications"][:1], problems=[]))
    assert told == (
        "review.json: medications: vitamin B12 (entry 11248||) is on record and not in the form; keep, change or stop it"
    )


def test_faults_against_the_records_are_told_at_once(asked, folder):
    wrong = form()
    wrong["medications"][0]["entry"] = "x|y|z"
    wrong["problems"] = [{"proposal": "mtm-nobody"}]
    wrong |= {"allergies": [{"substance": "Latex"}]}
    told = refused(asked, folder(*RECORDS, ALLERGY), wrong)
    assert [line.split(": ")[1] for line in told] == [
        "medications",
        "medications[0].entry",
        "problems[0].proposal",
        "allergies[0].substance",
    ]


def test_no_known_allergies_against_one_on_record(asked, folder):
    [told] = refused(asked, folder(*RECORDS, ALLERGY), form(no_known_allergies=True))
    assert "1 allergies or side effects are on record" in told


def test_a_proposal_of_somebody_else_is_none_of_this_person(asked, folder):
    theirs = {"resourceType": "DetectedIssue", "id": "d1", "status": "final", "patient": {"reference": "Patient/p1"}}
    [told] = refused(asked, folder(*RECORDS, theirs), form(problems=[{"proposal": "d1"}]))
    assert "there is no proposal d1" in told


def test_a_proposal_is_answered(asked, folder):
    problem = Problem("No statin", "x", "moderate", rule="r")
    proposed = detected_issue(problem, beneficiary="p1", contract="H1234", plan_year=2023, identified="2023-10-01")
    source = folder(*RECORDS, proposed)
    answered = form(problems=[{"proposal": proposed["id"], "dismissed": True, "mitigations": [{"action": "1"}]}])
    made = asked(source, answered)
    [issue] = held(source, "DetectedIssue")
    assert (issue["status"], made.smp) == ("cancelled", False)
    assert asked(source, answered, recorded=LATER).count("changed") == 0


def test_a_changed_strength_does_not_keep_the_codes_of_the_old_one(asked, folder):
    changed = form()["medications"][0] | {"name": "atorvastatin 40 mg tablet", "change": "changed"}
    source = folder(*RECORDS)
    asked(source, form(medications=[changed, form()["medications"][1]]))
    [made] = [one for one in held(source, "MedicationStatement") if one["id"] != "s1" and one["status"] == "active"]
    assert "coding" not in made["medicationCodeableConcept"]
    assert made["derivedFrom"] == [{"reference": "MedicationRequest/r1"}]


def test_after_a_review_the_list_is_as_it_was_settled(asked, folder, pool):
    from adapter.jobs.reconciling import reconcile

    source = folder(*RECORDS)
    asked(source)
    later = reconcile(str(source), "p1", date(2023, 10, 13), Config(), pool).pml
    assert [(line.name, line.state, line.why) for line in later.entries] == [
        ("atorvastatin 20 mg tablet", "current", "cholesterol"),
        ("vitamin B12", "stopped", ""),
    ]
    assert later.questions == ()


def test_what_happens_after_a_review_is_asked_about_again(asked, folder, pool):
    from adapter.jobs.reconciling import reconcile

    source = folder(*RECORDS)
    asked(source)
    folder(statement("s2", medicationCodeableConcept={"text": "vitamin B12"}, dateAsserted="2023-10-19"))
    later = reconcile(str(source), "p1", date(2023, 10, 20), Config(), pool).pml
    assert [question.kind for question in later.questions] == ["stopped_and_active"]


# ---- what cannot be read


def test_a_file_that_is_no_form(folder, tmp_path):
    source = folder(*RECORDS)
    broken = tmp_path / "x.json"
    broken.write_text("{")
    ran = run("review", source, "p1", "--input", broken)
    assert (ran.code, ran.out) == (2, "")
    assert "x.json is not JSON" in ran.sentence
    ran = run("review", source, "p1", "--input", tmp_path / "none.json")
    assert (ran.code, "cannot be read" in ran.sentence) == (2, True)


def test_a_summary_that_is_no_pdf(asked, folder, tmp_path):
    path = tmp_path / "summary.pdf"
    path.write_text("hello")
    with pytest.raises(ConfigError, match=r"summary\.pdf is no PDF"):
        asked(folder(*RECORDS), pdf=path)


def test_a_summary_is_kept_with_the_review(asked, folder, tmp_path):
    path = tmp_path / "summary.pdf"
    path.write_bytes(b"%PDF-1.7\n")
    source = folder(*RECORDS)
    asked(source)
    assert asked(source, pdf=path, recorded=LATER).count("changed") == 3
    [note] = held(source, "DocumentReference")
    assert note["content"][0]["attachment"]["size"] == 9
    assert asked(source, pdf=path, recorded=LATER).count("changed") == 0


def test_the_summary_is_printed_from_what_is_written_and_kept_with_it(asked, folder):
    source = folder(*RECORDS)
    made = asked(source, plan=PLAN_FILE)
    assert made.summary.unofficial["en"] > 0
    [note] = held(source, "DocumentReference")
    attachment = note["content"][0]["attachment"]
    assert attachment["contentType"] == "application/pdf"
    text = text_of(b64decode(attachment["data"]))
    assert "Ana Rivera" in text
    assert "atorvastatin 20 mg tablet" in text
    assert "Stop vitamin B12." in text
    assert "October 12, 2023" in text
    assert asked(source, plan=PLAN_FILE, recorded=LATER).count("unchanged") == len(made.changes)
    assert asked(source, plan=PLAN_FILE, letter_day=date(2023, 10, 21), recorded=LATER).count("changed") == 2


def test_a_review_that_cannot_be_printed_is_not_written(asked, folder, tmp_path):
    source = folder({**PATIENT, "name": []}, PLAN, ORDERED, TOLD)
    with pytest.raises(SourceError, match="The paper summary cannot be made"):
        asked(source, plan=PLAN_FILE)
    with pytest.raises(ConfigError, match="There is no plan file"):
        asked(source, plan=tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="give one of them"):
        asked(source, plan=PLAN_FILE, pdf=tmp_path / "summary.pdf")
    assert not (source / "DocumentReference.ndjson").exists()


# ---- the command


def test_the_command_tells_what_it_wrote(folder, tmp_path):
    source, path = folder(*RECORDS), tmp_path / "review.json"
    path.write_text(json.dumps(form(problems=[])), encoding="utf-8")
    dry = run("review", source, "p1", "--input", path, "--dry-run")
    assert dry.code == 0
    assert dry.out.startswith("Would be written: 9 new, 0 changed; 0 as they were\n  created   Practitioner/mtm-")
    assert "SMP asks for at least one DetectedIssue" in dry.err
    told = json.loads(run("review", source, "p1", "--input", path, "--json").out)
    assert (told["created"], told["smp_action_plan"], told["dry_run"]) == (9, False, False)
    assert "Rivera" not in dry.out + dry.err


def test_the_form_of_the_list_is_filled_in_and_then_recorded(folder, tmp_path):
    source, path = folder(*RECORDS), tmp_path / "review.json"
    blank = json.loads(run("pml", source, "p1", "--as-of", "2023-10-12", "--form").out)
    path.write_text(json.dumps(blank), encoding="utf-8")
    assert run("review", source, "p1", "--input", path).code == 2
    for one in blank["medications"]:
        one["how"] = one["how"] or "1 tablet daily"
    filled = blank | {name: form()[name] for name in ("pharmacist", "cmr", "to_do")}
    path.write_text(json.dumps(filled), encoding="utf-8")
    assert run("review", source, "p1", "--input", path).code == 0


# ---- a server


@contextmanager
def server(*resources, **more):
    store = FhirStore(*resources, **more)
    with serving(store) as serves:
        yield store, serves.base


def test_a_server_gets_one_transaction_with_versions_and_a_provenance(asked):
    with server(*RECORDS) as (store, base):
        asked(base)
        assert asked(base, recorded=LATER).count("unchanged") == 10
        asked(base, form(other=["Bring this list."]), recorded=LATER)
    first, second = store.bundles
    assert [entry["request"]["method"] for entry in first["entry"]] == ["PUT"] * 12
    new = [entry["request"].get("ifMatch") for entry in first["entry"]]
    assert new == ['W/"0"'] * 10 + [None, 'W/"1"'], "new ones, the Provenance, and the enrollment as it was read"
    changed = {entry["resource"]["resourceType"]: entry["request"].get("ifMatch") for entry in second["entry"]}
    assert changed == {
        "List": 'W/"1"', "Composition": 'W/"1"', "Bundle": 'W/"1"', "Provenance": None, "CarePlan": 'W/"1"',
    }  # fmt: skip
    assert store.held["CarePlan/mtm-e"]["meta"]["versionId"] == "1"
    document = next(entry["resource"] for entry in first["entry"] if entry["resource"]["resourceType"] == "Bundle")
    assert all(entry["fullUrl"].startswith(f"{base}/") for entry in document["entry"])


def test_when_the_server_refuses_one_part_nothing_is_written(asked):
    with server(*RECORDS) as (store, base):
        before = dict(store.held)
        store.refused = lambda bundle: outcome(422, "This List is not wanted here")
        with pytest.raises(SinkError, match="Nothing of the review was written"):
            asked(base)
    assert store.held == before


@pytest.mark.parametrize("stale", [409, 412])
def test_what_somebody_wrote_in_between_is_kept(asked, stale):
    with server(*RECORDS, stale=stale) as (store, base):
        asked(base)
        [key] = [key for key in store.held if key.startswith("List/")]
        human = iter(
            [lambda: store.store({**store.held[key], "note": [{"text": "by a human"}], "orderedBy": {"text": "x"}})]
        )
        store.before_transaction = lambda: next(human, lambda: None)()
        asked(base, form(other=["Bring this list."]), recorded=LATER)
    assert store.held[key]["orderedBy"] == {"text": "x"}
    assert store.held[key]["note"] == [{"text": "Bring this list."}]
    assert len(store.bundles) == 3


def test_an_opt_out_in_between_is_told_and_nothing_is_written(asked):
    with server(*RECORDS) as (store, base):
        asked(base)
        count = len(store.held)
        [key] = [key for key in store.held if key.startswith("List/")]

        def meanwhile():
            store.store({**store.held[key], "orderedBy": {"text": "x"}})
            store.store(opted_out(PLAN, date(2023, 10, 1), "03"))

        human = iter([meanwhile])
        store.before_transaction = lambda: next(human, lambda: None)()
        with pytest.raises(RefusedRecord, match="opted out on 2023-10-01"):
            asked(base, form(other=["x"]), recorded=LATER)
    assert len(store.held) == count


def test_an_opt_out_just_before_the_first_review_is_told_and_nothing_is_written(asked):
    with server(*RECORDS) as (store, base):
        count = len(store.held)
        human = iter([lambda: store.store(opted_out(PLAN, date(2023, 10, 1), "03"))])
        store.before_transaction = lambda: next(human, lambda: None)()
        with pytest.raises(RefusedRecord, match="opted out on 2023-10-01"):
            asked(base)
    assert len(store.held) == count


def test_a_cmr_recorded_otherwise_just_before_the_review_is_not_overwritten(asked):
    with server(*RECORDS) as (store, base):
        asked(base)
        [key] = [key for key in store.held if key.startswith("Procedure/")]
        parts = json.dumps(store.held[key]).replace('"telephone"', '"telehealth"')
    with server(*RECORDS) as (store, base):
        human = iter([lambda: store.store(json.loads(parts))])
        store.before_transaction = lambda: next(human, lambda: None)()
        with pytest.raises(RefusedRecord, match="add --correct"):
            asked(base)
    assert store.held[key]["meta"]["versionId"] == "1"
    assert not [key for key in store.held if key.startswith("List/")]


KNOWN = {
    "resourceType": "Practitioner", "id": "rx7", "name": [{"family": "Whitfield", "given": ["Dana"]}],
    "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("there", "source"),
    [
        ([KNOWN], "Practitioner/rx7"),
        ([KNOWN | {"active": False}], "Practitioner/mtm-"),
        ([KNOWN, KNOWN | {"id": "rx8"}], "Practitioner/mtm-"),
        ([KNOWN | {"name": [{"text": "Dana"}]}], "Practitioner/mtm-"),
        ([], "Practitioner/mtm-"),
    ],
)
def test_the_practitioner_of_that_npi_is_used_when_there_is_exactly_one(asked, there, source):
    with server(*RECORDS, *there) as (store, base):
        asked(base)
        asked(base, recorded=LATER)
    assert len(store.bundles) == 1
    [listed] = [one for key, one in store.held.items() if key.startswith("List/")]
    assert listed["source"]["reference"].startswith(source)


def test_an_earlier_review_does_not_undo_a_later_one(asked, folder):
    source = folder(*RECORDS)
    asked(source)
    kept = [one for one in form()["medications"] if one["change"] == "kept"]
    asked(source, form(cmr=cmr(date="2023-10-18"), medications=kept, problems=[]))
    told = refused(asked, source, form())
    assert told == [
        "A review of 2023-10-18 stands already, later than that of 2023-10-12: correct the later one instead"
    ]


def test_claims_and_orders_that_a_drug_rests_on_are_told(asked, folder):
    filled = claim("e1", item("10.00", code="00071015623", filled="2023-09-02"))
    source = folder(*RECORDS, filled)
    asked(source)
    [made] = [one for one in held(source, "MedicationStatement") if one["id"] != "s1" and one["status"] == "active"]
    assert [one["reference"] for one in made["derivedFrom"]] == ["ExplanationOfBenefit/e1", "MedicationRequest/r1"]


def test_an_allergy_of_others_that_is_not_valid_is_left_out_and_told(asked, folder):
    fine = {
        "resourceType": "AllergyIntolerance", "id": "a1", "patient": {"reference": "Patient/p1"}, "code": {"text": "penicillin"},
    }  # fmt: skip
    source = folder(*RECORDS, fine, fine | {"id": "a2", "code": "sulfa"})
    made = asked(source)
    assert "AllergyIntolerance/a2 is not valid FHIR and is left out of the document" in made.notices
    [document] = held(source, "Bundle")
    held_ids = [entry["resource"]["id"] for entry in document["entry"]]
    assert ("a1" in held_ids, "a2" in held_ids) == (True, False)


@pytest.mark.parametrize("written", ["[]", '"x"', "5"])
def test_a_form_that_is_no_object_is_told_as_a_whole(folder, tmp_path, written):
    path = tmp_path / "review.json"
    path.write_text(written, encoding="utf-8")
    ran = run("review", folder(*RECORDS), "p1", "--input", path)
    assert (ran.code, ran.sentence.startswith("review.json: the form: Expected `object`")) == (2, True)
