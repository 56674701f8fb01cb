"""A whole screening of a folder gives the golden files byte by byte; written to a folder twice it is the same bytes."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.golden import renew
from tests.servers.demo_copy import AS_OF, DEMO
from tests.servers.plain import run_cli

RENEW = "see what changed, and if it is meant: python -m tests.golden.renew"


def test_a_screening_gives_the_golden_files() -> None:
    old, new = renew.held(), renew.made()
    assert not renew.difference(old, new), RENEW
    assert old == new, RENEW  # line ends and all


def test_a_folder_sink_holds_the_same_bytes_after_a_second_run(tmp_path: Path) -> None:
    arguments = ("screen", DEMO, "--as-of", AS_OF, "--at-risk", DEMO / "at-risk.csv", "--sink", tmp_path, "--pml")
    first = run_cli(*arguments, "--json")
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(written) == {"CarePlan.ndjson", "List.ndjson", "MedicationStatement.ndjson", "Provenance.ndjson"}
    lines = {name: len(content.splitlines()) for name, content in written.items()}
    assert json.loads(first)["written"]["resources"] == sum(lines.values()) - lines["Provenance.ndjson"]
    assert lines["CarePlan.ndjson"] == lines["List.ndjson"] == lines["Provenance.ndjson"] == 24

    second = run_cli(*arguments)
    assert re.search(r"^Written +0 resources of 0 persons", second, re.MULTILINE), second
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == written
