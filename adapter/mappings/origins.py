"""The ``sources.toml`` of a folder of lists, read strictly: what each list is, and what its cells may hold.

Every fault is told, each with its table and key: a misspelled key must never become a default. The lists themselves are
left to ``adapter.mappings.folder`` (headers) and ``adapter.mappings.checks`` (rows).
"""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Literal

import msgspec

from adapter.errors import Fault

SOURCES = "sources.toml"

# The lists that the adapter reads, by folder. A list under another name would be read by nobody: it is refused.
LISTS = {
    "conditions": ("icd10cm", "snomedct", "value_sets"),
    "drugs": ("ingredients", "products", "ndc", "classes", "brands", "synonyms", "otc_supplements"),
}

Standing = Literal["V", "P+", "P", "U"]
Found = list[tuple[str, str]]  # faults as (key, fault)


class SourceEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table of a ``sources.toml``: what a list is, and what its cells may hold."""

    title: str
    source: str
    license: str
    version: str
    effective_from: date
    effective_to: date | None = None
    standing: Standing
    columns: list[str]
    key: list[str]
    patterns: dict[str, str] = {}
    references: dict[str, str] = {}
    optional: bool = False


def read_sources(folder: Path) -> tuple[dict[str, SourceEntry], list[Fault]]:
    """The usable tables of the sources.toml in ``folder``, and the faults of all its tables."""
    place = f"{folder.name}/{SOURCES}"
    try:
        tables = tomllib.loads((folder / SOURCES).read_bytes().decode("utf-8"))
    except FileNotFoundError:
        return {}, [Fault(place, "", "there is no such file; add it with a table for each list of the folder")]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [Fault(place, "", f"this is not valid TOML: {error}")]
    entries: dict[str, SourceEntry] = {}
    faults = _name_faults(place, tables, LISTS[folder.name])
    for name in (name for name in LISTS[folder.name] if name in tables):
        entry, found = source_entry(tables[name])
        faults += [Fault(place, f"{name}.{key}" if key else name, fault) for key, fault in found]
        entries |= {name: entry} if entry else {}
    return entries, faults


def _name_faults(place: str, tables: dict[str, Any], names: tuple[str, ...]) -> list[Fault]:
    known = f"the adapter reads no list of this name; known are: {', '.join(names)}"
    strange = [Fault(place, name, known) for name in tables if name not in names]
    absent = [name for name in names if name not in tables]
    return strange + [Fault(place, name, "the list is not described; add its table") for name in absent]


def source_entry(table: Any) -> tuple[SourceEntry | None, Found]:
    """The table as a value when it has no fault, and every fault it has; msgspec alone stops at the first."""
    if not isinstance(table, dict):
        return None, [("", "this must be a table of its own; write its name in brackets above its keys")]
    given = {key: value for key, value in table.items() if (key, value) != ("effective_to", "")}  # "" is an open period
    faults = _key_faults(given)
    if faults:
        return None, faults
    entry = msgspec.convert(given, SourceEntry)
    faults = _value_faults(entry)
    return (None, faults) if faults else (entry, [])


def _key_faults(table: dict[str, Any]) -> Found:
    fields = {field.name: field for field in msgspec.structs.fields(SourceEntry)}
    faults = [(key, "there is no such key; correct its spelling") for key in table if key not in fields]
    for name, field in fields.items():
        if name in table:
            faults += _type_faults(name, table[name], field.type)
        elif field.required:
            faults.append((name, "the key is missing; add it"))
    return faults


def _type_faults(name: str, value: Any, wanted: Any) -> Found:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        fault = "this is no day; write it like 2025-10-06" if "RFC3339" in what else f"{what}; correct the value"
        return [(name + place.strip("`").removeprefix("$"), fault)]
    return []


def _value_faults(entry: SourceEntry) -> Found:
    filled = ("title", "source", "license", "version", "columns", "key")
    faults = [(name, "this must not be empty; fill it in") for name in filled if not getattr(entry, name)]
    if entry.effective_to and entry.effective_to < entry.effective_from:
        faults.append(("effective_to", "the period ends before it begins; correct one of the two days"))
    for table, names in (("key", entry.key), ("patterns", entry.patterns), ("references", entry.references)):
        strange = [name for name in names if name not in entry.columns]
        faults += [(table, f"{name!r} is no column of the list; name one of columns") for name in strange]
    return faults + _pattern_faults(entry.patterns) + _reference_faults(entry.references)


def _pattern_faults(patterns: dict[str, str]) -> Found:
    faults = []
    for name, pattern in patterns.items():
        try:
            re.compile(pattern)
        except re.error as error:
            faults.append((f"patterns.{name}", f"{pattern!r} is no regular expression ({error}); correct it"))
    return faults


def _reference_faults(references: dict[str, str]) -> Found:
    known = {f"{folder}/{name}" for folder, names in LISTS.items() for name in names}
    parts = [(name, to, *to.partition(":")[::2]) for name, to in references.items()]
    wrong = [(name, to) for name, to, listed, column in parts if listed not in known or not column]
    example = "write a list and a column, such as drugs/ingredients:rxcui"
    return [(f"references.{name}", f"{to!r} names no list of the adapter; {example}") for name, to in wrong]
