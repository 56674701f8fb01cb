"""National figures of the MTM program as data, read strictly from ``mappings/reporting/national.toml``: context, never a target."""

from __future__ import annotations

from pathlib import Path

import msgspec

from adapter.errors import Fault, MappingError
from adapter.mappings.extended import read_toml
from adapter.reporting.form import Standing, Strict


class Figure(Strict, frozen=True):
    """The share of all MTM enrollees of a year of whom ``rate`` is true; the names of rates stand in ``rates.py``."""

    rate: str
    year: int
    share: float  # fraction of 1
    source: str
    standing: Standing


class National(Strict, frozen=True):
    """All figures that were found published."""

    title: str
    version: str
    note: str
    figures: list[Figure]

    def latest(self, rate: str) -> Figure | None:
        """The figure of the latest year for ``rate``, or None."""
        return max((one for one in self.figures if one.rate == rate), key=lambda one: one.year, default=None)


def load_national(path: Path, rates: frozenset[str]) -> National:
    """The figures in the file of that path. Raises MappingError for a key, rate or share that cannot be."""
    try:
        national = msgspec.convert(read_toml(path), National)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        raise MappingError([Fault(path.name, place.strip("`").removeprefix("$."), what)]) from None
    faults = []
    for number, figure in enumerate(national.figures, start=1):
        if figure.rate not in rates:
            faults.append(
                Fault(
                    path.name, f"figures.{number}", f"{figure.rate!r} is no rate; known are {', '.join(sorted(rates))}"
                )
            )
        if not 0 <= figure.share <= 1:
            faults.append(Fault(path.name, f"figures.{number}", "share must be a fraction from 0 to 1"))
    if faults:
        raise MappingError(faults)
    return national
