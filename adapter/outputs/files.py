"""The files of a run: whole or not at all, in a fixed order, with a manifest that says from what they were made."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from adapter.errors import ConfigError
from adapter.sources.quarantine import Rejected

REJECTED_COLUMNS = ("file", "line", "resource_type", "resource_id", "reason")
MANIFEST = "manifest.json"
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


def write_with_manifest(
    folder: Path, files: Mapping[str, Content], manifest: Callable[[Mapping[str, str]], Mapping[str, Any]]
) -> list[Path]:
    """Writes ``files`` and manifest.json as ``write_all`` does, and gives their paths.

    ``manifest`` makes the manifest from the SHA-256 of each file by its name, in the order of the names.
    """
    hashes: dict[str, str] = {}
    hashed: dict[str, Content] = {
        name: partial(_hash_written, content, name, hashes) for name, content in files.items()
    }

    def write(path: Path) -> None:
        path.write_bytes(json_bytes(manifest(dict(sorted(hashes.items())))))

    write_all(folder, {**hashed, MANIFEST: write})
    return [folder / name for name in (*files, MANIFEST)]


def _hash_written(content: Content, name: str, hashes: dict[str, str], path: Path) -> None:
    _fill(path, content)
    with path.open("rb") as stream:
        hashes[name] = file_digest(stream, "sha256").hexdigest()


def _write(path: Path, content: Content) -> None:
    _fill(path, content)
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _fill(path: Path, content: Content) -> None:
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)


def csv_file(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Callable[[Path], None]:
    """What writes the bytes of ``csv_bytes`` to a file as the rows come, for rows that are many."""

    def write(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as stream:
            _write_csv(stream, columns, rows)

    return write


def csv_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The rows as CSV in UTF-8 with a header; absent values are empty."""
    text = io.StringIO()
    _write_csv(text, columns, rows)
    return text.getvalue().encode()


def _write_csv(stream: TextIO, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    writer = csv.DictWriter(stream, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: _one_line_end(value) for name, value in row.items()} for row in rows)


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
