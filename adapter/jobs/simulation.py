"""Two or more programs over one population: what each would decide, and who moves between the first two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from adapter import __version__
from adapter.config import Config
from adapter.errors import ConfigError
from adapter.jobs.targeting import Screened, Screening, by_other_program, day_of, screened
from adapter.mappings.folder import load_mappings
from adapter.outputs.chart import Bars, Matrix, picture
from adapter.outputs.files import csv_bytes, json_bytes, output_folder, rejected_bytes, write_all
from adapter.sources.quarantine import Rejected
from adapter.targeting.decision import CRITERIA, DOORS
from adapter.targeting.program import Program, load_program

OUTCOMES = {
    "targeted": "Targeted",
    "not_targeted": "Not targeted",
    "unknown": "Undecided",
    "not_enrolled": "Not in Part D",
}
DOOR_TITLES = {"core": "Core criteria", "at_risk": "At-risk", "snp_adherence": "SNP and adherence"}
REASON_TITLES = {"01": "01 Core criteria", "02": "02 At-risk", "03": "03 Core and at-risk", "04": "04 Plan's own only"}
COUNT_COLUMNS = ("program", "as_of", "kind", "value", "count")
MATRIX_COLUMNS = ("from", "to", "count")
MOVE_COLUMNS = ("beneficiary", "from", "to", "from_doors", "to_doors", "changed_criteria")


@dataclass(frozen=True)
class Simulating:
    """What to simulate: a source, two or more programs, and the day; None takes today within each program's plan year."""

    source: str
    programs: Sequence[str]
    today: date
    as_of: date | None = None
    contract: str = ""
    at_risk: Path | None = None
    patients: str = ""


@dataclass(frozen=True)
class Run:
    """What one program decides: how many beneficiaries by outcome, by open door (one may have several) and by CMS reason."""

    program: Program
    as_of: date
    outcomes: Mapping[str, int]
    doors: Mapping[str, int]
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class Simulation:
    """The runs in the order of the programs, and the moves from the first to the second."""

    source: str
    contract: str
    runs: tuple[Run, ...]
    matrix: Mapping[tuple[str, str], int]  # (outcome by the first, outcome by the second) to beneficiaries
    moves: Sequence[Mapping[str, Any]]  # rows of moves.csv
    read: Mapping[str, int]
    inputs: Mapping[str, str]
    rejected: tuple[Rejected, ...]
    notices: tuple[str, ...]


def simulate(asked: Simulating, config: Config) -> Simulation:
    """What each program decides over the population, which is read once.

    Raises ConfigError for fewer than two programs or two of one name, and what a screening raises.
    """
    programs = _programs(asked.programs)
    days = [asked.as_of or day_of(program, asked.today) for program in programs]
    first = Screening(asked.source, days[0], asked.programs[0], asked.contract, asked.at_risk, asked.patients)
    with screened(first, config) as base:
        results = [base, *(by_other_program(base, *other) for other in zip(programs[1:], days[1:], strict=True))]
        matrix, moved = _moves(results[0], results[1])
        hashes: Mapping[str, str] = base.snapshot.hashes.result() if base.snapshot.hashes else {}
        notices = dict.fromkeys(notice for result in results for notice in result.notices)
        return Simulation(
            asked.source, asked.contract, tuple(_run(result) for result in results), matrix, moved,
            base.population.counts, dict(sorted(hashes.items())), base.rejected, tuple(notices),
        )  # fmt: skip


def _programs(names: Sequence[str]) -> list[Program]:
    if len(names) < 2:
        raise ConfigError("A simulation compares programs; give --program twice or more")
    folder = load_mappings().folder / "programs"
    programs = [load_program(name, folder) for name in names]
    if len({program.name for program in programs}) < len(programs):
        raise ConfigError("Two of the programs have the same name; give programs of different names")
    return programs


def _run(result: Screened) -> Run:
    combined = result.doors()
    doors = {door: sum(n for open_doors, n in combined.items() if door in open_doors.split(";")) for door in DOORS}
    table = result.targeting
    rows = result.engine.records(table.group_by("reason_code").agg(n=table.count()))
    found = {row["reason_code"]: row["n"] for row in rows}
    reasons = {code: found.get(code, 0) for code in REASON_TITLES}
    return Run(result.program, result.question.as_of, result.outcomes(), doors, reasons)


def _moves(first: Screened, second: Screened) -> tuple[dict[tuple[str, str], int], list[dict[str, Any]]]:
    pairs = first.engine.keep(moves(first.targeting, second.targeting), "moves")
    counted = first.engine.records(pairs.group_by("from", "to").agg(n=pairs.count()))
    found = {(row["from"], row["to"]): row["n"] for row in counted}
    matrix = {(before, after): found.get((before, after), 0) for before in OUTCOMES for after in OUTCOMES}
    moved = pairs.filter((pairs["from"] != pairs["to"]) | (pairs.from_doors != pairs.to_doors))
    return matrix, first.engine.records(moved.order_by("beneficiary"))


