"""The JSON form of a member: read strictly, every fault at once, no value of a person in a message."""

from __future__ import annotations

import json

import pytest

from adapter.documents.form import facts
from adapter.errors import ConfigError


def read(form):
    return facts(json.dumps(form).encode(), "form.json")


def test_the_example(facts):
    assert facts.member.zip_code == "62711"
    assert len(facts.drugs) == 12
    assert len(facts.topics) == 3
    assert facts.faxes[0].prescriber.fax == "217-555-0102"
    assert facts.review.provider.title == "Clinical Pharmacist"


def test_the_least():
    known = read({"member": {"id": "1", "name": "Ann"}})
    assert (known.topics, known.drugs, known.review, known.enrolled_on) == (None, None, None, None)
    assert read({"member": {"id": "1", "name": "Ann"}, "to_do": [], "medications": []}).drugs == ()


def test_texts_are_clean():
    known = read(
        {
            "member": {"id": "1", "name": " A\u202enn\n Lee "},
            "allergies": ["", " x\u0000 "],
            "medications": [{"name": "a\tb"}],
        }
    )
    assert (known.member.name, known.allergies, known.drugs[0].name) == ("Ann Lee", ("x",), "a b")


def test_every_fault_at_once():
    with pytest.raises(ConfigError) as raised:
        read(
            {
                "member": {"id": "1", "nmae": "Ann"},
                "review": {"date": "2026-02-30"},
                "to_do": [{"actions": ["x"]}, 1],
                "drugs": [],
            }
        )
    known = "member, enrolled_on, review, to_do, medications, allergies, side_effects, other, sites, prescribers"
    assert str(raised.value).splitlines() == [
        f"form.json: drugs: there is no such key; known are: {known}",
        "form.json: member.nmae: there is no such key; known are: id, name, birth_date, address, zip, language",
        "form.json: member.name: the key is missing; add it",
        "form.json: review.date: Invalid RFC3339 encoded date; correct it",
        "form.json: to_do[0].topic: the key is missing; add it",
        "form.json: to_do[1]: Expected `object`, got `int`; correct it",
    ]


def test_values_that_cannot_be():
    with pytest.raises(ConfigError) as raised:
        read({"member": {"id": "1", "name": "\u200b", "birth_date": "14.3.1950", "language": "fr"}})
    assert str(raised.value).splitlines() == [
        "form.json: member.name: it is empty; fill it in",
        "form.json: member.birth_date: it is no date; write it like 1950-03-14",
        "form.json: member.language: there are no papers in this language; known are: en, es",
    ]


@pytest.mark.parametrize("content", [b"", b"{", b'{"member": "x"'])
def test_what_is_not_json(content):
    with pytest.raises(ConfigError, match=r"form\.json is not JSON"):
        facts(content, "form.json")
