"""The population of a FHIR server as a snapshot: NDJSON by type in a scratch folder, as received.

A whole server is read by type. With a Patient query only those persons are read, each other type by their ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from urllib.parse import parse_qsl

from adapter.errors import SourceError
from adapter.fhir.client import FhirClient, NotServed
from adapter.fhir.json import Resource, dump_line
from adapter.fhir.references import person_of, reference_id
from adapter.resources.service_codes import SERVICE, SERVICES
from adapter.sources.snapshot import Snapshot, hash_files

OF_PERSONS = (
    "Coverage", "Condition", "MedicationRequest", "MedicationStatement", "MedicationDispense",
    "ExplanationOfBenefit", "Claim", "Flag", "CarePlan",
)  # fmt: skip
# What the services of the plan year are read from; see NARROWED.
OF_PLAN_YEAR = ("Coverage", "CarePlan", "Procedure", "Communication")
# Of these types only the adapter's own are asked for, among millions of others. By code and not by tag: every server keeps codes.
_OWN = ",".join(f"{SERVICE}|{code}" for code in SERVICES)
NARROWED: Mapping[str, Mapping[str, str]] = {"Procedure": {"code": _OWN}, "Communication": {"category": _OWN}}
MEDICATED = ("MedicationRequest", "MedicationStatement", "MedicationDispense")
IDS_PER_SEARCH = 50


def from_server(client: FhirClient, scratch: Path, patients: str = "", types: Sequence[str] = OF_PERSONS) -> Snapshot:
    """The snapshot of the server: all of it, or the persons that the Patient search ``patients`` finds ("identifier=system|").

    Raises SourceError when the server cannot be read, or holds no such Patient. A type that the server does not serve is a notice.
    """
    ids = _patients(client, patients, scratch / "Patient.ndjson")
    notices: list[str] = []
    wanted: set[str] = set()
    with ThreadPoolExecutor(max_workers=client.max_parallel) as pool:
        tasks = {kind: pool.submit(_fetch, client, kind, ids, scratch / f"{kind}.ndjson") for kind in types}
    for kind, task in tasks.items():
        try:
            wanted |= task.result()
        except NotServed as error:
            notices.append(not_served(client, kind, error))
    try:
        _drain(_written(client.read_many("Medication", sorted(wanted)), scratch / "Medication.ndjson"))
    except NotServed as error:
        notices.append(not_served(client, "Medication", error))
    notices += client.warnings
    files = {path.stem: (path,) for path in sorted(scratch.glob("*.ndjson"))}
    elsewhere = (
        ids is not None
        and "Coverage" in types
        and "Coverage" not in _served_nothing(notices)
        and _has_any(client, "Coverage")
    )
    return Snapshot(
        client.base_url, files, scratch, remote=True, notices=tuple(notices), coverage_elsewhere=elsewhere,
        hashes=hash_files([path for paths in files.values() for path in paths]),
    )  # fmt: skip


def _patients(client: FhirClient, patients: str, path: Path) -> list[str] | None:
    """Writes the Patients that the search finds; returns their ids, or None when all were asked for, whose ids need not be kept."""
    params: dict[str, list[str]] = {}
    for name, value in parse_qsl(patients, keep_blank_values=True):
        params.setdefault(name, []).append(value)
    found, ids = 0, []
    for patient in _written(client.search("Patient", params, strict=bool(patients)), path):
        found += 1
        if patients and _is_id(patient.get("id")):  # one without an id is told as a fault later
            ids.append(patient["id"])
    if not found:
        raise SourceError(
            f"{client.base_url} holds no Patient that fits; check the base URL and the search for patients"
        )
    return list(dict.fromkeys(ids)) if patients else None


def not_served(client: FhirClient, kind: str, error: NotServed) -> str:
    """The notice that a resource type is read as empty. Raises ``error`` itself when the server says elsewhere that it has the type.

    A gateway that loses its way answers 404 too; then the type is not empty but unread.
    """
    if client.offers(kind):
        raise error
    return f"{client.base_url} does not serve {kind} (status {error.status}); it is read as having none"


def _fetch(client: FhirClient, kind: str, ids: list[str] | None, path: Path) -> set[str]:
    """Writes the resources of one type; returns the ids of the Medications that they point at."""
    wanted = set()
    for resource in _written(_of_persons(client, kind, ids), path):
        pointer = resource.get("medicationReference") if kind in MEDICATED else None
        reference = pointer.get("reference") if isinstance(pointer, dict) else None
        if isinstance(reference, str) and (medication := reference_id(reference, "Medication", client.base_url)):
            wanted.add(medication)
    return wanted


def _of_persons(client: FhirClient, kind: str, ids: list[str] | None) -> Iterator[Resource]:
    narrowed = NARROWED.get(kind, {})
    if ids is None:
        return client.search(kind, narrowed)
    found = chain.from_iterable(_of_chunk(client, kind, ids, start) for start in range(0, len(ids), IDS_PER_SEARCH))
    wanted = {None, *ids}  # what names no Patient is told as a fault later
    return (resource for resource in found if person_of(resource) in wanted)


def _of_chunk(client: FhirClient, kind: str, ids: Sequence[str], start: int) -> Iterator[Resource]:
    """The resources of IDS_PER_SEARCH persons. Of a type that the server served before it is not said that it does not."""
    persons = {"patient": ",".join(ids[start : start + IDS_PER_SEARCH])}
    try:
        yield from client.search(kind, {**persons, **NARROWED.get(kind, {})})
    except NotServed as error:
        raise error if start == 0 else SourceError(str(error), error.status) from None


def _is_id(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _written(resources: Iterable[Resource], path: Path) -> Iterator[Resource]:
    """Passes on each resource after it was written as a line of ``path``."""
    with path.open("wb") as out:
        for resource in resources:
            if resource.get("resourceType") == path.stem:
                out.write(dump_line(resource))
                yield resource


def _drain(resources: Iterable[Resource]) -> None:
    for _ in resources:
        pass


def _served_nothing(notices: Iterable[str]) -> set[str]:
    return {kind for kind in (*OF_PERSONS, *OF_PLAN_YEAR) for notice in notices if f" serve {kind} " in notice}


def _has_any(client: FhirClient, kind: str) -> bool:
    """Whether the server holds any resource of the type: then a person without one has none, rather than unknown."""
    return next(iter(client.search(kind, {"_count": "1"})), None) is not None
