"""The slow second look at NDJSON that the strict read refused: which lines are bad, why, and the rest in a clean file.

A line is judged by the same shapes that the strict read uses (``tables/shapes.py``), so both agree on what can be read.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

import msgspec

from adapter.errors import SourceError
from adapter.tables.claims import NO_ID
from adapter.tables.shapes import SHAPES, Shape


@dataclass(frozen=True)
class Rejected:
    """One resource that was left out: where it stands, which it is (if that could be read), and why in one sentence."""

    file: str  # name of the file, or of the resource on a server
    line: int | None
    resource_type: str
    resource_id: str
    reason: str

    @property
    def sentence(self) -> str:
        """The whole in one sentence, for --strict and for logs: no id of a person in it."""
        place = self.file if self.line is None else f"{self.file} line {self.line}"
        return f"{place}: {self.reason}"


class _Head(msgspec.Struct):
    resourceType: Any = None
    id: Any = None


_HEADS = msgspec.json.Decoder(_Head)


def open_lines(path: Path) -> IO[bytes]:
    """The file for reading bytes, decompressed when its name ends in .gz."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Line number and bytes of each line that is not blank. Raises SourceError when the file cannot be read or decompressed."""
    try:
        with open_lines(path) as stream:
            for number, line in enumerate(stream, start=1):
                content = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if content.strip():
                    yield number, content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(f"{path.name} is a damaged gzip file; export it again") from error
    except OSError as error:
        raise SourceError(
            f"{path.name} cannot be read ({error.strerror or type(error).__name__}); mend the file or take it out of the folder"
        ) from error


def sift(paths: Sequence[Path], resource_type: str, scratch: Path) -> tuple[list[Path], list[Rejected]]:
    """A clean copy of each file in ``scratch`` without the lines that cannot be read, and those lines with their reasons."""
    clean, rejected = [], []
    for number, path in enumerate(paths):
        target = scratch / f"{resource_type}.clean{number}.ndjson"
        with target.open("wb") as out:
            for line_number, line in numbered_lines(path):
                reason = fault_of_line(line, resource_type)
                if reason is None:
                    out.write(line if line.endswith(b"\n") else line + b"\n")
                else:
                    rejected.append(_rejected(path, line_number, line, resource_type, reason))
        clean.append(target)
    return clean, rejected


def fault_of_line(line: bytes, resource_type: str) -> str | None:
    """Why the line cannot be read as ``resource_type``, in one sentence, or None."""
    try:
        _decoder(resource_type).decode(line)
        json.loads(line, object_pairs_hook=_without_repetition)
    except msgspec.ValidationError as error:
        return _in_words(str(error))
    except _RepeatedKey as error:
        return f"the element {error} stands twice in one object"
    except ValueError as error:
        if line.lstrip()[:1] == b"<":
            return "the line is HTML or XML and not JSON"
        return f"the line is not JSON ({_without_content(str(error))})"
    except RecursionError:
        return "the line is nested too deeply"
    return None


class _RepeatedKey(Exception):
    """A JSON object has one key twice, so that readers may differ on its value."""


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _RepeatedKey(next(key for key in keys if keys.count(key) > 1))
    return made


Judge: TypeAlias = "Callable[[list[bytes]], list[str | None]]"  # lines to the fault of each, None when it is good


def located(
    paths: Sequence[Path], resource_type: str, faults: Iterable[Mapping[str, Any]], judge: Judge | None = None
) -> list[Rejected]:
    """File and line of each faulty resource, given as rows of ``id`` and ``fault``.

    Where an id stands in several lines (versions of one resource), or none stands, ``judge`` tells which of the lines is at fault;
    without it each is. One whose line cannot be found is told without file and line.
    """
    wanted: dict[str, dict[str, None]] = {}
    for row in faults:
        wanted.setdefault(row["id"] or "", {})[row["fault"]] = None
    lines = _lines_of(paths, wanted) if wanted else {}
    found: list[Rejected] = []
    for identity, reasons in wanted.items():
        places = lines.get(_told(identity), [])
        told = _told_by(places, judge) if judge and (len(places) > 1 or _told(identity) != identity) else None
        if told is None:
            found += [
                Rejected(path, number, resource_type, identity, reason)
                for path, number, _ in places
                for reason in reasons
            ]
        else:
            met = zip(places, told, strict=True)
            found += [
                Rejected(path, number, resource_type, _told(identity), why)
                for (path, number, _), why in met
                if why in reasons
            ]
        if not places:
            found += [Rejected(resource_type, None, resource_type, identity, reason) for reason in reasons]
    return list(dict.fromkeys(found))


def _told(identity: str) -> str:
    """The id as its line has it: a claim without id is named by its content, and its line has none."""
    return "" if identity.startswith(NO_ID) else identity


def _lines_of(paths: Sequence[Path], wanted: Iterable[str]) -> dict[str, list[tuple[str, int, bytes]]]:
    """File name, number and content of every line that has one of the ids, by id."""
    ids = {_told(identity) for identity in wanted}
    found: dict[str, list[tuple[str, int, bytes]]] = {}
    for path in paths:
        for number, line in numbered_lines(path):
            identity = _identity(line)
            if identity in ids:
                found.setdefault(identity, []).append((path.name, number, line))
    return found


def _told_by(places: list[tuple[str, int, bytes]], judge: Judge) -> list[str | None]:
    return judge([line for _, _, line in places])


def _identity(line: bytes) -> str | None:
    """The id of a resource, "" when it has none, None for a line that is no JSON object (it was refused before)."""
    try:
        return str(_HEADS.decode(line).id or "")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def head_of(line: bytes) -> tuple[str, str]:
    """resourceType and id of a line, "" where they cannot be read."""
    try:
        head = _HEADS.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", ""
    return (str(head.resourceType or ""), str(head.id or ""))


def _rejected(path: Path, number: int, line: bytes, resource_type: str, reason: str) -> Rejected:
    return Rejected(path.name, number, resource_type, head_of(line)[1], reason)


def _in_words(error: str) -> str:
    what, _, place = error.partition(" - at ")
    what = what.partition(" '")[0]  # not the value: it is of a person
    return f"the element {place.strip('`').removeprefix('$.') or 'resource'} has the wrong JSON type ({what[:1].lower() + what[1:]})"


def _without_content(error: str) -> str:
    return error.partition(" - ")[0][:120]


@cache
def _decoder(resource_type: str) -> msgspec.json.Decoder[Any]:
    shape = SHAPES.get(resource_type)
    return msgspec.json.Decoder(_validator(shape, resource_type) if shape else dict)


_WORDS = ("true", "t", "yes", "false", "f", "no")
_TRUTH: Any = Literal[
    tuple(word for one in _WORDS for word in (one, one.upper(), one.capitalize()))
]  # read as booleans


def _validator(shape: Shape, name: str) -> Any:
    """A msgspec type that accepts what the strict read accepts: null anywhere, any scalar where a string is read."""
    if shape == "boolean":
        return bool | int | float | _TRUTH | None
    if isinstance(shape, str):
        return str | int | float | bool | None
    if isinstance(shape, list):
        item: Any = _validator(shape[0], name)
        return list[item] | None
    fields = [(f"f{n}", _validator(of, f"{name}_{key}"), None) for n, (key, of) in enumerate(shape.items())]
    names = {f"f{n}": key for n, key in enumerate(shape)}
    return msgspec.defstruct(name, fields, rename=names) | None
