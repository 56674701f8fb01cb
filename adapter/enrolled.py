"""What stands of one beneficiary's plan year, from resources that are at hand: enrollments and services by the one table path."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from adapter.engines.duckdb import Engine, EnginePool
from adapter.fhir.json import Resource, dump_line
from adapter.population import plan_year_tables
from adapter.services.records import Standing
from adapter.sources.snapshot import Snapshot

TYPES = ("CarePlan", "Procedure", "Communication")


def standing_of(resources: Iterable[Resource], today: date, pool: EnginePool | None = None) -> Standing:
    """The enrollments and services among one person's ``resources``, as ``adapter/services/records.py`` judges them."""
    lines: dict[str, list[bytes]] = {}
    for one in resources:
        if one["resourceType"] in TYPES:
            lines.setdefault(one["resourceType"], []).append(dump_line(one))
    with TemporaryDirectory(prefix="mtm-") as scratch, pool.session() if pool else Engine(threads=1) as engine:
        files = {kind: (Path(scratch) / f"{kind}.ndjson",) for kind in lines}
        for kind, (path,) in files.items():
            path.write_bytes(b"".join(lines[kind]))
        tables = plan_year_tables(engine, Snapshot(scratch, files, Path(scratch)))
        return Standing(engine.records(tables.enrollments), engine.records(tables.services), today)
