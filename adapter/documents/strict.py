"""Tables read strictly into Structs with every fault at once: a misspelled key must never be a default."""

from __future__ import annotations

from typing import Any, get_args, get_origin

import msgspec

Faults = list[tuple[str, str]]  # key, fault


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all tables: immutable, no key beyond those named."""


def faults(raw: Any, kind: type[Strict]) -> Faults:
    """Every fault of ``raw`` as ``kind``, each with its key; none when it can be converted."""
    return _faults(raw, kind, "")


def _faults(raw: Any, kind: Any, place: str) -> Faults:
    struct, many = _struct_of(kind)
    if struct is None or not isinstance(raw, list if many else dict):
        return _value_faults(raw, kind, place)
    if isinstance(raw, list):
        return [fault for n, one in enumerate(raw) for fault in _faults(one, struct, f"{place}[{n}]")]
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    known = ", ".join(fields)
    found = [(_key(place, key), f"there is no such key; known are: {known}") for key in raw if key not in fields]
    for name, field in fields.items():
        if name in raw:
            found += _faults(raw[name], field.type, _key(place, name))
        elif field.required:
            found.append((_key(place, name), "the key is missing; add it"))
    return found


def _struct_of(kind: Any) -> tuple[type[Strict] | None, bool]:
    """The Struct that ``kind`` is, may be (| None) or lists, and whether it lists them."""
    if type(None) in get_args(kind):
        found = [_struct_of(one) for one in get_args(kind) if one is not type(None)]
        return found[0] if len(found) == 1 else (None, False)
    if get_origin(kind) is list:
        struct, _ = _struct_of(get_args(kind)[0])
        return struct, struct is not None
    return (kind, False) if isinstance(kind, type) and issubclass(kind, Strict) else (None, False)


def _value_faults(raw: Any, kind: Any, place: str) -> Faults:
    try:
        msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        what, _, inner = str(error).partition(" - at ")
        return [(place + inner.strip("`").removeprefix("$"), f"{what}; correct it")]
    return []


def _key(place: str, name: str) -> str:
    return f"{place}.{name}" if place else str(name)
