"""``layout``: tell the record layouts of the CMS file that the adapter knows, one of them in full, and the faults of one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from adapter.errors import EXIT_OK, MappingError
from adapter.mappings.folder import mappings_folder
from adapter.reporting.description import layout_lines
from adapter.reporting.layout import load_layout
from adapter.reporting.notice import notices

COLUMNS = ("name", "year", "bytes", "standing", "title")


@click.group("layout")
def layout_group() -> None:
    """Read the record layouts of the beneficiary-level MTM file, to hold them against the HPMS memo of the year."""


@layout_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list in place of lines.")
def list_command(as_json: bool) -> None:
    """Print the name, contract year, record length, standing and title of each layout."""
    rows = [_row(path) for path in sorted(_folder().glob("*.toml"))]
    click.echo(json.dumps(rows, ensure_ascii=False, indent=2) if as_json else "\n".join(_table(rows)))


@layout_group.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the whole layout as JSON, with what it extends.")
def show_command(name: str, as_json: bool) -> None:
    """Print the layout NAME, or that of a .toml file: each element with place, codes, conditions, citation and standing."""
    layout = load_layout(name, _folder())
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(layout), indent=2).decode())
    else:
        click.echo("\n".join(layout_lines(layout)))


@layout_group.command("check")
@click.argument("name")
@click.pass_context
def check_command(context: click.Context, name: str) -> None:
    """Prove the layout NAME, or that of a .toml file: every fault with its key (exit code 3), and what is not verified."""
    try:
        layout = load_layout(name, _folder())
    except MappingError as error:
        click.echo("\n".join([*map(str, error.faults), f"{len(error.faults)} faults"]))
        context.exit(MappingError.exit_code)
    click.echo("\n".join([f"{layout.name}: {len(layout.fields)} elements, no fault", *notices(layout)]))
    context.exit(EXIT_OK)


def _folder() -> Path:
    return mappings_folder() / "layouts"


def _row(path: Path) -> dict[str, Any]:
    """One layout of the list; one that cannot be used is told with its first fault, so that the others are still listed."""
    try:
        layout = load_layout(path.stem, path.parent)
    except MappingError as error:
        title = f"cannot be used: {error.faults[0]}"
        return {"name": path.stem, "year": None, "bytes": None, "standing": None, "title": title}
    return {
        "name": layout.name,
        "year": layout.reporting_year,
        "bytes": None if layout.delimited else layout.record_length,
        "standing": layout.standing,
        "title": layout.title,
    }


def _table(rows: list[dict[str, Any]]) -> list[str]:
    cells = [COLUMNS, *(tuple(str(row[name] or "-") for name in COLUMNS) for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
