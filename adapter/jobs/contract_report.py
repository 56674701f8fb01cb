"""The job that makes the CMS file of one contract and year from the enrollments and services at a source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import file_digest, sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from adapter import __version__
from adapter.config import Config
from adapter.engines.duckdb import Engine
from adapter.errors import ReportError
from adapter.jobs.report_files import open_file
from adapter.jobs.targeting import program_of
from adapter.mappings.extended import extended_files
from adapter.mappings.folder import load_mappings
from adapter.outputs.files import Content, csv_bytes, output_folder, rejected_bytes, write_whole, write_with_manifest
from adapter.outputs.report_summary import About, summary
from adapter.population import Enrolled, enrollment_tables
from adapter.reporting.checks import EDITS
from adapter.reporting.contract_file import Checking, ContractFile, contract_file
from adapter.reporting.edits import edits_path, load_edits
from adapter.reporting.finding import COLUMNS, FindingsError
from adapter.reporting.form import Layout
from adapter.reporting.layout import layout_path, load_layout
from adapter.reporting.lineage import SCHEMA, cells
from adapter.reporting.national import National, load_national
from adapter.reporting.rates import RATES, rates
from adapter.reporting.records import Parts, evidence, kept, parts
from adapter.sources.opening import open_source
from adapter.sources.snapshot import Snapshot
from adapter.targeting.program import Program, load_program, program_path

SERVED = ("CarePlan", "Procedure", "Communication")  # read of a server, beside Patient
LINEAGE = "lineage.parquet"
MEMORY = (
    850_000_000  # bytes of the engine: a million enrollees with their services fit, and the whole run stays below 2 GB
)


@dataclass(frozen=True)
class Reporting:
    """Which CMS file to make: of a contract and year, from the enrollments and services at a source."""

    source: str
    contract: str
    year: int
    program: str = ""  # name or file; "" takes that of the year, see ``program_of``
    layout: str = ""  # name or file; "" takes CMS's layout of the year
    edits: str = "edits"  # name or file
    patients: str = ""
    last_year: Path | None = None  # the file of the year before
    enrolled: int | None = None  # how many beneficiaries the plan says were enrolled
    lineage: bool = True
    allow_errors: bool = False


@dataclass(frozen=True)
class _Rules:
    """The data files that a file is made by."""

    program: Program
    layout: Layout
    checking: Checking
    national: National
    hashes: Mapping[str, str]  # of each data file by its name


def report(reporting: Reporting, config: Config, folder: Path) -> tuple[ContractFile, list[Path]]:
    """Writes the beneficiary-level file of the contract and what lies beside it into ``folder``, each whole.

    Beside it: findings.csv, rejected.csv, summary.html, lineage.parquet (unless switched off) and manifest.json. Raises
    MappingError for a program, layout or list of edits that cannot be used, SourceError, and FindingsError (a
    ReportError) when the edits find errors; findings.csv is then written and the file is not.
    """
    rules = _rules(reporting)
    with TemporaryDirectory(prefix="mtm-") as scratch, Engine(MEMORY) as engine:
        snapshot = open_source(reporting.source, config, Path(scratch), reporting.patients, SERVED)
        enrolled = enrollment_tables(engine, snapshot)
        of = kept_parts(engine, enrolled, reporting.contract, reporting.year)
        output_folder(folder)
        try:
            made = contract_file(of, rules.layout, rules.checking)
        except FindingsError as error:
            write_whole(folder / "findings.csv", csv_bytes(COLUMNS, [vars(finding) for finding in error.findings]))
            raise
        lineage = partial(write_lineage, engine, of, made.order, rules.layout) if reporting.lineage else None
        told = _told(made, enrolled, snapshot, reporting, rules)
        return made, _write(made, enrolled, told, rules, lineage, folder)


def kept_parts(engine: Engine, enrolled: Enrolled, contract: str, year: int) -> Parts:
    """The parts of the records, those that several tables need computed once."""
    of = parts(enrolled.enrollments, enrolled.beneficiaries, enrolled.services, contract, year)
    return kept(of, engine.keep, engine.arrow)


def _rules(reporting: Reporting) -> _Rules:
    folder = load_mappings().folder
    programs, layouts, lists = folder / "programs", folder / "layouts", folder / "reporting"
    program_name = reporting.program or program_of(reporting.year)
    program = load_program(program_name, programs)
    layout_name = reporting.layout or f"cms-mtm-{reporting.year}"
    layout = load_layout(layout_name, layouts)
    if program.plan_year != reporting.year:
        raise ReportError(
            f"The program {program.name} is of plan year {program.plan_year}, not {reporting.year}; give the program of that year"
        )
    edits = load_edits(reporting.edits, lists, EDITS)
    national = load_national(lists / "national.toml", frozenset(RATES))
    used = [
        *extended_files(program_path(program_name, programs), lambda name: program_path(name, programs)),
        *extended_files(layout_path(layout_name, layouts), lambda name: layout_path(name, layouts)),
        *extended_files(edits_path(reporting.edits, lists), lambda name: edits_path(name, lists)),
        lists / "national.toml",
    ]
    hashes = {f"{path.parent.name}/{path.name}": _digest(path) for path in used}
    last = (
        open_file(reporting.last_year, "", reporting.edits, layouts, reporting.year - 1)
        if reporting.last_year
        else None
    )
    checking = Checking(edits, national, last.sheet if last else None, reporting.enrolled, reporting.allow_errors)
    return _Rules(program, layout, checking, national, hashes)


def _write(
    made: ContractFile,
    enrolled: Enrolled,
    told: Mapping[str, Any],
    rules: _Rules,
    lineage: Callable[[Path], None] | None,
    folder: Path,
) -> list[Path]:
    """The file and what lies beside it, all of them or none; the manifest last, since it tells the hashes of the others."""
    last = rules.checking.last_year
    about = About(told["contract"], told["year"], rules.layout, rules.national, rates(last) if last else None)
    plain = {
        made.name: made.data,
        "findings.csv": csv_bytes(COLUMNS, [vars(finding) for finding in made.findings]),
        "rejected.csv": rejected_bytes(enrolled.rejected),
        "summary.html": summary(made, about),
    }
    files: dict[str, Content] = {**plain, LINEAGE: lineage} if lineage else dict(plain)
    written = write_with_manifest(folder, files, lambda hashes: {**told, "outputs": hashes})
    if not lineage:
        (folder / LINEAGE).unlink(missing_ok=True)  # of an earlier file: it would explain this one wrongly
    return written


def write_lineage(engine: Engine, of: Parts, order: Any, layout: Layout, path: Path) -> None:
    """lineage.parquet of the rows that are of the beneficiaries in ``order``, written as it is made."""
    options = {"compression": "zstd", "compression_level": 1, "use_dictionary": _words()}
    parts_read = (
        engine.arrow(part) for part in evidence(of)
    )  # one after the other: together they take too much memory
    with pq.ParquetWriter(path, SCHEMA, **options) as writer:
        for table in cells(order, parts_read, layout):
            writer.write_table(table, row_group_size=table.num_rows)


def _words() -> list[str]:
    return [field.name for field in SCHEMA if field.name != "resources"]


def _told(
    made: ContractFile, enrolled: Enrolled, snapshot: Snapshot, reporting: Reporting, rules: _Rules
) -> dict[str, Any]:
    inputs = dict(snapshot.hashes.result()) if snapshot.hashes else {}
    if reporting.last_year:
        inputs[f"last year: {reporting.last_year.name}"] = _digest(reporting.last_year)
    return {
        "adapter": __version__,
        "contract": reporting.contract,
        "year": reporting.year,
        "program": {"name": rules.program.name, "version": rules.program.version},
        "layout": {"name": rules.layout.name, "version": rules.layout.version, "standing": rules.layout.standing},
        "source": reporting.source,
        "inputs": dict(sorted(inputs.items())),
        "mappings": dict(sorted(rules.hashes.items())),
        "file": {"name": made.name, "rows": made.rows, "sha256": sha256(made.data).hexdigest()},
        "findings": len(made.findings),
        "rejected": len(enrolled.rejected),
        "unverified": list(made.unverified),
    }


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
