"""The servers and the command line as somebody else uses them: HTTP without the adapter's client, a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import requests

from tests.servers.demo_copy import AS_OF, DemoCopy

ROOT = Path(__file__).resolve().parents[2]
FHIR_JSON = "application/fhir+json"
KIND_SYSTEM = "https://w3id.org/mtm-adapter/fhir/CodeSystem/resource-kind"
OF_PATIENT = (
    "Coverage", "Condition", "MedicationRequest", "MedicationDispense", "MedicationStatement", "ExplanationOfBenefit",
    "Flag", "CarePlan", "List", "Procedure", "Communication", "DetectedIssue", "DocumentReference", "Composition", "AllergyIntolerance",
)  # fmt: skip
SECONDS = 300.0  # for one run of the command: it takes five on an idle machine
AT_ONCE = 40  # ids in one search: the address stays short

Resource = dict[str, Any]
State = dict[str, Resource]  # by Type/id


class Plain:
    """A FHIR server over bare HTTP."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.http = requests.Session()
        self.http.trust_env = False
        # no-cache: a stock HAPI would answer the same search within a minute from the first.
        self.http.headers.update({"Accept": FHIR_JSON, "Content-Type": FHIR_JSON, "Cache-Control": "no-cache"})

    def search(self, kind: str, **params: str) -> Iterator[Resource]:
        """What is found, by the next links as they are, without a server's remarks (OperationOutcome)."""
        answer = self.http.get(f"{self.base_url}/{kind}", params={"_count": "200", **params})
        while True:
            assert answer.status_code == 200, answer.text
            bundle = answer.json()
            found = (entry["resource"] for entry in bundle.get("entry", []))
            yield from (resource for resource in found if resource["resourceType"] == kind)
            following = [link["url"] for link in bundle.get("link", []) if link["relation"] == "next"]
            if not following:
                return
            answer = self.http.get(following[0])

    def search_chunks(self, kind: str, parameter: str, values: Iterable[str]) -> Iterator[Resource]:
        """All matches of any of the values."""
        every = list(values)
        for start in range(0, len(every), AT_ONCE):
            yield from self.search(kind, **{parameter: ",".join(every[start : start + AT_ONCE])})

    def about(self, kind: str, patients: Collection[str]) -> list[Resource]:
        """The resources of that type about these Patients."""
        # sekmet ignores `patient` for List and gives all that it has, of other tests too, and on every search
        found = {key(each): each for each in self.search_chunks(kind, "patient", patients)}
        return [resource for resource in found.values() if patient_of(resource) in patients]

    def still_there(self, references: Iterable[str]) -> list[str]:
        """Those of the relative references that lead to a resource."""
        ids: dict[str, list[str]] = {}
        for reference in references:
            kind, _, resource_id = reference.partition("/")
            ids.setdefault(kind, []).append(resource_id)
        return [key(each) for kind in ids for each in self.search_chunks(kind, "_id", ids[kind])]

    def put(self, resource: Resource) -> None:
        """Puts the resource in the place of the version that it was read as."""
        url = f"{self.base_url}/{resource['resourceType']}/{resource['id']}"
        answer = self.http.put(url, json=resource, headers={"If-Match": f'W/"{resource["meta"]["versionId"]}"'})
        assert answer.status_code == 200, answer.text

    def state(self, patients: Collection[str]) -> State:
        """Everything that the server holds for these Patients, with the Provenance of what is the adapter's own."""
        found = list(self.search_chunks("Patient", "_id", patients))
        for kind in OF_PATIENT:
            found += self.about(kind, patients)
        found += self.search_chunks("Provenance", "target", [key(each) for each in found if kind_of(each)])
        return {key(resource): resource for resource in found}


def patient_of(resource: Resource) -> str:
    """The id of the Patient that the resource is about."""
    about = next(resource[name] for name in ("subject", "patient", "beneficiary") if name in resource)
    return str(about["reference"]).removeprefix("Patient/")


def key(resource: Resource) -> str:
    """The relative reference of the resource."""
    return f"{resource['resourceType']}/{resource['id']}"


def kind_of(resource: Resource) -> str:
    """What kind of the adapter's own resources it is by its tag; "" for another system's."""
    tags = resource.get("meta", {}).get("tag", [])
    return next((str(tag["code"]) for tag in tags if tag.get("system") == KIND_SYSTEM), "")


def versions(state: State) -> dict[str, str]:
    """The version of each resource."""
    return {name: resource["meta"]["versionId"] for name, resource in state.items()}


def of_person(state: State, patient: str, kind: str) -> list[Resource]:
    """The adapter's own resources of that kind about the Patient."""
    subject = {"reference": f"Patient/{patient}"}
    return [each for each in state.values() if kind_of(each) == kind and each.get("subject") == subject]


def run_cli(*arguments: str | Path, code: int = 0) -> str:
    """What the command line says on standard output; it must end with this exit code, and without a traceback."""
    command = [sys.executable, "-m", "adapter.cli.main", *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MTM_ADAPTER_")}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False
    )  # fmt: skip
    assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


def screen(source: str | Path, copy: DemoCopy, *more: str | Path, code: int = 0) -> str:
    """What ``screen`` says of these persons on the day of the planted truth."""
    chosen = ("--patients", copy.patients) if "://" in str(source) else ()
    return run_cli("screen", source, *chosen, "--as-of", AS_OF, "--at-risk", copy.roster, *more, code=code)
