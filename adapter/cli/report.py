"""mtm-adapter report SOURCE: the CMS beneficiary-level file of one contract and year."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from adapter import contract_report, jobs
from adapter.cli.options import config_of, connection_options
from adapter.reporting.checks import FindingsError

FINDINGS_SHOWN = 20


@click.command("report")
@click.argument("source")
@click.option("--contract", required=True, help="CMS contract such as H1234.")
@click.option("--year", required=True, type=click.IntRange(2013, 2100), help="Contract year of the file.")
@click.option("--program", default=jobs.DEFAULT_PROGRAM, show_default=True, help="Name of a program, or a .toml file.")
@click.option("--layout", default="", help="Name of a layout, or a .toml file; default CMS's layout of the year.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the file, findings.csv and manifest.json.",
)
@click.option("--patients", default="", help="Read only these persons of a server: a Patient search.")
@click.option("--allow-errors", is_flag=True, help="Make the file although the edits found errors.")
@connection_options
def report_command(out: Path, **values: Any) -> None:
    """Make the beneficiary-level MTM file of a contract from the enrollments at SOURCE, checked before it leaves."""
    config = config_of(values)
    try:
        made, files = contract_report.report(contract_report.Reporting(**values), config, out)
    except FindingsError as error:
        _tell(error.findings)
        raise
    click.echo(f"{files[0]}: {made.rows} beneficiaries of {values['contract']} in {values['year']}")
    click.echo("Beside it: " + ", ".join(path.name for path in files[1:]))
    _tell(made.findings)
    for sentence in made.unverified:
        click.echo(f"warning: {sentence}", err=True)


def _tell(findings: Any) -> None:
    for finding in findings[:FINDINGS_SHOWN]:
        click.echo(f"{finding.severity}: {finding}", err=True)
    if len(findings) > FINDINGS_SHOWN:
        click.echo(f"... and {len(findings) - FINDINGS_SHOWN} more findings, all in findings.csv", err=True)
