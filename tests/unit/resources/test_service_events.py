"""A service as a resource: what makes it one event, which element holds which fact, and what of others stays."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import date

import pytest
from lxml import etree

from adapter.fhir.conformance import validate
from adapter.resources.ids import is_own
from adapter.resources.service_codes import (
    CONTACT_METHOD,
    CONTACT_METHODS,
    PARTICIPATION_MODE,
    PROVIDER_TYPE,
    PROVIDER_TYPES,
    RECIPIENTS,
    REVIEW_METHODS,
    SERVICE,
    SERVICE_EXTENSION,
    SERVICE_KINDS,
    code_of,
)
from adapter.resources.service_events import Service, reference_of, service_event, service_id, withdrawn

DAY = date(2023, 4, 5)
CMR = "Procedure/mtm-0123"


def service(kind="cmr", **more):
    given = {"beneficiary": "b1", "contract": "H1234", "plan_year": 2023, "enrollment": "CarePlan/mtm-e", "on_day": DAY}
    return Service(kind, **(given | more))


def full(kind):
    return service(
        kind, method="telephone", provider="pbm_pharmacist", recipient="caregiver", cognitively_impaired="Y",
        ltc_facility="N", minutes=35, answer="declined", changed=False, about="Communication/x1", text="Stop A & B",
        note="as told", performer="Practitioner/p1",
    )  # fmt: skip


def part(resource, name):
    (extension,) = [e for e in resource["extension"] if e["url"] == SERVICE_EXTENSION]
    return [next(v for k, v in p.items() if k != "url") for p in extension["extension"] if p["url"] == name]


def codes(concepts, system):
    return [c["code"] for concept in concepts for c in concept["coding"] if c["system"] == system]


# Every kind -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SERVICE_KINDS)
@pytest.mark.parametrize("make", [service, full], ids=["bare", "full"])
def test_it_is_valid_r4_completed_and_based_on_the_enrollment(kind, make):
    made = service_event(make(kind))
    validate(made)
    assert made["resourceType"] == ("Procedure" if kind in ("cmr", "tmr") else "Communication")
    assert made["status"] == "completed"
    assert made["basedOn"] == [{"reference": "CarePlan/mtm-e"}]
    assert made["subject"] == {"reference": "Patient/b1"}
    assert (part(made, "contract"), part(made, "planYear")) == (["H1234"], [2023])
    assert is_own(made, code_of(kind))


@pytest.mark.parametrize("kind", SERVICE_KINDS)
def test_its_id_is_its_identifier_and_stands_in_its_reference(kind):
    made = service_event(service(kind))
    assert made["identifier"][0]["value"] == made["id"] == service_id(service(kind))
    assert reference_of(service(kind)) == f"{made['resourceType']}/{made['id']}"


@pytest.mark.parametrize("kind", SERVICE_KINDS)
def test_made_again_over_what_is_held_it_is_equal(kind):
    made = service_event(full(kind))
    assert service_event(full(kind), made) == made


@pytest.mark.parametrize("kind", SERVICE_KINDS)
def test_what_others_added_stays(kind):
    held = deepcopy(service_event(full(kind)))
    held["extension"][0]["extension"].append({"url": "theirs", "valueString": "x"})
    held["extension"].append({"url": "http://example.org/e", "valueString": "y"})
    held["note"].append({"text": "theirs"})
    held["basedOn"].append({"reference": "CarePlan/theirs"})
    held["meta"]["tag"].append({"system": "http://example.org/t", "code": "t"})
    held["language"] = "en"
    assert service_event(full(kind), held) == held


def test_a_code_and_a_performer_that_others_added_stay():
    held = service_event(full("cmr"))
    held["code"]["coding"].append({"system": "http://example.org/billing", "code": "1"})
    held["performer"].append(
        {"function": {"coding": [{"system": "http://example.org/f", "code": "interpreter"}]}, "actor": {"display": "X"}}
    )
    assert service_event(full("cmr"), held) == held


def test_a_correction_replaces_the_facts_and_takes_away_those_that_are_gone():
    held = service_event(full("cmr"))
    made = service_event(replace(full("cmr"), minutes=None, provider="", performer="", method="telehealth"), held)
    assert part(made, "minutes") == []
    assert part(made, "method") == ["telehealth"]
    assert "performer" not in made
    assert made["id"] == held["id"]


@pytest.mark.parametrize("kind", SERVICE_KINDS)
def test_the_narrative_is_well_formed_and_tells_kind_and_day(kind):
    made = service_event(full(kind))
    said = " ".join(etree.fromstring(made["text"]["div"]).itertext())
    assert "2023-04-05" in said
    assert "Stop A & B" in said


def test_a_withdrawn_event_is_entered_in_error_and_otherwise_as_it_was():
    held = service_event(full("tmr"))
    made = withdrawn(held)
    assert made["status"] == "entered-in-error"
    assert made | {"status": "completed"} == held
    validate(made)


# What makes one event -------------------------------------------------------------------------------------------------

OTHER_DAY = date(2023, 4, 6)


@pytest.mark.parametrize(
    ("kind", "changes", "same"),
    [
        ("cmr", {"method": "telephone", "minutes": 20}, True),
        ("cmr", {"on_day": OTHER_DAY}, False),
        ("tmr", {"provider": "physician"}, True),
        ("tmr", {"on_day": OTHER_DAY}, False),
        ("invitation", {"recipient": "caregiver"}, True),
        ("invitation", {"method": "telephone"}, False),
        ("cmr_offer", {"answer": "declined"}, True),
        ("cmr_offer", {"method": "telephone"}, False),
        ("cmr_offer", {"on_day": OTHER_DAY}, False),
        ("summary_sent", {"method": "mail"}, True),
        ("summary_sent", {"about": CMR}, False),
        ("summary_sent", {"on_day": OTHER_DAY}, False),
        ("safe_disposal", {"method": "mail"}, True),
        ("safe_disposal", {"on_day": OTHER_DAY}, False),
        ("recommendation", {"text": "  stop   THE drug", "on_day": OTHER_DAY}, True),
        ("recommendation", {"text": "Start another"}, False),
        ("recommendation", {"about": "DetectedIssue/1"}, False),
        ("resolution", {"changed": True, "on_day": OTHER_DAY}, True),
        ("resolution", {"about": "Communication/2"}, False),
    ],
)
def test_the_same_event_has_the_same_id(kind, changes, same):
    one = service(kind, text="Stop the drug")
    assert (service_id(one) == service_id(replace(one, **changes))) is same


@pytest.mark.parametrize("changes", [{"beneficiary": "b2"}, {"contract": "H1235"}, {"plan_year": 2024}])
@pytest.mark.parametrize("kind", SERVICE_KINDS)
def test_another_person_contract_or_year_is_another_event(kind, changes):
    assert service_id(service(kind)) != service_id(replace(service(kind), **changes))


def test_no_two_kinds_share_an_id():
    assert len({service_id(service(kind)) for kind in SERVICE_KINDS}) == len(SERVICE_KINDS)


# Procedures: US Core Procedure (reference/fhir-profiles.md 1.3) ---------------------------------------------------------


@pytest.mark.parametrize("kind", ["cmr", "tmr"])
def test_us_core_procedure_code_subject_and_performed(kind):
    made = service_event(service(kind))
    assert made["meta"]["profile"] == ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-procedure"]
    assert made["performedDateTime"] == "2023-04-05"  # us-core-7
    assert codes([made["code"]], SERVICE) == [kind]


def test_only_the_cmr_has_a_code_of_snomed_ct():
    snomed = "http://snomed.info/sct"
    assert codes([service_event(service("cmr"))["code"]], snomed) == ["428911000124108"]
    assert codes([service_event(service("tmr"))["code"]], snomed) == []


@pytest.mark.parametrize("provider", PROVIDER_TYPES)
def test_the_provider_is_the_function_of_the_performer(provider):
    (performer,) = service_event(service(provider=provider))["performer"]
    assert codes([performer["function"]], PROVIDER_TYPE) == [provider]
    assert performer["actor"] == {"type": "Practitioner", "display": PROVIDER_TYPES[provider]}


def test_a_known_performer_is_the_actor():
    (performer,) = service_event(service(provider="physician", performer="Practitioner/p1"))["performer"]
    assert performer["actor"] == {"reference": "Practitioner/p1"}


@pytest.mark.parametrize("method", REVIEW_METHODS)
def test_the_method_of_a_review_stands_in_the_extension(method):
    assert part(service_event(service(method=method)), "method") == [method]


# Communications ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", CONTACT_METHODS)
def test_the_way_of_a_contact_is_its_medium(method):
    made = service_event(service("invitation", method=method))
    assert codes(made["medium"], CONTACT_METHOD) == [method]
    assert len(codes(made["medium"], PARTICIPATION_MODE)) == (method != "other")
    assert part(made, "method") == []
    validate(made)


@pytest.mark.parametrize("recipient", RECIPIENTS)
def test_the_recipient_is_the_patient_or_described(recipient):
    made = service_event(service("cmr_offer", recipient=recipient))
    assert part(made, "recipient") == [recipient]
    named = made["recipient"] == [{"reference": "Patient/b1"}]
    assert named is (recipient == "beneficiary")
    validate(made)


def test_a_summary_is_about_its_cmr_and_a_resolution_answers_its_recommendation():
    assert service_event(service("summary_sent", about=CMR))["about"] == [{"reference": CMR}]
    made = service_event(service("resolution", about="Communication/r1", changed=True))
    assert made["inResponseTo"] == [{"reference": "Communication/r1"}]
    assert "about" not in made


def test_the_words_of_a_recommendation_are_its_payload():
    made = service_event(service("recommendation", text="Stop\nthe drug", recipient="prescriber"))
    assert made["payload"] == [{"contentString": "Stop the drug"}]
