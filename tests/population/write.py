"""Writes a population: NDJSON by type, at-risk.csv, truth.csv. Works in chunks, so memory does not grow with the size."""

from __future__ import annotations

import csv
import multiprocessing
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.population import lists, resources, truth
from tests.population.claims import claims
from tests.population.codes import DrugForms
from tests.population.draw import World, draw
from tests.population.facts import Day, Facts
from tests.population.stamps import Line, Stamps, stamps

TYPES = (
    "Patient",
    "Coverage",
    "Condition",
    "Medication",
    "MedicationRequest",
    "MedicationStatement",
    "MedicationDispense",
    "ExplanationOfBenefit",
    "Flag",
)
ROSTER = ("beneficiary", "mbi", "contract", "status", "start", "end", "source")
CHUNK = 500
WRITING = 1 << 40  # keeps the draws of the writer apart from those of the facts
STRANGER = "9ZZ9ZZ9ZZ99"


class Order(NamedTuple):
    """What population is wanted."""

    size: int
    seed: int
    as_of: date = date(2023, 9, 30)
    claims_per_person: int = 12


class Chunk(NamedTuple):
    """The text of some persons: of each NDJSON file, of the roster rows and of the truth."""

    text: dict[str, str]
    counts: dict[str, int]
    roster: list[tuple[str, ...]]
    truth: list[tuple[str, ...]]


def write(order: Order, folder: Path, workers: int = 1) -> Counter[str]:
    """Writes all files into ``folder``; returns the number of lines by type."""
    folder.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        files = {
            name: stack.enter_context((folder / f"{name}.ndjson").open("w", encoding="utf-8", newline="\n"))
            for name in TYPES
        }
        tables = {
            name: csv.writer(
                stack.enter_context((folder / name).open("w", encoding="utf-8", newline="")), lineterminator="\n"
            )
            for name in ("at-risk.csv", "truth.csv")
        }
        tables["at-risk.csv"].writerow(ROSTER)
        tables["truth.csv"].writerow(truth.COLUMNS)
        for chunk in _chunks(order, workers):
            counts.update(chunk.counts)
            for name, text in chunk.text.items():
                files[name].write(text)
            tables["at-risk.csv"].writerows(chunk.roster)
            tables["truth.csv"].writerows(chunk.truth)
    return counts


def _chunks(order: Order, workers: int) -> Iterator[Chunk]:
    asked = [(order, start) for start in range(0, order.size, CHUNK)]
    if workers == 1:
        yield from map(_chunk, asked)
        return
    _world(order)  # before the processes fork, so that the lists are read once
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        yield from pool.imap(_chunk, asked)


@cache
def _world(order: Order) -> World:
    pools = lists.load()
    day = Day(date(order.as_of.year, 1, 1), order.as_of)
    return World(pools, DrugForms(pools), day, order.seed, order.claims_per_person)


def _chunk(asked: tuple[Order, int]) -> Chunk:
    """The persons from a number on, shuffled, the older versions behind."""
    order, start = asked
    world = _world(order)
    when = stamps(world.day)
    lines: dict[str, list[str]] = defaultdict(list)
    late: dict[str, list[str]] = defaultdict(list)
    roster, rows = [], []
    for number in range(start, min(start + CHUNK, order.size)):
        rng = Random((order.seed * 1_000_003 + number) + WRITING)
        facts = draw(number, world)
        for line in _lines(facts, world, when, rng):
            (late if line.late and rng.random() < 0.7 else lines)[line.kind].append(line.json)
        roster += _roster(facts)
        rows.append(truth.row(facts))
    rng = Random(order.seed + start)
    text = {name: _shuffled(lines[name], rng) + _shuffled(late[name], rng) for name in TYPES}
    rng.shuffle(roster)
    return Chunk(text, {name: len(lines[name]) + len(late[name]) for name in TYPES}, roster, rows)


def _lines(facts: Facts, world: World, when: Stamps, rng: Random) -> Iterator[Line]:
    decoy = world.forms.on_claim(rng.choice(world.pools.statins), rng, False)
    yield from resources.patient(facts, when)
    yield from resources.coverages(facts, when)
    yield from resources.conditions(facts, when, rng)
    yield from resources.uses(facts, when, rng)
    yield from resources.flags(facts, when)
    yield from claims(facts, when, decoy)


def _shuffled(lines: list[str], rng: Random) -> str:
    rng.shuffle(lines)
    return "".join(line + "\n" for line in lines)


def _roster(facts: Facts) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for number, row in enumerate(facts.roster):
        who = facts.id if row.who in ("both", "id") else ""
        mbi = {"both": facts.mbi, "mbi": facts.mbi, "stranger": STRANGER}.get(row.who, "")
        contract = facts.plan.split("-")[0] or "H1234"
        rows.append((who, mbi, contract, row.status, row.start, row.end, f"case-{facts.number}-{number}"))
    return rows
