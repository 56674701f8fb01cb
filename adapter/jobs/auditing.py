"""The job that makes the audit universes of a contract and year: enrollees with their services, and members who may have been missed.

The source is read once; targeting is then asked at each month's end as it would have been decided on that day: claims filled later
are not seen. What the source no longer tells (an order that was active then and is stopped now) cannot be undone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import ibis
import ibis.expr.types as ir

from adapter import __version__
from adapter.config import Config
from adapter.engines.duckdb import Engine
from adapter.errors import ConfigError
from adapter.jobs.targeting import program_of
from adapter.mappings.folder import Mappings, load_mappings
from adapter.measures import universes
from adapter.outputs.arrow_rows import ArrowRows
from adapter.outputs.files import Content, csv_bytes, csv_file, output_folder, rejected_bytes, write_with_manifest
from adapter.plan_lists.rosters import AtRiskFacts, read_at_risk
from adapter.population import PlanYear, Population, by_program, plan_year_tables, read_facts
from adapter.reporting.enrolled import enrolled
from adapter.sources.fetch import OF_PERSONS, OF_PLAN_YEAR
from adapter.sources.opening import open_source
from adapter.sources.quarantine import Rejected
from adapter.sources.snapshot import Snapshot
from adapter.tables import at_risk
from adapter.targeting.description import notices as resting_on
from adapter.targeting.evaluate import Question, Tables, criterion_rows, evidence_rows, membership, targeting
from adapter.targeting.program import Program, is_contract, load_program

Rows: TypeAlias = "list[dict[str, Any]]"
READ = tuple(dict.fromkeys((*OF_PERSONS, *OF_PLAN_YEAR)))
MONTHS = (
    "month", "members", "targeted", "not_targeted", "unknown", "targeted_not_enrolled", "undecided_not_enrolled",
)  # fmt: skip


@dataclass(frozen=True)
class Auditing:
    """What to audit: a contract and year at a source, by a program of that year."""

    source: str
    contract: str
    year: int
    program: str = ""  # name or file; "" takes that of the year, see ``program_of``
    at_risk: Path | None = None  # roster (CSV) or MARx reply reports, a file or a folder
    patients: str = ""


@dataclass(frozen=True)
class Audited:
    """The rows of each file, and what the result was made from."""

    asked: Auditing
    enrollees: Sequence[Mapping[str, Any]]
    services: Sequence[Mapping[str, Any]]
    not_enrolled: Sequence[Mapping[str, Any]]
    missing: Sequence[Mapping[str, Any]]
    months: Sequence[Mapping[str, Any]]
    rejected: tuple[Rejected, ...]
    notices: tuple[str, ...]
    made_from: Mapping[str, Any]


@dataclass(frozen=True)
class _Month:
    """What targeting is asked over on one month's end."""

    question: Question
    tables: Tables


def audit(asked: Auditing, config: Config) -> Audited:
    """The universes of the contract and year. Raises ConfigError, MappingError or SourceError; nothing is written."""
    if not is_contract(asked.contract):
        raise ConfigError(f"{asked.contract} is no CMS contract number; give one like H1234 with --contract")
    mappings = load_mappings()
    program = load_program(asked.program or program_of(asked.year), mappings.folder / "programs")
    if program.plan_year != asked.year:
        raise ConfigError(
            f"The program {program.name} is of plan year {program.plan_year}, not {asked.year}; give one of that year with --program"
        )
    ends = universes.month_ends(asked.year)
    lists = {day: read_at_risk(asked.at_risk, day) if asked.at_risk else AtRiskFacts([], [], []) for day in ends}
    with TemporaryDirectory(prefix="mtm-") as scratch, Engine() as engine:
        snapshot = open_source(asked.source, config, Path(scratch), asked.patients, READ)
        engine.expect(snapshot.size)
        population = by_program(engine, read_facts(engine, snapshot, mappings, lists[ends[-1]].rows), program)
        plan_year = plan_year_tables(engine, snapshot)
        known = population.coverage_known or snapshot.coverage_elsewhere
        months = [
            _Month(Question(program, day, asked.contract, known), _tables(engine, population, program, lists[day]))
            for day in ends
        ]
        made = _universes(engine, months, plan_year, asked)
        rejected = (*population.rejected, *plan_year.rejected, *lists[ends[-1]].rejected)
        notices = (*snapshot.notices, *lists[ends[-1]].notices, *resting_on(program))
        made_from = _made_from(asked, snapshot, mappings, program)
    return Audited(asked, *made, tuple(dict.fromkeys(rejected)), tuple(dict.fromkeys(notices)), made_from)


