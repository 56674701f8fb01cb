"""A source, given as a URL or a folder, to the snapshot of its population."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adapter.config import Config
from adapter.errors import ConfigError
from adapter.sources.fetch import OF_PERSONS, from_server
from adapter.sources.snapshot import Snapshot, from_folder


def open_source(
    source: str, config: Config, scratch: Path, patients: str = "", types: Sequence[str] = OF_PERSONS
) -> Snapshot:
    """The snapshot of a server (a URL; beside Patients only the ``types``) or of a folder, which takes no search for Patients."""
    if "://" in source:
        with config.client(source) as client:
            return from_server(client, scratch, patients, types)
    if patients:
        raise ConfigError(
            "--patients is a search of a server and a folder is read whole; leave it out, or name a server"
        )
    return from_folder(Path(source), scratch)
