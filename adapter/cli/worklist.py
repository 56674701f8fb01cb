"""mtm-adapter worklist SOURCE: what is due to whom, what is overdue, what was done, sorted by deadline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from adapter.cli.options import config_of, connection_options, today
from adapter.jobs import targeting
from adapter.jobs.worklist import Asking, Worklist, account, worklist, write_csv

TITLES = {
    "invitation": "invitation letter",
    "cmr_offer": "offer of the CMR",
    "second_outreach": "second outreach",
    "cmr": "CMR",
    "summary": "written summary",
    "tmr": "TMR",
    "safe_disposal": "safe-disposal information",
}
STATUSES = {
    "overdue": "overdue",
    "due": "due",
    "done": "done",
    "upcoming": "upcoming",
    "not_required": "not required",
}


@click.command("worklist")
@click.argument("source")
@click.option(
    "--as-of",
    "as_of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day of the list; default today, at the latest the end of the plan year.",
)
@click.option(
    "--program", default=targeting.DEFAULT_PROGRAM, show_default=True, help="Name of a program, or a .toml file."
)
@click.option("--contract", default="", help="CMS contract such as H1234: only its enrollees.")
@click.option("--patients", default="", help="Read only these persons of a server: a Patient search.")
@click.option("--all", "everything", is_flag=True, help="List also what is upcoming or not required.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the list to this file.")
@connection_options
def worklist_command(source: str, as_of: datetime | None, as_json: bool, csv_file: Path | None, **values: Any) -> None:
    """List what is due to the enrollees at SOURCE, what is overdue and what was done, and propose opt-outs. Writes nothing back."""
    config = config_of(values)
    day = as_of.date() if as_of else targeting.default_day(values["program"], today())
    made = worklist(Asking(source, day, **values), config)
    if csv_file:
        write_csv(made, csv_file)
    click.echo(json.dumps(account(made), indent=2, ensure_ascii=False) if as_json else told(made))
    for notice in made.notices:
        click.echo(f"notice: {notice}", err=True)
    for one in made.rejected[:5]:
        click.echo(f"refused: {one.sentence}", err=True)
    if len(made.rejected) > 5:
        click.echo(f"... and {len(made.rejected) - 5} more refused", err=True)


def told(made: Worklist) -> str:
    """The worklist for a person to read: a line of counts, then one line for each duty with its reason below."""
    counts = ", ".join(f"{count:,} {STATUSES[status]}" for status, count in made.counts.items())
    lines = [f"{made.program.name}, plan year {made.program.plan_year}, as of {made.asking.as_of}: {counts}"]
    for row in made.duties:
        lines += ["", _line(row), f"    {row['why']}"]
    if made.proposed:
        lines += ["", f"Proposed opt-outs: {len(made.proposed):,}"]
        for row in made.proposed:
            day = row["on_day"] or "day not known"
            lines.append(f"  {row['beneficiary']}  {row['contract']}  reason {row['reason']}  {day}  {row['why']}")
    return "\n".join(lines)


def _line(row: Mapping[str, Any]) -> str:
    day = row["done_on"] or row["deadline"] or "-"
    title = TITLES[row["duty"]] + (f" {row['number']}" if row["duty"] == "tmr" else "")
    return f"{STATUSES[row['status']]:<12}  {day!s:<10}  {row['beneficiary']}  {row['contract']}  {title}"
