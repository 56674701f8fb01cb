"""All that a source holds of one person, as a snapshot of its own and as resources: the person's compartment, not the population.

A server is asked for that Patient only. Of a folder the lines of the person are taken, and those of the Medications and
practitioners that they point at; the folder itself is not changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapter.config import Config
from adapter.errors import SourceError, UnknownBeneficiary
from adapter.fhir.client import FhirClient, NotServed
from adapter.fhir.json import Resource, dump_bytes, dump_line, loads
from adapter.fhir.references import reference_id
from adapter.sources.fetch import OF_PERSONS, not_served
from adapter.sources.opening import open_source
from adapter.sources.quarantine import numbered_lines
from adapter.sources.snapshot import Snapshot

TYPES = (*OF_PERSONS, "AllergyIntolerance")
POINTED_AT = ("Medication", "Practitioner", "PractitionerRole", "Organization")
_SUBJECTS = ("subject", "patient", "beneficiary")
_REFERENCE = re.compile(rb'"reference"\s*:\s*"(?:[^"]*/)?([A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64})(?:/_history/[^"]*)?"')


@dataclass(frozen=True)
class Person:
    """The snapshot of one person, and the newest version of each of its resources by Type/id."""

    snapshot: Snapshot
    resources: Mapping[str, Resource]


def one_person(source: str, config: Config, scratch: Path, beneficiary: str) -> Person:
    """Everything of the Patient ``beneficiary``. Raises UnknownBeneficiary when the source does not hold that Patient."""
    snapshot = (
        _of_server(source, config, scratch, beneficiary)
        if "://" in source
        else _of_folder(source, config, scratch, beneficiary)
    )
    return Person(snapshot, newest(resources_of(snapshot)))


def newest(resources: Iterable[Resource]) -> dict[str, Resource]:
    """The newest version of each resource by Type/id; the choice does not depend on their order."""
    best: dict[str, tuple[tuple[Any, ...], Resource]] = {}
    for resource in resources:
        if resource.get("id"):
            key, rank = f"{resource.get('resourceType')}/{resource['id']}", _rank(resource)
            if key not in best or rank > best[key][0]:
                best[key] = (rank, resource)
    return {key: resource for key, (_, resource) in sorted(best.items())}


def _rank(resource: Resource) -> tuple[Any, ...]:
    meta = resource.get("meta") or {}
    version = str(meta.get("versionId") or "")
    return _instant(meta.get("lastUpdated")), int(version) if version.isdigit() else -1, dump_bytes(resource)


def _instant(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def resources_of(snapshot: Snapshot) -> Iterator[Resource]:
    """Every resource of the snapshot that is JSON, in the order of its files; versions and repetitions as they come."""
    for paths in snapshot.files.values():
        for path in paths:
            for _, line in numbered_lines(path):
                try:
                    found = loads(line)
                except ValueError:  # told by the tables, which read the same lines
                    continue
                if isinstance(found, dict):
                    yield found


# ---- a server


def _of_server(source: str, config: Config, scratch: Path, beneficiary: str) -> Snapshot:
    with config.client(source) as client:
        if not list(client.read_many("Patient", [beneficiary])):
            raise UnknownBeneficiary
    snapshot = open_source(source, config, scratch, f"_id={beneficiary}", TYPES)
    notices = list(snapshot.notices)
    with config.client(source) as client:
        events = _adverse_events(client, scratch, beneficiary, notices)
        files = {**snapshot.files, **_pointed_at(client, snapshot, scratch, notices), **events}
    return replace(snapshot, files=files, notices=tuple(notices))


def _pointed_at(
    client: FhirClient, snapshot: Snapshot, scratch: Path, notices: list[str]
) -> dict[str, tuple[Path, ...]]:
    """Practitioners, roles and organizations that the person's resources name, and those that the roles name."""
    made: dict[str, tuple[Path, ...]] = {}
    wanted = _named(line for paths in snapshot.files.values() for path in paths for _, line in numbered_lines(path))
    for kind in ("PractitionerRole", "Practitioner", "Organization"):
        found = _read(client, kind, sorted(wanted.get(kind, ())), notices)
        for inner, ids in _named(map(dump_line, found)).items():
            wanted.setdefault(inner, set()).update(ids)
        if found:
            path = scratch / f"{kind}.ndjson"
            path.write_bytes(b"".join(map(dump_line, found)))
            made[kind] = (path,)
    return made