def _tables(engine: Engine, population: Population, program: Program, listed: AtRiskFacts) -> Tables:
    """The tables with the at-risk facts that were known on one day."""
    rule, facts = program.at_risk, population.facts
    roster = engine.table(listed.rows, at_risk.ROSTER, "roster")
    rows = partial(_at_risk, facts.flags, roster, facts.persons, tuple(rule.flag_codes), tuple(rule.flag_texts))
    return replace(population.tables, at_risk=engine.keep(rows, "at_risk"))


def _at_risk(
    flags: ir.Table, roster: ir.Table, persons: ir.Table, codes: Sequence[str], texts: Sequence[str]
) -> ir.Table:
    return at_risk.at_risk(at_risk.flags(flags, codes, texts), roster, persons)


def _universes(
    engine: Engine, months: Sequence[_Month], plan_year: PlanYear, asked: Auditing
) -> tuple[ArrowRows, ArrowRows, ArrowRows, Rows, Rows]:
    """The rows of enrollees, services, members not enrolled, missing facts and months."""
    contract, year, persons = asked.contract, asked.year, plan_year.beneficiaries
    served = engine.keep(
        universes.services_of(plan_year.services, plan_year.enrollments, persons, contract, year), "served"
    )
    who = universes.enrollees(served, plan_year.enrollments, persons, contract, year)
    standing = engine.keep(enrolled(plan_year.enrollments, contract, year), "standing")
    asked_of = [_judged(engine, month, standing) for month in months]
    judged = engine.keep(ibis.union(*[rows for rows, _ in asked_of]), "judged")
    counts = [
        _month_row(engine, month, judged, outcomes) for month, (_, outcomes) in zip(months, asked_of, strict=True)
    ]
    missed = engine.keep(universes.not_enrolled(judged, standing, persons), "not_enrolled")
    facts = [row for month in months for row in _missing(engine, month, missed)]
    return (
        ArrowRows(engine.arrow(universes.ordered(who, universes.ENROLLEES))),
        ArrowRows(engine.arrow(universes.ordered(served, universes.SERVICES))),
        ArrowRows(engine.arrow(universes.ordered(missed, universes.NOT_ENROLLED))),
        sorted(facts, key=lambda row: tuple(row[name] for name in universes.MISSING)),
        counts,
    )


def _judged(engine: Engine, month: _Month, standing: ir.Table) -> tuple[ir.Table, dict[str, int]]:
    """Who is targeted or undecided at one month's end, and how many members have each outcome."""
    question = month.question
    members = engine.keep(partial(membership, month.tables, question), "members")
    rows = engine.keep(partial(criterion_rows, month.tables, question, members), "criteria")
    decided = engine.keep(partial(targeting, members, rows, question.program), "targeting")
    judged = engine.keep(partial(universes.judged, decided, standing, question.as_of), "judged_month")
    counts = engine.records(partial(_outcomes, decided))
    for table in (members, rows, decided):
        engine.release(table)
    return judged, {row["outcome"]: row["n"] for row in counts}


def _outcomes(decided: ir.Table) -> ir.Table:
    return decided.group_by("outcome").agg(n=decided.count())


