"""Puts a loaded set in place whole or not at all, and takes one away.

Tables are written into a scratch folder that is renamed; the manifest is replaced last, so that a reader sees the set
as it was or as it is, never a mixture. Folders that the manifest no longer names are then removed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import msgspec

from adapter.errors import ConfigError
from adapter.loading.local import MANIFEST, SETS, LoadedSet, Local
from adapter.outputs.files import write_whole

SCRATCH = ".part-"
HEADER = "# Written by `mtm-adapter mappings`; the tables that count are those named here.\n"


@contextmanager
def scratch_folder(local: Path) -> Iterator[Path]:
    """A new folder inside ``local`` that is gone at the end, unless it was renamed. Raises ConfigError."""
    try:
        local.mkdir(parents=True, exist_ok=True)
        scratch = Path(mkdtemp(prefix=SCRATCH, dir=local))
    except OSError as error:
        raise _unwritable(local, error) from None
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"The lists cannot be written to {folder} ({error.strerror or error}); free some space, or copy the folder of "
        "mappings to a place where you may write and name it in MTM_MAPPINGS"
    )


def placed(local: Local, scratch: Path, name: str, described: LoadedSet) -> LoadedSet:
    """``described`` with the name of its folder; the tables that are now in ``scratch`` stand in it."""
    folder = f"{name}-{_digest(scratch)}"
    target = local.folder / folder
    try:
        if not target.is_dir():
            scratch.rename(target)
    except OSError as error:
        raise _unwritable(local.folder, error) from None
    return msgspec.structs.replace(described, folder=folder)


def _digest(folder: Path) -> str:
    """Twelve digits of the hash of all tables, so that a folder once named never changes its content."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(path.name.encode())
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:12]


def write_manifest(local: Local, sets: Mapping[str, LoadedSet | None]) -> Local:
    """The new state, in place: ``sets`` replace those of the same name (None takes one away), other sets stay."""
    merged = {name: sets.get(name, local.sets.get(name)) for name in SETS}
    state = Local(local.folder, {name: loaded for name, loaded in merged.items() if loaded is not None})
    write_whole(local.folder / MANIFEST, _toml(state.sets).encode())
    keep = {loaded.folder for loaded in state.sets.values()}
    for path in local.folder.iterdir():
        if path.is_dir() and path.name not in keep and path.name.startswith(tuple(f"{name}-" for name in SETS)):
            shutil.rmtree(path, ignore_errors=True)
    return state


def _toml(sets: Mapping[str, LoadedSet]) -> str:
    parts = [HEADER]
    for name, loaded in sets.items():
        values = msgspec.structs.asdict(loaded)
        tables = {key: value for key, value in values.items() if isinstance(value, dict)}
        parts.append(_table(name, {key: value for key, value in values.items() if key not in tables}))
        parts += [_table(f"{name}.{key}", value) for key, value in tables.items()]
    return "\n".join(parts)


def _table(name: str, values: Mapping[str, Any]) -> str:
    return "\n".join([f"[{name}]", *(f"{_quoted(key)} = {_value(value)}" for key, value in values.items()), ""])


def _value(value: str | int | date) -> str:
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    """``text`` as a TOML basic string; JSON escapes are a part of those of TOML, DEL alone is not escaped by JSON."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