def _read(client: FhirClient, kind: str, ids: list[str], notices: list[str]) -> list[Resource]:
    try:
        return list(client.read_many(kind, ids)) if ids else []
    except NotServed as error:
        notices.append(not_served(client, kind, error))
        return []


def _adverse_events(
    client: FhirClient, scratch: Path, beneficiary: str, notices: list[str]
) -> dict[str, tuple[Path, ...]]:
    """Side effects. AdverseEvent is found by subject and not by patient; many servers do not serve it or that search (400)."""
    try:
        found = list(client.search("AdverseEvent", {"subject": f"Patient/{beneficiary}"}))
    except NotServed as error:
        notices.append(not_served(client, "AdverseEvent", error))
        return {}
    except SourceError as error:
        if error.status != 400:
            raise
        notices.append(
            f"{client.base_url} does not find AdverseEvent by subject (status 400); it is read as having none"
        )
        return {}
    path = scratch / "AdverseEvent.ndjson"
    path.write_bytes(b"".join(map(dump_line, found)))
    return {"AdverseEvent": (path,)} if found else {}


# ---- a folder


def _of_folder(source: str, config: Config, scratch: Path, beneficiary: str) -> Snapshot:
    whole = open_source(source, config, scratch)
    own = scratch / "person"
    own.mkdir()
    marker = f"Patient/{beneficiary}".encode()
    kept: dict[str, list[bytes]] = {}
    for kind, paths in whole.files.items():
        if kind not in (*POINTED_AT, "Patient"):
            lines = (line for path in paths for _, line in numbered_lines(path) if marker in line)
            kept[kind] = [line for line in lines if _is_of(line, beneficiary)]
    kept["Patient"] = _with_ids(whole, "Patient", {beneficiary})
    if not kept["Patient"]:
        raise UnknownBeneficiary
    wanted = _named(line for lines in kept.values() for line in lines)
    for kind in ("PractitionerRole", "Medication", "Practitioner", "Organization"):
        kept[kind] = _with_ids(whole, kind, wanted.get(kind, set()))
        for inner, ids in _named(kept[kind]).items():
            wanted.setdefault(inner, set()).update(ids)
    return replace(
        whole,
        files={kind: (_written(own / f"{kind}.ndjson", lines),) for kind, lines in kept.items() if lines},
        rejected=(),
    )


def _is_of(line: bytes, beneficiary: str) -> bool:
    """Whether the resource is of the Patient; a line that is not JSON is kept, so that it is told."""
    try:
        found = loads(line)
    except ValueError:
        return True
    if not isinstance(found, dict):
        return False
    named = [found.get(name) for name in _SUBJECTS]
    return any(
        isinstance(one, dict) and reference_id(str(one.get("reference", "")), "Patient") == beneficiary for one in named
    )


def _with_ids(snapshot: Snapshot, kind: str, ids: set[str]) -> list[bytes]:
    if not ids:
        return []
    found = []
    for path in snapshot.paths(kind):
        for _, line in numbered_lines(path):
            if any(one.encode() in line for one in ids):
                try:
                    resource = loads(line)
                except ValueError:
                    continue
                if isinstance(resource, dict) and resource.get("id") in ids:
                    found.append(line)
    return found


def _named(lines: Iterable[bytes]) -> dict[str, set[str]]:
    """The ids that the lines point at, by resource type."""
    found: dict[str, set[str]] = {}
    for line in lines:
        for reference in _REFERENCE.findall(line):
            kind, _, one = reference.decode().partition("/")
            found.setdefault(kind, set()).add(one)
    return found


def _written(path: Path, lines: Iterable[bytes]) -> Path:
    path.write_bytes(b"".join(line.rstrip(b"\r\n") + b"\n" for line in lines))
    return path
