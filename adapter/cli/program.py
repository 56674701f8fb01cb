"""``program``: tell the programs that the adapter knows, and one of them in plain sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from adapter.errors import MappingError
from adapter.mappings.folder import mappings_folder
from adapter.targeting.description import description
from adapter.targeting.program import load_program

COLUMNS = ("name", "year", "standing", "title")


@click.group("program")
def program_group() -> None:
    """Read the programs: who is targeted in a plan year, by which rules, and what these rest on."""


@program_group.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the whole program as JSON, with what it extends.")
def show_command(name: str, as_json: bool) -> None:
    """Print the program NAME, or that of a .toml file, in plain sentences.

    Every setting is told with its source, and at the end what is not read in an official text.
    """
    program = load_program(name, _folder())
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(program), indent=2))
    else:
        click.echo("\n".join(description(program)))


@program_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list in place of lines.")
def list_command(as_json: bool) -> None:
    """Print the name, plan year, standing and title of each program.

    Standing: V read in the official text, P+ in two independent secondary texts, P in one, U unverified.
    """
    rows = [_row(path) for path in sorted(_folder().glob("*.toml"))]
    click.echo(json.dumps(rows, ensure_ascii=False, indent=2) if as_json else "\n".join(_table(rows)))


def _folder() -> Path:
    return mappings_folder() / "programs"


def _row(path: Path) -> dict[str, Any]:
    """One program of the list; one that cannot be used is told with its first fault, so that the others are still listed."""
    try:
        program = load_program(path.stem, path.parent)
    except MappingError as error:
        return {"name": path.stem, "year": None, "standing": None, "title": f"cannot be used: {error.faults[0]}"}
    return {
        "name": program.name,
        "year": program.plan_year,
        "standing": program.standing,
        "title": program.title,
    }


def _table(rows: list[dict[str, Any]]) -> list[str]:
    cells = [COLUMNS, *(tuple(str(row[name] or "-") for name in COLUMNS) for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
