"""Validation names the element and never the value; XML loses nothing and expands nothing."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import ConformanceError
from adapter.fhir import conformance, json

OBSERVATION = json.loads(
    """{"resourceType": "Observation", "id": "o-1", "meta": {"profile": ["http://x/p"]},
    "text": {"status": "generated", "div": "<div xmlns=\\"http://www.w3.org/1999/xhtml\\"><p>a <b>b</b></p></div>"},
    "contained": [{"resourceType": "Patient", "id": "p", "active": true, "name": [{"given": ["A", null],
      "_given": [null, {"id": "q", "extension": [{"url": "http://u", "valueBoolean": false}]}]}],
      "multipleBirthInteger": 2}],
    "status": "final", "_status": {"extension": [{"url": "http://x", "valueDecimal": 1E+2}]},
    "code": {"text": "é < & \\" a"}, "effectiveDateTime": "2023-03", "issued": "2023-03-04T10:11:12.5+02:00",
    "valueQuantity": {"value": 1.10, "unit": "mg"}}"""
)


def fault_of(resource):
    with pytest.raises(ConformanceError) as raised:
        conformance.validate(resource)
    return str(raised.value)


def test_a_valid_resource_passes_and_stays_as_it_is():
    before = copy.deepcopy(OBSERVATION)
    conformance.validate(OBSERVATION)
    assert before == OBSERVATION


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"status": None}, "Observation.status"),
        ({"code": {"coding": {"code": "Secret"}}}, "Observation.code.coding"),
        ({"code": {"txt": "Secret"}}, "Observation.code.txt"),
        ({"Secret Name": 1}, "Observation.?"),
        ({"effectiveDateTime": "Secret"}, "Observation.effectiveDateTime"),
        ({"valueString": "Secret"}, "got multiple"),
        ({"valueQuantity": {"value": "1.10"}}, "Observation.valueQuantity.value: is no JSON number"),
        ({"valueQuantity": {"value": True}}, "Observation.valueQuantity.value"),
        (
            {"code": {"coding": [{"userSelected": "yes"}]}},
            "Observation.code.coding[0].userSelected: is no JSON boolean",
        ),
        ({"category": []}, "Observation.category: is empty"),
        ({"category": [{}]}, "Observation.category[0]: is empty"),
        ({"code": {"text": ""}}, "Observation.code.text"),
        ({"contained": [{"resourceType": "Nope"}]}, "no FHIR R4 element"),
        ({"contained": [{"resourceType": "Patient", "active": "Secret"}]}, "Observation.contained[0]"),
        ({"contained": ["Secret"]}, "Observation.contained[0]"),
    ],
)
def test_a_fault_is_told_by_its_place(change, told):
    said = fault_of({**OBSERVATION, **change})
    assert told in said
    assert said.startswith("Observation/o-1 ")
    assert "Secret" not in said
    assert "\n" not in said


@pytest.mark.parametrize("resource", [{}, {"resourceType": "Nope"}, {"resourceType": "HumanName"}, {"resourceType": 7}])
def test_what_is_no_resource_type(resource):
    assert "has no resource type" in fault_of(resource)


def test_xml_round_trip_keeps_every_digit_and_character():
    document = conformance.to_xml(OBSERVATION)
    assert b'<value value="1.10"/>' in document
    assert b'<valueDecimal value="1E+2"/>' in document
    back = conformance.from_xml(document)
    assert back == OBSERVATION
    assert str(back["valueQuantity"]["value"]) == "1.10"
    conformance.validate(back)


def test_xml_bundle():
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "link": [{"relation": "next", "url": "http://x?a=1&b=2"}],
        "entry": [{"resource": OBSERVATION, "request": {"method": "PUT", "url": "Observation/o-1"}}],
    }
    assert conformance.from_xml(conformance.to_xml(bundle)) == bundle


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), min_size=1, max_size=20)


@given(TEXT, st.decimals(allow_nan=False, allow_infinity=False, places=4), st.booleans())
def test_xml_round_trip_of_any_value(text, number, flag):
    resource = {
        "resourceType": "Observation",
        "code": {"coding": [{"display": text, "userSelected": flag}]},
        "valueQuantity": {"value": number},
    }
    assert conformance.from_xml(conformance.to_xml(resource)) == resource


def test_xml_of_an_unknown_element_is_refused_both_ways():
    with pytest.raises(ConformanceError, match=r"Patient\.foo is no element"):
        conformance.to_xml({"resourceType": "Patient", "foo": 1})
    with pytest.raises(ConformanceError, match=r"Patient\.foo is no element"):
        conformance.from_xml(b'<Patient xmlns="http://hl7.org/fhir"><foo value="1"/></Patient>')


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (
            b'<!DOCTYPE a [<!ENTITY x "y">]><Patient xmlns="http://hl7.org/fhir"><id value="&x;"/></Patient>',
            "document type",
        ),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><Patient xmlns="http://hl7.org/fhir"/>', "document type"),
        (b"<html/>", "no FHIR resource"),
        (b"<Patient", "broken"),
        (b"", "broken"),
        (b'<Nope xmlns="http://hl7.org/fhir"/>', "no resource type"),
        (b'<Patient xmlns="http://hl7.org/fhir"><active value="secret"/></Patient>', "Patient.active"),
        (b'<Patient xmlns="http://hl7.org/fhir"><contained/></Patient>', "Patient.contained"),
    ],
)
def test_xml_that_is_refused(document, told):
    with pytest.raises(ConformanceError, match=told) as raised:
        conformance.from_xml(document)
    assert "secret" not in str(raised.value)


def test_comments_and_unknown_attributes_are_passed_over():
    document = b"""<?xml version="1.0"?><!-- a --><Patient xmlns="http://hl7.org/fhir"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"><!-- b -->
        <active value="true"/></Patient>"""
    assert conformance.from_xml(document) == {"resourceType": "Patient", "active": True}
