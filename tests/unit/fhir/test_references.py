"""References have one normal form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.fhir.references import normalize, person_of, reference_id, reference_type

BASE = "https://x.org/fhir"
IDS = st.text(alphabet="abcXYZ019-.", min_size=1, max_size=64)
TYPES = st.sampled_from(["Patient", "ExplanationOfBenefit", "Medication"])


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("Patient/1", "Patient/1"),
        (" Patient/1 ", "Patient/1"),
        ("/Patient/1", "Patient/1"),
        ("Patient/-1000.5-2", "Patient/-1000.5-2"),
        ("Patient/1/_history/3", "Patient/1"),
        ("https://x.org/fhir/Patient/1", "Patient/1"),
        ("https://x.org/fhir/Patient/1/_history/3", "Patient/1"),
        ("http://X.ORG:80/fhir/Patient/1", "Patient/1"),
        ("https://x.org:443/fhir/Patient/1", "Patient/1"),
        ("https://x.org:8443/fhir/Patient/1", "https://x.org:8443/fhir/Patient/1"),
        ("https://y.org/fhir/Patient/1", "https://y.org/fhir/Patient/1"),
        ("https://y.org/fhir/Patient/1/_history/3", "https://y.org/fhir/Patient/1"),
        ("https://x.org/fhir2/Patient/1", "https://x.org/fhir2/Patient/1"),
        ("urn:uuid:0C6A8C5E-6F2F-4C2A-9B3B-0D6B0C1F2A3B", "urn:uuid:0c6a8c5e-6f2f-4c2a-9b3b-0d6b0c1f2a3b"),
        ("urn:oid:1.2.3", "urn:oid:1.2.3"),
        ("#med", "#med"),
        ("#", "#"),
        (
            "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|1",
            "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|1",
        ),
        ("https://x.org/fhir/Practitioner?identifier=a|1", "Practitioner?identifier=a|1"),
        ("", None),
        ("John Smith", None),
        ("Patient/", None),
        ("patient/1", None),
        ("Patient/1/2", None),
    ],
)
def test_normal_form(reference, expected):
    assert normalize(reference, BASE) == expected


def test_without_a_base_absolute_references_stay_absolute():
    assert normalize("https://x.org/fhir/Patient/1/_history/2") == "https://x.org/fhir/Patient/1"


def test_a_trailing_slash_of_the_base_makes_no_difference():
    assert normalize("https://x.org/fhir/Patient/1", BASE + "/") == "Patient/1"


@given(TYPES, IDS)
def test_every_way_to_point_at_a_resource_gives_one_form(resource_type, one):
    ways = [f"{prefix}{resource_type}/{one}{suffix}" for prefix in ("", f"{BASE}/") for suffix in ("", "/_history/7")]
    assert {normalize(way, BASE) for way in ways} == {f"{resource_type}/{one}"}
    assert {reference_id(way, resource_type, BASE) for way in ways} == {one}


@given(st.text(max_size=80) | st.builds("{}/{}".format, TYPES, IDS) | st.builds((BASE + "/{}/{}").format, TYPES, IDS))
def test_a_normal_form_is_its_own(text):
    form = normalize(text, BASE)
    assert form is None or normalize(form, BASE) == form


def test_reference_id_is_none_for_other_types_and_servers():
    assert reference_id("Group/1", "Patient") is None
    assert reference_id("https://y.org/fhir/Patient/1", "Patient", BASE) is None
    assert reference_id("#p", "Patient") is None


def test_reference_type():
    assert reference_type("Patient/1") == "Patient"
    assert reference_type("Practitioner?identifier=1") == "Practitioner"
    assert reference_type("https://y.org/fhir/Patient/1", BASE) is None
    assert reference_type("#p") is None


@pytest.mark.parametrize(
    ("resource", "person"),
    [
        ({"subject": {"reference": "Patient/p-1.a"}}, "p-1.a"),
        ({"patient": {"reference": "https://other.example.org/r4/Patient/p1/_history/3"}}, "p1"),
        ({"beneficiary": {"reference": "Patient/p1"}}, "p1"),
        ({"subject": {"reference": "Group/g"}, "patient": {"reference": "Patient/p1"}}, "p1"),
        ({"subject": {"reference": "Patient/p1/"}}, None),
        ({"subject": {"reference": "NoPatient/p1"}}, None),
        ({"subject": {"display": "somebody"}}, None),
        ({"subject": "Patient/p1"}, None),
        ({}, None),
    ],
)
def test_whom_a_resource_is_about(resource, person):
    assert person_of(resource) == person
