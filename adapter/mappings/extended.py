"""TOML files that extend one another, for programs and record layouts."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapter.errors import Fault, MappingError

Raw = dict[str, Any]


def read_toml(path: Path) -> Raw:
    """The tables of one file. Raises MappingError when it is not valid TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError([Fault(path.name, "", f"this is not valid TOML: {error}")]) from None


def read_extended(
    path: Path,
    what: str,
    find: Callable[[str], Path],
    overlay: Callable[[Raw, Raw, Path], Raw],
    prepare: Callable[[Raw, Path], Raw] = lambda own, _: own,
    seen: tuple[Path, ...] = (),
) -> Raw:
    """The tables of ``path`` laid by ``overlay(base, own, path)`` over those of the file that it extends, and so on.

    ``prepare`` sees each file by itself first. A base is looked for beside the file first, then by ``find``. Raises MappingError
    for a circle or a base that is not there.
    """
    if path.resolve() in seen:
        raise MappingError([Fault(path.name, "extends", f"the {what}s extend each other in a circle; end it")])
    own = prepare(read_toml(path), path)
    base = own.pop("extends", None)
    if base is None:
        return own
    if not isinstance(base, str):
        raise MappingError([Fault(path.name, "extends", f"the name of the {what} that is extended must be a string")])
    beside = path.parent / f"{base}.toml"
    base_path = beside if beside.is_file() and beside.resolve() != path.resolve() else find(base)
    return overlay(read_extended(base_path, what, find, overlay, prepare, (*seen, path.resolve())), own, path)


def extended_files(path: Path, find: Callable[[str], Path]) -> list[Path]:
    """``path`` and the files that it extends, one after the other; call it for what ``read_extended`` could read."""
    files = [path]
    while isinstance(base := read_toml(files[-1]).get("extends"), str):
        beside = files[-1].parent / f"{base}.toml"
        files.append(beside if beside.is_file() and beside.resolve() != files[-1].resolve() else find(base))
    return files