def moves(first: ir.Table, second: ir.Table) -> ir.Table:
    """One row per beneficiary with the outcome and doors by both programs, and the criteria whose outcome differs."""
    both = first.inner_join(second, "beneficiary", rname="{name}_then")
    changed = [
        ibis.ifelse(
            both[f"{name}_outcome"] == both[f"{name}_outcome_then"],
            "",
            ibis.literal(f"{name} ").concat(both[f"{name}_outcome"], " > ", both[f"{name}_outcome_then"]),
        )
        for name in CRITERIA
    ]
    columns = {"from": both.outcome, "to": both.outcome_then, "from_doors": both.doors, "to_doors": both.doors_then}
    return both.select(
        "beneficiary", **columns, changed_criteria=ibis.array(changed).filter(lambda c: c != "").join(";")
    )


def write_simulation(made: Simulation, folder: Path) -> list[Path]:
    """Writes counts.csv, matrix.csv, moves.csv, rejected.csv, simulation.svg and manifest.json into ``folder``, each whole."""
    output_folder(folder)
    matrix = [{"from": before, "to": after, "count": n} for (before, after), n in made.matrix.items()]
    files = {
        "counts.csv": csv_bytes(COUNT_COLUMNS, counts(made)),
        "matrix.csv": csv_bytes(MATRIX_COLUMNS, matrix),
        "moves.csv": csv_bytes(MOVE_COLUMNS, made.moves),
        "rejected.csv": rejected_bytes(made.rejected),
        "simulation.svg": drawing(made).encode(),
        "manifest.json": json_bytes(_manifest(made)),
    }
    write_all(folder, files)
    return [folder / name for name in files]


def counts(made: Simulation) -> list[dict[str, Any]]:
    """The rows of counts.csv: program, as_of, kind (outcome, door, reason), value, count."""
    return [
        {"program": run.program.name, "as_of": run.as_of.isoformat(), "kind": kind, "value": value, "count": n}
        for run in made.runs
        for kind, found in (("outcome", run.outcomes), ("door", run.doors), ("reason", run.reasons))
        for value, n in found.items()
    ]


def account(made: Simulation) -> dict[str, Any]:
    """The simulation as plain values, for JSON: the runs, and the moves as counts."""
    return {
        "source": made.source,
        "contract": made.contract,
        "read": dict(made.read),
        "runs": [
            {
                "program": {"name": run.program.name, "version": run.program.version, "plan_year": run.program.plan_year},
                "as_of": run.as_of.isoformat(),
                "outcomes": dict(run.outcomes),
                "doors": dict(run.doors),
                "reasons": dict(run.reasons),
            }
            for run in made.runs
        ],
        "moves": [{"from": a, "to": b, "count": n} for (a, b), n in made.matrix.items() if a != b and n],
        "rejected": len(made.rejected),
        "notices": list(made.notices),
    }  # fmt: skip


def _manifest(made: Simulation) -> dict[str, Any]:
    return {"adapter": __version__, "inputs": dict(made.inputs)} | account(made)


def drawing(made: Simulation) -> str:
    """The simulation as an SVG picture."""
    names = [f"{run.program.title} ({run.program.name}), as of {run.as_of}" for run in made.runs]
    counted = {(OUTCOMES[before], OUTCOMES[after]): n for (before, after), n in made.matrix.items()}
    people = sum(made.runs[0].outcomes.values())
    return picture(
        "MTM targeting: " + " and ".join(run.program.name for run in made.runs),
        f"{people:,} beneficiaries" + (f" of contract {made.contract}" if made.contract else "") + ", one population",
        _description(made),
        names,
        [
            _block(made, "Outcome", OUTCOMES, lambda run: run.outcomes),
            _block(made, "Ways in of the targeted (one may have several)", DOOR_TITLES, lambda run: run.doors),
            _block(made, "CMS reason of the targeted", REASON_TITLES, lambda run: run.reasons),
        ],
        Matrix(list(OUTCOMES.values()), counted),
    )


def _block(made: Simulation, heading: str, titles: Mapping[str, str], of: Callable[[Run], Mapping[str, int]]) -> Bars:
    return Bars(heading, {title: [of(run)[name] for run in made.runs] for name, title in titles.items()})


def _description(made: Simulation) -> str:
    """The picture in words, for who cannot see it."""
    told = [
        f"{run.program.name} as of {run.as_of}: "
        + ", ".join(f"{n:,} {_inside(outcome)}" for outcome, n in run.outcomes.items())
        for run in made.runs
    ]
    moved = [
        f"{n:,} from {_inside(before)} to {_inside(after)}"
        for (before, after), n in made.matrix.items()
        if n and before != after
    ]
    first, second = (run.program.name for run in made.runs[:2])
    return ". ".join([*told, f"Moves from {first} to {second}: " + (", ".join(moved) or "none")]) + "."


def _inside(outcome: str) -> str:
    """The title of an outcome as it stands inside a sentence."""
    return OUTCOMES[outcome][0].lower() + OUTCOMES[outcome][1:]
