"""The lists of mappings/: where they lie, what they are, which bytes they hold. The only module that knows the folder.

A list that a plan has loaded into ``local/`` (``adapter.loading``) stands in place of the shipped one of its key.
Loading is fast and strict: it reads the ``sources.toml`` of each list folder and the header line of each list, and
tells every fault at once. Rows are proved by ``adapter.mappings.checks``; what the lists mean is left to
``adapter.tables``.
"""

from __future__ import annotations

import csv
import hashlib
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from adapter.errors import ConfigError, Fault, MappingError
from adapter.loading.local import COLUMNS, LoadedSet, read_local
from adapter.mappings.lists import open_list
from adapter.mappings.origins import LISTS, SourceEntry, Standing, read_sources

ENVIRONMENT = "MTM_MAPPINGS"
ENDINGS = (".csv", ".csv.gz")
BOM = "\ufeff"


@dataclass(frozen=True)
class MappingFile:
    """One list: its file, what it is, and the rules that its rows keep.

    ``key`` is "folder/list" such as "conditions/icd10cm"; ``effective_to`` None is open; ``patterns`` are regular
    expressions for whole cells; ``references`` are columns whose ids stand in another list ("drugs/ingredients:rxcui").
    """

    key: str
    path: Path
    title: str
    source: str
    license: str
    version: str
    effective_from: date
    effective_to: date | None
    standing: Standing
    columns: tuple[str, ...]
    key_columns: tuple[str, ...]
    patterns: Mapping[str, str]
    references: Mapping[str, str]

    @property
    def name(self) -> str:
        """The file as faults name it, relative to the folder of mappings: "drugs/ndc.csv.gz"."""
        return f"{self.key.partition('/')[0]}/{self.path.name}"


@dataclass(frozen=True)
class Mappings:
    """The lists of one folder by key; an optional list that was left out or not loaded is not among them."""

    folder: Path
    files: Mapping[str, MappingFile]

    def has(self, key: str) -> bool:
        """Whether the list is there."""
        return key in self.files

    def path(self, key: str) -> Path:
        """The file of a list: .csv, .csv.gz or, when it was loaded, .parquet. Raises MappingError when the list is not there."""
        if key not in self.files:
            known = ", ".join(sorted(self.files)) or "none"
            raise MappingError([Fault(key, "", f"the mappings hold no such list; known are: {known}")])
        return self.files[key].path

    def versions(self) -> dict[str, str]:
        """The version of each list, by key in alphabetical order."""
        return {key: self.files[key].version for key in sorted(self.files)}

    def hashes(self) -> dict[str, str]:
        """SHA-256 of the bytes of each file as hexadecimal, by key in alphabetical order; the files are read once."""
        return dict(self._hashes)

    @cached_property
    def _hashes(self) -> dict[str, str]:
        return {key: hashlib.sha256(self.files[key].path.read_bytes()).hexdigest() for key in sorted(self.files)}


def mappings_folder() -> Path:
    """The folder of mappings: named by the environment, else packaged, else beside the package; or ConfigError."""
    given = os.environ.get(ENVIRONMENT, "")
    if given:
        if Path(given).is_dir():
            return Path(given)
        raise ConfigError(f"{ENVIRONMENT} names no folder: {given}; name the folder that holds conditions and drugs")
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_mappings", package.parent / "mappings"):
        if folder.is_dir():
            return folder
    raise ConfigError(f"The adapter has no mappings beside it; name the folder that holds them in {ENVIRONMENT}")


def load_mappings(folder: Path | None = None) -> Mappings:
    """The lists of ``folder``, by default of ``mappings_folder()``, those loaded in ``local/`` before the shipped ones.

    Raises MappingError with all faults of form.
    """
    shipped = load_shipped(mappings_folder() if folder is None else folder)
    local = read_local(shipped.folder)
    return Mappings(
        shipped.folder,
        {**shipped.files, **{key: _local_file(key, shipped, *found) for key, found in local.lists().items()}},
    )


def load_shipped(folder: Path) -> Mappings:
    """The lists of ``folder`` as they were shipped or copied, without what is loaded. Raises MappingError."""
    mappings, faults = read_mappings(folder)
    if faults:
        raise MappingError(faults)
    return mappings


