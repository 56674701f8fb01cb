"""mtm-adapter measures SOURCE: the CMR completion rate and the adherence rates of a contract and year."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from adapter.cli.options import config_of, connection_options
from adapter.cli.screen import sink_of
from adapter.config import Config
from adapter.errors import EXIT_OK, SinkError
from adapter.jobs.measuring import Measured, Measuring, account, measure, write_measures, write_reports
from adapter.sinks import WriteReport, open_sink

TITLE = 58
a_path = click.Path(path_type=Path)


@click.command("measures")
@click.argument("source")
@click.option("--contract", required=True, help="CMS contract such as H1234.")
@click.option("--year", required=True, type=click.IntRange(2013, 2100), help="Measurement year.")
@click.option(
    "--hospice",
    type=a_path,
    help="Hospice stays: a list (CSV: beneficiary,mbi,start,end,source) or MARx reply reports, a file or a folder.",
)
@click.option("--at-risk", "at_risk", type=a_path, help="MARx reply reports: their hospice and ESRD fields are read.")
@click.option("--patients", default="", help="Read only these persons of a server: a Patient search.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for measures.csv, beneficiaries.csv, MeasureReport.ndjson and manifest.json.",
)
@click.option("--write", "write", is_flag=True, help="Write the MeasureReports to the source server.")
@click.option("--sink", default="", help="Write the MeasureReports to this server (URL) or folder instead.")
@click.option("--json", "as_json", is_flag=True, help="Print the sums as JSON.")
@connection_options
def measures_command(out: Path | None, write: bool, sink: str, as_json: bool, **values: Any) -> int:
    """Compute the measures of a contract over SOURCE: the base URL of a FHIR server, or a folder.

    Changes nothing anywhere without --write or --sink.
    """
    config = config_of(values)
    target = sink_of(values["source"], write, sink)
    made = measure(Measuring(**values), config)
    files = write_measures(made, out) if out else []
    report = _written(made, target, config) if target else None
    click.echo(json.dumps(account(made), indent=2) if as_json else told(made, files))
    if report:
        click.echo(
            f"Written    {report.written:,} MeasureReports to {target}; {report.unchanged:,} already there", err=as_json
        )
        for failure in report.failures:
            click.echo(f"not written: {failure.beneficiary}: {failure.sentence}", err=True)
    for notice in made.notices:
        click.echo(f"notice: {notice}", err=True)
    if made.rejected:
        click.echo(
            f"refused: {len(made.rejected)} resources or rows (all of them in rejected.csv with --out)", err=True
        )
    return SinkError.exit_code if report and report.failures else EXIT_OK


def _written(made: Measured, target: str, config: Config) -> WriteReport:
    with ExitStack() as stack:
        return write_reports(made, open_sink(target, lambda url: stack.enter_context(config.client(url))))


def told(made: Measured, files: list[Path]) -> str:
    """The sums for a person to read."""
    lines = [f"Contract {made.asked.contract}, {made.asked.year}"]
    for one in made.totals:
        rate = f"{one.rate:.2%}" if one.rate is not None else "no rate"
        lines.append(f"{one.title[:TITLE]:<{TITLE}} {one.numerator:>7,} of {one.denominator:>7,}  {rate}")
        lines += [f"    not in the denominator: {n:,} {name}" for name, n in one.reasons]
        lines += [f"    not in the numerator: {n:,} {name}" for name, n in one.shortfalls]
        lines += [f"    {one.remark}"] if one.remark else []
    if files:
        lines.append(f"Files      {files[0].parent}: " + ", ".join(path.name for path in files))
    return "\n".join(lines)
