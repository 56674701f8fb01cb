from __future__ import annotations

from datetime import date

import pytest
from fhir.resources.R4B import get_fhir_model_class

from adapter.resources.capability import OPERATION
from adapter.resources.care_plan import CARE_PLAN_CATEGORY, CATEGORIES, ENROLLMENT_EXTENSION, enrollment
from adapter.resources.definitions import definitions
from adapter.resources.enrollment_life import opted_out, re_enrolled
from adapter.resources.ids import BASE, KINDS, RESOURCE_IDENTIFIER, RESOURCE_KIND
from adapter.resources.medication_statement import STATUS_REASON, STATUS_REASONS
from adapter.resources.service_codes import (
    CONTACT_METHOD,
    CONTACT_METHODS,
    OFFER_ANSWER,
    OFFER_ANSWERS,
    OPT_OUT_REASON,
    OPT_OUT_REASONS,
    PROVIDER_TYPE,
    PROVIDER_TYPES,
    RECIPIENT,
    RECIPIENTS,
    REVIEW_METHOD,
    REVIEW_METHODS,
    SERVICE,
    SERVICE_EXTENSION,
    SERVICE_KINDS,
    SERVICES,
    code_of,
)
from adapter.resources.service_events import Service, service_event

ALL = definitions()
BY_URL = {d.get("url") or d["uniqueId"][0]["value"]: d for d in ALL}


@pytest.mark.parametrize("definition", ALL, ids=lambda d: f"{d['resourceType']}-{d['id']}")
def test_it_is_valid_r4_under_the_base_of_the_adapter(definition):
    get_fhir_model_class(definition["resourceType"]).model_validate(definition)
    assert (definition.get("url") or definition["uniqueId"][0]["value"]) == (
        f"{BASE}{definition['resourceType']}/{definition['id']}"
    )


def test_everything_that_the_resources_use_is_defined():
    used = {RESOURCE_KIND, RESOURCE_IDENTIFIER, CARE_PLAN_CATEGORY, ENROLLMENT_EXTENSION, STATUS_REASON, OPERATION}
    assert used <= set(BY_URL)


def codes(url):
    assert BY_URL[url]["count"] == len(BY_URL[url]["concept"])
    return {concept["code"]: concept["display"] for concept in BY_URL[url]["concept"]}


def test_codes_and_displays_are_those_that_the_resources_carry():
    assert codes(RESOURCE_KIND) == KINDS
    assert codes(STATUS_REASON) == STATUS_REASONS
    assert codes(CARE_PLAN_CATEGORY) == {c["code"]: c["display"] for c in CATEGORIES[1]["coding"]}
    assert set(codes(f"{BASE}CodeSystem/at-risk")) == {"AR", "PAR"}


@pytest.mark.parametrize(
    ("system", "displays"),
    [
        (SERVICE, SERVICES),
        (REVIEW_METHOD, REVIEW_METHODS),
        (CONTACT_METHOD, CONTACT_METHODS),
        (PROVIDER_TYPE, PROVIDER_TYPES),
        (RECIPIENT, RECIPIENTS),
        (OFFER_ANSWER, OFFER_ANSWERS),
        (OPT_OUT_REASON, OPT_OUT_REASONS),
    ],
)
def test_the_words_of_the_services_are_those_of_the_definitions(system, displays):
    assert codes(system) == displays


def test_every_kind_of_service_is_a_kind_of_resource():
    assert [code_of(kind) for kind in SERVICE_KINDS] == list(SERVICES)
    assert SERVICES.items() <= KINDS.items()


def assert_as_defined(url, extensions):
    elements = {e["id"]: e for e in BY_URL[url]["differential"]["element"]}
    slices = {e["sliceName"] for e in elements.values() if "sliceName" in e}
    parts = [part for extension in extensions for part in extension["extension"]]
    assert {part["url"] for part in parts} == slices
    for part in parts:
        (element,) = set(part) - {"url"}
        kind = elements[f"Extension.extension:{part['url']}.value[x]"]["type"][0]["code"]
        assert element == f"value{kind[0].upper()}{kind[1:]}"
        assert elements[f"Extension.extension:{part['url']}.url"]["fixedUri"] == part["url"]


def test_the_extension_of_an_enrollment_is_as_its_definition_says(decide, program):
    plan = opted_out(enrollment(decide(), program, None), date(2023, 5, 1), "03")
    again = re_enrolled(plan, date(2023, 6, 1), program.last_day)
    assert_as_defined(ENROLLMENT_EXTENSION, [*plan["extension"], *again["extension"]])


def test_the_extension_of_a_service_is_as_its_definition_says():
    facts = {
        "beneficiary": "b1", "contract": "H1234", "plan_year": 2023, "enrollment": "CarePlan/e", "method": "telephone",
        "provider": "physician", "recipient": "beneficiary", "cognitively_impaired": "N", "ltc_facility": "U",
        "minutes": 30, "answer": "accepted", "changed": True,
    }  # fmt: skip
    made = [service_event(Service(kind, on_day=date(2023, 5, 1), **facts)) for kind in SERVICE_KINDS]
    assert_as_defined(SERVICE_EXTENSION, [one["extension"][0] for one in made])