def _local_file(key: str, shipped: Mappings, path: Path, loaded: LoadedSet) -> MappingFile:
    """A loaded list (Parquet, every column text); its version also tells when it was loaded."""
    known = shipped.files.get(key)
    return MappingFile(
        key=key,
        path=path,
        title=known.title if known else f"{loaded.title}: {key.partition('/')[2]}",
        source=f"{loaded.title} ({', '.join(sorted(loaded.sources))})",
        license="as its publisher gives it to the plan; not a part of the adapter",
        version=f"{loaded.version}, loaded {loaded.loaded}",
        effective_from=loaded.loaded,
        effective_to=None,
        standing="P",
        columns=COLUMNS[key],
        key_columns=known.key_columns if known else COLUMNS[key][:1],
        patterns=known.patterns if known else {},
        references=known.references if known else {},
    )


def read_mappings(folder: Path) -> tuple[Mappings, list[Fault]]:
    """The lists of ``folder`` that can be read, and every fault in a sources.toml or a header; rows are not read."""
    files: dict[str, MappingFile] = {}
    faults: list[Fault] = []
    for group in LISTS:
        entries, found = read_sources(folder / group)
        listed, missing = _listed(folder / group, entries)
        files |= listed
        faults += [*found, *missing, *_strangers(folder / group)]
    faults += [fault for file in files.values() for fault in header_faults(file)]
    return Mappings(folder, files), faults


def header_faults(file: MappingFile) -> list[Fault]:
    """What is wrong with the first line of a list; only that line is read."""
    try:
        with open_list(file.path) as stream:
            line = stream.readline().decode("utf-8")
    except (UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
        return [Fault(file.name, "row 1", f"the header cannot be read ({error}); save the file as UTF-8 text")]
    faults = []
    if line.startswith(BOM):
        faults.append(Fault(file.name, "row 1", "the file begins with a byte-order mark; save it as UTF-8 without one"))
    fault = _header_fault(next(csv.reader([line.removeprefix(BOM)]), []), file.columns)
    return [*faults, Fault(file.name, "row 1", fault)] if fault else faults


def _header_fault(header: list[str], columns: tuple[str, ...]) -> str:
    if header == list(columns):
        return ""
    lacking = ", ".join(repr(name) for name in columns if name not in header)
    strange = ", ".join(repr(name) for name in header if name not in columns)
    parts = [f"lacks {lacking}" if lacking else "", f"has the unknown {strange}" if strange else ""]
    what = " and ".join(filter(None, parts)) or "has its columns in another order or twice"
    return f"the header {what}; write {','.join(columns)}"


def _listed(folder: Path, entries: Mapping[str, SourceEntry]) -> tuple[dict[str, MappingFile], list[Fault]]:
    """The lists that have a file, by key, and the faults of those that have none or two."""
    files: dict[str, MappingFile] = {}
    faults = []
    for name, entry in entries.items():
        paths = [folder / f"{name}{ending}" for ending in ENDINGS if (folder / f"{name}{ending}").is_file()]
        if len(paths) > 1:
            faults.append(Fault(f"{folder.name}/{name}.csv", "", "the list is there packed and unpacked; remove one"))
        elif paths:
            files[f"{folder.name}/{name}"] = _mapping_file(f"{folder.name}/{name}", paths[0], entry)
        elif not entry.optional:
            faults.append(Fault(f"{folder.name}/{name}.csv", "", "the file is missing; add it as .csv or .csv.gz"))
    return files, faults


def _mapping_file(key: str, path: Path, entry: SourceEntry) -> MappingFile:
    return MappingFile(
        key=key,
        path=path,
        title=entry.title,
        source=entry.source,
        license=entry.license,
        version=entry.version,
        effective_from=entry.effective_from,
        effective_to=entry.effective_to,
        standing=entry.standing,
        columns=tuple(entry.columns),
        key_columns=tuple(entry.key),
        patterns=entry.patterns,
        references=entry.references,
    )


def _strangers(folder: Path) -> list[Fault]:
    """Lists in the folder under a name that the adapter does not read: most likely misspelled."""
    names = LISTS[folder.name]
    expected = {f"{name}{ending}" for name in names for ending in ENDINGS}
    found = sorted(path.name for path in folder.glob("*") if path.name.endswith(ENDINGS) and path.name not in expected)
    fault = f"the adapter reads no list of this name; known are: {', '.join(names)}"
    return [Fault(f"{folder.name}/{name}", "", fault) for name in found]
