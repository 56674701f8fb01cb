"""mtm-adapter review SOURCE BENEFICIARY --input FILE: records a Comprehensive Medication Review and all that follows from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from adapter.cli.options import config_of, connection_options, now, today
from adapter.jobs import reviewing


@click.command("review")
@click.argument("source")
@click.argument("beneficiary")
@click.option(
    "--input",
    "form",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The review as JSON (docs/review.md).",
)
@click.option(
    "--pdf", type=click.Path(path_type=Path, dir_okay=False), help="The printed summary, to be kept with the review."
)
@click.option("--sink", default="", help="Write to this server (URL) or folder instead of the source.")
@click.option("--correct", is_flag=True, help="Replace facts of the CMR that are recorded otherwise.")
@click.option("--contract", default="", help="CMS contract such as H1234, when the beneficiary is enrolled in several.")
@click.option(
    "--dry-run", is_flag=True, help="Check the form and every resource, tell what would be written, write nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
@connection_options
def review_command(as_json: bool, **values: Any) -> None:
    """Record the review of one BENEFICIARY (a Patient id): list, action plan, problems, CMR, document. All of it or nothing."""
    config = config_of(values)
    asked = reviewing.Reviewing(today=today(), recorded=now(), **values)
    made = reviewing.review(asked, config)
    for notice in made.notices:
        click.echo(f"notice: {notice}", err=True)
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
