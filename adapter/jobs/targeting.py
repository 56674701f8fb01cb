"""The job that decides who is targeted: a population screened, or one beneficiary explained, by a program on a day.

The command line and the web both call it with a plain request; it takes the day as a parameter and reads no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ibis.expr.types as ir

from adapter import findings
from adapter.config import Config
from adapter.decisions import decisions
from adapter.engines.backend import Backend
from adapter.engines.choose import DUCKDB as DUCKDB
from adapter.engines.choose import ENGINES as ENGINES  # what the shell lets a person choose from
from adapter.engines.choose import open_engine
from adapter.engines.duckdb import EnginePool
from adapter.errors import ConfigError, SourceError, UnknownBeneficiary
from adapter.jobs.screening_files import write_outputs as write_outputs  # what a job writes is asked for here
from adapter.mappings.folder import Mappings, load_mappings, mappings_folder
from adapter.outputs import comparison
from adapter.plan_lists.rosters import AtRiskFacts, read_at_risk, strangers
from adapter.population import Population, by_program, populate
from adapter.sources.opening import open_source
from adapter.sources.quarantine import Rejected
from adapter.sources.snapshot import Snapshot
from adapter.targeting.decision import Decision
from adapter.targeting.description import notices as resting_on
from adapter.targeting.evaluate import (
    Question,
    Tables,
    criterion_rows,
    evidence_rows,
    membership,
    targeting,
    with_evidence,
)
from adapter.targeting.near_misses import near_misses
from adapter.targeting.program import Program, is_contract, load_program

DEFAULT_PROGRAM = "health-partners-2023"


def program_of(year: int) -> str:
    """The program of a plan year when none is named: the default in its own year, CMS's bare criteria in every other."""
    return DEFAULT_PROGRAM if DEFAULT_PROGRAM.endswith(f"-{year}") else f"cms-{year}"


@dataclass(frozen=True)
class Screening:
    """What to screen: a source, a program, a day."""

    source: str  # base URL of a FHIR server, or a folder
    as_of: date
    program: str = DEFAULT_PROGRAM
    contract: str = ""
    at_risk: Path | None = None  # roster (CSV) or MARx reply reports, a file or a folder
    patients: str = ""  # a Patient search that chooses the persons of a server
    strict: bool = False
    since_run: Path | None = None  # the --out folder of an earlier screening to compare with
    engine: str = DUCKDB  # what runs the tables (adapter/engines/choose.py)


@dataclass(frozen=True)
class Screened:
    """The result of a screening while its engine is open."""

    program: Program
    question: Question
    population: Population
    snapshot: Snapshot
    mappings: Mappings
    engine: Backend
    members: ir.Table
    targeting: ir.Table
    criteria: ir.Table
    rejected: tuple[Rejected, ...]
    notices: tuple[str, ...] = ()
    earlier: comparison.EarlierRun | None = None
    at_risk: Mapping[str, str] = field(default_factory=dict)  # SHA-256 of each roster or report by its name

    @cached_property
    def near_misses(self) -> list[dict[str, Any]]:
        """The rows of near_misses.csv."""
        return self.engine.records(partial(near_misses, self.targeting, self.program, self.question.as_of))

    @cached_property
    def findings(self) -> list[dict[str, Any]]:
        """The rows of findings.csv."""
        return findings.findings(self.engine, self.snapshot, self.population.tables, self.members, self.question)

    @cached_property
    def changes(self) -> list[dict[str, Any]]:
        """The rows of changes.csv; none without an earlier run."""
        if self.earlier is None:
            return []
        before = self.engine.table(self.earlier.targeting, comparison.BEFORE)
        return self.engine.records(partial(comparison.changes, before, self.targeting))

    @cached_property
    def first_met(self) -> list[dict[str, Any]]:
        """The rows of first_met.csv, those of the earlier run carried over."""
        earlier = self.engine.table(self.earlier.first_met if self.earlier else [], comparison.FIRST_MET)
        return self.engine.records(
            partial(comparison.first_met, self.targeting, earlier, self.question.as_of, self.program)
        )

    @property
    def sorted_targeting(self) -> partial[ir.Table]:
        """The rows of targeting.csv."""
        return partial(_in_order, self.targeting)

    def outcomes(self) -> dict[str, int]:
        """How many beneficiaries have each outcome."""
        return self._counted("outcome", ("targeted", "not_targeted", "unknown", "not_enrolled"))

    def doors(self) -> dict[str, int]:
        """How many of the targeted came through each combination of doors."""
        rows = self.engine.records(partial(_doors, self.targeting))
        return {row["doors"]: row["n"] for row in rows}

    def _counted(self, column: str, values: Sequence[str]) -> dict[str, int]:
        rows = self.engine.records(partial(_counts, self.targeting, column))
        found = {row[column]: row["n"] for row in rows}
        return {value: found.get(value, 0) for value in values}

    def decisions(self, outcome: str = "") -> list[Decision]:
        """The decisions in the order of the beneficiary ids: all, or those with this outcome."""
        chosen = self.engine.keep(partial(_of_outcome, self.targeting, outcome), "chosen")
        targeted = self.engine.records(partial(_in_order, chosen))
        return list(decisions(targeted, self.engine.records(self._proven(chosen)), self.question.as_of))

    def decision(self, beneficiary: str) -> Decision:
        """The decision for one beneficiary. Raises UnknownBeneficiary when the source does not hold that Patient."""
        row = self.engine.rows(self.targeting, beneficiary=beneficiary)
        if not row:
            raise UnknownBeneficiary
        asked = self.engine.table([{"beneficiary": beneficiary}], {"beneficiary": "string"}, "asked")
        proven = self.engine.records(self._proven(asked))
        return next(decisions(row, proven, self.question.as_of))

    @cached_property
    def evidence(self) -> ir.Table:
        """Every fact that a criterion rests on: the table of ``evaluate.evidence_rows``."""
        return self.engine.keep(partial(evidence_rows, self.population.tables, self.question, self.members), "evidence")

    def _proven(self, chosen: ir.Table) -> partial[ir.Table]:
        return partial(_with_evidence, self.criteria, self.population.tables, self.question, self.members, chosen)


