"""The demo: a FHIR server of its own, the synthetic plan population of fixtures/demo, and their removal again.

Used by ``make demo``; nothing of the product depends on it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from adapter.errors import ConfigError, SinkError, SourceError
from adapter.fhir.bundles import put_bundle
from adapter.fhir.client import FhirClient
from adapter.fhir.json import Resource, loads

# A server that checks references wants what is pointed at first.
ORDER = (
    "Organization", "Practitioner", "Patient", "Medication", "Coverage", "Condition", "MedicationRequest",
    "MedicationDispense", "MedicationStatement", "ExplanationOfBenefit", "Flag",
)  # fmt: skip
PATIENTS = "identifier=https://w3id.org/mtm-adapter/fhir/NamingSystem/demo|"
OWN_OF_PERSONS = ("List", "CarePlan", "MedicationStatement")
BATCH = 200
START_SECONDS = 60.0


def demo_folder() -> Path:
    """The folder of the demo population: packaged, or in the checkout. Raises ConfigError when it is not there."""
    package = Path(__file__).resolve().parent
    for folder in (package / "_fixtures" / "demo", package.parent / "fixtures" / "demo"):
        if folder.is_dir():
            return folder
    raise ConfigError("The demo population fixtures/demo is not here; run the demo from a checkout")


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
    """Removes what the demo put on the server and what the adapter wrote for its persons; returns how many resources."""
    resources = population(folder)
    patients = [resource["id"] for resource in resources if resource["resourceType"] == "Patient"]
    own = [found for kind in OWN_OF_PERSONS for found in _own(client, kind, patients)]
    provenances = list(_by_target(client, [f"{r['resourceType']}/{r['id']}" for r in own]))
    removed = 0
    for resource in (*provenances, *own, *reversed(resources)):
        removed += _removed(client, resource)
    return removed


def _removed(client: FhirClient, resource: Resource) -> bool:
    try:
        client.delete(resource["resourceType"], resource["id"])
    except SinkError as error:
        if error.status not in (404, 410):
            raise
        return False
    return True


def _own(client: FhirClient, kind: str, patients: list[str]) -> Iterator[Resource]:
    for start in range(0, len(patients), 50):
        for resource in client.search(kind, {"patient": ",".join(patients[start : start + 50])}):
            if (
                resource["resourceType"] == kind
                and resource["id"].startswith("mtm-")
                and not resource["id"].startswith("mtm-demo-")
            ):
                yield resource


def _by_target(client: FhirClient, references: list[str]) -> Iterator[Resource]:
    for start in range(0, len(references), 50):
        yield from client.search("Provenance", {"target": ",".join(references[start : start + 50])})
