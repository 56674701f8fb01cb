"""mtm-adapter screen SOURCE: who is targeted, what is written, where the files are."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from adapter.cli.options import config_of, now, screening_of, screening_options
from adapter.config import Config
from adapter.errors import EXIT_OK, ConfigError, SinkError
from adapter.findings import KINDS
from adapter.jobs import targeting
from adapter.jobs.screening_files import insights
from adapter.jobs.targeting import Screened
from adapter.jobs.writeback import Write, write_back
from adapter.sinks import WriteReport, open_sink

REJECTED_SHOWN = 5
NEAR_MISSES_SHOWN = 5
SHORT_OF = {"chronic_diseases": "one disease", "part_d_drugs": "one drug", "drug_cost": "at most a tenth of the cost"}
UNITS = {"chronic_diseases": "disease", "part_d_drugs": "drug"}
CHANGES = {
    "newly_targeted": "newly targeted",
    "no_longer_meeting": "no longer meeting the criteria",
    "changed_criterion": "with a criterion that changed",
    "changed_doors": "targeted as before by other criteria",
    "changed_reason": "with another CMS reason",
    "changed_contract": "with another contract",
    "joined": "joined",
    "left": "left",
}


@click.command("screen")
@screening_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for targeting.csv, criteria.parquet and the rest.",
)
@click.option("--write", "write", is_flag=True, help="Write CarePlans back to the source server.")
@click.option("--sink", default="", help="Write to this server (URL) or folder instead.")
@click.option("--pml", is_flag=True, help="Also write the Personal Medication List of each targeted beneficiary.")
@click.option(
    "--since-run",
    "since_run",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of an earlier screening (its --out): tell what changed since.",
)
@click.option(
    "--engine",
    type=click.Choice(targeting.ENGINES),
    default=targeting.DUCKDB,
    show_default=True,
    help="What runs the tables: DuckDB in this process, or Spark (pip install 'mtm-adapter[spark]').",
)
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
def screen_command(
    out: Path | None,
    write: bool,
    sink: str,
    pml: bool,
    since_run: Path | None,
    engine: str,
    as_json: bool,
    **values: Any,
) -> int:
    """Decide who of SOURCE (base URL of a FHIR server, or a folder) is targeted for MTM. Changes nothing without --write or --sink."""
    config = config_of(values)
    target = sink_of(values["source"], write, sink)
    if pml and not target:
        raise ConfigError("--pml writes medication lists, so it needs --write or --sink")
    with targeting.screened(replace(screening_of(values), since_run=since_run, engine=engine), config) as result:
        files = targeting.write_outputs(result, out) if out else []
        report = written(result, target, pml, config) if target else None
        click.echo(
            json.dumps(account(result, files, report), indent=2) if as_json else told(result, files, report, target)
        )
        for notice in notices(result):
            click.echo(notice, err=True)
        return SinkError.exit_code if report and report.failures else EXIT_OK


def sink_of(source: str, write: bool, sink: str) -> str:
    """The address that is written to, or "". Raises ConfigError when the options contradict each other."""
    if write and sink:
        raise ConfigError("Give either --write (to the source) or --sink (elsewhere), not both")
    if write and "://" not in source:
        raise ConfigError("--write needs a server as source; with a folder give --sink and another folder or a server")
    return source if write else sink


def written(result: Screened, target: str, pml: bool, config: Config) -> WriteReport:
    """Writes what differs to ``target``, and tells what was written."""
    with ExitStack() as stack:
        sink = open_sink(target, lambda url: stack.enter_context(config.client(url)))
        return write_back(result, sink, Write(now(), pml))


def account(result: Screened, files: list[Path], report: WriteReport | None) -> dict[str, Any]:
    """The account of the run as plain values."""
    return {
        "as_of": result.question.as_of.isoformat(),
        "program": result.program.name,
        "read": dict(result.population.counts),
        "outcomes": result.outcomes(),
        "doors": result.doors(),
        "rejected": len(result.rejected),
        **insights(result),
        "written": report and account_of(report),
        "files": [str(path) for path in files],
    }


def account_of(report: WriteReport) -> dict[str, Any]:
    """What was written, as plain values."""
    return {
        "resources": report.written,
        "unchanged": report.unchanged,
        "persons": report.persons_written,
        "failures": [
            {"beneficiary": f.beneficiary, "status": f.status, "sentence": f.sentence} for f in report.failures
        ],
    }


def told(result: Screened, files: list[Path], report: WriteReport | None, target: str) -> str:
    """The account of the run for a person to read."""
    outcomes, counts = result.outcomes(), result.population.counts
    read = ", ".join(f"{n:,} {kind}" for kind, n in counts.items() if n)
    lines = [
        f"Program {result.program.name}, as of {result.question.as_of}"
        + (f", contract {result.question.contract}" if result.question.contract else ""),
        f"Read       {read or 'nothing'}",
        f"Targeted   {outcomes['targeted']:>6,}",
        *(
            f"             {n:>4,} by {doors.replace(';', ' and ').replace('_', ' ')}"
            for doors, n in result.doors().items()
        ),
        f"Not        {outcomes['not_targeted']:>6,}",
        f"Undecided  {outcomes['unknown']:>6,}",
        f"Not enrolled{outcomes['not_enrolled']:>5,}",
        *_told_insights(result),
    ]
    if report is not None:
        lines += _told_write(report, target)
    if files:
        lines.append(f"Files      {files[0].parent}: " + ", ".join(path.name for path in files))
    return "\n".join(lines)


def _told_insights(result: Screened) -> list[str]:
    """Near misses, findings and changes since the earlier run, each by kind; nothing of a kind that did not occur."""
    found = insights(result)
    lines = [f"Near misses {len(result.near_misses):>5,}"] if result.near_misses else []
    lines += [f"             {n:>4,} short by {SHORT_OF[name]}" for name, n in found["near_misses"].items()]
    lines += [f"                  {_near(row)}" for row in result.near_misses[:NEAR_MISSES_SHOWN]]
    if result.findings:
        lines.append(f"Findings   {len(result.findings):>6,}")
        lines += [f"             {n:>4,} {KINDS[kind]}" for kind, n in found["findings"].items()]
    return lines + (_told_changes(result, found["changes"]) if result.earlier else [])


def _near(row: dict[str, Any]) -> str:
    """A near miss in words: "mtm-demo-05: 6 drugs, 1 short"."""
    if row["criterion"] == "drug_cost":
        return f"{row['beneficiary']}: ${row['observed']}, ${row['short_by']} short"
    unit = UNITS[row["criterion"]] + ("" if row["observed"] == "1" else "s")
    return f"{row['beneficiary']}: {row['observed']} {unit}, {row['short_by']} short"


def _told_changes(result: Screened, changes: dict[str, Any]) -> list[str]:
    lines = [f"Changes since {changes['since']}" + ("" if result.changes else ": none")]
    lines += [f"             {changes[kind]:>4,} {words}" for kind, words in CHANGES.items() if changes[kind]]
    if changes["no_longer_meeting"]:
        lines.append(f"                  (who is enrolled stays enrolled to {result.program.last_day})")
    return lines


def _told_write(report: WriteReport, target: str) -> list[str]:
    lines = [
        f"Written    {report.written:>6,} resources of {report.persons_written:,} persons to {target}; {report.unchanged:,} already there"
    ]
    if report.failures:
        lines.append(f"Failed     {len(report.failures):>6,} persons, of whom nothing was written:")
        lines += [f"             {failure.beneficiary}: {failure.sentence}" for failure in report.failures]
    return lines


def notices(result: Screened) -> list[str]:
    """What a person should know: notices of the run, and the first of the refused resources."""
    lines = [f"notice: {notice}" for notice in result.notices]
    if result.rejected:
        lines.append(f"refused: {len(result.rejected)} resources or rows (all of them in rejected.csv with --out)")
        lines += [f"  {rejected.sentence}" for rejected in result.rejected[:REJECTED_SHOWN]]
    return lines