def _month_row(engine: Engine, month: _Month, judged: ir.Table, outcomes: Mapping[str, int]) -> dict[str, Any]:
    day = month.question.as_of
    missed = {
        row["outcome"]: row["n"]
        for row in engine.records(partial(universes.month_counts, judged))
        if row["day"] == day and row["missed"]
    }
    told = {name: outcomes.get(name, 0) for name in ("targeted", "not_targeted", "unknown")}
    return {
        "month": f"{day:%Y-%m}", "members": sum(told.values()), **told,
        "targeted_not_enrolled": missed.get("targeted", 0), "undecided_not_enrolled": missed.get("unknown", 0),
    }  # fmt: skip


def _missing(engine: Engine, month: _Month, missed: ir.Table) -> list[dict[str, Any]]:
    """What leaves those undecided who are so from this month on."""
    day = month.question.as_of
    chosen = missed.filter((missed.finding == "undecided") & (missed.day == day))
    asked = engine.keep(chosen, "undecided")
    if not engine.count(asked):
        return []
    members = engine.keep(membership(month.tables, month.question).semi_join(asked, "beneficiary"), "members")
    evidence = evidence_rows(month.tables, month.question, members).semi_join(asked, "beneficiary")
    return engine.records(universes.missing(asked, engine.keep(evidence, "evidence"), day))


def _made_from(asked: Auditing, snapshot: Snapshot, mappings: Mappings, program: Program) -> dict[str, Any]:
    inputs = dict(snapshot.hashes.result()) if snapshot.hashes else {}
    if asked.at_risk:
        files = sorted(asked.at_risk.iterdir()) if asked.at_risk.is_dir() else [asked.at_risk]
        inputs |= {f"at-risk: {one.name}": sha256(one.read_bytes()).hexdigest() for one in files if one.is_file()}
    lists = {f"{key} {mappings.versions()[key]}": one for key, one in mappings.hashes().items()}
    return {
        "adapter": __version__, "contract": asked.contract, "year": asked.year,
        "program": {"name": program.name, "version": program.version}, "source": snapshot.origin,
        "inputs": dict(sorted(inputs.items())), "mappings": dict(sorted(lists.items())),
    }  # fmt: skip


def write_audit(made: Audited, folder: Path) -> list[Path]:
    """Writes the universes and manifest.json into ``folder``, each whole; the same data give the same bytes.

    enrollees.csv, services.csv, not_enrolled.csv, missing_facts.csv, months.csv, rejected.csv.
    """
    output_folder(folder)
    files: dict[str, Content] = {
        "enrollees.csv": csv_file(universes.ENROLLEES, made.enrollees),
        "services.csv": csv_file(universes.SERVICES, made.services),
        "not_enrolled.csv": csv_file(universes.NOT_ENROLLED, made.not_enrolled),
        "missing_facts.csv": csv_bytes(universes.MISSING, made.missing),
        "months.csv": csv_bytes(MONTHS, made.months),
        "rejected.csv": rejected_bytes(made.rejected),
    }
    told = {
        **made.made_from, "rows": counts(made), "rejected": len(made.rejected), "notices": list(made.notices),
    }  # fmt: skip
    return write_with_manifest(folder, files, lambda hashes: {**told, "outputs": hashes})


def counts(made: Audited) -> dict[str, Any]:
    """How many rows there are, and the members not enrolled by finding and why."""
    return {
        "enrollees": len(made.enrollees), "services": len(made.services),
        **{finding: dict(_by_why(made, finding)) for finding in ("eligible", "undecided")},
    }  # fmt: skip


def _by_why(made: Audited, finding: str) -> Iterator[tuple[str, int]]:
    found = Counter(row["why"] for row in made.not_enrolled if row["finding"] == finding)
    yield from ((why, found[why]) for why in universes.WHY if found[why])


def account(made: Audited) -> dict[str, Any]:
    """The result as plain values, for JSON."""
    return {
        "contract": made.asked.contract, "year": made.asked.year, "program": made.made_from["program"],
        "source": made.asked.source, **counts(made), "months": list(made.months), "rejected": len(made.rejected),
        "notices": list(made.notices),
    }  # fmt: skip
