"""The record layout of a reporting year as data, read strictly from ``mappings/layouts/*.toml``.

A layout is data: the code knows its form (``form.py``), not its positions. CMS gives the positions to plans in an HPMS
memo; what a layout file has from other texts carries its standing (V, P+, P, U), so that every produced file can say
what it rests on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from adapter.errors import Fault, MappingError
from adapter.mappings.extended import read_extended
from adapter.reporting.form import Field, Layout
from adapter.reporting.form_checks import faults_of

GIVEN, BY_LENGTH = "given", "by_length"  # the positions of a layout: as they stand, or from the order and the lengths
__all__ = ["Field", "Layout", "layout_for_year", "layout_path", "load_layout", "unverified"]


def layout_for_year(year: int, folder: Path) -> Layout:
    """CMS's layout for the contract year ``year``. Raises MappingError when the folder has none."""
    return load_layout(f"cms-mtm-{year}", folder)


def load_layout(name_or_file: str, folder: Path) -> Layout:
    """The layout called ``name_or_file`` in ``folder``, or in the file of that path; ``extends`` is followed.

    Raises MappingError with every fault that the file has, each with file and key.
    """
    path = layout_path(name_or_file, folder)
    raw = read_extended(path, "layout", lambda name: layout_path(name, folder), _overlay)
    fields, faults = _fields(raw.pop("fields", []))
    follow = raw.pop("positions", GIVEN)
    if follow not in (GIVEN, BY_LENGTH):
        faults.append(("positions", f"{follow!r} is not known; write {GIVEN} or {BY_LENGTH}"))
    if follow == BY_LENGTH:
        fields = list(_numbered(fields))
        raw["record_length"] = sum(field.length for field in fields)
    try:
        layout = msgspec.convert({**raw, "name": path.stem, "fields": []}, Layout)
    except msgspec.ValidationError as error:
        raise MappingError([Fault(path.name, *found) for found in [_fault(error), *faults]]) from None
    layout = msgspec.structs.replace(layout, fields=sorted(fields, key=place))
    faults = faults or list(faults_of(layout))
    if faults:
        raise MappingError([Fault(path.name, place, fault) for place, fault in faults])
    return layout


def _numbered(fields: list[Field]) -> Iterator[Field]:
    """The fields in the order of their starts, each behind the one before it: one length is corrected, and the rest follow."""
    at = 1
    for field in sorted(fields, key=lambda field: field.start):
        yield msgspec.structs.replace(field, start=at, end=at + field.length - 1)
        at += field.length


def place(field: Field) -> tuple[int, int]:
    """By what the fields of a layout are in order: the column of a delimited file, else the first byte."""
    return field.column, field.start


def layout_path(name_or_file: str, folder: Path) -> Path:
    """The file of a layout given by name or path. Raises MappingError when there is none."""
    given = Path(name_or_file)
    if given.suffix == ".toml" or len(given.parts) > 1:
        if given.is_file():
            return given
        raise MappingError([Fault(str(given), "", "there is no such layout file; give a name or a .toml file")])
    path = folder / f"{name_or_file}.toml"
    if path.is_file():
        return path
    known = ", ".join(sorted(p.stem for p in folder.glob("*.toml"))) or "none"
    raise MappingError([Fault("layouts", "", f"no layout is called {name_or_file!r}; known are: {known}")])


def unverified(layout: Layout) -> list[Field]:
    """The fields of which a part (element, values, rule, or letter and place) is unverified: standing U."""
    return [field for field in layout.fields if "U" in (field.standing, field.position_standing)]


def _overlay(base: dict[str, Any], own: dict[str, Any], _: Path) -> dict[str, Any]:
    """``base`` with the keys of ``own``; settings of the file are merged key by key, fields by their name."""
    result = {**base, **own}
    if isinstance(base.get("file"), dict) and isinstance(own.get("file"), dict):
        result["file"] = {**base["file"], **own["file"]}
    if isinstance(base.get("fields"), list) and isinstance(own.get("fields"), list):
        result["fields"] = list(_overlaid(base["fields"], own["fields"]))
    return result


def _overlaid(base: list[Any], own: list[Any]) -> Iterator[Any]:
    """The fields of ``base`` with the keys of the first field of that name in ``own``, then the rest of ``own``."""
    left = list(own)
    for field in base:
        change = next((c for c in left if _name(c) and _name(c) == _name(field)), None)
        if change is not None:
            left.remove(change)
        yield {**field, **change} if change is not None else field
    yield from left


def _name(raw: Any) -> str:
    name = raw.get("name", "") if isinstance(raw, dict) else ""
    return name if isinstance(name, str) else ""


def _fields(raw: Any) -> tuple[list[Field], list[tuple[str, str]]]:
    """The fields that can be read, and one fault for each that cannot."""
    if not isinstance(raw, list):
        return [], [("fields", "write each field as a table [[fields]]")]
    fields, faults = [], []
    for number, item in enumerate(raw, start=1):
        try:
            fields.append(msgspec.convert(item, Field))
        except msgspec.ValidationError as error:
            faults.append(_fault(error, f"fields.{_name(item) or number}"))
    return fields, faults


def _fault(error: msgspec.ValidationError, under: str = "") -> tuple[str, str]:
    what, _, place = str(error).partition(" - at ")
    if "unknown field" in what:
        what = what.replace("Object contains unknown field", "there is no key called") + "; correct its spelling"
    key = place.strip("`").removeprefix("$").removeprefix(".")
    return ".".join(part for part in (under, key) if part), what
