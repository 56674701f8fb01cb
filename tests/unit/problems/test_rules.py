"""Rules are read strictly: every fault is told with file and key, and the shipped ones say where they are from."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.errors import MappingError
from adapter.problems.rules import conditions_of, drug_sets, load_rules, read_rule

MAPPINGS = Path(__file__).parents[3] / "mappings"
RULES = load_rules(MAPPINGS)
GOOD = """
kind = "use"
title = "A drug"
severity = "low"
contacts = ["prescriber"]
recommendation = "Ask."
basis = "pharmacology"
source = "own"
standing = "U"
window = "90 days"
[drugs]
name = "Drugs"
classes = ["STATIN"]
"""
TOGETHER = GOOD.replace('"use"', '"together"').replace("[drugs]", "days = 1\n[[groups]]")
UNFILLED = GOOD.partition("window")[0].replace('"use"', '"unfilled"') + "from_days = 30\n"
GAP = GOOD.replace('"use"', '"gap"').replace("[drugs]", "[lacking]")


def faults(tmp_path, text):
    (tmp_path / "rule.toml").write_text(text, encoding="utf-8")
    try:
        read_rule(tmp_path / "rule.toml")
    except MappingError as error:
        return [f"{fault.place}: {fault.fault}" for fault in error.faults]
    return []


@pytest.mark.parametrize("text", [GOOD, UNFILLED], ids=["use", "unfilled"])
def test_a_good_rule_has_no_fault(tmp_path, text):
    assert faults(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace("severity", "severty"), "unknown field `severty`"),
        (GOOD.replace('"low"', '"fatal"'), "severity: Invalid enum value 'fatal'"),
        (GOOD.replace('"use"', '"guess"'), "kind: Invalid value 'guess'"),
        (GOOD.replace('kind = "use"\n', ""), "missing required field `kind`"),
        (GOOD.replace('source = "own"\n', ""), "missing required field `source`"),
        (GOOD.replace('source = "own"', 'source = ""'), "source: this must not be empty"),
        (GOOD.replace('standing = "U"', 'standing = "X"'), "standing: Invalid enum value 'X'"),
        (GOOD.replace('["prescriber"]', '["neighbor"]'), "contacts[0]: Invalid enum value 'neighbor'"),
        (GOOD.replace('["prescriber"]', "[]"), "contacts: name whom to contact"),
        (GOOD.replace('["prescriber"]', '["member"]'), "member_text: who may contact the member needs words"),
        (GOOD.replace("window", 'code = "NOTHING"\nwindow'), "code: 'NOTHING' is no code"),
        (GOOD.replace("90 days", "a while"), "window: 'a while' is no window"),
        (GOOD.replace("90 days", "0 days"), "window: '0 days' is no window"),
        (GOOD.replace("window", "minimum_fills = 0\nwindow"), "minimum_fills: at least one fill"),
        (GOOD.replace('classes = ["STATIN"]', ""), "drugs: the set holds no drug"),
        (GOOD + 'ingredients = ["fentanyl"]', "drugs: 'fentanyl' is no ingredient"),
        (GOOD + 'without = ["4337"]', "drugs: '4337' is no ingredient"),
        (GOOD + 'without_routes = ["ear"]', "drugs.without_routes[0]: Invalid enum value 'ear'"),
        (
            GOOD.replace("[drugs]", '[member_text]\nen = "x"\n[drugs]'),
            "member_text: Object missing required field `es`",
        ),
        (TOGETHER, "groups: two groups can be taken together"),
        (TOGETHER.replace("days = 1", "days = 0"), "days: the drugs overlap on at least one day"),
        (UNFILLED + "to_days = 29", "to_days: the last day lies before the first"),
        (GAP, "conditions: a gap needs a condition or drugs"),
        ("kind = [", "this is not valid TOML"),
    ],
)
def test_a_fault_is_told_with_its_key(tmp_path, text, told):
    assert [one for one in faults(tmp_path, text) if told in one], faults(tmp_path, text)


def test_the_faults_of_all_files_are_told_at_once(tmp_path):
    folder = tmp_path / "problems"
    folder.mkdir()
    (folder / "a.toml").write_text(GOOD.replace('"low"', '"fatal"'), encoding="utf-8")
    (folder / "b.toml").write_text(GOOD.replace("90 days", "ever"), encoding="utf-8")
    with pytest.raises(MappingError) as caught:
        load_rules(tmp_path)
    assert [fault.file for fault in caught.value.faults] == ["problems/a.toml", "problems/b.toml"]


def test_without_any_rule_nothing_is_silently_found(tmp_path):
    with pytest.raises(MappingError, match="there is no rule"):
        load_rules(tmp_path)


@pytest.mark.parametrize("name", RULES)
def test_a_shipped_rule_says_what_it_rests_on(name):
    rule = RULES[name]
    assert len(rule.source) > 20
    assert rule.recommendation.endswith(".")
    if rule.standing == "V":
        assert "PQA" in rule.source or "http" in rule.source, "read in the official text: which one?"
    if rule.member_text:
        assert rule.member_text.en.endswith(".")
        assert rule.member_text.es.endswith(".")
        assert rule.member_text.en != rule.member_text.es


def test_the_lists_of_the_licensed_measures_are_named_as_own():
    for name in ("anticholinergics_elderly", "high_risk_elderly"):
        text = (MAPPINGS / "problems" / f"{name}.toml").read_text(encoding="utf-8")
        assert "licensed and were not used" in " ".join(text.replace("#", " ").split())


def test_drugs_and_conditions_of_a_rule():
    gap = RULES["diabetes_without_statin"]
    assert set(drug_sets(gap)) == {"drugs", "lacking"}
    assert conditions_of(gap) == ["esrd"]
    assert drug_sets(RULES["adherence_ras"]) == {}
    assert RULES["long_acting_sulfonylurea_elderly"].drugs.ingredient_ids == ["4815", "2404"]


@pytest.mark.parametrize("name", RULES)
def test_the_manual_names_each_rule_with_its_source_and_standing(name):
    manual = (MAPPINGS.parent / "docs" / "problems.md").read_text(encoding="utf-8")
    rule = RULES[name]
    assert f"- `{name}` ({rule.standing}): {rule.source}." in manual, "renew docs/problems.md"
    assert f"| `{name}` | {rule.title} |" in manual
