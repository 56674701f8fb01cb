"""mtm-adapter report: make the CMS beneficiary-level file of a contract and year, or work on one that is there already."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from adapter.cli.options import config_of, connection_options
from adapter.errors import EXIT_OK, ReportError
from adapter.jobs import contract_report, report_files
from adapter.reporting.finding import Finding, FindingsError

FINDINGS_SHOWN = 20
CHANGES_SHOWN = 50
a_file = click.Path(path_type=Path, dir_okay=False)
layout_option = click.option(
    "--layout", default="", help="Name of a layout, or a .toml file; default the one that fits."
)
edits_option = click.option("--edits", default="edits", help="Your own list of edits: a .toml file that extends edits.")
enrolled_option = click.option(
    "--enrolled", type=click.IntRange(0), help="How many beneficiaries were enrolled by your own count."
)
last_year_option = click.option("--last-year", type=a_file, help="The file of the year before, to compare with.")


class ReportGroup(click.Group):
    """Subcommands, and ``make`` when the first word is none of them: ``report SOURCE`` is ``report make SOURCE``.

    A folder that is called like a subcommand is given as ``./read``.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments with ``make`` put in where no subcommand is named."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group("report", cls=ReportGroup)
def report_command() -> None:
    """Make the beneficiary-level MTM file of a contract: report SOURCE --contract --year --out (see report make --help).

    The other subcommands work on a file that is there already.
    """


@report_command.command("make")
@click.argument("source")
@click.option("--contract", required=True, help="CMS contract such as H1234.")
@click.option("--year", required=True, type=click.IntRange(2013, 2100), help="Contract year of the file.")
@click.option("--program", default="", help="Name of a program, or a .toml file; default the one of the year.")
@click.option("--layout", default="", help="Name of a layout, or a .toml file; default CMS's layout of the year.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the file, findings.csv, summary.html, lineage.parquet and manifest.json.",
)
@click.option("--patients", default="", help="Read only these persons of a server: a Patient search.")
@edits_option
@enrolled_option
@last_year_option
@click.option("--lineage/--no-lineage", default=True, help="Whether lineage.parquet is written; default it is.")
@click.option("--allow-errors", is_flag=True, help="Make the file although the edits found errors.")
@connection_options
def make_command(out: Path, **values: Any) -> None:
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


@report_command.command("read")
@click.argument("file", type=a_file)
@layout_option
@click.option("--out", type=a_file, help="Write the table to this .csv or .parquet file, not to the console.")
def read_command(file: Path, layout: str, out: Path | None) -> None:
    """Read FILE back into a table: a row for each beneficiary, a column for each element, as the file writes them.

    The table holds names and MBIs.
    """
    opened, table = report_files.read_file(file, layout, out)
    if out is None:
        click.echo(table.decode(), nl=False)
    else:
        click.echo(f"{out}: {opened.sheet.count} rows of {file.name}, read by {opened.layout.name}")


@report_command.command("check")
@click.argument("file", type=a_file)
@layout_option
@edits_option
@enrolled_option
@last_year_option
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for findings.csv.")
@click.option("--json", "as_json", is_flag=True, help="Print all findings as JSON.")
@click.pass_context
def check_command(context: click.Context, /, file: Path, out: Path | None, as_json: bool, **values: Any) -> None:
    """Run the edits on FILE, whoever made it: every finding; the exit code is 7 when there is an error."""
    opened, findings = report_files.check_file(file, out=out, **values)
    errors = sum(finding.severity == "error" for finding in findings)
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in findings], indent=2))
    else:
        click.echo(f"{file.name}: {opened.sheet.count} rows, read by {opened.layout.name}")
        click.echo(f"{len(findings)} findings, {errors} of them errors")
        _tell(findings, "" if out else " (--out FOLDER or --json tells all)")
    context.exit(ReportError.exit_code if errors else EXIT_OK)


@report_command.command("diff")
@click.argument("before", type=a_file)
@click.argument("after", type=a_file)
@layout_option
@click.option("--out", type=a_file, help="Write all differences to this .csv file, with MBIs and values.")
@click.option("--json", "as_json", is_flag=True, help="Print all differences as JSON, with MBIs and values.")
def diff_command(before: Path, after: Path, layout: str, out: Path | None, as_json: bool) -> None:
    """Tell what differs between two files, by beneficiary and element. Names, MBIs and birth dates are not printed."""
    found = report_files.diff_files(before, after, layout, out)
    if as_json:
        click.echo(json.dumps([vars(change) for change in found], indent=2))
        return
    for change in found[:CHANGES_SHOWN]:
        click.echo(str(change))
    if len(found) > CHANGES_SHOWN:
        click.echo(f"... and {len(found) - CHANGES_SHOWN} more (--out FILE or --json tells all)")
    click.echo(f"{len(found)} differences")


@report_command.command("explain")
@click.argument("file", type=a_file)
@click.argument("row", type=click.IntRange(1))
@layout_option
@click.option("--identify", is_flag=True, help="Print name, MBI and birth date too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain_command(file: Path, row: int, layout: str, identify: bool, as_json: bool) -> None:
    """Tell where each cell of a ROW (from 1) of FILE came from: its resources with versions, and the rule."""
    cells = report_files.explain_row(file, row, layout, identify)
    if as_json:
        click.echo(json.dumps([vars(cell) for cell in cells], indent=2))
        return
    for cell in cells:
        value = "(not shown)" if cell.value is None else cell.value or "(blank)"
        click.echo(f"{cell.element:<3}{cell.title}: {value}")
        click.echo(f"     {cell.rule} [{cell.standing}; {cell.citation}]")
        click.echo(f"     from {', '.join(cell.resources)}")


def _tell(findings: Sequence[Finding], where: str = ", all in findings.csv") -> None:
    for finding in findings[:FINDINGS_SHOWN]:
        click.echo(f"{finding.severity}: {finding}", err=True)
    if len(findings) > FINDINGS_SHOWN:
        click.echo(f"... and {len(findings) - FINDINGS_SHOWN} more findings{where}", err=True)
