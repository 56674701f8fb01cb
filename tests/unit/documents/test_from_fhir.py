"""Resources of one beneficiary to facts: the newest counts, nothing is lost unseen, other shapes read as absent."""

from __future__ import annotations

from datetime import date

import pytest

from adapter.documents import from_fhir
from adapter.documents.elements import best, day, full_name, partial_date, target, words_of
from adapter.documents.from_fhir import PRESCRIBER_EXTENSION, Chart
from adapter.documents.view import Drug, Fax, Member, Prescriber, Provider, Recommendation, Review, Topic
from adapter.resources.ids import tag
from adapter.resources.service_events import Service, service_event

ON = date(2026, 3, 11)

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [
        {"use": "maiden", "family": "Old"},
        {"use": "official", "family": "Santos", "given": ["Maria", "Elena"], "prefix": ["Mrs."], "suffix": ["Jr."]},
    ],
    "birthDate": "1950-03-14",
    "address": [
        {"use": "old", "line": ["9 Gone"], "city": "X"},
        {"use": "home", "line": ["1 Street", "Apt 2"], "city": "Town", "state": "IL", "postalCode": "62711-1234"},
    ],
    "communication": [
        {"language": {"coding": [{"code": "en"}]}},
        {"language": {"coding": [{"code": "es-MX"}]}, "preferred": True},
    ],
}
DOCTOR = {
    "resourceType": "Practitioner",
    "id": "d1",
    "name": [{"family": "Lee", "given": ["Susan"], "suffix": ["PharmD"]}],
    "qualification": [{"code": {"text": "Clinical Pharmacist"}}],
    "telecom": [{"system": "fax", "value": "555-0102"}, {"system": "phone", "value": "555-0101"}],
}


def facts(chart):
    return from_fhir.facts(chart, ON)


def member(patient):
    return from_fhir.member(patient, ON)


def own(kind, resource_type, own_id, **elements):
    return {"resourceType": resource_type, "id": own_id, "meta": {"tag": [tag(kind)]}, **elements}


def enrollment(own_id="e1", start="2026-02-01", status="active"):
    return own("enrollment", "CarePlan", own_id, status=status, period={"start": start, "end": "2026-12-31"})


def statement(own_id, name="warfarin 5 mg tablet", **elements):
    return own(
        "reviewed-statement",
        "MedicationStatement",
        own_id,
        status="active",
        medicationCodeableConcept={"text": name},
        **elements,
    )


def listed(own_id, date_, *items, status="current"):
    entries = [{"item": {"reference": f"MedicationStatement/{one}"}} for one in items]
    return own("reviewed-list", "List", own_id, status=status, date=date_, entry=entries)


def chart(*resources, patient=PATIENT, practitioners=(DOCTOR,)):
    held = {}
    for resource in resources:
        held.setdefault(resource["resourceType"], []).append(resource)
    return Chart(patient, held, {one["id"]: one for one in practitioners})


def service(kind, on, **more):
    """As the adapter records it (adapter/resources/service_events.py)."""
    return service_event(Service(kind, "p1", "H1234", 2026, "CarePlan/e1", date.fromisoformat(on), **more))


def test_the_member():
    assert member(PATIENT) == Member(
        "p1", "Mrs. Maria Elena Santos, Jr.", "1950-03-14", ("1 Street", "Apt 2", "Town, IL 62711-1234"), "62711", "es"
    )


@pytest.mark.parametrize(
    "patient",
    [
        {},
        {"id": "x", "name": "Ann", "birthDate": 1950, "address": "here", "communication": "es"},
        {"name": [None, "x", {}], "address": [{"line": "x", "postalCode": 1}], "birthDate": "1950-02-31"},
        {
            "name": [{"text": "Ann", "period": {"end": "2000"}}],
            "communication": [{"language": {"coding": [{"code": "zh"}]}}],
        },
    ],
)
def test_a_patient_of_other_shapes_has_nothing_known(patient):
    known = member(patient)
    assert (known.name, known.birth_date, known.address, known.language) == ("", "", (), "")


def test_a_language_that_there_are_no_papers_in():
    chinese, english = ({"language": {"coding": [{"code": code}]}} for code in ("zh-Hant", "en-US"))
    assert member({"communication": [chinese]}).other_language == "zh"
    assert (
        member({"communication": [{**chinese, "preferred": True}, english]}).other_language == ""
    )  # English serves too
    assert member({}).other_language == ""


