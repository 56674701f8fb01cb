"""The job that computes the measures of a contract and year: the CMR completion rate and adherence, per beneficiary and in sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ibis.expr.types as ir

from adapter import __version__
from adapter.config import Config
from adapter.engines.duckdb import Engine
from adapter.errors import ConfigError
from adapter.fhir.conformance import validate
from adapter.fhir.json import Resource, dump_line
from adapter.mappings.folder import Mappings, load_mappings
from adapter.measures.cmr_completion import Enrolled, cmr_completion
from adapter.measures.pdc import Covered
from adapter.measures.pdc_rate import everybody, memberships, of_members, pdc_rate, year_of
from adapter.measures.rows import COLUMNS, SUMMARY, Total, counted, summary_rows, told, total
from adapter.measures.settings import CMR, FOLDER, CmrCompletion, Settings, load_settings, reservations
from adapter.outputs.arrow_rows import ArrowRows
from adapter.outputs.files import Content, csv_bytes, csv_file, output_folder, rejected_bytes, write_with_manifest
from adapter.plan_lists.care_facts import CareFacts, care_facts
from adapter.plan_lists.status_lists import StatusFacts, read_statuses
from adapter.population import Facts, PlanYear, plan_year_tables, read_facts
from adapter.resources.measure_report import individual, summary
from adapter.sinks import PersonWrite, Sink, WriteReport
from adapter.sources.opening import open_source
from adapter.sources.quarantine import Rejected
from adapter.sources.snapshot import Snapshot
from adapter.tables.drug_list import class_rows
from adapter.targeting.program import is_contract

READ = ("Coverage", "Condition", "ExplanationOfBenefit", "Claim", "Flag", "CarePlan", "Procedure", "Communication")
WORDS = {True: "Y", False: "N", None: "U"}
ANSWERS = ("in_denominator", "in_numerator", "excluded")


@dataclass(frozen=True)
class Measuring:
    """What to measure: a source, a contract, a year, and what tells hospice beside FHIR."""

    source: str
    contract: str
    year: int
    hospice: Path | None = None  # a list (CSV) or MARx reply reports, a file or a folder
    at_risk: Path | None = None  # reply reports that are at hand for targeting: their hospice and ESRD fields are read
    patients: str = ""


@dataclass(frozen=True)
class Measured:
    """The sums, the rows of each beneficiary (``measures.rows.COLUMNS``), and what the result was made from."""

    asked: Measuring
    totals: tuple[Total, ...]
    rows: ArrowRows
    rejected: tuple[Rejected, ...]
    notices: tuple[str, ...]
    made_from: Mapping[str, Any]


@dataclass(frozen=True)
class _Read:
    """What was read of the source, while its engine is open."""

    engine: Engine
    facts: Facts
    plan_year: PlanYear
    care: CareFacts
    coverage_known: bool


def measure(asked: Measuring, config: Config) -> Measured:
    """The measures of the contract and year. Raises ConfigError, MappingError or SourceError; nothing is written."""
    if not is_contract(asked.contract):
        raise ConfigError(f"{asked.contract} is no CMS contract number; give one like H1234 with --contract")
    mappings = load_mappings()
    settings = load_settings(mappings.folder).of_year(asked.year)
    given = _given(asked, settings)
    with TemporaryDirectory(prefix="mtm-") as scratch, Engine() as engine:
        snapshot = open_source(asked.source, config, Path(scratch), asked.patients, READ)
        engine.expect(snapshot.size)
        read = _read(engine, snapshot, mappings, settings, given)
        tables = _tables(read, settings, mappings, asked)
        rows = ArrowRows(*(engine.arrow(told(table)) for table in tables))
        counts = [row for table in tables for row in engine.records(counted(table))]
        rejected = (*read.facts.rejected, *read.plan_year.rejected, *read.care.rejected, *given.rejected)
        notices = (*snapshot.notices, *given.notices, *_notices(settings, asked, read))
        made_from = _made_from(asked, snapshot, mappings, settings)
    totals = tuple(
        total(name, one.title, asked.contract, asked.year, one.least_denominator.value, counts)
        for name, one in settings.measures.items()
    )
    return Measured(asked, totals, rows, tuple(dict.fromkeys(rejected)), notices, made_from)


def cmr_total(engine: Engine, enrolled: Enrolled, settings: Settings, contract: str, year: int) -> Total:
    """The CMR completion rate alone, from enrollments and services that are at hand: what ``measures.rows.summary_rows`` shows.

    Without ``enrolled.facts`` nothing is known of hospice, which then excludes nobody.
    """
    rule = settings.cmr
    rows = engine.keep(cmr_completion(enrolled, rule, contract, year), CMR)
    return total(CMR, rule.title, contract, year, rule.least_denominator.value, engine.records(counted(rows)))


def _given(asked: Measuring, settings: Settings) -> StatusFacts:
    """What lists and reply reports tell."""
    read = [read_statuses(asked.hospice, settings.care, "--hospice")] if asked.hospice else []
    if asked.at_risk:
        found = read_statuses(asked.at_risk, settings.care, "--at-risk")
        none = "the file of --at-risk holds no MARx reply report, so it tells neither hospice nor ESRD"
        read.append(StatusFacts(found.rows, found.rejected, found.notices or [none]))
    return StatusFacts(
        [row for one in read for row in one.rows],
        [refused for one in read for refused in one.rejected],
        [notice for one in read for notice in one.notices],
    )


def _read(engine: Engine, snapshot: Snapshot, mappings: Mappings, settings: Settings, given: StatusFacts) -> _Read:
    facts = read_facts(engine, snapshot, mappings)
    care = care_facts(engine, snapshot, facts, settings.care, given.rows)
    known = facts.counts["Coverage"] > 0 or snapshot.coverage_elsewhere
    return _Read(engine, facts, plan_year_tables(engine, snapshot), care, known)


def _tables(read: _Read, settings: Settings, mappings: Mappings, asked: Measuring) -> list[ir.Table]:
    """The rows of each measure, in the order of the settings."""
    engine, period = read.engine, year_of(asked.year)
    year = read.plan_year
    enrolled = Enrolled(year.enrollments, year.services, read.facts.persons, read.care.facts)
    members, covered = _members(read, mappings, asked)
    made = []
    for name, rule in settings.measures.items():
        if isinstance(rule, CmrCompletion):
            rows = cmr_completion(enrolled, rule, asked.contract, asked.year)
        else:
            rows = pdc_rate(covered, members, read.care.facts, rule, name, period)
        made.append(engine.keep(rows, name))
    return made


def _members(read: _Read, mappings: Mappings, asked: Measuring) -> tuple[ir.Table, Covered]:
    """The members of the contract, and what they take."""
    engine, facts, period = read.engine, read.facts, year_of(asked.year)
    told_by = memberships(facts.coverages, asked.contract, period) if read.coverage_known else None
    members = engine.keep(everybody(facts.persons, period) if told_by is None else told_by, "members")
    uses = engine.keep(of_members(facts.drug_uses, members), "member_uses")
    classes = engine.read_list(mappings.path("drugs/classes"))
    listed = uses.filter(uses.listed).select("drug", "route").distinct()
    return members, Covered(uses, engine.keep(class_rows(listed, classes), "member_classes"), facts.persons)


def _notices(settings: Settings, asked: Measuring, read: _Read) -> Iterator[str]:
    for name, one in settings.measures.items():
        yield from reservations(name, one)
        if asked.year in one.display_years:
            yield f"{name}: CMS shows this measure for {asked.year} and does not rate it"
    yield from reservations("care_status", settings.care)
    if not read.coverage_known:
        yield f"the source holds no Coverage: everybody in it is taken as a member of {asked.contract} all year"


def _made_from(asked: Measuring, snapshot: Snapshot, mappings: Mappings, settings: Settings) -> dict[str, Any]:
    inputs = dict(snapshot.hashes.result()) if snapshot.hashes else {}
    inputs |= {f"{option}: {name}": one for option, path in _given_files(asked) for name, one in _hashes(path)}
    lists = {f"{key} {mappings.versions()[key]}": one for key, one in mappings.hashes().items()}
    files = {f"{FOLDER}/{name}": one for name, one in _hashes(mappings.folder / FOLDER)}
    return {
        "adapter": __version__, "contract": asked.contract, "year": asked.year, "source": snapshot.origin,
        "inputs": dict(sorted(inputs.items())), "mappings": dict(sorted((lists | files).items())),
        "notes": {name: one.note for name, one in settings.measures.items()} | {"care_status": settings.care.note},
    }  # fmt: skip


def _given_files(asked: Measuring) -> list[tuple[str, Path]]:
    return [(option, path) for option, path in (("hospice", asked.hospice), ("at-risk", asked.at_risk)) if path]


def _hashes(path: Path) -> list[tuple[str, str]]:
    files = sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]
    return [(one.name, sha256(one.read_bytes()).hexdigest()) for one in files]


def reports(made: Measured) -> Iterator[Resource]:
    """The MeasureReports, each validated: first the summaries, then the individual ones by measure and beneficiary.

    Raises ConformanceError for one that is not valid FHIR.
    """
    for one in made.totals:
        yield _valid(summary(one))
    for row in made.rows:
        yield _valid(individual(row, made.asked.contract, made.asked.year))


def _valid(resource: Resource) -> Resource:
    validate(resource)
    return resource


def write_measures(made: Measured, folder: Path) -> list[Path]:
    """Writes measures.csv, beneficiaries.csv, MeasureReport.ndjson, rejected.csv and manifest.json into ``folder``, each whole."""
    output_folder(folder)
    files: dict[str, Content] = {
        "measures.csv": csv_bytes(SUMMARY, summary_rows(made.totals)),
        "beneficiaries.csv": csv_file(COLUMNS, map(_cells, made.rows)),
        "MeasureReport.ndjson": partial(_write_reports, made),
        "rejected.csv": rejected_bytes(made.rejected),
    }
    told_of = {
        **made.made_from,
        "measures": {one.measure: {"denominator": one.denominator, "numerator": one.numerator} for one in made.totals},
        "rejected": len(made.rejected),
        "notices": list(made.notices),
    }
    return write_with_manifest(folder, files, lambda hashes: {**told_of, "outputs": hashes})


def _write_reports(made: Measured, path: Path) -> None:
    with path.open("wb") as stream:
        stream.writelines(dump_line(one) for one in reports(made))


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as a file tells it: Y, N and U for yes, no and undecided."""
    return {**row, **{name: WORDS[row[name]] for name in ANSWERS}, "sources": ";".join(row["sources"])}


def write_reports(made: Measured, sink: Sink) -> WriteReport:
    """Writes the MeasureReports that differ from what the sink holds: those of one beneficiary together, the summaries together."""
    return sink.write(_person_writes(made))


def _person_writes(made: Measured) -> Iterator[PersonWrite]:
    asked = made.asked
    yield PersonWrite("", tuple(_valid(summary(one)) for one in made.totals))
    for beneficiary, rows in groupby(made.rows.sorted_by("beneficiary"), key=itemgetter("beneficiary")):
        yield PersonWrite(beneficiary, tuple(_valid(individual(row, asked.contract, asked.year)) for row in rows))


def account(made: Measured) -> dict[str, Any]:
    """The result as plain values, for JSON: rates are fractions as text, exact to six decimals."""
    rows = [row | {"rate": None if row["rate"] is None else str(row["rate"])} for row in summary_rows(made.totals)]
    return {
        "contract": made.asked.contract, "year": made.asked.year, "source": made.asked.source, "measures": rows,
        "rejected": len(made.rejected), "notices": list(made.notices),
    }  # fmt: skip
