"""``check-mappings``: tell every fault of a folder of mappings."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from adapter.errors import EXIT_OK, Fault, MappingError
from adapter.mappings.checks import check_mappings, checked_files
from adapter.mappings.folder import mappings_folder


@click.command("check-mappings")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object in place of lines.")
@click.pass_context
def check_mappings_command(context: click.Context, folder: Path | None, as_json: bool) -> None:
    """Prove the code lists, drug lists, programs and layouts in FOLDER.

    FOLDER is by default the folder of mappings that the adapter uses. Every fault is told with its file and row or key;
    the exit code is 3 when there is any.
    """
    place = mappings_folder() if folder is None else folder
    faults, files = check_mappings(place), checked_files(place)
    click.echo(_json(files, faults) if as_json else _lines(files, faults))
    context.exit(MappingError.exit_code if faults else EXIT_OK)


def _lines(files: list[str], faults: list[Fault]) -> str:
    return "\n".join([*map(str, faults), f"{len(files)} files checked, {len(faults)} faults"])


def _json(files: list[str], faults: list[Fault]) -> str:
    return json.dumps({"files": files, "faults": [asdict(fault) for fault in faults]}, ensure_ascii=False, indent=2)