@pytest.mark.parametrize(
    ("period", "holds"),
    [
        ({}, True),
        ({"start": "2026-03-11", "end": "2026-03-11"}, True),
        ({"end": "2026-03-10"}, False),
        ({"end": "2026-03-10T23:59:00Z"}, False),
        ({"end": "2026"}, True),
        ({"end": "2026-02"}, False),
        ({"start": "2026-03-12"}, False),
        ({"start": "2026-03"}, True),
        ({"end": "no date"}, True),
    ],
)
def test_a_name_and_an_address_hold_in_their_period(period, holds):
    named = {"name": [{"text": "Ann", "period": period}], "address": [{"line": ["1 Street"], "period": period}]}
    assert (member(named).name, member(named).address) == (("Ann", ("1 Street",)) if holds else ("", ()))


@pytest.mark.parametrize(
    ("told", "deceased"),
    [
        ({}, False),
        ({"deceasedBoolean": False}, False),
        ({"deceasedBoolean": True}, True),
        ({"deceasedDateTime": "2026"}, True),
    ],
)
def test_the_deceased(told, deceased):
    assert member({**PATIENT, **told}).deceased is deceased


def test_a_name_or_address_that_is_only_text():
    known = member({"name": [{"text": "Ann  Lee"}], "address": [{"text": "1 Street\n\nTown, IL 62701"}]})
    assert (known.name, known.address) == ("Ann Lee", ("1 Street", "Town, IL 62701"))


def test_nothing_but_a_patient():
    known = facts(chart())
    assert (known.enrolled_on, known.review, known.topics, known.drugs) == (None, None, None, None)
    assert (known.allergies, known.side_effects, known.other, known.faxes) == ((), (), (), ())


def test_the_enrollment_that_is_active():
    plans = [enrollment("e1"), enrollment("e2", "2025-03-01"), enrollment("e3", "2026-09-01", status="revoked")]
    assert facts(chart(*plans)).enrolled_on == date(2026, 2, 1)
    assert facts(chart(enrollment(status="revoked"))).enrolled_on is None
    assert facts(chart({**enrollment(), "meta": {}})).enrolled_on is None  # of others
    by_extension = {"url": "https://w3id.org/mtm-adapter/fhir/StructureDefinition/mtm-enrollment"}
    assert facts(chart({**enrollment(), "meta": {}, "extension": [by_extension]})).enrolled_on == date(2026, 2, 1)


def test_the_newest_version_of_an_enrollment_counts():
    older = {**enrollment(), "meta": {"tag": [tag("enrollment")], "lastUpdated": "2026-01-01T00:00:00Z"}}
    newer = {**older, "status": "revoked", "meta": {**older["meta"], "lastUpdated": "2026-05-01T00:00:00Z"}}
    assert facts(chart(newer, older)).enrolled_on is None
    assert facts(chart(older, newer)).enrolled_on is None


def test_the_last_review_and_who_made_it():
    known = facts(
        chart(
            service("cmr", "2026-03-02", provider="local_pharmacist", performer="Practitioner/d1"),
            service("cmr", "2025-03-02"),
            service("tmr", "2026-05-05"),
            {**service("cmr", "2026-06-01"), "status": "entered-in-error"},
        )
    )
    assert known.review == Review(
        date(2026, 3, 2), Provider("Susan Lee, PharmD", "Clinical Pharmacist", "", "555-0101")
    )
    assert facts(chart(service("cmr", "2026-03-02"))).review == Review(date(2026, 3, 2), None)


def test_a_service_is_known_by_its_code_too():
    """Some servers keep no tags that they did not set themselves."""
    assert facts(chart({**service("cmr", "2026-03-02"), "meta": {}})).review == Review(date(2026, 3, 2), None)


def test_the_rows_of_the_reviewed_list_in_its_order():
    first = statement(
        "s1",
        dosage=[{"text": "Take 1 tablet"}, {"text": "at bedtime"}],
        reasonCode=[{"text": "Clots"}, {"coding": [{"display": "Stroke"}]}],
        extension=[{"url": PRESCRIBER_EXTENSION, "valueString": "Dr. A"}, {"url": "x", "valueString": "no"}],
    )
    stopped = {**statement("s3"), "status": "stopped"}
    known = facts(
        chart(listed("l1", "2026-03-02", "s2", "s1", "s3"), first, statement("s2", "aspirin"), stopped, statement("s4"))
    )
    assert known.drugs == (
        Drug("aspirin"),
        Drug("warfarin 5 mg tablet", "Take 1 tablet; at bedtime", "Clots, Stroke", "Dr. A"),
    )
    assert (known.lost_drugs, known.listed_on) == (0, date(2026, 3, 2))


