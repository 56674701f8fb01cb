"""The job that makes the CMS file of one contract and year from the enrollments at a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from adapter import __version__
from adapter.config import Config
from adapter.engine import Engine
from adapter.errors import ReportError
from adapter.jobs import DEFAULT_PROGRAM
from adapter.mappings import load_mappings
from adapter.outputs import csv_bytes, json_bytes, output_folder, rejected_bytes, write_all, write_whole
from adapter.population import Enrolled, enrollment_tables
from adapter.reporting.checks import FindingsError
from adapter.reporting.contract_file import ContractFile, contract_file
from adapter.reporting.layout import layout_for_year, load_layout
from adapter.sources import open_source
from adapter.targeting.program import Program, load_program

SERVED = ("CarePlan", "Procedure", "Communication")  # read of a server, beside Patient
FINDING_COLUMNS = ("severity", "element", "row", "beneficiary", "rule", "remedy")


@dataclass(frozen=True)
class Reporting:
    """Which CMS file to make: of a contract and year, from the enrollments at a source."""

    source: str
    contract: str
    year: int
    program: str = DEFAULT_PROGRAM
    layout: str = ""  # name or file; "" takes CMS's layout of the year
    patients: str = ""
    allow_errors: bool = False


def report(reporting: Reporting, config: Config, folder: Path) -> tuple[ContractFile, list[Path]]:
    """Writes the beneficiary-level file of the contract, findings.csv and manifest.json into ``folder``, each whole.

    Raises MappingError for a program or layout that cannot be used, SourceError, and FindingsError (a ReportError) when the
    edits find errors; findings.csv is then written and the file is not.
    """
    mappings = load_mappings()
    program = load_program(reporting.program, mappings.folder / "programs")
    layouts = mappings.folder / "layouts"
    layout = load_layout(reporting.layout, layouts) if reporting.layout else layout_for_year(reporting.year, layouts)
    if program.plan_year != reporting.year:
        raise ReportError(
            f"The program {program.name} is of plan year {program.plan_year}, not {reporting.year}; give the program of that year"
        )
    with TemporaryDirectory(prefix="mtm-") as scratch, Engine() as engine:
        snapshot = open_source(reporting.source, config, Path(scratch), reporting.patients, SERVED)
        enrolled = enrollment_tables(engine, snapshot)
        output_folder(folder)
        try:
            made = contract_file(
                enrolled.enrollments,
                enrolled.beneficiaries,
                enrolled.services,
                layout,
                reporting.contract,
                reporting.year,
                reporting.allow_errors,
            )
        except FindingsError as error:
            write_whole(
                folder / "findings.csv", csv_bytes(FINDING_COLUMNS, [vars(finding) for finding in error.findings])
            )
            raise
        hashes: Mapping[str, str] = snapshot.hashes.result() if snapshot.hashes else {}
        return made, _write_report(made, enrolled, hashes, reporting, program, layout.name, folder)


def _write_report(
    made: ContractFile,
    enrolled: Enrolled,
    hashes: Mapping[str, str],
    reporting: Reporting,
    program: Program,
    layout: str,
    folder: Path,
) -> list[Path]:
    files = {
        made.name: made.data,
        "findings.csv": csv_bytes(FINDING_COLUMNS, [vars(finding) for finding in made.findings]),
        "rejected.csv": rejected_bytes(enrolled.rejected),
    }
    told = {
        "adapter": __version__,
        "contract": reporting.contract,
        "year": reporting.year,
        "program": {"name": program.name, "version": program.version},
        "layout": layout,
        "source": reporting.source,
        "inputs": dict(sorted(hashes.items())),
        "file": {"name": made.name, "rows": made.rows, "sha256": sha256(made.data).hexdigest()},
        "findings": len(made.findings),
        "rejected": len(enrolled.rejected),
        "unverified": list(made.unverified),
    }
    write_all(folder, {**files, "manifest.json": json_bytes(told)})
    return [folder / name for name in (*files, "manifest.json")]
