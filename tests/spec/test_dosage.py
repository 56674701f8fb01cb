"""How a drug is used in plain words: the cases of dosage/*.json, one test each, in both languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapter.reconciliation.dosage import Use, use

FOLDER = Path(__file__).parent / "dosage"
CASES = [case for path in sorted(FOLDER.glob("*.json")) for case in json.loads(path.read_text(encoding="utf-8"))]
KEYS = {"title", "dosage", "en", "es", "untranslated", "source_language"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_case(case: dict[str, Any]) -> None:
    written_in = case.get("source_language", "en")
    got = {language: use(case["dosage"], language, written_in) for language in ("en", "es")}
    other = "es" if written_in == "en" else "en"
    wanted = {"en": Use(case["en"]), "es": Use(case["es"])}
    wanted[other] = Use(case[other], not case.get("untranslated", False))
    assert got == wanted


def test_the_cases_are_whole_and_none_stands_twice() -> None:
    titles = [case["title"] for case in CASES]
    assert len(titles) >= 40
    assert sorted(set(titles)) == sorted(titles)
    assert [
        case["title"] for case in CASES if set(case) - KEYS or not {"title", "dosage", "en", "es"} <= set(case)
    ] == []
