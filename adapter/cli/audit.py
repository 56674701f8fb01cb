"""mtm-adapter audit SOURCE: the two universes that an auditor of a contract and year asks for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from adapter.cli.options import config_of, connection_options
from adapter.jobs.auditing import Audited, Auditing, account, audit, counts, write_audit


@click.command("audit")
@click.argument("source")
@click.option("--contract", required=True, help="CMS contract such as H1234.")
@click.option("--year", required=True, type=click.IntRange(2013, 2100), help="Plan year.")
@click.option("--program", default="", help="Name of a program, or a .toml file; default the one of the year.")
@click.option(
    "--at-risk",
    "at_risk",
    type=click.Path(path_type=Path),
    help="At-risk beneficiaries: a roster (CSV) or MARx reply reports, a file or a folder.",
)
@click.option("--patients", default="", help="Read only these persons of a server: a Patient search.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for enrollees.csv, services.csv, not_enrolled.csv, months.csv and the rest.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
@connection_options
def audit_command(out: Path, as_json: bool, **values: Any) -> None:
    """List the enrollees of a contract with their services, and the members at SOURCE who may have been eligible and were not enrolled.

    Targeting is asked again at each month's end of the year over one read of SOURCE.
    """
    config = config_of(values)
    made = audit(Auditing(**values), config)
    files = write_audit(made, out)
    click.echo(json.dumps(account(made), indent=2) if as_json else told(made, files))
    for notice in made.notices:
        click.echo(f"notice: {notice}", err=True)
    if made.rejected:
        click.echo(f"refused: {len(made.rejected)} resources or rows (all of them in rejected.csv)", err=True)


def told(made: Audited, files: list[Path]) -> str:
    """The account for a person to read."""
    found, program = counts(made), made.made_from["program"]["name"]
    lines = [
        f"Contract {made.asked.contract}, {made.asked.year}, program {program}",
        f"Enrollees  {found['enrollees']:>6,} with {found['services']:,} services",
    ]
    for finding, title in (
        ("eligible", "Eligible and not enrolled at a month's end"),
        ("undecided", "Undecided and not enrolled"),
    ):
        lines.append(f"{title}: {sum(found[finding].values()):,}")
        lines += [f"             {n:>4,} {why.replace('_', ' ')}" for why, n in found[finding].items()]
    lines.append("Month      members  targeted  of them not enrolled  undecided  of them not enrolled")
    lines += [
        f"{row['month']:<10} {row['members']:>7,} {row['targeted']:>9,} {row['targeted_not_enrolled']:>21,}"
        f" {row['unknown']:>10,} {row['undecided_not_enrolled']:>21,}"
        for row in made.months
    ]
    lines.append(f"Files      {files[0].parent}: " + ", ".join(path.name for path in files))
    return "\n".join(lines)
