"""Instants of meta.lastUpdated, and the line that a builder gives."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from tests.population.facts import Day

NEWER, OLDER = "newer", "older"


class Line(NamedTuple):
    """A JSON line of a resource type; ``late`` lines are placed behind all others of their chunk."""

    kind: str
    json: str
    late: bool = False


class Stamps(NamedTuple):
    """The instants at which the extract saw a resource: after as_of, because the extract is made later."""

    day: Day
    newer: str
    older: str
    offset_newer: str  # 07:00 UTC, written with an offset
    offset_older: str  # 05:30 UTC of the same day, which as text looks later

    def of(self, version: str, which: str) -> str:
        """The instant of a version."""
        if version == "offset":
            return self.offset_newer if which == NEWER else self.offset_older
        return self.newer if which == NEWER else self.older


def stamps(day: Day) -> Stamps:
    """The instants for a day of decision."""
    seen, before = day.as_of + timedelta(days=5), day.as_of + timedelta(days=3)
    return Stamps(
        day, f"{seen}T06:00:00Z", f"{before}T06:00:00Z", f"{seen}T01:00:00.000-06:00", f"{seen}T05:30:00.000Z"
    )
