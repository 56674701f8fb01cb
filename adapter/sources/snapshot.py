"""The population as received: NDJSON files by resource type, from a folder or fetched from a server, with their hashes.

Nothing is decided here. A folder is read where it lies; what is not NDJSON by type (Bundles, files of mixed types) is first
sorted into scratch files by resource type.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adapter.errors import SourceError
from adapter.fhir.answers import worst
from adapter.fhir.json import loads
from adapter.sources.quarantine import Judge, Rejected, head_of, located, numbered_lines
from adapter.sources.resource_types import R4_TYPES
from adapter.sources.sorting import Place, Sorter

_NDJSON = re.compile(r"^(?P<type>[A-Za-z]+)(\..*)?\.ndjson(\.gz)?$")
HASH_BLOCK = 1 << 20
PACKED = 10  # times that gzip makes NDJSON smaller


@dataclass(frozen=True)
class Snapshot:
    """NDJSON files by resource type. ``remote`` is whether they were fetched from a server rather than given as a folder."""

    origin: str
    files: Mapping[str, tuple[Path, ...]]
    scratch: Path
    remote: bool = False
    rejected: tuple[Rejected, ...] = ()
    notices: tuple[str, ...] = ()
    coverage_elsewhere: bool = False  # the server holds Coverage of persons who were not asked for
    hashes: Future[dict[str, str]] | None = field(default=None, compare=False)
    places: Mapping[str, Sequence[Place]] = field(default_factory=dict)  # of each line of a sorted file, by its name

    @property
    def size(self) -> int:
        """About how many bytes of NDJSON there are; what is packed counts as it will be."""
        paths = [path for group in self.files.values() for path in group]
        return sum(path.stat().st_size * (PACKED if path.suffix == ".gz" else 1) for path in paths)

    def paths(self, resource_type: str) -> tuple[Path, ...]:
        """The files of one resource type, in the order of their names; empty when there are none."""
        return self.files.get(resource_type, ())

    def located(
        self, resource_type: str, faults: Iterable[Mapping[str, Any]], judge: Judge | None = None
    ) -> list[Rejected]:
        """The faulty resources (rows of ``id`` and ``fault``) with their place: file and line, or the URL of their type."""
        if not self.remote:
            return self.placed(located(self.paths(resource_type), resource_type, faults, judge))
        place = f"{self.origin}/{resource_type}"  # without the id: it may be a person's, and the place is shown
        return [Rejected(place, None, resource_type, row["id"] or "", row["fault"]) for row in faults]

    def placed(self, rejected: Iterable[Rejected]) -> list[Rejected]:
        """The same with file and line as they were given, where resources were sorted into files by type."""
        return [self._as_given(one) for one in rejected]

    def _as_given(self, one: Rejected) -> Rejected:
        places = self.places.get(one.file)
        if places is None or one.line is None:
            return one
        file, line = places[one.line - 1]
        return replace(one, file=file, line=line)


def from_folder(folder: Path, scratch: Path) -> Snapshot:
    """The snapshot of a folder: NDJSON named by type (also .gz, also numbered), and JSON files with Bundles or single resources.

    Raises SourceError when there is no such folder or no Patient in it.
    """
    if not folder.is_dir():
        raise SourceError(
            f"There is no folder {folder}; give a folder of NDJSON by resource type or the base URL of a FHIR server"
        )
    typed: dict[str, list[Path]] = {}
    mixed: list[Path] = []
    for path in sorted(folder.iterdir()):
        kind = None if path.is_dir() else _type_of(path)
        if kind:
            typed.setdefault(kind, []).append(path)
        elif not path.is_dir() and path.name.lower().endswith((".json", ".json.gz", ".ndjson", ".ndjson.gz")):
            mixed.append(path)
    sorter = Sorter(scratch)
    try:
        for path in mixed:
            sorter.sort(path)
    finally:
        sorted_files = sorter.close()
    for kind, made in sorted_files.items():
        typed.setdefault(kind, []).append(made)
    if not any(next(numbered_lines(path), None) for path in typed.get("Patient", ())):
        raise SourceError(
            f"The folder {folder} holds no Patient; export Patient.ndjson or a Bundle with Patients into it"
        )
    files = {kind: tuple(paths) for kind, paths in typed.items()}
    inputs = sorted({*(path for paths in files.values() for path in paths if path.parent == folder), *mixed})
    notices = (*sorter.notices, *_unread(folder), *_failed_export(files.get("OperationOutcome", ())))
    return Snapshot(
        str(folder), files, scratch, rejected=tuple(sorter.rejected), notices=notices, hashes=hash_files(inputs),
        places=sorter.places,
    )  # fmt: skip


def _type_of(path: Path) -> str | None:
    """The resource type of an NDJSON file, when its name says one and its first resource is of that type."""
    match = _NDJSON.match(path.name)
    if match is None or match["type"] not in R4_TYPES:
        return None
    first = next(numbered_lines(path), None)
    told = head_of(first[1])[0] if first else ""
    return match["type"] if told in ("", match["type"]) else None


def _unread(folder: Path) -> Iterator[str]:
    """Notices of what lies in the folder and is not read, though it looks like data."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and any(_is_ndjson(one) for one in (path, *path.iterdir())):
            yield f"the folder {path.name} within {folder.name} is not read; give NDJSON in one folder"


def _is_ndjson(path: Path) -> bool:
    return path.name.lower().endswith((".ndjson", ".ndjson.gz"))


def _failed_export(paths: Iterable[Path]) -> Iterator[str]:
    """A notice for each file of errors: a server that exports tells so what it could not deliver."""
    for path in paths:
        errors = sum(_tells_error(line) for _, line in numbered_lines(path))
        if errors:
            yield f"{path.name.replace('.sorted', '')} tells {errors} errors of the server that exported; the data may not be whole"


def _tells_error(line: bytes) -> bool:
    try:
        resource = loads(line)
    except ValueError:  # a type that is not read needs only be told where it is read
        return False
    return isinstance(resource, dict) and worst(resource) in ("fatal", "error")


def hash_files(paths: Sequence[Path]) -> Future[dict[str, str]]:
    """SHA-256 of each file by its name, computed beside the rest of the run, whenever a core has nothing better to do."""
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hash", initializer=_give_way)
    future = pool.submit(lambda: {path.name: _sha256(path) for path in paths})
    pool.shutdown(wait=False)
    return future


def _give_way() -> None:
    """Lets other threads go first, where a thread has a priority of its own (on macOS that would slow the whole process)."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()
