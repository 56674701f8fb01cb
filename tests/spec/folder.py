"""A folder of NDJSON that holds the persons of several cases, each under the id ``p`` with a suffix of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.spec.expand import PERSON, json_line, resources_of, with_suffix

HERE = Path(__file__).parent


def cases_of(folder: str) -> list[dict[str, Any]]:
    """All cases of the files of a folder, each with its file."""
    found = []
    for path in sorted((HERE / folder).glob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        found += [{**told.get("every", {}), **case, "file": path.stem} for case in told["cases"]]
    return found


def person(number: int) -> str:
    """The id of the person of a case."""
    return f"{PERSON}.{number:03d}"


def plain(reference: str) -> str:
    """A reference or id as the case writes it, without the suffix."""
    return reference.rpartition(".")[0] or reference


def write(folder: Path, cases: Iterable[tuple[int, Mapping[str, Any]]]) -> Path:
    """The folder with the resources of all ``cases`` (number, case)."""
    lines: dict[str, list[str]] = {}
    for number, case in cases:
        for resource in resources_of(case):
            named = with_suffix(resource, f".{number:03d}")
            lines.setdefault(named["resourceType"], []).append(json_line(named))
    folder.mkdir(parents=True, exist_ok=True)
    for kind, found in lines.items():
        (folder / f"{kind}.ndjson").write_text("".join(line + "\n" for line in found), encoding="utf-8")
    return folder
