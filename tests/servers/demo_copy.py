"""A copy of the demo population with ids and identifier systems of its own, so that tests share a server undisturbed."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from adapter.config import Config
from adapter.jobs import demo

DEMO = demo.demo_folder()
DEMO_SYSTEM = "https://w3id.org/mtm-adapter/fhir/NamingSystem/demo"
DEMO_PREFIX = "mtm-demo-"
AS_OF = "2023-09-30"

Row = dict[str, str]


@dataclass(frozen=True)
class DemoCopy:
    """Where the copy is, and what its ids begin with; ``expected`` is the planted truth under its ids."""

    folder: Path
    prefix: str
    system: str
    expected: tuple[Row, ...]

    @property
    def patients(self) -> str:
        """The Patient search that finds these persons and nobody else."""
        return f"identifier={self.system}|"

    @property
    def roster(self) -> Path:
        """The roster of the at-risk persons."""
        return self.folder / "at-risk.csv"

    def person(self, number: str) -> str:
        """The Patient id of the demo person of that number."""
        return f"{self.prefix}{number}"

    def ids(self, *outcomes: str) -> list[str]:
        """The Patient ids with one of these planted outcomes, or all."""
        return [row["beneficiary"] for row in self.expected if not outcomes or row["outcome"] in outcomes]

    def without(self, *numbers: str) -> DemoCopy:
        """The same copy in a folder beside it, without anything about the persons with these numbers."""
        folder = self.folder.with_name(f"{self.folder.name}-without")
        folder.mkdir()
        others = re.compile("|".join(f"{self.prefix}{number}" for number in numbers))
        for source in self.folder.glob("*.ndjson"):
            lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = "".join(line for line in lines if not others.search(line))
            (folder / source.name).write_text(kept, encoding="utf-8")
        return replace(self, folder=folder)

    def load(self, base_url: str) -> None:
        """Puts the copy on the server."""
        with Config().client(base_url) as client:
            demo.load(client, self.folder)


def copy_of_demo(folder: Path, only: Collection[str] = ()) -> DemoCopy:
    """A copy in ``folder``, of everybody or ``only`` of the persons with these numbers ("01")."""
    name = f"t{uuid4().hex[:10]}"
    prefix, system = f"{name}-", f"urn:mtm-test:{name}"
    folder.mkdir(parents=True)
    for source in [*DEMO.glob("*.ndjson"), DEMO / "at-risk.csv", DEMO / "expected.csv"]:
        lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = "".join(line for line in lines if wanted(line, only))
        (folder / source.name).write_text(
            kept.replace(DEMO_SYSTEM, system).replace(DEMO_PREFIX, prefix), encoding="utf-8"
        )
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as stream:
        return DemoCopy(folder, prefix, system, tuple(csv.DictReader(stream)))


def wanted(line: str, only: Collection[str]) -> bool:
    """Whether the line concerns one of these persons, or none in particular (an organization, a header)."""
    numbers = set(re.findall(rf"{DEMO_PREFIX}(\d\d)", line)) | set(re.findall(r"1EG4DM1TM(\d\d)", line))
    return not only or not numbers or bool(numbers & set(only))
