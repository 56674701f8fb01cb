"""The edits as data, read strictly from ``mappings/reporting/edits.toml``: severity, citation, standing and remedy of each.

The rule of an edit is a small function in ``checks_*.py``; how serious a breach is, and what CMS's text says of it, is
data that a plan may correct with a file of its own (``extends = "edits"``).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from adapter.errors import Fault, MappingError
from adapter.mappings.extended import read_extended
from adapter.reporting.form import Standing, Strict

DEADLINES = ("offer_late", "summary_late")  # the edits that need ``days``


class Edit(Strict, frozen=True):
    """One edit: how serious a breach is, where the rule comes from, and what to do."""

    severity: Literal["error", "warning", "notice", "off"]
    citation: str
    standing: Standing
    remedy: str
    days: Annotated[int, msgspec.Meta(ge=1)] | None = None  # of an edit about a deadline: how many days are allowed


class Outliers(Strict, frozen=True):
    """When a rate or a total is told as unusual; shares are fractions of 1."""

    fewest: int  # beneficiaries; below that no rate is compared
    total_change: float  # of the beneficiaries since last year, as a share of last year's
    rate_change: float  # of a rate since last year
    national_distance: float  # of a rate from the national figure
    standing: Standing
    note: str = ""


class Edits(Strict, frozen=True):
    """All edits by name."""

    name: str
    title: str
    version: str
    source: str
    standing: Standing
    outliers: Outliers
    edits: dict[str, Edit]

    def __getitem__(self, name: str) -> Edit:
        return self.edits[name]


def load_edits(name_or_file: str, folder: Path, known: frozenset[str]) -> Edits:
    """The edits called ``name_or_file`` in ``folder`` or in the file of that path; ``extends`` is followed.

    ``known`` are the names that the code has a rule for. Raises MappingError with every fault: a key that is misspelled,
    an edit without a rule, a rule without an edit.
    """
    path = edits_path(name_or_file, folder)
    raw = read_extended(path, "list of edits", lambda name: edits_path(name, folder), _overlay)
    faults = list(_names(raw.get("edits"), known))
    if faults:
        raise MappingError([Fault(path.name, f"edits.{name}", fault) for name, fault in faults])
    try:
        made = msgspec.convert({**raw, "name": path.stem}, Edits)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        raise MappingError([Fault(path.name, place.strip("`").removeprefix("$."), what)]) from None
    without = [name for name in DEADLINES if made[name].days is None]
    if without:
        raise MappingError(
            [Fault(path.name, f"edits.{name}.days", "say how many days are allowed") for name in without]
        )
    return made


def _names(raw: Any, known: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Every edit without a rule and every rule without an edit, with what is wrong."""
    names = set(raw) if isinstance(raw, dict) else set()
    yield from ((name, "no rule is called so; correct its name") for name in sorted(names - known))
    yield from (
        (name, "the edit is missing; set its severity to off to leave it out") for name in sorted(known - names)
    )


def edits_path(name_or_file: str, folder: Path) -> Path:
    given = Path(name_or_file)
    path = given if given.suffix == ".toml" or len(given.parts) > 1 else folder / f"{name_or_file}.toml"
    if not path.is_file():
        raise MappingError([Fault(str(given), "", "there is no such list of edits; give a name or a .toml file")])
    return path


def _overlay(base: dict[str, Any], own: dict[str, Any], _: Path) -> dict[str, Any]:
    """``base`` with the keys of ``own``; edits are merged key by key by their name, and so are the outliers."""
    result = {**base, **own}
    if isinstance(own.get("outliers"), dict):
        result["outliers"] = {**base.get("outliers", {}), **own["outliers"]}
    if isinstance(own.get("edits"), dict):
        edits = dict(base.get("edits", {}))
        for name, edit in own["edits"].items():
            edits[name] = {**edits.get(name, {}), **edit} if isinstance(edit, dict) else edit
        result["edits"] = edits
    return result
