"""A small synthetic source for the review by rule: three persons with a problem, a doubt and nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.spec.folder import person, write
from tests.spec.test_problems import enrollment

STATINS = {
    "claims": [
        {"drug": "atorvastatin", "date": "2023-07-03", "days": 90},
        {"drug": "simvastatin", "date": "2023-08-01", "days": 30},
    ]
}
DOUBT = {
    "claims": [
        {"drug": "atorvastatin", "date": "2023-07-03", "days": 90},
        {"text": "Examplevir", "date": "2023-08-01", "days": 60},
    ]
}
NOTHING = {"claims": [{"drug": "metoprolol succinate", "date": "2023-08-01", "days": 60}]}
ALONE = {"claims": [{"drug": "atorvastatin", "date": "2023-07-03", "days": 90}]}
PEOPLE: tuple[Mapping[str, Any], ...] = (STATINS, DOUBT, NOTHING)


def source(folder: Path, people: Iterable[Mapping[str, Any]] = PEOPLE, **plan: Any) -> Path:
    """A folder with these persons (p.001, ...), all enrolled; ``plan`` changes elements of every enrollment."""
    cases = [(number, {"given": given}) for number, given in enumerate(people, 1)]
    write(folder, cases)
    plans = [{**enrollment(person(number)), **plan} for number, _ in cases]
    (folder / "CarePlan.ndjson").write_text("".join(json.dumps(one) + "\n" for one in plans), encoding="utf-8")
    return folder
