"""The files of a run: whole or not at all, in a fixed order, with a manifest that says from what they were made."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from adapter.errors import ConfigError
from adapter.sources.quarantine import Rejected

REJECTED_COLUMNS = ("file", "line", "resource_type", "resource_id", "reason")
UNMAPPED_COLUMNS = ("system", "code", "display", "count", "used_as")


def output_folder(path: Path) -> Path:
    """``path`` as a folder that exists. Raises ConfigError when it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"The folder {path} cannot be made ({error.strerror}); give another one with --out") from None
    return path


Content: TypeAlias = "bytes | Callable[[Path], None]"  # bytes, or what writes them to a scratch file


def write_whole(path: Path, content: Content) -> None:
    """Writes one file so that it is whole or stays as it was."""
    write_all(path.parent, {path.name: content})


def write_all(folder: Path, files: Mapping[str, Content]) -> None:
    """Writes the files of a run together: all are written beside their places first, and take them only when all are whole.

    Raises ConfigError when there is no room. Room is only needed before the first file takes its place, so that a full disk leaves
    every file as it was; each file is whole at any time.
    """
    scratch = {name: folder / f".{name}.part" for name in files}
    try:
        for name, content in files.items():
            _write(scratch[name], content)
        for name, path in scratch.items():
            path.replace(folder / name)
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be written ({error.strerror}); free some space or give another folder with --out"
        ) from None
    finally:
        for path in scratch.values():
            path.unlink(missing_ok=True)


def _write(path: Path, content: Content) -> None:
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def csv_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The rows as CSV in UTF-8 with a header; absent values are empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: _one_line_end(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _one_line_end(value: Any) -> Any:
    """The cell with line feeds only: the csv module would not quote a carriage return, and it would end the row."""
    return value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) and "\r" in value else value


def rejected_bytes(rejected: Iterable[Rejected]) -> bytes:
    """rejected.csv: file, line, resource type and id, reason."""
    rows = [vars(one) | {"line": one.line or ""} for one in rejected]
    rows.sort(key=lambda row: (row["file"], row["line"] or 0, row["resource_type"], row["resource_id"], row["reason"]))
    return csv_bytes(REJECTED_COLUMNS, rows)


def json_bytes(value: Any) -> bytes:
    """``value`` as indented JSON with a last line end."""
    return (json.dumps(value, indent=2, ensure_ascii=False, sort_keys=False) + "\n").encode()