def _of_outcome(targeting: ir.Table, outcome: str) -> ir.Table:
    return targeting.filter(targeting.outcome == outcome) if outcome else targeting


def _in_order(targeting: ir.Table) -> ir.Table:
    return targeting.order_by("beneficiary")


def _counts(targeting: ir.Table, column: str) -> ir.Table:
    return targeting.group_by(column).agg(n=targeting.count())


def _doors(targeting: ir.Table) -> ir.Table:
    return _counts(_of_outcome(targeting, "targeted"), "doors").order_by("doors")


def _with_evidence(rows: ir.Table, tables: Tables, question: Question, members: ir.Table, chosen: ir.Table) -> ir.Table:
    """The criteria of those in ``chosen`` with their evidence, sorted."""
    evidence = evidence_rows(tables, question, members).semi_join(chosen, "beneficiary")
    return with_evidence(rows.semi_join(chosen, "beneficiary"), evidence).order_by("beneficiary", "criterion")


@contextmanager
def screened(screening: Screening, config: Config, pool: EnginePool | None = None) -> Iterator[Screened]:
    """The screening of a population, kept open for as long as its tables are needed, on an engine of its own or of ``pool``.

    Raises ConfigError, MappingError or SourceError; with ``strict`` also SourceError at the first resource that is refused.
    """
    mappings, program, facts = _prepared(screening)
    earlier = _earlier(screening, program)
    with TemporaryDirectory(prefix="mtm-") as scratch, _engine(screening, pool) as engine:
        snapshot = open_source(screening.source, config, Path(scratch), screening.patients)
        engine.expect(snapshot.size)
        population = populate(engine, snapshot, mappings, program, facts.rows)
        known = population.coverage_known or snapshot.coverage_elsewhere
        question = Question(program, screening.as_of, screening.contract, known)
        rejected = (*population.rejected, *facts.rejected, *_strangers(engine, population, facts.rows))
        if not engine.count(population.tables.beneficiaries):
            first = f", the first: {rejected[0].sentence}" if rejected else ""
            raise SourceError(
                f"No Patient of {snapshot.origin} can be read: {len(rejected)} resources or rows were refused{first}"
            )
        if screening.strict and rejected:
            raise SourceError(
                f"{len(rejected)} resources or rows were refused, the first: {rejected[0].sentence} (--strict)"
            )
        since = earlier.notices(program) if earlier else ()
        notices = (*snapshot.notices, *facts.notices, *_notices(question, population), *since)
        tables = _decided(engine, population, question)
        yield Screened(
            program, question, population, snapshot, mappings, engine, *tables, rejected, notices, earlier, facts.hashes
        )


def _engine(screening: Screening, pool: EnginePool | None) -> AbstractContextManager[Backend]:
    return pool.session() if pool else open_engine(screening.engine)


