"""What check-mappings tells of rules: every class, ingredient and disease that no list knows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from adapter.mappings.checks import check_mappings, checked_files
from adapter.mappings.problem_checks import Known, problem_faults

SHIPPED = Path(__file__).parents[3] / "mappings"
KNOWN = Known({"STATIN"}, {"4337": "fentanyl"}, {"respiratory": ("asthma", "copd")})
RULE = """
kind = "use"
title = "A drug"
severity = "low"
contacts = ["prescriber"]
recommendation = "Ask."
basis = "pharmacology"
source = "own"
standing = "U"
window = "90 days"
conditions = ["respiratory/asthma", "respiratory"]
[drugs]
name = "Drugs"
classes = ["STATIN"]
ingredients = ["4337 Fentanyl"]
"""


@pytest.fixture
def told(tmp_path):
    """A function of a rule's text: its faults."""
    (tmp_path / "problems").mkdir()

    def faults(text):
        (tmp_path / "problems" / "rule.toml").write_text(text, encoding="utf-8")
        return [str(fault) for fault in problem_faults(tmp_path, KNOWN)]

    return faults


def test_what_the_lists_know_is_no_fault(told):
    assert told(RULE) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"STATIN"', '"STATINS"', "drugs.classes: 'STATINS' is no class"),
        ('"4337 Fentanyl"', '"4338 fentanyl"', "drugs.ingredients: '4338 fentanyl' is not in drugs/ingredients"),
        ('"4337 Fentanyl"', '"4337 codeine"', "4337 is 'fentanyl' in drugs/ingredients, not 'codeine'"),
        ('"respiratory"]', '"lungs"]', "conditions: 'lungs' is no disease"),
        ("respiratory/asthma", "respiratory/flu", "conditions: 'respiratory/flu' is no subgroup of respiratory"),
        ('severity = "low"', "", "missing required field `severity`"),
    ],
)
def test_what_they_do_not_know_is(told, old, new, fault):
    found = told(RULE.replace(old, new))
    assert len(found) == 1
    assert found[0].startswith("problems/rule.toml: ")
    assert fault in found[0]


def test_the_shipped_rules_are_checked_with_everything_else(tmp_path):
    folder = tmp_path / "mappings"
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("local"))
    rule = folder / "problems" / "opioid_benzodiazepine.toml"
    rule.write_text(rule.read_text(encoding="utf-8").replace('"OPIOID"', '"OPIATE"'), encoding="utf-8")
    assert [str(fault) for fault in check_mappings(folder)] == [
        "problems/opioid_benzodiazepine.toml: groups.Opioids.classes: 'OPIATE' is no class of drugs/classes; correct it"
    ]
    assert "problems/opioid_benzodiazepine.toml" in checked_files(folder)
