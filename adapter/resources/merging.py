"""Own elements laid over the resource that the server holds: what others added stays, and nothing changes without need.

Every function here has a fixed point: merging what was merged gives an equal value, so the second run finds nothing
to write. The order of the held lists is kept, because servers give tags and profiles back in an order of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import unescape
from typing import Any

from adapter.resources.ids import Resource


def merge(own: Resource, held: Resource | None, owned: Collection[str]) -> Resource:
    """``held`` with the elements of ``own``; elements named in ``owned`` that ``own`` has not are gone.

    ``meta``, ``identifier`` and ``category`` are joined rather than replaced. ``held`` itself is not changed.
    """
    if held is None:
        return own
    merged = {name: value for name, value in held.items() if name not in owned} | own
    merged["meta"] = _meta(own.get("meta", {}), held.get("meta", {}))
    if "text" in own and _same_narrative(own["text"], held.get("text", {})):
        merged["text"] = held["text"]
    for name in ("identifier", "category"):
        if name in held and isinstance(own.get(name), list):  # of a Bundle or Composition it is one element
            merged[name] = joined(held[name], own[name])
    return merged


def merge_dated(own: Resource, held: Resource | None, owned: Collection[str], date_element: str, day: str) -> Resource:
    """``merge``, with ``date_element`` set to ``day`` only when something else differs from ``held``; else ``held``."""
    if held is not None and date_element in held:
        undated = merge({**own, date_element: held[date_element]}, held, owned)
        if undated == held:
            return held
    return merge({**own, date_element: day}, held, owned)


def joined(held: Sequence[Any], own: Iterable[Any]) -> list[Any]:
    """``held`` and behind it those of ``own`` that it does not hold yet, by what identifies them."""
    missing = [item for item in own if not any(_identity(item) <= _identity(there) for there in held)]
    return [*held, *missing]


def reference_elements(wanted: Iterable[str], held: Sequence[Resource] = ()) -> list[Resource]:
    """One Reference for each of ``wanted``; a held one is taken as it is, with the display that somebody gave it."""
    by_reference = {element["reference"]: element for element in held if "reference" in element}
    return [by_reference.get(reference, {"reference": reference}) for reference in wanted]


def with_extension(
    held: Sequence[Resource], url: str, parts: Sequence[Resource], names: Collection[str]
) -> list[Resource]:
    """``held`` extensions with that of ``url`` made of ``parts``, in the place where it was held.

    ``names`` are the parts that are the adapter's own; parts of other names, which somebody added, stay behind them.
    """
    extensions: list[Resource] = list(held)
    places = [i for i, extension in enumerate(extensions) if extension.get("url") == url]
    if not places:
        return [*extensions, {"url": url, "extension": list(parts)}]
    there = extensions[places[0]]
    others = [part for part in there.get("extension", []) if part.get("url") not in names]
    extensions[places[0]] = {**there, "extension": [*parts, *others]}
    return extensions


def _meta(own: Resource, held: Resource) -> Resource:
    lists = {name: joined(held.get(name, []), values) for name, values in own.items()}
    return {**held, **lists}


def _same_narrative(own: Resource, held: Resource) -> bool:
    """Whether both say the same: HAPI writes quotes and characters beyond 16 bits as entities (seen with 8.8.0)."""
    return own["status"] == held.get("status") and unescape(own["div"]) == unescape(held.get("div", ""))


def _identity(item: Any) -> frozenset[Any]:
    """What identifies a string (itself), an Identifier or Coding (system, value or code), a concept (its codings)."""
    if not isinstance(item, dict):
        return frozenset([item])
    codings = item.get("coding", [item])
    return frozenset((coding.get("system"), coding.get("code", coding.get("value"))) for coding in codings)
