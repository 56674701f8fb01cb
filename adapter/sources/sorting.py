"""Files of mixed content (Bundles, NDJSON of several types) sorted into one scratch file per resource type.

What cannot be sorted is refused with its place, and what says of itself that it is not all there is (one page of a search,
a failed export) is told: a part is never taken for the whole without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from adapter.fhir.json import dump_line, loads
from adapter.sources.quarantine import Rejected, numbered_lines
from adapter.sources.resource_types import R4_TYPES

Place = tuple[str, int | None]  # file as it was given, and line if it has lines

NO_RESOURCE = "an entry of the Bundle holds no resource"
UNSPOKEN = ("request", "response")  # an entry of a transaction may have these and no resource


class Sorter:
    """Sorts resources of mixed files into one scratch file per type; what has no FHIR R4 type is rejected."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.rejected: list[Rejected] = []
        self.notices: list[str] = []
        self.places: dict[str, list[Place]] = {}
        self._open: dict[str, BinaryIO] = {}

    def sort(self, path: Path) -> None:
        """Sorts the resources of a file."""
        for number, document in self._documents(path):
            for resource in self._unpacked((path.name, number), document):
                self._put((path.name, number), resource)

    def close(self) -> dict[str, Path]:
        """The files made, by type."""
        for stream in self._open.values():
            stream.close()
        return {kind: self.scratch / f"{kind}.sorted.ndjson" for kind in sorted(self._open)}

    def _documents(self, path: Path) -> Iterator[tuple[int | None, Mapping[str, Any]]]:
        """The JSON objects of a file: one per line of NDJSON, else the whole file; what is not JSON is rejected."""
        if ".ndjson" in path.name.lower():
            pieces: Iterable[tuple[int | None, bytes]] = numbered_lines(path)
        else:
            pieces = [(None, b"".join(line for _, line in numbered_lines(path)))]
        for number, content in pieces:
            try:
                document = loads(content)
            except ValueError:
                self._refuse((path.name, number), "this is not JSON")
                continue
            if isinstance(document, dict):
                yield number, document
            else:
                self._refuse((path.name, number), "this is not a FHIR resource but a JSON list or value")

    def _unpacked(self, place: Place, document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The resources of a Bundle and of the Bundles in it, urn:uuid references turned into Type/id; any other resource as it is."""
        if document.get("resourceType") != "Bundle":
            yield document
            return
        self._note_further_pages(place, document)
        resources = list(self._entries(place, document))
        names: dict[str, str] = {}
        for url, resource in resources:
            if isinstance(url, str) and url.startswith("urn:"):
                resource.setdefault("id", url.rpartition(":")[2])
                names[url] = f"{resource.get('resourceType')}/{resource['id']}"
        for _, resource in resources:
            yield from self._unpacked(place, _renamed(resource, names) if names else resource)

    def _entries(self, place: Place, bundle: Mapping[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
        """(fullUrl, resource) of each entry; an entry that should hold a resource and does not is rejected."""
        entries = bundle.get("entry")
        if entries is not None and not isinstance(entries, list):
            self._refuse(place, "the entry of the Bundle is no list")
            return
        for entry in entries or ():
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(resource, dict):
                yield entry.get("fullUrl"), resource
            elif not isinstance(entry, dict) or "resource" in entry or not any(name in entry for name in UNSPOKEN):
                self._refuse(place, NO_RESOURCE)

    def _note_further_pages(self, place: Place, bundle: Mapping[str, Any]) -> None:
        links = bundle.get("link")
        relations = (
            [link.get("relation") for link in links if isinstance(link, dict)] if isinstance(links, list) else []
        )
        if "next" in relations:
            file = place[0] if place[1] is None else f"{place[0]} line {place[1]}"
            self.notices.append(
                f"{file} is one page of a search with further pages; see that all of them are in the folder"
            )

    def _put(self, place: Place, resource: Mapping[str, Any]) -> None:
        kind = resource.get("resourceType")
        if not isinstance(kind, str) or kind not in R4_TYPES:
            told = f"{kind} is no FHIR R4 resource type" if isinstance(kind, str) else "there is no resourceType"
            self._refuse(place, told, str(kind or ""), str(resource.get("id") or ""))
            return
        name = f"{kind}.sorted.ndjson"
        if kind not in self._open:
            self._open[kind] = (self.scratch / name).open("wb")
        self._open[kind].write(dump_line(dict(resource)))
        self.places.setdefault(name, []).append(place)

    def _refuse(self, place: Place, reason: str, resource_type: str = "", resource_id: str = "") -> None:
        self.rejected.append(Rejected(*place, resource_type, resource_id, reason))


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: names.get(item, item) if key == "reference" and isinstance(item, str) else _renamed(item, names)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return value
