"""An NDJSON file of one resource type that can be read and replaced by id without being held in memory.

Only ids and places are kept; resources stay on disk until they are asked for. A file is replaced as a whole or not at
all: what is written goes to a scratch file in the same folder first.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from adapter.errors import SinkError
from adapter.fhir import json
from adapter.fhir.json import Resource


class _Identified(msgspec.Struct):
    id: str


Place = tuple[IO[bytes], int]  # the file that holds the line, and where it begins
_ids = msgspec.json.Decoder(_Identified)


class NdjsonFile:
    """The resources of ``Type.ndjson`` by id: what the file holds, and what was put since.

    Raises SinkError naming the line of a file that holds something else. Close it, or use it as a context manager.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held = path.open("rb") if path.exists() else None
        self._spool: IO[bytes] | None = None
        try:
            self._places = self._indexed()
        except SinkError:
            self.close()
            raise

    def close(self) -> None:
        """Closes the files; what was put and not committed is gone."""
        for file in (self._held, self._spool):
            if file:
                file.close()

    def get(self, resource_id: str) -> Resource | None:
        """The resource of that id, as put last or as the file holds it."""
        place = self._places.get(resource_id)
        return json.loads(_line(place)) if place else None

    def __iter__(self) -> Iterator[Resource]:
        """The resources in the order of their ids, as put last or as the file holds them."""
        return (json.loads(_line(self._places[one])) for one in sorted(self._places))

    def put(self, resource: Resource) -> None:
        """Keeps the resource for the next commit."""
        if self._spool is None:
            self._spool = tempfile.TemporaryFile(dir=self._path.parent)  # noqa: SIM115 - closed by close()
        place = self._spool.seek(0, os.SEEK_END)
        self._spool.write(json.dump_line(resource))
        self._places[resource["id"]] = (self._spool, place)

    def commit(self) -> None:
        """The file holds everything, sorted by id; it is not touched when nothing was put."""
        if self._spool is None:
            return
        scratch = self._path.with_name(f".{self._path.name}.{os.getpid()}.scratch")
        try:
            with scratch.open("wb") as out:
                out.writelines(_line(self._places[one]) + b"\n" for one in sorted(self._places))
                out.flush()
                os.fsync(out.fileno())
            scratch.replace(self._path)
        finally:
            scratch.unlink(missing_ok=True)
        _sync_folder(self._path.parent)

    def _indexed(self) -> dict[str, Place]:
        """The place of each id; of an id that comes twice the last one, as appended files have it."""
        places: dict[str, Place] = {}
        if self._held is None:
            return places
        at = 0
        for number, line in enumerate(self._held, start=1):
            if line.strip():
                places[self._id(line, number)] = (self._held, at)
            at += len(line)
        return places

    def _id(self, line: bytes, number: int) -> str:
        try:
            return _ids.decode(line).id
        except msgspec.MsgspecError:
            raise SinkError(
                f"{self._path.name}, line {number}, is no resource with an id: correct the file or write elsewhere."
            ) from None  # the cause may quote the line


def _line(place: Place) -> bytes:
    file, at = place
    file.seek(at)
    return file.readline().rstrip(b"\r\n")


def _sync_folder(folder: Path) -> None:
    """Makes the replacement itself survive a crash (POSIX: the folder is a file of its own)."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