def test_the_newest_current_list_counts():
    lists = [
        listed("l1", "2026-03-02", "s1"),
        listed("l2", "2026-08-02T10:00:00Z", "s2"),
        listed("l3", "2026-09-02", "s1", "s2", status="retired"),
    ]
    known = facts(chart(*lists, statement("s1"), statement("s2", "aspirin")))
    assert (known.drugs, known.listed_on) == ((Drug("aspirin"),), date(2026, 8, 2))


def test_an_entry_that_the_source_does_not_hold_is_counted():
    known = facts(chart(listed("l1", "2026-03-02", "s1", "gone"), statement("s1")))
    assert (len(known.drugs), known.lost_drugs) == (1, 1)


def test_equal_topics_are_one_box_in_the_order_of_their_appearance():
    def activity(topic, action, **more):
        return {"detail": {"status": "not-started", "code": {"text": topic}, "description": action, **more}}

    plan = own(
        "action-plan",
        "CarePlan",
        "a1",
        status="active",
        created="2026-03-02",
        activity=[
            activity("Pain", "Rest."),
            activity("Sleep", "Walk."),
            activity("Pain", "Ice."),
            activity("X", "y", status="cancelled"),
            {},
        ],
    )
    known = facts(chart(plan, {**plan, "id": "a0", "created": "2025-01-01", "activity": []}))
    assert known.topics == (Topic("Pain", ("Rest.", "Ice.")), Topic("Sleep", ("Walk.",)))
    assert facts(chart({**plan, "status": "revoked"})).topics is None


def test_allergies_and_side_effects():
    def allergy(own_id, text, **more):
        return {"resourceType": "AllergyIntolerance", "id": own_id, "code": {"text": text}, **more}

    sign = [{"manifestation": [{"text": "hives"}, {"text": "hives"}]}]
    known = facts(
        chart(
            allergy("1", "Penicillin", type="allergy", reaction=sign),
            allergy("2", "Enalapril", type="intolerance", reaction=[{"manifestation": [{"text": "cough"}]}]),
            allergy("3", "Latex"),
            allergy("4", "Sulfa", verificationStatus={"coding": [{"code": "refuted"}]}),
            allergy("5", "Egg", clinicalStatus={"coding": [{"code": "resolved"}]}),
            allergy("6", ""),
        )
    )
    assert (known.allergies, known.side_effects) == (("Penicillin (hives)", "Latex"), ("Enalapril (cough)",))


def test_open_recommendations_by_prescriber():
    issue = own("detected-issue", "DetectedIssue", "i1", detail="No statin", code={"text": "other"})
    to_doctor = service(
        "recommendation", "2026-03-03", text="Consider a statin.", about="DetectedIssue/i1", recipient="prescriber"
    )
    named = {**to_doctor, "recipient": [{"reference": "Practitioner/d1"}]}
    done = service("recommendation", "2026-03-03", text="Stop ibuprofen.", recipient="prescriber")
    unnamed = service("recommendation", "2026-03-04", text="Check potassium.", recipient="prescriber")
    resolved = service("resolution", "2026-04-01", about=f"Communication/{done['id']}", changed=True)
    known = facts(chart(issue, named, done, unnamed, resolved))
    assert known.faxes == (
        Fax(
            Prescriber("Susan Lee, PharmD", "", "555-0101", "555-0102"),
            (Recommendation("No statin", "Consider a statin."),),
        ),
        Fax(Prescriber(""), (Recommendation("", "Check potassium."),)),
    )


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("1950", "1950"), ("1950-03", "1950-03"), ("1950-03-14", "1950-03-14"), ("1950-03-14T10:00:00Z", "1950-03-14"),
        ("1950-13", ""), ("1950-02-30", ""), ("50-03-14", ""), ("0000", ""), ("", ""), (None, ""), (1950, ""),
    ],
)  # fmt: skip
def test_partial_dates(given, read):
    assert partial_date(given) == read
    assert day(given) == (date.fromisoformat(read) if len(read) == 10 else None)


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ({"reference": "Patient/1"}, "1"),
        ({"reference": "https://x.org/fhir/Patient/1/_history/2"}, "1"),
        ({"reference": "Group/1"}, ""),
        ({"reference": "Patient"}, ""),
        ({"display": "x"}, ""),
        ("Patient/1", ""),
        (None, ""),
    ],
)
def test_targets_of_references(reference, found):
    assert target(reference, "Patient") == found


def test_words_and_names():
    assert words_of({"coding": [{"code": "1"}, {"display": "one"}]}) == "one"
    assert words_of({"text": "", "coding": []}) == words_of(None) == ""
    assert full_name({"name": {"given": ["A"], "family": "B"}}, ON) == "A B"
    assert best([{"use": "old"}], ("home",), ON) == {}
