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
from typing import Any, BinaryIO

from adapter.errors import SourceError
from adapter.fhir.json import dump_line, loads
from adapter.sources.quarantine import Judge, Rejected, head_of, located, numbered_lines
from adapter.sources.resource_types import R4_TYPES

_NDJSON = re.compile(r"^(?P<type>[A-Za-z]+)(\..*)?\.ndjson(\.gz)?$")
HASH_BLOCK = 1 << 20
PACKED = 10  # times that gzip makes NDJSON smaller
Place = tuple[str, int | None]  # file as it was given, and line if it has lines


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
        kind = _type_of(path)
        if kind:
            typed.setdefault(kind, []).append(path)
        elif path.name.lower().endswith((".json", ".json.gz", ".ndjson", ".ndjson.gz")):
            mixed.append(path)
    sorter = _Sorter(scratch)
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
    return Snapshot(
        str(folder), files, scratch, rejected=tuple(sorter.rejected), hashes=hash_files(inputs), places=sorter.places
    )


def _type_of(path: Path) -> str | None:
    """The resource type of an NDJSON file, when its name says one and its first resource is of that type."""
    match = _NDJSON.match(path.name)
    if match is None or match["type"] not in R4_TYPES:
        return None
    first = next(numbered_lines(path), None)
    told = head_of(first[1])[0] if first else ""
    return match["type"] if told in ("", match["type"]) else None


class _Sorter:
    """Sorts resources of mixed files into one scratch file per type; what has no FHIR R4 type is rejected."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.rejected: list[Rejected] = []
        self.places: dict[str, list[Place]] = {}
        self._open: dict[str, BinaryIO] = {}

    def sort(self, path: Path) -> None:
        for number, document in _documents(path, self.rejected):
            for resource in _unpacked(document):
                self._put(path, number, resource)

    def _put(self, path: Path, number: int | None, resource: Mapping[str, Any]) -> None:
        kind = resource.get("resourceType")
        if not isinstance(kind, str) or kind not in R4_TYPES:
            told = f"{kind} is no FHIR R4 resource type" if isinstance(kind, str) else "there is no resourceType"
            self.rejected.append(Rejected(path.name, number, str(kind or ""), str(resource.get("id") or ""), told))
            return
        name = f"{kind}.sorted.ndjson"
        if kind not in self._open:
            self._open[kind] = (self.scratch / name).open("wb")
        self._open[kind].write(dump_line(dict(resource)))
        self.places.setdefault(name, []).append((path.name, number))

    def close(self) -> dict[str, Path]:
        """The files made, by type."""
        for stream in self._open.values():
            stream.close()
        return {kind: self.scratch / f"{kind}.sorted.ndjson" for kind in sorted(self._open)}


def _documents(path: Path, rejected: list[Rejected]) -> Iterator[tuple[int | None, Mapping[str, Any]]]:
    """The JSON objects of a file: one per line of NDJSON, else the whole file; what is not JSON is rejected."""
    if ".ndjson" in path.name.lower():
        pieces: Iterable[tuple[int | None, bytes]] = numbered_lines(path)
    else:
        pieces = [(None, b"".join(line for _, line in numbered_lines(path)))]
    for number, content in pieces:
        try:
            document = loads(content)
        except ValueError:
            rejected.append(Rejected(path.name, number, "", "", "this is not JSON"))
            continue
        if isinstance(document, dict):
            yield number, document
        else:
            rejected.append(Rejected(path.name, number, "", "", "this is not a FHIR resource but a JSON list or value"))


def _unpacked(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The resources of a Bundle, their urn:uuid references turned into Type/id; any other resource as it is."""
    if document.get("resourceType") != "Bundle":
        return [document]
    entries = [
        entry
        for entry in document.get("entry") or []
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict)
    ]
    names: dict[str, str] = {}
    for entry in entries:
        resource, url = entry["resource"], entry.get("fullUrl")
        if isinstance(url, str) and url.startswith("urn:"):
            resource.setdefault("id", url.rpartition(":")[2])
            names[url] = f"{resource.get('resourceType')}/{resource['id']}"
    return [_renamed(entry["resource"], names) if names else entry["resource"] for entry in entries]


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: names.get(item, item) if key == "reference" and isinstance(item, str) else _renamed(item, names)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return value


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
