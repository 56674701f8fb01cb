"""The files of a run: whole or not at all, in a fixed order, with a manifest that says from what they were made."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from adapter.errors import ConfigError
from adapter.quarantine import Rejected

REJECTED_COLUMNS = ("file", "line", "resource_type", "resource_id", "reason")
UNMAPPED_COLUMNS = ("system", "code", "display", "count", "used_as")


def output_folder(path: Path) -> Path:
    """``path`` as a folder that exists. Raises ConfigError when it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"The folder {path} cannot be made ({error.strerror}); give another one with --out") from None
    return path


def write_whole(path: Path, content: bytes | Callable[[Path], None]) -> None:
    """Writes ``content``, bytes or what a function writes to a scratch file, so that the file is whole or stays as it was."""
    scratch = path.with_name(f".{path.name}.part")
    try:
        if callable(content):
            content(scratch)
        else:
            scratch.write_bytes(content)
        with scratch.open("rb+") as stream:
            os.fsync(stream.fileno())
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise ConfigError(
            f"{path} cannot be written ({error.strerror}); free some space or give another folder with --out"
        ) from None


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
