from __future__ import annotations

from copy import deepcopy

from adapter.resources.merging import joined, merge, merge_dated, reference_elements

OWN = {
    "resourceType": "Basic",
    "id": "mtm-1",
    "meta": {"profile": ["p"], "tag": [{"system": "s", "code": "c"}]},
    "identifier": [{"system": "i", "value": "1"}],
    "category": [{"coding": [{"system": "a", "code": "b"}]}],
    "title": "own",
}


def test_nothing_held_gives_the_own_resource():
    assert merge(OWN, None, ()) == OWN


def test_what_others_added_stays_and_the_held_resource_is_not_changed():
    held = {
        **OWN,
        "meta": {
            "versionId": "3",
            "profile": ["q"],
            "tag": [{"system": "x", "code": "y"}],
            "security": [{"code": "R"}],
        },
        "identifier": [{"system": "j", "value": "2"}],
        "category": [{"text": "theirs"}],
        "title": "theirs",
        "note": [{"text": "theirs"}],
        "text": {"status": "generated"},
    }
    before = deepcopy(held)
    merged = merge(OWN, held, ("text",))
    assert held == before
    assert merged["meta"] == {
        "versionId": "3",
        "profile": ["q", "p"],
        "tag": [{"system": "x", "code": "y"}, {"system": "s", "code": "c"}],
        "security": [{"code": "R"}],
    }
    assert merged["identifier"] == [{"system": "j", "value": "2"}, {"system": "i", "value": "1"}]
    assert merged["category"] == [{"text": "theirs"}, {"coding": [{"system": "a", "code": "b"}]}]
    assert merged["title"] == "own"
    assert merged["note"] == [{"text": "theirs"}]
    assert "text" not in merged


def test_merging_again_changes_nothing_in_whatever_order_the_server_gives_lists_back():
    held = merge(OWN, {"meta": {"tag": [{"system": "x", "code": "y"}]}}, ())
    held["meta"]["tag"].reverse()
    assert merge(OWN, held, ()) == held


def test_a_narrative_that_the_server_only_wrote_otherwise_is_the_same():
    own = {**OWN, "text": {"status": "generated", "div": '<div><p>"a" \U0001f600 &lt;</p></div>'}}
    held = {**own, "text": {"status": "generated", "div": "<div><p>&quot;a&quot; &#x1F600; &lt;</p></div>"}}
    assert merge(own, held, ("text",)) == held
    for other in ({"status": "additional", "div": held["text"]["div"]}, {"status": "generated"}, {}):
        assert merge(own, {**held, "text": other}, ("text",))["text"] == own["text"]


def test_a_held_item_with_more_in_it_stands_for_the_own_one():
    own = [{"coding": [{"system": "a", "code": "b"}]}]
    held = [{"coding": [{"system": "a", "code": "b", "display": "B"}, {"system": "c", "code": "d"}], "text": "t"}]
    assert joined(held, own) == held


def test_the_date_changes_only_with_something_else():
    first = merge_dated(OWN, None, (), "date", "2023-03-05")
    assert first["date"] == "2023-03-05"
    assert merge_dated(OWN, first, (), "date", "2023-04-01") is first
    changed = merge_dated({**OWN, "title": "new"}, first, (), "date", "2023-04-01")
    assert (changed["title"], changed["date"]) == ("new", "2023-04-01")


def test_a_held_reference_keeps_its_display():
    held = [
        {"reference": "Condition/1", "display": "Diabetes"},
        {"display": "no reference"},
        {"reference": "Condition/9"},
    ]
    assert reference_elements(["Condition/1", "Condition/2"], held) == [held[0], {"reference": "Condition/2"}]
