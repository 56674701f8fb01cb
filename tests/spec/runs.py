"""Runs cases through ``targeting.screened``: many cases of equal settings as one population, or one case alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapter.config import Config
from adapter.errors import AdapterError
from adapter.jobs import targeting
from adapter.targeting.decision import Decision
from tests.spec.expand import json_line, resources_of, with_suffix

HERE = Path(__file__).parent
DEFAULT_DAY = "2023-09-30"
DEFAULT_PROGRAM = "health-partners-2023"
ROSTER_COLUMNS = ("beneficiary", "mbi", "contract", "status", "start", "end", "source")


@dataclass(frozen=True)
class Case:
    """One case of a file in targeting/."""

    file: str
    number: int  # over all files
    data: dict[str, Any] = field(compare=False, hash=False)

    @property
    def title(self) -> str:
        return str(self.data["title"])

    @property
    def suffix(self) -> str:
        """What makes the ids of this case its own within a population."""
        return f".{self.number:03d}"

    @property
    def setting(self) -> str:
        """Cases of one setting can be one population; a case with files of its own can only be alone."""
        data = self.data
        apart = self.number if is_alone(data) else data.get("apart", "")
        same = (data.get("program", DEFAULT_PROGRAM), data.get("as_of", DEFAULT_DAY), data.get("contract", ""))
        return json.dumps([*same, data.get("source_without_coverage", False), apart], sort_keys=True)


def is_alone(data: Mapping[str, Any]) -> bool:
    """Whether the case brings what concerns a whole source: files, a roster as text, an error, strictness."""
    return bool(data.keys() & {"files", "roster_text", "strict"} or "error" in data["expect"])


@dataclass
class Result:
    """What came out for one case, ids without suffix."""

    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    unmapped: set[str] = field(default_factory=set)
    told: list[str] = field(
        default_factory=list
    )  # notices of the run; rejections with their place and findings of this case
    error: str = ""


def load_cases() -> list[Case]:
    """All cases in the order of files and lines."""
    found: list[tuple[str, dict[str, Any]]] = []
    for path in sorted((HERE / "targeting").glob("*.json")):
        found += [(path.stem, data) for data in json.loads(path.read_text(encoding="utf-8"))["cases"]]
    return [Case(file, number, data) for number, (file, data) in enumerate(found, 1)]


def run(cases: Sequence[Case], alone: bool = False) -> dict[int, Result]:
    """The results of cases of one setting, by case number. ``alone``: one case, its ids as they are written."""
    with TemporaryDirectory(prefix="mtm-spec-") as scratch:
        source = _Source(Path(scratch), with_suffixes=not alone)
        for case in cases:
            source.add(case)
        source.close()
        return _screen(cases, source)


def _screen(cases: Sequence[Case], source: _Source) -> dict[int, Result]:
    first = cases[0].data
    try:
        screening = targeting.Screening(
            source=str(source.folder),
            as_of=date.fromisoformat(first.get("as_of", DEFAULT_DAY)),
            program=_program(first.get("program", DEFAULT_PROGRAM), source.scratch),
            contract=first.get("contract", ""),
            at_risk=source.roster(),
            strict=first.get("strict", False),
        )
        with targeting.screened(screening, Config()) as screened:
            return _results(cases, source, screened)
    except AdapterError as error:
        if any("error" not in case.data["expect"] for case in cases):
            raise
        return {case.number: Result(error=str(error)) for case in cases}


def _results(cases: Sequence[Case], source: _Source, screened: targeting.Screened) -> dict[int, Result]:
    unmapped: set[str] = set()
    if any("unmapped" in case.data["expect"] for case in cases):
        rows = screened.engine.records(screened.population.unmapped)
        unmapped = {f"{row['system']}|{row['code']}" for row in rows}
    results = {case.number: Result(unmapped=unmapped, told=list(screened.notices)) for case in cases}
    for decision in screened.decisions():
        number, person = source.owner(decision.beneficiary)
        results[number].people[person] = _plain(decision)
    for rejected in screened.rejected:
        number = cases[0].number if len(cases) == 1 else source.lines.get((rejected.file, rejected.line))
        if number in results:  # a refusal without its place belongs to no case, and the case that waits for it says so
            results[number].rejected.append(rejected.reason)
            results[number].told.append(rejected.sentence)
    if any("told" in case.data["expect"] for case in cases):
        for row in screened.findings:
            results[source.owner(row["resource"])[0]].told.append(row["finding"])
    return results


def _plain(decision: Decision) -> dict[str, Any]:
    criteria = {
        result.criterion: {
            "outcome": result.outcome,
            "observed": result.observed,
            "evidence": sorted({_SUFFIX.sub("", fact.source) for fact in result.evidence}),
        }
        for result in decision.criteria
    }
    return {
        "outcome": decision.outcome,
        "doors": list(decision.doors),
        "reason_code": decision.reason_code,
        "contract": decision.contract,
        "pbp": decision.pbp,
        "criteria": criteria,
    }


_SUFFIX = re.compile(r"\.\d{3}$| row \d+$")  # of an id; the place of a roster row depends on its neighbors


class _Source:
    """The folder that is screened, and which line of it belongs to which case."""

    def __init__(self, scratch: Path, with_suffixes: bool) -> None:
        self.scratch = scratch
        self.folder = scratch / "source"
        self.folder.mkdir()
        self.with_suffixes = with_suffixes
        self.lines: dict[tuple[str, int | None], int] = {}
        self._written: dict[str, list[str]] = {}
        self._roster: list[str] = []
        self._roster_text: str | None = None
        self._only = 0

    def add(self, case: Case) -> None:
        data, suffix = case.data, case.suffix if self.with_suffixes else ""
        self._only = case.number
        for resource in [] if data.get("without_given") else resources_of(data):
            named = with_suffix(resource, suffix) if suffix else resource
            kind = data["in_file"] if "in_file" in data and resource in data["resources"] else named["resourceType"]
            self._put(f"{kind}.ndjson", json_line(named), case)
        for name, lines in data.get("lines", {}).items():
            for line in lines:
                self._put(name, line, case)
        for name, content in data.get("files", {}).items():
            text = content if isinstance(content, str) else json.dumps(content)
            (self.folder / name).write_text(text, encoding="utf-8")
        for row in data.get("roster", ()):
            self._put_roster(
                {**row, **({"beneficiary": row["beneficiary"] + suffix} if row.get("beneficiary") else {})}, case
            )
        self._roster_text = data.get("roster_text", self._roster_text)

    def _put(self, name: str, line: str, case: Case) -> None:
        lines = self._written.setdefault(name, [])
        lines.append(line)
        self.lines[name, len(lines)] = case.number

    def _put_roster(self, row: Mapping[str, str], case: Case) -> None:
        cells = {"status": "AR", "source": "DMP"} | row
        self._roster.append(",".join(cells.get(column, "") for column in ROSTER_COLUMNS))
        self.lines["roster.csv", len(self._roster) + 1] = case.number

    def close(self) -> None:
        for name, lines in self._written.items():
            (self.folder / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")

    def roster(self) -> Path | None:
        """The roster of all cases as a file, or None."""
        if self._roster_text is None and not self._roster:
            return None
        text = self._roster_text
        if text is None:
            text = "".join(line + "\n" for line in [",".join(ROSTER_COLUMNS), *self._roster])
        path = self.scratch / "roster.csv"
        path.write_text(text, encoding="utf-8")
        return path

    def owner(self, named: str) -> tuple[int, str]:
        """Case number, and the id (or reference) without suffix, of a resource."""
        if not self.with_suffixes:
            return self._only, named
        plain, _, number = named.rpartition(".")
        return int(number), plain


def _program(told: str | Mapping[str, Any], scratch: Path) -> str:
    """The name of a program, or the file that is made of a case's own program."""
    if isinstance(told, str):
        return told
    path = scratch / "own-program.toml"
    path.write_text("\n".join(_toml(told, ())) + "\n", encoding="utf-8")
    return str(path)


def _toml(table: Mapping[str, Any], place: tuple[str, ...]) -> list[str]:
    """TOML lines of a table: plain keys, then tables, then lists of tables."""
    lists = {k: v for k, v in table.items() if isinstance(v, list) and v and isinstance(v[0], dict)}
    tables = {k: v for k, v in table.items() if isinstance(v, dict)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if key not in lists and key not in tables]
    for key, value in tables.items():
        lines += [f"[{'.'.join((*place, key))}]", *_toml(value, (*place, key))]
    for key, rows in lists.items():
        for row in rows:
            lines += [f"[[{'.'.join((*place, key))}]]", *_toml(row, (*place, key))]
    return lines
