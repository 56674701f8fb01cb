"""A source, given as a URL or a folder, to the snapshot of its population."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adapter.config import Config
from adapter.sources.fetch import OF_PERSONS, from_server
from adapter.sources.snapshot import Snapshot, from_folder


def open_source(
    source: str, config: Config, scratch: Path, patients: str = "", types: Sequence[str] = OF_PERSONS
) -> Snapshot:
    """The snapshot of a server (a URL; beside Patients only the ``types``) or of a folder."""
    if "://" in source:
        with config.client(source) as client:
            return from_server(client, scratch, patients, types)
    return from_folder(Path(source), scratch)