def _decided(engine: Backend, population: Population, question: Question) -> tuple[ir.Table, ir.Table, ir.Table]:
    """The tables members, targeting and criteria."""
    members = engine.keep(partial(membership, population.tables, question), "members")
    rows = engine.keep(partial(criterion_rows, population.tables, question, members), "criteria")
    return members, engine.keep(partial(targeting, members, rows, question.program), "targeting"), rows


def by_other_program(result: Screened, program: Program, as_of: date) -> Screened:
    """The same population decided by another program on its own day, without an earlier run. The source is not read again."""
    population = by_program(result.engine, result.population.facts, program)
    question = replace(result.question, program=program, as_of=as_of)
    members, targeted, rows = _decided(result.engine, population, question)
    return replace(
        result, program=program, question=question, population=population, members=members, targeting=targeted,
        criteria=rows, notices=tuple(_notices(question, population)), earlier=None,
    )  # fmt: skip


def _earlier(screening: Screening, program: Program) -> comparison.EarlierRun | None:
    if screening.since_run is None:
        return None
    return comparison.read_run(screening.since_run, program, screening.contract, screening.as_of)


def _prepared(screening: Screening) -> tuple[Mappings, Program, AtRiskFacts]:
    """What a screening needs beside its source: lists, program and the at-risk facts that are known on its day."""
    if screening.contract and not is_contract(screening.contract):
        raise ConfigError(f"{screening.contract} is no CMS contract number; give one like H1234 with --contract")
    mappings = load_mappings()
    program = load_program(screening.program, mappings.folder / "programs")
    facts = read_at_risk(screening.at_risk, screening.as_of) if screening.at_risk else AtRiskFacts([], [], [])
    return mappings, program, facts


def check(screening: Screening, config: Config) -> None:
    """Returns when nothing hinders a screening as far as can be seen without reading the source.

    Raises the ConfigError, MappingError or SourceError that the screening would raise. A server is not asked.
    """
    _prepared(screening)
    if "://" in screening.source:
        config.client(screening.source).close()
    elif not Path(screening.source).is_dir():
        raise SourceError(
            f"There is no folder {screening.source}; give a folder of NDJSON or the base URL of a FHIR server"
        )


def program_names() -> list[str]:
    """The names of the programs in mappings/, sorted."""
    return sorted(path.stem for path in (mappings_folder() / "programs").glob("*.toml"))


def _strangers(engine: Backend, population: Population, roster: list[dict[str, Any]]) -> list[Rejected]:
    if not roster:
        return []
    people = engine.records(partial(_mbis, population.tables.beneficiaries))
    return strangers(
        roster, {row["beneficiary"] for row in people}, {mbi for row in people for mbi in row["mbis"] or ()}
    )


def _mbis(beneficiaries: ir.Table) -> ir.Table:
    return beneficiaries.select("beneficiary", "mbis")


def _notices(question: Question, population: Population) -> list[str]:
    program, as_of = question.program, question.as_of
    notices = resting_on(program)
    if not program.first_day <= as_of <= program.last_day:
        notices.append(f"{as_of} lies outside plan year {program.plan_year} of the program {program.name}")
    if not question.coverage_known and not question.contract:
        notices.append(
            "the source holds no Coverage, so the contract is not known; say whose members these are with --contract"
        )
    return notices


def explain(
    screening: Screening, config: Config, beneficiary: str, pool: EnginePool | None = None
) -> tuple[Decision, Program, tuple[str, ...]]:
    """The decision for one beneficiary, its program and the notices. From a server only that person is read.

    Raises UnknownBeneficiary when the source does not hold that Patient.
    """
    _known(screening.source, config, beneficiary)
    with screened(for_one(screening, beneficiary), config, pool) as result:
        return result.decision(beneficiary), result.program, result.notices


def _known(source: str, config: Config, beneficiary: str) -> None:
    """Returns when a server holds that Patient, and when the source is a folder, which tells once it is read."""
    if "://" in source:
        with config.client(source) as client:
            if not list(client.read_many("Patient", [beneficiary])):
                raise UnknownBeneficiary


def for_one(screening: Screening, beneficiary: str) -> Screening:
    """The same screening of one person: a server is asked for that Patient only, a folder is read as it is."""
    return replace(screening, patients=f"_id={beneficiary}") if "://" in screening.source else screening


def default_day(program: str, today: date) -> date:
    """Today, or the last day of the program's plan year when that is over, or its first when it has not begun."""
    return day_of(load_program(program, load_mappings().folder / "programs"), today)


def day_of(program: Program, today: date) -> date:
    """As ``default_day``, of a program that is loaded."""
    return min(max(today, program.first_day), program.last_day)
