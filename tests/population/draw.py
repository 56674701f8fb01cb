"""Draws one person: an edge in each of six dimensions, then the facts that follow, then noise."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.population.codes import DrugForms
from tests.population.draw_costs import COSTS, draw_costs
from tests.population.draw_coverage import COVERAGE, draw_coverage
from tests.population.draw_drugs import ADHERENCE, CLASSLESS_EDGES, DRUGS, UNLISTED_EDGES, draw_drugs
from tests.population.draw_members import (
    DISEASES,
    NOT_MET,
    RISK,
    add_void_diagnoses,
    draw_diseases,
    draw_risk,
)
from tests.population.facts import SNP, Day, Facts
from tests.population.lists import Pools
from tests.population.noise import add_noise

DIMENSIONS: dict[str, tuple[str, ...]] = {
    "diseases": tuple(DISEASES),
    "drugs": tuple(DRUGS),
    "cost": tuple(COSTS),
    "risk": tuple(RISK),
    "adherence": tuple(ADHERENCE),
    "coverage": tuple(COVERAGE),
}
PLAIN = {
    "diseases": "entries plain",
    "drugs": "drugs plain",
    "cost": "cost plain",
    "risk": "risk none",
    "adherence": "adherence none",
    "coverage": "coverage plain",
}
LETTERS = "ACDEFGHJKMNPQRTUVWXY"  # of a Medicare Beneficiary Identifier
ID_STYLES = ("b{0}", "-{0}", "Pt.{0}.x", "{0}", "pde--{0}")


@dataclass(frozen=True)
class World:
    """What every draw needs."""

    pools: Pools
    forms: DrugForms
    day: Day
    seed: int
    claims_per_person: int


def draw(number: int, world: World) -> Facts:
    """The facts of person ``number``, the same for every size and chunk."""
    rng = Random(world.seed * 1_000_003 + number)
    shape = rng.choice(("carin", "bfd-v2", "bfd-v3"))
    facts = Facts(number, _person_id(number), _mbi(number), shape)
    edges = _edges(number, rng, facts)
    draw_coverage(facts, edges["coverage"], rng, world.day)
    draw_diseases(facts, edges["diseases"], rng, world.pools)
    plan = draw_drugs(facts, edges["drugs"], edges["adherence"], rng, world.pools)
    draw_costs(facts, plan, edges["cost"], rng, world.pools, world.forms, world.day, world.claims_per_person)
    draw_risk(facts, edges["risk"], world.day)
    add_void_diagnoses(facts, rng, world.pools, rng.choice((0, 1, 2, 4)))
    add_noise(facts, plan, rng, world.pools, world.forms, world.day)
    return facts


def _edges(number: int, rng: Random, facts: Facts) -> dict[str, str]:
    """Even numbers: one dimension shows its edges in turn and decides alone; odd numbers: all drawn at random."""
    if number % 2:
        return _decided({name: rng.choice(edges) for name, edges in DIMENSIONS.items()})
    turn = number // 2
    name = tuple(DIMENSIONS)[turn % len(DIMENSIONS)]
    found = PLAIN | {name: DIMENSIONS[name][turn // len(DIMENSIONS) % len(DIMENSIONS[name])]}
    if name == "risk":
        found["diseases"] = rng.choice(NOT_MET)
    if name == "adherence":
        found["diseases"] = rng.choice(NOT_MET)
        found["drugs"] = rng.choice((PLAIN["drugs"], *UNLISTED_EDGES))
        facts.plan = SNP if rng.random() < 0.8 else ""
    return _decided(found)


def _decided(edges: dict[str, str]) -> dict[str, str]:
    """A drug without class may or may not be taken for an adherence drug: then one is taken for certain."""
    return edges | ({"adherence": "adherence statin"} if edges["drugs"] in CLASSLESS_EDGES else {})


def _person_id(number: int) -> str:
    return ID_STYLES[number % len(ID_STYLES)].format(f"{number * 7919 % 9_999_991:07d}")


def _mbi(number: int) -> str:
    """A made-up identifier of the right form, another for every number up to 10 million."""
    digits, value = f"{number:08d}", number * 7919 % 160_000
    letters = [LETTERS[value // 20**place % 20] for place in range(4)]
    first = str(1 + int(digits[0]))
    return f"{first}{letters[0]}{digits[1]}{digits[2]}{letters[1]}{digits[3]}{digits[4]}{letters[2]}{letters[3]}{digits[5:7]}"
