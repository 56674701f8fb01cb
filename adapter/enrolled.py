"""In which enrollment a service of a day was held, by the rules of the plan year (``adapter/services/lives.py``), or why in none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapter.engine import Engine
from adapter.errors import ConfigError
from adapter.fhir.json import Resource, dump_line
from adapter.population import plan_year_tables
from adapter.reconciliation.review import Enrollment
from adapter.services.lives import lives
from adapter.snapshot import Snapshot


def enrolled_on(care_plans: Iterable[Resource], day: date, contract: str = "") -> Enrollment:
    """The enrollment among one person's ``care_plans`` in which a review of ``day`` was held.

    Raises ConfigError with the reason when there is none (before the enrollment, after an opt-out, after the plan year), and when
    there are several and ``contract`` does not tell which.
    """
    rows = _lives(care_plans, day)
    running = [row for row in rows if _runs(row, day) and contract in ("", row["contract"])]
    if len(running) > 1:
        told = ", ".join(sorted(row["contract"] for row in running))
        raise ConfigError(
            f"The beneficiary was enrolled in several contracts on {day} ({told}); say which with --contract"
        )
    if not running:
        raise ConfigError(_refusal(rows, day, contract))
    row = running[0]
    return Enrollment(row["enrollment"], row["contract"], row["plan_year"], row["program"] or "unknown")


def _lives(care_plans: Iterable[Resource], day: date) -> list[dict[str, Any]]:
    """The enrollments that had begun by the end of ``day``, with their state, and the program of each."""
    with TemporaryDirectory(prefix="mtm-") as scratch, Engine(threads=1) as engine:
        path = Path(scratch) / "CarePlan.ndjson"
        path.write_bytes(b"".join(map(dump_line, care_plans)))
        snapshot = Snapshot(scratch, {"CarePlan": (path,)}, Path(scratch))
        tables = plan_year_tables(engine, snapshot)
        programs = {row["source"]: row["program"] for row in engine.records(tables.enrollments)}
        rows = engine.records(partial(lives, tables.enrollments, tables.services, day))
        return [
            row | {"program": programs[row["enrollment"]]}
            for row in sorted(rows, key=lambda row: str(row["enrollment"]))
        ]


def _runs(row: Mapping[str, Any], day: date) -> bool:
    """Whether a service of ``day`` counts: between the first and the last day, the day of an opt-out included."""
    if row["state"] == "opted_out" and row["opted_out_on"] != day:
        return False
    return row["ended_on"] is not None and bool(row["enrolled_on"] <= day <= row["ended_on"])


def _refusal(rows: list[dict[str, Any]], day: date, contract: str) -> str:
    of = f" in {contract}" if contract else ""
    rows = [row for row in rows if contract in ("", row["contract"])]
    out = [row for row in rows if row["state"] == "opted_out"]
    if out:
        when = max((str(row["opted_out_on"]) for row in out if row["opted_out_on"]), default="")
        return f"The beneficiary opted out{of}{f' on {when}' if when else ''}: no review of {day} can be recorded; re-enroll first"
    ended = [row for row in rows if row["state"] == "ended"]
    if ended:
        last = max(str(row["ended_on"]) for row in ended)
        return f"The enrollment{of} ended on {last}: no review of {day} can be recorded; correct the day"
    return f"The beneficiary was not enrolled in the MTM program{of} on {day}: screen and write the enrollment first, or correct the day"
