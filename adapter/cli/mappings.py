"""``mappings``: load a plan's own drug terminology, see what is loaded, take it away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from adapter.cli.options import today
from adapter.loading.fda import load_ndc, unload
from adapter.loading.local import SETS, LoadedSet, Local, read_local
from adapter.loading.maintenance import load_maintenance
from adapter.loading.rxnorm import load_rxnorm
from adapter.mappings.folder import mappings_folder

version_option = click.option(
    "--version", default="", help="Version of the files, where they do not tell it themselves."
)
a_folder = click.Path(exists=True, file_okay=False, path_type=Path)
a_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("mappings")
def mappings_group() -> None:
    """Load your own drug terminology into mappings/local; it goes before the shipped lists."""


@mappings_group.command("load-rxnorm")
@click.argument("folder", type=a_folder)
@version_option
@click.option("--alone", is_flag=True, help="Leave out codes that only the shipped lists know.")
def load_rxnorm_command(folder: Path, version: str, alone: bool) -> None:
    """Load the RxNorm release in FOLDER (full release or Current Prescribable Content; RRF files, plain or .gz)."""
    _tell("rxnorm", load_rxnorm(mappings_folder(), folder, today(), version, alone))


@mappings_group.command("load-ndc")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@version_option
def load_ndc_command(files: tuple[Path, ...], version: str) -> None:
    """Load the FDA NDC Directory: a folder with product.txt and package.txt, or the two FILES."""
    _tell("ndc", load_ndc(mappings_folder(), files, today(), version))


@mappings_group.command("load-maintenance")
@click.argument("file", type=a_file)
@version_option
def load_maintenance_command(file: Path, version: str) -> None:
    """Load your own list of maintenance drugs (CSV: code_system,code,maintenance); it wins over the shipped flags.

    code_system is rxnorm (a code of any level) or ndc; maintenance is Y, N or D (depends on use).
    """
    _tell("maintenance", load_maintenance(mappings_folder(), file, today(), version))


@mappings_group.command("status")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object in place of lines.")
def status_command(as_json: bool) -> None:
    """Tell what is loaded: from which files, version, day and how many rows."""
    local = read_local(mappings_folder())
    click.echo(_json(local) if as_json else _lines(local))


@mappings_group.command("unload")
@click.argument("name", type=click.Choice(SETS))
def unload_command(name: str) -> None:
    """Take a loaded set away, so that the shipped lists hold again."""
    unload(mappings_folder(), name)
    click.echo(f"{name} is unloaded; the shipped lists hold again")


def _tell(name: str, local: Local) -> None:
    click.echo(_set_lines(name, local.sets[name]))


def _lines(local: Local) -> str:
    parts = [_set_lines(name, loaded) for name, loaded in local.sets.items()]
    return "\n".join(parts) or "nothing is loaded; the shipped lists hold"


def _set_lines(name: str, loaded: LoadedSet) -> str:
    rows = ", ".join(f"{table} {count:,}" for table, count in loaded.tables.items())
    counts = ", ".join(f"{what.replace('_', ' ')} {count:,}" for what, count in loaded.counts.items())
    return "\n".join(
        [
            f"{name}: {loaded.title}, version {loaded.version}, loaded {loaded.loaded}",
            f"  rows: {rows}",
            *([f"  counted: {counts}"] if counts else []),
            *(f"  from {file} (sha256 {digest[:12]})" for file, digest in loaded.sources.items()),
        ]
    )


def _json(local: Local) -> str:
    values: dict[str, Any] = {name: msgspec.to_builtins(loaded) for name, loaded in local.sets.items()}
    return json.dumps(values, ensure_ascii=False, indent=2)
