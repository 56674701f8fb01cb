"""The charts of the beneficiaries that papers are for: their resources from a server or a folder, grouped by person.

Read once, line by line; kept are the lines of the persons asked for, as received, until their turn comes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapter.config import Config
from adapter.documents.elements import dicts, string, target
from adapter.documents.from_fhir import Chart, is_enrollment, is_of_kind, newest
from adapter.errors import SourceError
from adapter.fhir.json import Resource, loads
from adapter.resources.ids import Kind
from adapter.sources.opening import open_source
from adapter.sources.quarantine import Rejected, numbered_lines
from adapter.sources.snapshot import Snapshot

TYPES = ("CarePlan", "List", "MedicationStatement", "Procedure", "Communication", "DetectedIssue", "AllergyIntolerance")
NEEDED: Mapping[str, tuple[Kind, ...]] = {  # the adapter's own of these types, and no others
    "CarePlan": ("enrollment", "action-plan"),
    "List": ("reviewed-list",),
    "Procedure": ("cmr",),
    "Communication": ("recommendation", "resolution"),
}
FEW = 50  # persons that are asked for by id; for more of them the whole server is read


@dataclass
class Charts:
    """The persons in the order asked for, or in which the source holds them, and what is held of each."""

    keys: list[str]
    patients: Mapping[str, bytes]
    lines: Mapping[str, Sequence[tuple[str, bytes]]]  # of a person: resource type and line
    practitioners: Mapping[str, Mapping[str, Any]]
    absent: Sequence[str] = ()  # persons asked for that the source does not hold
    rejected: list[Rejected] = field(default_factory=list)
    notices: tuple[str, ...] = ()

    def chart(self, key: str) -> Chart:
        """The resources of one person."""
        held: dict[str, list[Mapping[str, Any]]] = {}
        for resource_type, line in self.lines.get(key, ()):
            held.setdefault(resource_type, []).append(loads(line))
        return Chart(loads(self.patients[key]), held, self.practitioners)


def read_charts(
    source: str, config: Config, scratch: Path, wanted: Collection[str] | None, patients: str = ""
) -> Charts:
    """The charts of the persons ``wanted`` by Patient id, or of every person with an active enrollment (None).

    Raises SourceError when the source cannot be read.
    """
    few = f"_id={','.join(wanted)}" if "://" in source and wanted and len(wanted) <= FEW else ""
    search = patients or few
    snapshot = open_source(source, config, scratch, search, TYPES)
    reader = _Reader(snapshot)
    enrolled = reader.of_persons("CarePlan", None)
    keys = list(dict.fromkeys(wanted)) if wanted is not None else _enrolled(enrolled)
    people = reader.patients(set(keys))
    known = [key for key in keys if key in people]
    lines: dict[str, list[tuple[str, bytes]]] = {key: [] for key in known}
    for resource_type in TYPES:
        for key, found in (
            enrolled if resource_type == "CarePlan" else reader.of_persons(resource_type, lines)
        ).items():
            if key in lines:
                lines[key] += [(resource_type, line) for line in found]
    doctors = _practitioners(source, config, reader, lines)
    absent = [key for key in keys if key not in people]
    return Charts(known, people, lines, doctors, absent, reader.rejected, snapshot.notices)


class _Reader:
    """Lines of resources by person; what is not JSON of its type is noted and left out."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.rejected: list[Rejected] = list(snapshot.rejected)
        self.listed: set[str] = set()  # the statements of the reviewed lists read so far

    def resources(self, resource_type: str) -> Iterator[tuple[bytes, Resource]]:
        for path in self.snapshot.paths(resource_type):
            for number, line in numbered_lines(path):
                try:
                    resource = loads(line)
                except ValueError:
                    resource = None
                if isinstance(resource, dict) and resource.get("resourceType") == resource_type:
                    yield line, resource
                else:
                    fault = Rejected(path.name, number, resource_type, "", f"the line is no {resource_type} as JSON")
                    self.rejected += self.snapshot.placed([fault])

    def patients(self, wanted: set[str]) -> dict[str, bytes]:
        """The newest version of each Patient wanted."""
        found: dict[str, tuple[bytes, Resource]] = {}
        for line, resource in self.resources("Patient"):
            key = string(resource.get("id"))
            if key in wanted and (key not in found or newest([found[key][1], resource]) == [resource]):
                found[key] = (line, resource)
        return {key: line for key, (line, _) in found.items()}

    def of_persons(self, resource_type: str, wanted: Collection[str] | None) -> dict[str, list[bytes]]:
        """The lines of a type by the person that they are about, those of ``wanted`` only if given."""
        found: dict[str, list[bytes]] = {}
        for line, resource in self.resources(resource_type):
            key = target(resource.get("subject") or resource.get("patient"), "Patient")
            if key and (wanted is None or key in wanted) and self._is_needed(resource):
                found.setdefault(key, []).append(line)
        return found

    def _is_needed(self, resource: Resource) -> bool:
        """Whether a paper may show the resource: of the many statements, only those that a reviewed list points at."""
        kind, needed = resource["resourceType"], NEEDED.get(resource["resourceType"])
        if kind == "MedicationStatement":
            return resource.get("id") in self.listed
        if needed is None or is_enrollment(resource):
            return True
        if not any(is_of_kind(resource, one) for one in needed):
            return False
        self.listed |= {target(one.get("item"), "MedicationStatement") for one in dicts(resource.get("entry"))}
        return True


def _enrolled(plans: Mapping[str, Sequence[bytes]]) -> list[str]:
    """The persons with an enrollment that was not ended early, by the newest version of each.

    One that ended with its plan year counts: the summary of a CMR in December is sent in January.
    """
    active = {
        key: [
            one
            for one in newest(map(loads, lines))
            if is_enrollment(one) and one.get("status") in ("active", "completed")
        ]
        for key, lines in plans.items()
    }
    return [key for key, found in active.items() if found]


def _practitioners(
    source: str, config: Config, reader: _Reader, lines: Mapping[str, Sequence[tuple[str, bytes]]]
) -> Mapping[str, Mapping[str, Any]]:
    """The Practitioners that reviews were made by and recommendations went to, by id."""
    ids = {one for group in lines.values() for kind, line in group for one in _named(kind, line)}
    if not ids:
        return {}
    if not reader.snapshot.remote:
        held = (found for _, found in reader.resources("Practitioner") if found.get("id") in ids)
        return {string(one.get("id")): one for one in newest(held)}
    with config.client(source) as client:
        return {one["id"]: one for one in client.read_many("Practitioner", sorted(ids))}


def _named(resource_type: str, line: bytes) -> list[str]:
    if resource_type not in ("Procedure", "Communication"):
        return []
    resource = loads(line)
    actors = [one.get("actor") for one in dicts(resource.get("performer"))]
    return [
        one for one in (target(named, "Practitioner") for named in [*actors, *dicts(resource.get("recipient"))]) if one
    ]


def only(charts: Charts) -> str:
    """The one person of ``charts``. Raises SourceError when the source does not hold the person."""
    if len(charts.keys) != 1:
        raise SourceError("The source holds no such Patient; check the id, and that it is a Patient id")
    return charts.keys[0]
