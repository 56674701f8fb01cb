"""Whether two states of a resource differ in content, whatever a server adds to what it was sent."""

from __future__ import annotations

from decimal import Decimal

from adapter.fhir.json import Resource

SET_BY_SERVER = frozenset({"versionId", "lastUpdated", "source"})


def differs(wanted: Resource, held: Resource | None) -> bool:
    """Whether what is held must be replaced by what is wanted.

    The server's own meta (versionId, lastUpdated, source), and a narrative that only the server made, make no
    difference; numbers are compared by value (1.0 is 1), everything else must be equal.
    """
    if held is None:
        return True
    ignored = frozenset() if "text" in wanted else frozenset({"text"})
    return not _equal(_content(wanted), _content(held, ignored))


def _content(resource: Resource, ignored: frozenset[str] = frozenset()) -> Resource:
    """The resource without what the server sets, and without a meta that is empty then."""
    meta = {name: value for name, value in (resource.get("meta") or {}).items() if name not in SET_BY_SERVER}
    rest = {name: value for name, value in resource.items() if name != "meta" and name not in ignored}
    return {**rest, "meta": meta} if meta else rest


def _equal(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, bool) or isinstance(other, bool):  # True is 1 in Python, but not in JSON
        return one is other
    return _number(one) == _number(other)


def _number(value: object) -> object:
    """A float as the number it is written as, so that 1.1 equals Decimal("1.1"); anything else as it is."""
    return Decimal(str(value)) if isinstance(value, float) else value
