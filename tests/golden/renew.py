"""Makes the golden files of a screening again, and prints what changed: ``python -m tests.golden.renew``.

Read the diff before it is committed: each line of it is a decision, or a figure in one, that has become another.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet

from adapter.config import Config
from adapter.jobs import targeting
from adapter.jobs.demo import demo_folder

GOLDEN = Path(__file__).resolve().parent / "screen"
AS_OF = date(2023, 9, 30)
UNSTEADY = ("adapter", "mappings")  # of the manifest: they change without any decision changing, and say nothing here


def made() -> dict[str, bytes]:
    """The files of a screening of fixtures/demo by name, criteria as JSON lines, the manifest without what is unsteady."""
    demo = demo_folder()
    with TemporaryDirectory(prefix="mtm-golden-") as name:
        folder = Path(name)
        with targeting.screened(
            targeting.Screening(str(demo), AS_OF, at_risk=demo / "at-risk.csv"), Config()
        ) as result:
            targeting.write_outputs(result, folder)
        files = {each: (folder / each).read_bytes() for each in ("targeting.csv", "unmapped.csv", "rejected.csv")}
        rows = pyarrow.parquet.read_table(folder / "criteria.parquet").to_pylist()
        manifest = json.loads((folder / "manifest.json").read_bytes())
    files["criteria.ndjson"] = "".join(
        f"{json.dumps(line, ensure_ascii=False)}\n" for row in rows for line in lines(row)
    ).encode()
    files["manifest.json"] = f"{json.dumps(steady(manifest), indent=2, ensure_ascii=False)}\n".encode()
    return files


def lines(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A criterion, and each piece of its evidence as a line of its own, so that a diff shows what differs."""
    evidence = [{"evidence_of": row["criterion"], **one} for one in row["evidence"]]
    return [{name: value for name, value in row.items() if name != "evidence"}, *evidence]


def steady(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest without what changes from release to release and from place to place."""
    return {name: value for name, value in manifest.items() if name not in UNSTEADY} | {"source": "fixtures/demo"}


def held() -> dict[str, bytes]:
    """The golden files by name."""
    return {path.name: path.read_bytes() for path in GOLDEN.iterdir() if path.name != "README.md"}


def difference(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> str:
    """A unified diff of all files; "" when they are the same."""
    found: list[str] = []
    for name in sorted({*old, *new}):
        before, after = (files.get(name, b"").decode().splitlines(keepends=True) for files in (old, new))
        found += difflib.unified_diff(before, after, f"golden/{name}", f"made/{name}", n=0)
    return "".join(found)


def main() -> None:
    """Prints the diff and writes the files."""
    GOLDEN.mkdir(exist_ok=True)
    old, new = held(), made()
    for name in old.keys() - new.keys():
        (GOLDEN / name).unlink()
    for name, content in new.items():
        (GOLDEN / name).write_bytes(content)
    sys.stdout.write(difference(old, new) or "Nothing has changed.\n")


if __name__ == "__main__":
    main()
