"""The demo: a FHIR server of its own, the synthetic plan population of fixtures/demo, and their removal again.

Used by ``make demo``; nothing of the product depends on it.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from adapter.errors import ConfigError, SinkError, SourceError
from adapter.fhir.bundles import put_bundle
from adapter.fhir.client import FhirClient
from adapter.fhir.json import Resource, loads
from adapter.fhir.references import normalize, reference_id
from adapter.resources.ids import is_own, reference_to
from adapter.sinks import CONFLICTS

# A server that checks references wants what is pointed at first.
ORDER = (
    "Organization", "Practitioner", "Patient", "Medication", "Coverage", "Condition", "MedicationRequest",
    "MedicationDispense", "MedicationStatement", "ExplanationOfBenefit", "Flag",
)  # fmt: skip
PATIENTS = "identifier=https://w3id.org/mtm-adapter/fhir/NamingSystem/demo|"
OWN_OF_PERSONS = (
    "Composition", "DocumentReference", "List", "Communication", "Procedure", "CarePlan", "DetectedIssue", "MedicationStatement",
    "AllergyIntolerance",
)  # fmt: skip
OWN_ELSEWHERE = re.compile(r'"(?:reference|url)":\s*"((?:Bundle|Practitioner)/mtm-[0-9a-f]{32})"')
BATCH = 200
START_SECONDS = 60.0


def demo_folder() -> Path:
    """The folder of the demo population. Raises ConfigError when it is not there."""
    return fixtures("demo")


def fixtures(name: str) -> Path:
    """A folder of fixtures: packaged, or in the checkout. Raises ConfigError when it is not there."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_fixtures" / name, package.parent / "fixtures" / name):
        if folder.is_dir():
            return folder
    raise ConfigError(f"The folder fixtures/{name} is not here; run the demo from a checkout")


@contextmanager
def embedded_server() -> Iterator[str]:
    """The base URL of a fresh sekmet-fhir server on a free loopback port, stopped and removed at the end.

    Its simulator is off: it would answer orders and claims with resources of its own.
    """
    if find_spec("sekmet") is None:
        raise ConfigError(
            "The embedded server sekmet-fhir is not installed; run make setup, or name a server with FHIR="
        )
    with TemporaryDirectory(prefix="mtm-demo-") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        base_url = f"http://127.0.0.1:{port}/fhir"
        process = _start(Path(folder), port, base_url)
        try:
            _wait(process, base_url)
            yield base_url
        finally:
            process.terminate()
            process.wait(timeout=15)


def _start(folder: Path, port: int, base_url: str) -> subprocess.Popen[bytes]:
    settings = folder / "settings.yaml"  # JSON is YAML too
    settings.write_text(json.dumps({"data_dir": str(folder), "simulator": {"enabled": False}, "log_inbound": False}))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEKMET_")}
    environment |= {"SEKMET_CONFIG": str(settings), "SEKMET_BASE_URL": base_url, "SEKMET_DB": str(folder / "sekmet.db")}
    command = [sys.executable, "-m", "sekmet.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    return subprocess.Popen(  # noqa: S603 - this interpreter and a module that was looked up
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait(process: subprocess.Popen[bytes], base_url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    with FhirClient(base_url, retries=0) as client:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise SourceError("The embedded server ended before it was ready; run make setup again")
            try:
                client.capabilities()
            except SourceError:
                time.sleep(0.1)
            else:
                return
    raise SourceError(f"The embedded server was not ready after {START_SECONDS:.0f} seconds")


def population(folder: Path) -> list[Resource]:
    """All resources of the demo, what is pointed at before what points."""
    return [loads(line) for kind in ORDER for line in (folder / f"{kind}.ndjson").read_bytes().splitlines() if line]


def load(client: FhirClient, folder: Path) -> int:
    """Puts the demo population on the server in transactions; returns how many resources. A repetition changes nothing."""
    resources = population(folder)
    for start in range(0, len(resources), BATCH):
        client.transaction(put_bundle(resources[start : start + BATCH], client.base_url, {}))
    return len(resources)


def clean(client: FhirClient, folder: Path) -> int:
    """Removes what the demo put on the server and what the adapter wrote for its persons; returns how many resources there were."""
    resources = population(folder)
    of_persons = _own(client, {resource["id"] for resource in resources if resource["resourceType"] == "Patient"})
    own = [*of_persons, *_pointed_at(client, of_persons)]
    doomed = (*_provenances(client, set(map(reference_to, own))), *own, *reversed(_held(client, resources)))
    return sum(_delete(client, resource) for resource in doomed)


def _delete(client: FhirClient, resource: Resource) -> bool:
    """Whether the resource is gone. A reviewer whom somebody else's review names too stays: the server refuses the deletion."""
    try:
        client.delete(resource["resourceType"], resource["id"])
    except SinkError as fault:
        if resource["resourceType"] != "Practitioner" or fault.status not in CONFLICTS:
            raise
        return False
    return True


def _held(client: FhirClient, resources: Sequence[Resource]) -> list[Resource]:
    """Those that are on the server: a server may answer a deletion alike whether there was anything or not."""
    ids = {kind: [one["id"] for one in resources if one["resourceType"] == kind] for kind in ORDER}
    there = {reference_to(found) for kind in ORDER for found in client.read_many(kind, ids[kind])}
    return [resource for resource in resources if reference_to(resource) in there]


def _own(client: FhirClient, patients: Collection[str]) -> list[Resource]:
    """What the adapter wrote for these persons.

    What is found is compared again: a server may ignore a search parameter (sekmet does so for List), and then answers
    with everybody's.
    """
    found = [one for kind in OWN_OF_PERSONS for one in _found(client, kind, "patient", patients)]
    return [one for one in found if is_own(one) and _patient(one, client.base_url) in patients]


def _pointed_at(client: FhirClient, own: Sequence[Resource]) -> list[Resource]:
    """The documents and reviewers that the adapter made and these resources point at: no search finds them by the person."""
    ids: dict[str, set[str]] = {}
    for kind, _, one in (
        found.partition("/") for text in map(json.dumps, own) for found in OWN_ELSEWHERE.findall(text)
    ):
        ids.setdefault(kind, set()).add(one)
    found = [one for kind in ("Bundle", "Practitioner") for one in client.read_many(kind, sorted(ids.get(kind, ())))]
    return [one for one in found if is_own(one)]


def _patient(resource: Resource, base_url: str) -> str | None:
    person = resource.get("subject") or resource.get("patient") or {}
    return reference_id(person.get("reference") or "", "Patient", base_url)


def _provenances(client: FhirClient, own: Collection[str]) -> list[Resource]:
    """The adapter's Provenances of these resources (compared again, as above)."""
    return [
        one
        for one in _found(client, "Provenance", "target", own)
        if is_own(one) and any(normalize(each.get("reference") or "", client.base_url) in own for each in one["target"])
    ]


def _found(client: FhirClient, kind: str, parameter: str, values: Collection[str]) -> list[Resource]:
    """Each resource of the type once that a search for any of the values finds."""
    every = sorted(values)
    chunks = [every[start : start + 50] for start in range(0, len(every), 50)]
    found = client.search_each((kind, {parameter: ",".join(chunk)}) for chunk in chunks)
    return list({one["id"]: one for one in found if one["resourceType"] == kind}.values())
