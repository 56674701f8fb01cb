"""The files of a screening: the decisions, what lies beside them, and the manifest that says from what they were made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from adapter import __version__, findings
from adapter.outputs import comparison
from adapter.outputs.criteria_file import write_criteria
from adapter.outputs.files import (
    UNMAPPED_COLUMNS,
    Content,
    csv_bytes,
    json_bytes,
    output_folder,
    rejected_bytes,
    write_all,
)
from adapter.tables.findings import COLUMNS as FINDING_COLUMNS
from adapter.targeting.decision import CRITERIA
from adapter.targeting.near_misses import COLUMNS as NEAR_MISS_COLUMNS
from adapter.targeting.program import Program

if TYPE_CHECKING:
    from adapter.jobs.targeting import Screened

TARGETING_COLUMNS = (
    "beneficiary", "contract", "pbp", "outcome", "doors", "reason_code",
    *(column for name in CRITERIA for column in (f"{name}_outcome", f"{name}_observed")),
)  # fmt: skip


def write_outputs(result: Screened, folder: Path) -> list[Path]:
    """Writes targeting.csv, criteria.parquet, the lists beside them and manifest.json into ``folder``, each whole.

    changes.csv is written when there is an earlier run to compare with; one that lies there from another run is removed.
    """
    output_folder(folder)
    unmapped = result.engine.records(result.population.unmapped)
    files: dict[str, Content] = {
        "targeting.csv": csv_bytes(TARGETING_COLUMNS, result.engine.records(result.sorted_targeting)),
        "unmapped.csv": csv_bytes(UNMAPPED_COLUMNS, unmapped),
        "rejected.csv": rejected_bytes(result.rejected),
        "findings.csv": csv_bytes(FINDING_COLUMNS, result.findings),
        "near_misses.csv": csv_bytes(NEAR_MISS_COLUMNS, result.near_misses),
        "first_met.csv": csv_bytes(tuple(comparison.FIRST_MET), result.first_met),
        "criteria.parquet": partial(write_criteria, result.engine, result.criteria, result.evidence),
    }
    if result.earlier:
        files["changes.csv"] = csv_bytes(comparison.CHANGE_COLUMNS, result.changes)
    write_all(folder, {**files, "manifest.json": json_bytes(manifest(result, len(unmapped)))})
    if not result.earlier:
        (folder / "changes.csv").unlink(missing_ok=True)
    return [folder / name for name in (*files, "manifest.json")]


def manifest(result: Screened, unmapped: int) -> dict[str, Any]:
    """What the result was made from: hashes and counts of the input, versions of program, lists and adapter, the day."""
    hashes: Mapping[str, str] = result.snapshot.hashes.result() if result.snapshot.hashes else {}
    return {
        "adapter": __version__,
        "as_of": result.question.as_of.isoformat(),
        "contract": result.question.contract,
        "program": {
            "name": result.program.name,
            "version": result.program.version,
            "plan_year": result.program.plan_year,
            "sha256": _settings_hash(result.program),
            "maintenance_list": _hash_of(result.program.maintenance_list),
        },
        "source": result.snapshot.origin,
        "inputs": dict(sorted(hashes.items())),
        "at_risk": dict(sorted(result.at_risk.items())),
        "resources": dict(result.population.counts),
        "mappings": {
            key: {"version": version, "sha256": result.mappings.hashes()[key]}
            for key, version in result.mappings.versions().items()
        },
        "outcomes": result.outcomes(),
        "doors": result.doors(),
        "rejected": len(result.rejected),
        "unmapped": unmapped,
        **insights(result),
        "first_met": len(result.first_met),
        "notices": list(result.notices),
    }


def _settings_hash(program: Program) -> str:
    """SHA-256 of all settings of a program, those that it extends included, wherever its files lie."""
    return sha256(msgspec.json.encode(msgspec.structs.replace(program, maintenance_list=""))).hexdigest()


def _hash_of(path: str) -> str | None:
    """SHA-256 of a file that the program names; None when it names none."""
    return sha256(Path(path).read_bytes()).hexdigest() if path else None


def insights(result: Screened) -> dict[str, Any]:
    """How many near misses, findings and changes there are, by kind; changes only with an earlier run."""
    near = Counter(row["criterion"] for row in result.near_misses)
    found: dict[str, Any] = {
        "near_misses": {name: near[name] for name in CRITERIA if near[name]},
        "findings": findings.counted(result.findings),
    }
    if result.earlier:
        since = {"since": result.earlier.as_of.isoformat(), "program": result.earlier.program}
        found["changes"] = since | comparison.counted(result.changes)
    return found
