"""mtm-adapter tmr SOURCE [BENEFICIARY]: the medication-related problems found by rule, for a Targeted Medication Review."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from adapter.cli.options import config_of, now, screening_of, screening_options
from adapter.cli.screen import account_of, sink_of
from adapter.config import Config
from adapter.errors import EXIT_OK, ConfigError, SinkError
from adapter.jobs import problem_finding, problem_writing
from adapter.jobs.problem_finding import Review
from adapter.sinks import WriteReport, open_sink

REJECTED_SHOWN = 5


@click.command("tmr")
@screening_options
@click.argument("beneficiary", required=False, default="")
@click.option("--quarter", default="", help="Review on the last day of this quarter, such as 2023Q3.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for problems.csv and undecided.csv."
)
@click.option(
    "--write", "write", is_flag=True, help="Write the problems as DetectedIssue proposals to the source server."
)
@click.option("--sink", default="", help="Write to this server (URL) or folder instead.")
@click.option("--json", "as_json", is_flag=True, help="Print everything that was found as JSON.")
def tmr_command(
    beneficiary: str, quarter: str, out: Path | None, write: bool, sink: str, as_json: bool, **values: Any
) -> int:
    """Find the medication-related problems of everybody enrolled at SOURCE, or of one BENEFICIARY, by the rules of the mappings.

    Nobody enrolled: the targeted are reviewed. Changes nothing without --write or --sink. The review itself is recorded by
    "mtm-adapter record tmr".
    """
    if quarter and values["as_of"]:
        raise ConfigError("Give either --quarter or --as-of, not both")
    config = config_of(values)
    target = sink_of(values["source"], write, sink)
    screening = screening_of(values)
    asked = problem_finding.of_quarter(screening, quarter) if quarter else screening
    found = problem_finding.review(asked, config, beneficiary)
    files = problem_finding.write_files(found, out) if out else []
    report = written(found, target, config) if target else None
    click.echo(json.dumps(account(found, files, report), indent=2) if as_json else told(found, files, report, target))
    for notice in notices(found):
        click.echo(notice, err=True)
    return SinkError.exit_code if report and report.failures else EXIT_OK


def written(found: Review, target: str, config: Config) -> WriteReport:
    """Writes what differs to ``target``, and tells what was written."""
    with ExitStack() as stack:
        sink = open_sink(target, lambda url: stack.enter_context(config.client(url)))
        return problem_writing.write_problems(found, sink, now())


def account(found: Review, files: list[Path], report: WriteReport | None) -> dict[str, Any]:
    """What was found, as plain values."""
    return {
        "as_of": found.as_of.isoformat(),
        "program": found.program.name,
        "reviewed": {"who": found.who, "persons": len(found.persons)},
        "rules": {
            name: {
                "found": n,
                "undecided": open_ones,
                "severity": found.rules[name].severity,
                "standing": found.rules[name].standing,
            }
            for name, (n, open_ones) in found.counts().items()
        },
        "problems": problem_finding.rows_of(found.found, found.rules),
        "undecided": problem_finding.rows_of(found.undecided, found.rules),
        "rejected": len(found.rejected),
        "written": report and account_of(report),
        "files": [str(path) for path in files],
    }


def told(found: Review, files: list[Path], report: WriteReport | None, target: str) -> str:
    """What was found, for a person to read."""
    one = " (one beneficiary)" if found.who.startswith("one") else f" {found.who}"
    affected = len({hit.beneficiary for hit in found.found})
    lines = [
        f"Program    {found.program.title} ({found.program.name}), on {found.as_of}",
        f"Reviewed   {len(found.persons):,}{one}",
        f"Problems   {len(found.found):,} of {affected:,} beneficiaries",
        "",
        f"{'Rule':<34}{'severity':<10}{'found':>7}{'undecided':>11}  standing",
    ]
    for name, (n, open_ones) in found.counts().items():
        rule = found.rules[name]
        lines.append(f"{name:<34}{rule.severity:<10}{n:>7,}{open_ones:>11,}  {rule.standing}")
    if found.who.startswith("one"):
        lines += ["", *details(found)]
    if report is not None:
        lines += ["", f"Written    {report.written:,} resources of {report.persons_written:,} persons to {target}"]
        lines += [f"           {report.unchanged:,} were there already"] if report.unchanged else []
        lines += (
            [f"           {len(report.failures):,} persons failed: {report.failures[0].sentence}"]
            if report.failures
            else []
        )
    lines += [f"Files      {', '.join(str(path) for path in files)}"] if files else []
    return "\n".join(lines)


def details(found: Review) -> list[str]:
    """Each problem of one beneficiary with its facts, and what is left open."""
    lines = []
    for row in problem_finding.rows_of(found.found, found.rules):
        drugs = f": {row['drugs']}" if row["drugs"] else ""
        lines += [f"[{row['severity']}] {row['title']}{drugs}", f"    {row['fact']}", f"    {row['recommendation']}"]
        lines += [f"    contact {row['contact'].replace(';', ', ')}; rests on {row['sources'].replace(';', ', ')}"]
    for row in problem_finding.rows_of(found.undecided, found.rules):
        lines += [f"[undecided] {row['title']}: {row['fact']}"]
    return lines or ["No problem was found."]


def notices(found: Review) -> list[str]:
    """What the user should know beside the result, for standard error."""
    shown = [f"notice: {notice}" for notice in found.notices]
    shown += [f"refused: {rejected.sentence}" for rejected in found.rejected[:REJECTED_SHOWN]]
    more = len(found.rejected) - REJECTED_SHOWN
    return [*shown, f"refused: {more:,} more"] if more > 0 else shown
