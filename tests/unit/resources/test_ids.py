from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.resources import ids

texts = st.lists(st.text(max_size=8), min_size=2, max_size=6)


def test_an_id_is_of_a_form_that_every_server_takes():
    own_id = ids.resource_id("enrollment", "H1234", "b1", 2023)
    assert re.fullmatch(r"mtm-[0-9a-f]{32}", own_id)


def test_an_id_never_changes_between_versions_of_the_adapter():
    """Servers hold this id: another one would enroll everybody twice."""
    assert ids.resource_id("enrollment", "H1234", "b1", 2023) == "mtm-ec43e4211be94c0de61e1fc5c5147d8b"


@given(texts)
def test_equal_parts_give_equal_ids(parts):
    assert ids.resource_id("enrollment", *parts[:2], 2023, *parts[2:]) == ids.resource_id(
        "enrollment", *parts[:2], 2023, *parts[2:]
    )


@given(texts, texts)
def test_other_parts_give_other_ids(one, other):
    first = ids.resource_id("enrollment", *one[:2], 2023, *one[2:])
    second = ids.resource_id("enrollment", *other[:2], 2023, *other[2:])
    assert (first == second) == (one == other)


@given(st.text(max_size=6), st.text(max_size=6), st.text(max_size=6))
def test_moving_text_from_one_part_to_the_next_gives_another_id(a, b, c):
    joined = ids.resource_id("provenance", "H1234", "b1", 2023, a + b, c)
    moved = ids.resource_id("provenance", "H1234", "b1", 2023, a, b + c)
    assert (joined == moved) == (b == "")


@pytest.mark.parametrize("kind", ids.KINDS)
def test_a_tag_marks_what_is_own(kind):
    resource = {"resourceType": "Basic", "meta": {"tag": [{"system": "x", "code": "y"}, ids.tag(kind)]}}
    assert ids.is_own(resource)
    assert ids.is_own(resource, kind)


def test_without_the_tag_or_with_another_kind_it_is_not_own():
    assert not ids.is_own({"resourceType": "Basic"})
    assert not ids.is_own({"meta": "x"})
    assert not ids.is_own({"meta": {"tag": [None, "x"]}})
    assert not ids.is_own({"meta": {"tag": [{"code": "enrollment"}, {"system": "x", "code": "enrollment"}]}})
    assert not ids.is_own({"meta": {"tag": [ids.tag("enrollment")]}}, "provenance")


@pytest.mark.parametrize("source", ["Condition/123", "ExplanationOfBenefit/carrier--1.2", "Flag/" + "a" * 64])
def test_a_reference_is_one(source):
    assert ids.is_reference(source)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "roster.csv row 4",
        "Condition/?",
        "Condition/",
        "condition/1",
        "urn:uuid:0f",
        "#m1",
        "Flag/" + "a" * 65,
        "http://x.org/fhir/Condition/1",
        "Condition/1/_history/2",
        "Condition/a b",
        "Condition/1\n",
    ],
)
def test_everything_else_is_not(source):
    assert not ids.is_reference(source)


def test_references_are_unique_and_sorted():
    assert ids.references(["Flag/2", "Condition/1", "Flag/2", "roster.csv row 4"]) == ["Condition/1", "Flag/2"]
