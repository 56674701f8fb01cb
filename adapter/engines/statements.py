"""Statements that were written once: the SQL of a table function and its arguments, kept for this process and for later ones.

Writing SQL takes Ibis longer than running it takes for one beneficiary, and a second of each screening. What a statement says depends
on the source of the adapter, the versions of the SQL writers, the function that makes it and its arguments; all of these are the key.
It holds names of tables and rules of programs and no fact of a person: persons reach SQL in tables only.

The file lies in the user's cache folder (``MTM_ADAPTER_CACHE``, else ``XDG_CACHE_HOME``, else ``~/.cache``), is taken only when nobody
else could have written it, and can be deleted at any time. ``MTM_ADAPTER_CACHE=off`` keeps none.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from functools import cache, partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from types import FunctionType
from typing import Any

import ibis.expr.types as ir
import msgspec

WRITERS = ("ibis-framework", "sqlglot", "duckdb")
MOST = 400  # statements in the file; the oldest go first
_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Statement:
    """The SQL, and the columns of its result with their Ibis types as text."""

    sql: str
    columns: Mapping[str, str]


class Statements:
    """The statements of this process, begun with those that an earlier one left in ``path`` (None: none are left)."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, Statement] = _read(path) if path else {}
        self._new = False

    def get(self, key: str) -> Statement | None:
        """The statement of ``key``, or None when it was not written yet."""
        return self._known.get(key)

    def put(self, key: str, statement: Statement) -> None:
        """Keeps the statement for later."""
        self._known[key] = statement
        self._new = True

    def save(self) -> None:
        """Leaves the statements for later processes; one that cannot be left is written anew then, which costs time only."""
        if self._path is None or not self._new or fingerprint() != AT_START:  # a source changed under our feet
            return
        self._new = False
        newest = list(self._known.copy().items())[-MOST:]
        body = {key: [one.sql, dict(one.columns)] for key, one in newest}
        part = self._path.with_suffix(f".{os.getpid()}.part")
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.touch(mode=0o600)
            part.write_text(json.dumps(body), encoding="utf-8")
            part.replace(self._path)
            _forget_others(self._path)


@cache
def statements() -> Statements:
    """Those of this process."""
    folder = cache_folder(os.environ)
    return Statements(folder / f"statements-{AT_START}.json" if folder else None)


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Where statements are left, or None when there is no home or it is switched off."""
    own = environ.get("MTM_ADAPTER_CACHE", "")
    if own:
        return None if own == "off" else Path(own)
    base = environ.get("XDG_CACHE_HOME") or (f"{environ['HOME']}/.cache" if environ.get("HOME") else "")
    return Path(base) / "mtm-adapter" if base else None


def fingerprint() -> str:
    """A hash of every line of the adapter and of the versions of what writes SQL for it."""
    digest = sha256("".join(f"{name} {version(name)}\n" for name in WRITERS).encode())
    for path in sorted(_PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(_PACKAGE)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:32]


AT_START = fingerprint()  # taken while the adapter is loaded, so that it is that of the code in memory


def key_of(asked: partial[ir.Table], table: str) -> str:
    """The key of a statement whose result is called ``table``: its function and all arguments, tables by name and columns."""
    return sha256(f"{table} = {_told(asked)}".encode()).hexdigest()


def _told(value: Any) -> str:
    if isinstance(value, partial):
        given = [*map(_told, value.args), *(f"{name}={_told(one)}" for name, one in sorted(value.keywords.items()))]
        return f"{_told(value.func)}({', '.join(given)})"
    if isinstance(value, ir.Table):
        return f"{value.get_name()}{_columns(value)}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_told(name)}: {_told(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_told, value)) + "]"
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}({', '.join(_told(getattr(value, one.name)) for one in fields(value))})"
    if value is None or isinstance(value, str | int | date | msgspec.Struct):
        return repr(value)
    if isinstance(value, FunctionType) and value.__closure__ is None and "<lambda>" not in value.__qualname__:
        return f"{value.__module__}.{value.__qualname__}"
    raise TypeError(f"{type(value).__name__} in a statement: its key can tell plain functions, tables and values only")


def _columns(table: ir.Table) -> str:
    return str([(name, str(kind)) for name, kind in table.schema().items()])


def _read(path: Path) -> dict[str, Statement]:
    """What was left in ``path``; nothing when it is not there, not whole, or others can write it or its folder."""
    try:
        if not all(_only_ours(one) for one in (path, path.parent)):
            return {}
        body = json.loads(path.read_text(encoding="utf-8"))
        return {key: Statement(str(sql), dict(columns)) for key, (sql, columns) in body.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _only_ours(path: Path) -> bool:
    told = path.stat()
    return told.st_uid == os.getuid() and not told.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _forget_others(path: Path) -> None:
    """Removes what other versions of the adapter left."""
    for other in path.parent.glob("statements-*.json"):
        if other != path:
            other.unlink(missing_ok=True)
