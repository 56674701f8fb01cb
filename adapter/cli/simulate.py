"""mtm-adapter simulate SOURCE --program A --program B: what each program would decide, and who moves."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from adapter.cli.options import config_of, connection_options, today
from adapter.jobs.simulation import (
    DOOR_TITLES,
    OUTCOMES,
    REASON_TITLES,
    Simulating,
    Simulation,
    account,
    simulate,
    write_simulation,
)
from adapter.outputs.chart import letter

LABEL, COLUMN = 24, 16  # widths in characters


@click.command("simulate")
@click.argument("source")
@click.option(
    "--program",
    "programs",
    multiple=True,
    required=True,
    help="Name of a program, or a .toml file; twice or more. Moves are from the first to the second.",
)
@click.option(
    "--as-of",
    "as_of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day of the decisions; default today within each program's plan year.",
)
@click.option("--contract", default="", help="CMS contract such as H1234: only its members.")
@click.option(
    "--at-risk",
    "at_risk",
    type=click.Path(path_type=Path),
    help="At-risk beneficiaries: a roster (CSV) or MARx reply reports, a file or a folder.",
)
@click.option("--patients", default="", help="Read only these persons of a server: a Patient search.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for counts.csv, matrix.csv, moves.csv and the picture simulation.svg.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
@connection_options
def simulate_command(
    source: str, programs: tuple[str, ...], as_of: datetime | None, out: Path | None, as_json: bool, **values: Any
) -> None:
    """Decide the population of SOURCE by two or more programs, and tell who moves between the first two. Writes nothing back."""
    config = config_of(values)
    made = simulate(Simulating(source, programs, today(), as_of.date() if as_of else None, **values), config)
    files = write_simulation(made, out) if out else []
    if as_json:
        click.echo(json.dumps(account(made) | {"files": [str(path) for path in files]}, indent=2))
    else:
        click.echo(told(made))
        if files:
            click.echo(f"\nFiles      {out}: " + ", ".join(path.name for path in files))
    for notice in made.notices:
        click.echo(f"notice: {notice}", err=True)
    if made.rejected:
        click.echo(
            f"refused: {len(made.rejected)} resources or rows (all of them in rejected.csv with --out)", err=True
        )


def told(made: Simulation) -> str:
    """The counts of each program side by side, and the moves, for a person to read."""
    lines = [f"{'':{LABEL}}" + "".join(f"{letter(place):>{COLUMN}}" for place in range(len(made.runs)))]
    for title, counts in _rows(made):
        lines.append(f"{title:<{LABEL}}" + "".join(f"{count:>{COLUMN},}" for count in counts))
    legend = [f"{letter(n)}  {run.program.name}, as of {run.as_of}" for n, run in enumerate(made.runs)]
    return "\n".join([*legend, "", *lines, "", *_told_moves(made)])


def _rows(made: Simulation) -> list[tuple[str, list[int]]]:
    rows = [(title, [run.outcomes[name] for run in made.runs]) for name, title in OUTCOMES.items()]
    rows[1:1] = [
        *((f"  by {title}", [run.doors[name] for run in made.runs]) for name, title in DOOR_TITLES.items()),
        *(
            (f"  CMS reason {title[:2]}", [run.reasons[name] for run in made.runs])
            for name, title in REASON_TITLES.items()
        ),
    ]
    return rows


def _told_moves(made: Simulation) -> list[str]:
    """The matrix: a row for each outcome by A, a column for each by B."""
    lines = [f"{'Moves from A (row) to B':<{LABEL}}" + "".join(f"{title:>{COLUMN}}" for title in OUTCOMES.values())]
    for before, title in OUTCOMES.items():
        lines.append(f"{title:<{LABEL}}" + "".join(f"{made.matrix[before, after]:>{COLUMN},}" for after in OUTCOMES))
    return lines
