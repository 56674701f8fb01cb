"""``demo`` on a server of others, and ``demo --clean``, which takes away what the demo put there and nothing else."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from tests.servers.demo_copy import DEMO_SYSTEM, copy_of_demo
from tests.servers.plain import OF_PATIENT, Plain, key, kind_of, run_cli, screen, versions

# The one test that uses the demo's own ids; every other has a copy under its own.


def test_demo_can_be_cleaned_away_and_come_again(fhir_server: str, tmp_path: Path) -> None:
    other, server = copy_of_demo(tmp_path / "other", only=["01", "36"]), Plain(fhir_server)
    other.load(fhir_server)
    screen(other.folder, other, "--sink", fhir_server, "--pml")
    before = versions(server.state(other.ids()))

    assert "Written       197 resources of 24 persons" in run_demo(fhir_server, tmp_path)
    patients = [patient["id"] for patient in server.search("Patient", identifier=f"{DEMO_SYSTEM}|")]
    there = server.state(patients)
    own = [resource for resource in there.values() if kind_of(resource)]
    assert len(patients) == 54
    kinds = Counter(map(kind_of, own))
    assert (kinds["enrollment"], kinds["cmr"], kinds["reviewed-list"], kinds["action-plan"]) == (24, 1, 1, 1)
    made = set(re.findall(r"(?:Bundle|Practitioner)/mtm-[0-9a-f]{32}", json.dumps(own)))
    assert {one.partition("/")[0] for one in made} == {"Bundle", "Practitioner"}

    assert removed(run_cli("demo", "--fhir", fhir_server, "--clean")) == 788 + len(own) + len(made)
    assert server.still_there(made) == []
    assert list(server.search("Patient", identifier=f"{DEMO_SYSTEM}|")) == []
    assert [key(each) for kind in OF_PATIENT for each in server.about(kind, patients)] == []
    assert server.still_there(there) == []
    assert versions(server.state(other.ids())) == before, "others keep what is theirs"

    assert removed(run_cli("demo", "--fhir", fhir_server, "--clean")) == 0
    # HAPI keeps the versions of what was deleted: the same ids must be free again all the same.
    assert "Written       197 resources of 24 persons" in run_demo(fhir_server, tmp_path)


def run_demo(base_url: str, tmp_path: Path) -> str:
    return run_cli("demo", "--fhir", base_url, "--out", tmp_path / "out")


def removed(told: str) -> int:
    """How many resources the demo says that it removed."""
    found = re.match(r"Removed ([\d,]+) resources", told)
    assert found, told
    return int(found[1].replace(",", ""))
