from __future__ import annotations

import pytest
from fhir.resources.R4B import get_fhir_model_class

from adapter.resources.capability import OPERATION
from adapter.resources.care_plan import CARE_PLAN_CATEGORY, CATEGORIES, ENROLLMENT_EXTENSION, enrollment
from adapter.resources.definitions import definitions
from adapter.resources.ids import BASE, KINDS, RESOURCE_IDENTIFIER, RESOURCE_KIND
from adapter.resources.medication_statement import STATUS_REASON, STATUS_REASONS

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


def test_the_extension_is_as_its_definition_says(decide, program):
    elements = {e["id"]: e for e in BY_URL[ENROLLMENT_EXTENSION]["differential"]["element"]}
    slices = {e["sliceName"]: e for e in elements.values() if "sliceName" in e}
    (extension,) = enrollment(decide(), program, None)["extension"]
    assert {part["url"] for part in extension["extension"]} == set(slices)
    for part in extension["extension"]:
        (element,) = set(part) - {"url"}
        kind = elements[f"Extension.extension:{part['url']}.value[x]"]["type"][0]["code"]
        assert element == f"value{kind[0].upper()}{kind[1:]}"
        assert elements[f"Extension.extension:{part['url']}.url"]["fixedUri"] == part["url"]
