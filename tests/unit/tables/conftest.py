"""Cases of faulty resources, judged all at once: one query costs as much as a hundred cases."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def judge(engine, read):
    """Of each resource: its fault, and whether it is among the rows that ``tidy`` makes of the good ones."""

    def judged(kind, resources, reader, tidy):
        given = [one if one["id"] is None else one | {"id": str(number)} for number, one in enumerate(resources)]
        rows = engine.keep(reader(read(kind, given)))
        faults = {row["id"]: row["fault"] for row in engine.records(rows.select("id", "fault"))}
        assert len(faults) == len(given)
        counted = {row["source"] for row in engine.records(tidy(rows).select("source"))}
        keys = [one["id"] for one in given]
        return [(faults[key], f"{kind}/{key}" in counted) for key in keys]

    return judged
