"""The files of papers: their names, which never hold a name of a person, and the manifest by which a batch resumes."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from adapter import __version__
from adapter.errors import ConfigError

MANIFEST = "manifest.ndjson"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,63}")  # a FHIR id that is a plain file name everywhere


@dataclass(frozen=True)
class Sheet:
    """One file to be made: ``content`` is the hash of all that it is made of, ``make`` makes its bytes.

    ``unshown`` are the characters that the fonts cannot show, each time that it stands there.
    """

    path: Path
    content: str
    make: Callable[[], bytes]
    unshown: str = ""

    @property
    def code_points(self) -> list[str]:
        """The characters that the fonts cannot show, each once: U+5F20."""
        return [f"U+{ord(one):04X}" for one in sorted(set(self.unshown))]


def sheet(path: Path, made_of: str, make: Callable[[], bytes], unshown: str = "") -> Sheet:
    """The sheet of a file that is made of ``made_of`` and of this version of the adapter."""
    return Sheet(path, sha256(f"{__version__}\n{made_of}".encode()).hexdigest(), make, unshown)


def file_name(kind: str, language: str, large_print: bool, key: str) -> str:
    """The name of a paper without its ending: kind, language, print, and the Patient id (its hash, when it is no plain id)."""
    who = key if _ID.fullmatch(key) else sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return "-".join([kind, language, *(["large"] if large_print else []), who])


class Manifest:
    """One line per file that was made, added as soon as the file is whole; may be used by many threads at once."""

    def __init__(self, path: Path, known: dict[str, dict[str, Any]]) -> None:
        self.path = path
        self.known = known
        self._lock = threading.Lock()
        self._stream: IO[bytes] | None = None

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a folder; a last line that was cut off by a crash is dropped."""
        path = folder / MANIFEST
        lines = path.read_bytes().split(b"\n") if path.is_file() else []
        known = {entry["file"]: entry for entry in map(_entry, lines) if entry}
        return cls(path, known)

    def holds(self, one: Sheet) -> bool:
        """Whether the file stands there whole with equal content: known by the manifest, and as long as it was written."""
        entry = self.known.get(one.path.name)
        if entry is None or entry.get("content") != one.content or not one.path.is_file():
            return False
        return bool(one.path.stat().st_size == entry.get("bytes"))

    def note(self, one: Sheet, content: bytes, key: str, kind: str) -> None:
        """Adds the line of a file that is whole now. Raises ConfigError when there is no room."""
        entry = {
            "file": one.path.name,
            "beneficiary": key,
            "kind": kind,
            "content": one.content,
            "bytes": len(content),
            "sha256": sha256(content).hexdigest(),
            "characters_not_shown": len(one.unshown),
            "not_shown": one.code_points,
        }
        with self._lock:
            self.known[one.path.name] = entry
            try:
                if self._stream is None:
                    self._stream = self._open()
                self._stream.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            except OSError as error:
                raise ConfigError(
                    f"{self.path} cannot be written ({error.strerror}); free some space or give another folder with --out"
                ) from None

    def close(self) -> None:
        """Closes the file; nothing is lost without it."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _open(self) -> IO[bytes]:
        """The file to add to, after a last line that does not end; unbuffered, so that a line is there or told."""
        stream = self.path.open("ab", buffering=0)
        if stream.tell() and not self.path.read_bytes().endswith(b"\n"):
            stream.write(b"\n")
        return stream


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None  # cut off: its file is made again
    return entry if isinstance(entry, dict) and isinstance(entry.get("file"), str) else None
