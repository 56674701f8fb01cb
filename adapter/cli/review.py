"""mtm-adapter review SOURCE BENEFICIARY --input FILE: records a Comprehensive Medication Review and all that follows from it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from adapter.cli.documents import FILE, warn_of_paper
from adapter.cli.options import config_of, connection_options, now, today
from adapter.jobs import reviewing


@click.command("review")
@click.argument("source")
@click.argument("beneficiary")
@click.option(
    "--input",
    "form",
    required=True,
    type=FILE,
    help="The review as JSON (docs/review.md).",
)
@click.option("--plan", type=FILE, help="TOML file of the plan: the summary is printed and kept with the review.")
@click.option(
    "--date", "letter_day", type=click.DateTime(["%Y-%m-%d"]), help="Day on that summary; default the day of the CMR."
)
@click.option("--large-print", is_flag=True, help="That summary in 18 points and up.")
@click.option("--sites", type=FILE, help="CSV of take-back sites by beneficiary or ZIP code, for that summary.")
@click.option("--pdf", type=FILE, help="A summary that was printed elsewhere, to be kept with the review instead.")
@click.option("--sink", default="", help="Write to this server (URL) or folder instead of the source.")
@click.option("--correct", is_flag=True, help="Replace facts of the CMR that are recorded otherwise.")
@click.option("--contract", default="", help="CMS contract such as H1234, when the beneficiary is enrolled in several.")
@click.option(
    "--dry-run", is_flag=True, help="Check the form and every resource, tell what would be written, write nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
@connection_options
def review_command(as_json: bool, letter_day: datetime | None, **values: Any) -> None:
    """Record the review of one BENEFICIARY (a Patient id): list, action plan, problems, CMR, document. All of it or nothing."""
    config = config_of(values)
    day = letter_day.date() if letter_day else None
    asked = reviewing.Reviewing(today=today(), recorded=now(), letter_day=day, **values)
    made = reviewing.review(asked, config)
    for notice in made.notices:
        click.echo(f"notice: {notice}", err=True)
    if made.summary:
        warn_of_paper(made.summary, "look at it: mtm-adapter documents summary makes the same")
    click.echo(json.dumps(account(made, asked.dry_run), indent=2) if as_json else told(made, asked.dry_run))


def account(made: reviewing.Reviewed, dry_run: bool) -> dict[str, Any]:
    """The account of the review as plain values."""
    counts = {what: made.count(what) for what in ("created", "changed", "unchanged")}
    changes = [{"reference": change.reference, "what": change.what} for change in made.changes]
    return {"dry_run": dry_run, "smp_action_plan": made.smp, **counts, "resources": changes}


def told(made: reviewing.Reviewed, dry_run: bool) -> str:
    """The account of the review for a person to read."""
    verb = "Would be written" if dry_run else "Written"
    lines = [f"  {change.what:<9} {change.reference}" for change in made.changes if change.what != "unchanged"]
    head = (
        f"{verb}: {made.count('created')} new, {made.count('changed')} changed; {made.count('unchanged')} as they were"
    )
    return "\n".join([head, *lines])
