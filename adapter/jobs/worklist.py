"""The worklist of an MTM program on a day: what is due to whom, what is overdue, what was done, and proposed opt-outs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ibis.expr.types as ir

from adapter.config import Config
from adapter.engines.duckdb import Engine, EnginePool
from adapter.errors import ConfigError
from adapter.jobs.targeting import DEFAULT_PROGRAM
from adapter.mappings.folder import load_mappings
from adapter.outputs.files import csv_bytes, write_whole
from adapter.population import PlanYear, plan_year_tables
from adapter.services import due
from adapter.services.lives import lives
from adapter.services.proposals import proposals
from adapter.sources.fetch import OF_PLAN_YEAR
from adapter.sources.opening import open_source
from adapter.sources.quarantine import Rejected
from adapter.targeting.program import Program, is_contract, load_program

SHOWN = ("overdue", "due", "done")  # what a worklist is about; the others are told on request
CSV_COLUMNS = due.COLUMNS


@dataclass(frozen=True)
class Asking:
    """Which worklist: of the enrollees at a source, on a day, by the deadlines of a program."""

    source: str
    as_of: date
    program: str = DEFAULT_PROGRAM
    contract: str = ""
    patients: str = ""  # a Patient search that chooses the persons of a server
    everything: bool = False  # also what is upcoming or not required


@dataclass(frozen=True)
class Worklist:
    """The duties by deadline, the proposed opt-outs, and what was left out on the way. ``counts`` is of all duties, by status."""

    program: Program
    asking: Asking
    duties: Sequence[Mapping[str, Any]]
    proposed: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]
    notices: tuple[str, ...]
    rejected: tuple[Rejected, ...]


def worklist(asking: Asking, config: Config, pool: EnginePool | None = None) -> Worklist:
    """The worklist; a server is asked for Patients, Coverage, CarePlans and the adapter's own Procedures and Communications only.

    Raises ConfigError, MappingError or SourceError.
    """
    if asking.contract and not is_contract(asking.contract):
        raise ConfigError(f"{asking.contract} is no CMS contract number; give one like H1234 with --contract")
    program = load_program(asking.program, load_mappings().folder / "programs")
    with TemporaryDirectory(prefix="mtm-") as scratch, pool.session() if pool else Engine() as engine:
        snapshot = open_source(asking.source, config, Path(scratch), asking.patients, OF_PLAN_YEAR)
        year = plan_year_tables(engine, snapshot)
        rows = engine.keep(partial(_duties, year, program, asking.contract, asking.as_of), "due")
        counted = engine.records(rows.group_by("status").agg(n=rows.count()))
        proposed = engine.records(partial(_proposed, year, program, asking.contract, asking.as_of))
        duties = engine.records(partial(_shown, rows, asking.everything))
        notices = (*snapshot.notices, *_notices(engine, year, program, asking))
    counts = {row["status"]: row["n"] for row in counted}
    ordered = {status: counts.get(status, 0) for status in due.STATUSES}
    return Worklist(program, asking, duties, proposed, ordered, notices, year.rejected)


def account(made: Worklist) -> dict[str, Any]:
    """The worklist as plain values, for JSON: days as text."""
    return {
        "as_of": made.asking.as_of.isoformat(),
        "program": {"name": made.program.name, "version": made.program.version, "plan_year": made.program.plan_year},
        "contract": made.asking.contract or None,
        "counts": dict(made.counts),
        "duties": [_plain(row) for row in made.duties],
        "proposed_opt_outs": [_plain(row) for row in made.proposed],
        "notices": list(made.notices),
        "rejected": len(made.rejected),
    }


def write_csv(made: Worklist, path: Path) -> None:
    """Writes the duties, and behind them the proposed opt-outs as duty ``opt_out``, to one CSV file, whole or not at all."""
    proposed = [
        dict(row) | {"duty": "opt_out", "status": "proposed", "deadline": row["on_day"], "about": row["source"]}
        for row in made.proposed
    ]
    write_whole(path, csv_bytes(CSV_COLUMNS, [*made.duties, *proposed]))


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


def _duties(year: PlanYear, program: Program, contract: str, as_of: date) -> ir.Table:
    return due.due(_of_contract(year.enrollments, contract), year.services, program, as_of)


def _shown(rows: ir.Table, everything: bool) -> ir.Table:
    return due.in_order(rows if everything else rows.filter(rows.status.isin(list(SHOWN))))


def _proposed(year: PlanYear, program: Program, contract: str, as_of: date) -> ir.Table:
    begun = lives(_of_contract(year.enrollments, contract), year.services, as_of)
    own = begun.filter(begun.plan_year == program.plan_year)
    rows = proposals(own, year.beneficiaries, year.coverages, as_of)
    return rows.order_by(rows.on_day.asc(nulls_first=False), "beneficiary", "contract")


def _of_contract(enrollments: ir.Table, contract: str) -> ir.Table:
    return enrollments.filter(enrollments.contract == contract) if contract else enrollments


def _notices(engine: Engine, year: PlanYear, program: Program, asking: Asking) -> list[str]:
    """What the worklist cannot take into account: enrollments and services without a day."""
    own = _of_contract(year.enrollments, asking.contract)
    own = own.filter(own.plan_year == program.plan_year)
    undated = engine.number(own.filter(own.enrolled_on.isnull()).count())
    services = year.services.filter(year.services.on_day.isnull()).semi_join(
        own, ["beneficiary", "contract", "plan_year"]
    )
    unknown = engine.number(services.count())
    notices = []
    if undated:
        notices.append(
            f"{undated} enrollments have no full first day, so nothing can be due for them; correct period.start of their CarePlans"
        )
    if unknown:
        notices.append(
            f"{unknown} services have no full date and are not counted; correct their Procedure or Communication"
        )
    if not engine.number(own.count()):
        notices.append(
            f"nobody is enrolled in plan year {program.plan_year}{f' of {asking.contract}' if asking.contract else ''};"
            " screen with --write, or give another program with --program"
        )
    return notices
