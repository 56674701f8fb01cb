"""Draws what a person takes: the drugs that count, those that do not, and the codes that no list knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.population.codes import DrugForms, Form, classless_form, unlisted_forms
from tests.population.facts import Facts
from tests.population.lists import Drug, Pools


@dataclass
class Taken:
    """Something taken: ``kind`` counted | other (Rx, does not count) | both | otc | unlisted; ``via`` restricts its source."""

    kind: str
    drug: Drug | None = None
    forms: tuple[Form, ...] = ()  # of an unlisted code
    via: str = ""  # claim | request | statement | dispense | level | text | compound
    twice: bool = False  # at least two products of it


@dataclass
class Plan:
    """What the draw of drugs decided."""

    taken: list[Taken] = field(default_factory=list)
    void: list[Drug] = field(default_factory=list)  # drugs that are only in resources that do not count
    void_unlisted: bool = False
    not_done: Drug | None = None  # a request that says: do not take


class Chooser:
    """Draws drugs for one person, none twice."""

    def __init__(self, pools: Pools, rng: Random) -> None:
        self.pools = pools
        self.rng = rng
        self.used: set[str] = set()

    def pick(self, pool: list[Drug], count: int = 1) -> list[Drug]:
        """``count`` drugs of the pool that were not drawn yet."""
        found: list[Drug] = []
        while len(found) < count:
            drug = self.rng.choice(pool)
            if drug.key not in self.used:
                self.used.add(drug.key)
                found.append(drug)
        return found

    def combination(self) -> list[Drug]:
        """A combination of two and its parts as drugs of their own."""
        singles = self.pools.by_key()
        fit = [
            combo
            for combo in self.pools.combos
            if all(part in singles and part not in self.used for part in combo.ingredients)
            and len(combo.ingredients) == 2
            and combo.key not in self.used
        ]
        combo = self.rng.choice(fit)
        found = [combo, *(singles[part] for part in combo.ingredients)]
        self.used |= {drug.key for drug in found}
        return found


# Adherence: the drugs that decide the criterion; those of the second place are in void resources only.

Special = Callable[[Chooser], tuple[list[Drug], list[Drug]]]
ADHERENCE: dict[str, Special] = {
    "adherence none": lambda c: ([], []),
    "adherence statin": lambda c: (c.pick(c.pools.statins), []),
    "adherence RAS antagonist": lambda c: (c.pick(c.pools.ras), []),
    "adherence diabetes drug": lambda c: (c.pick(c.pools.diabetes), []),
    "adherence combination": lambda c: (c.pick(c.pools.measure_combos), []),
    "adherence insulin only": lambda c: (c.pick(c.pools.insulins), []),
    "adherence insulin and a diabetes drug": lambda c: (c.pick(c.pools.insulins) + c.pick(c.pools.diabetes), []),
    "adherence sacubitril/valsartan only": lambda c: (c.pick(_arni(c.pools)), []),
    "adherence sacubitril/valsartan and a statin": lambda c: (c.pick(_arni(c.pools)) + c.pick(c.pools.statins), []),
    "adherence insulin with GLP-1 only": lambda c: (c.pick(_insulin_glp1(c.pools)), []),
    "adherence weight brand only": lambda c: (c.pick(c.pools.weight), []),
    "adherence void only": lambda c: ([], c.pick(c.pools.statins) + c.pick(c.pools.ras) + c.pick(c.pools.diabetes)),
}


def _arni(pools: Pools) -> list[Drug]:
    return [drug for drug in pools.excluded_combos if "PDC-RASA-EXCL" in drug.measures]


def _insulin_glp1(pools: Pools) -> list[Drug]:
    return [drug for drug in pools.excluded_combos if "PDC-DR-EXCL" in drug.measures]


# Number of drugs: how many count in all, and what else is taken.


@dataclass(frozen=True)
class Shape:
    """How an edge of the drug count is built: ``known`` drugs in all, which may be given as a range."""

    known: tuple[int, int]
    twice: bool = False
    combinations: int = 0  # combinations, each with its two parts
    only_combos: bool = False
    extra: str = ""  # pool of drugs that do not count
    both: bool = False  # one of the drugs that count is sold OTC too
    unlisted: int = 0
    unlisted_twice: bool = False
    classless: int = 0  # drugs of the lists without a class: like a code that no list knows
    void: bool = False
    void_unlisted: bool = False
    not_done: bool = False
    via: str = ""  # of one drug
    all_via: str = ""  # of all drugs


DRUGS: dict[str, Shape] = {
    "drugs plain": Shape((7, 11)),
    "drugs 7": Shape((7, 7)),
    "drugs 6": Shape((6, 6)),
    "drugs few": Shape((0, 5)),
    "drugs many": Shape((10, 15)),
    "drugs 6, two products each": Shape((6, 6), twice=True),
    "drugs 7, two products each": Shape((7, 7), twice=True),
    "drugs 6 with combination and its parts": Shape((6, 6), combinations=1),
    "drugs 7 with combinations and their parts": Shape((7, 7), combinations=2),
    "drugs 6 combinations": Shape((6, 6), only_combos=True),
    "drugs 6 and D-flagged": Shape((6, 6), extra="depends"),
    "drugs 6 and N-flagged": Shape((6, 6), extra="acute"),
    "drugs 6 and OTC": Shape((6, 6), extra="otc"),
    "drugs 6 and OTC-or-Rx that depends": Shape((6, 6), extra="both_other"),
    "drugs 7, one OTC-or-Rx": Shape((7, 7), both=True),
    "drugs 6, one OTC-or-Rx": Shape((6, 6), both=True),
    "drugs 6 and a void one": Shape((6, 6), void=True),
    "drugs 6 and one not to take": Shape((6, 6), not_done=True),
    "drugs 6 and 1 unlisted": Shape((6, 6), unlisted=1),
    "drugs 5 and 1 unlisted": Shape((5, 5), unlisted=1),
    "drugs 5 and 2 unlisted": Shape((5, 5), unlisted=2),
    "drugs 5 and 1 unlisted in two forms": Shape((5, 5), unlisted=1, unlisted_twice=True),
    "drugs 4 and 3 unlisted": Shape((4, 4), unlisted=3),
    "drugs 4 and 2 unlisted": Shape((4, 4), unlisted=2),
    "drugs 7 and 1 unlisted": Shape((7, 7), unlisted=1),
    "drugs 6 and 1 without class": Shape((6, 6), classless=1),
    "drugs 5 and 1 without class": Shape((5, 5), classless=1),
    "drugs 6 and a void unlisted": Shape((6, 6), void_unlisted=True),
    "drugs 7 by RxNorm levels": Shape((7, 7), all_via="level"),
    "drugs 7, one by text": Shape((7, 7), via="text"),
    "drugs 7, one in a compound": Shape((7, 7), via="compound"),
    "drugs 7, one by statement": Shape((7, 7), via="statement"),
    "drugs 7, one by request": Shape((7, 7), via="request"),
    "drugs 7, one by dispense": Shape((7, 7), via="dispense"),
}
CLASSLESS_EDGES = tuple(name for name, shape in DRUGS.items() if shape.classless)
UNLISTED_EDGES = tuple(name for name, shape in DRUGS.items() if shape.unlisted)


def draw_drugs(facts: Facts, edge: str, adherence: str, rng: Random, pools: Pools) -> Plan:
    """The plan of what is taken; sets the drugs that count and the unlisted codes."""
    shape, chooser, plan = DRUGS[edge], Chooser(pools, rng), Plan()
    known = rng.randint(*shape.known)
    special, plan.void = ADHERENCE[adherence](chooser)
    room = known - 3 * shape.combinations - shape.both
    if len(special) > room:
        special, adherence = [], "adherence none"
    facts.edge(edge)
    facts.edge(adherence)
    counted = [*special]
    for _ in range(shape.combinations):
        counted += chooser.combination()
    both = chooser.pick(pools.both_maintenance) if shape.both else []
    rest = known - len(counted) - len(both)
    counted += chooser.pick(pools.combos if shape.only_combos else pools.neutral, max(rest, 0))
    plan.taken = [Taken("counted", drug, twice=shape.twice, via=shape.all_via) for drug in counted]
    plan.taken += [Taken("both", drug) for drug in both]
    if shape.via:
        plan.taken[-1].via = shape.via
    facts.drugs = counted + both
    _add_extra(facts, plan, shape, rng, chooser)
    return plan


def _add_extra(facts: Facts, plan: Plan, shape: Shape, rng: Random, chooser: Chooser) -> None:
    if shape.extra:
        kind = "otc" if shape.extra == "otc" else "both" if shape.extra == "both_other" else "other"
        plan.taken += [Taken(kind, drug) for drug in chooser.pick(getattr(chooser.pools, shape.extra), 2)]
    for place in range(shape.unlisted):
        forms = unlisted_forms(rng, facts.number * 10 + place, chooser.pools.rxcuis)
        plan.taken.append(Taken("unlisted", forms=tuple(forms), twice=shape.unlisted_twice))
    for drug in chooser.pick(chooser.pools.classless, shape.classless):
        plan.taken.append(Taken("unlisted", forms=(classless_form(drug),)))
    facts.possible = shape.unlisted + shape.classless
    facts.unlisted_taken = bool(shape.unlisted)
    plan.void += chooser.pick(chooser.pools.neutral) if shape.void else []
    plan.void_unlisted = shape.void_unlisted
    plan.not_done = chooser.pick(chooser.pools.neutral)[0] if shape.not_done else None


def clear(facts: Facts, plan: Plan) -> None:
    """Nothing is taken: for edges of the cost that allow no drug at all."""
    facts.drugs, facts.possible, facts.unlisted_taken = [], 0, False
    facts.edges = [name for name in facts.edges if not name.startswith(("drugs", "adherence"))]
    facts.edge("drugs none")
    plan.taken, plan.void_unlisted, plan.not_done = [], False, None


def order_form(taken: Taken, forms: DrugForms, rng: Random) -> Form:
    """The form in which an order, dispense or statement names it."""
    if taken.drug is None:
        return rng.choice(taken.forms)
    if taken.via == "level":
        return forms.at_level(taken.drug, rng)
    return forms.by_text(taken.drug, rng) if taken.via == "text" else forms.on_order(taken.drug, rng)


def claim_form(taken: Taken, forms: DrugForms, rng: Random) -> Form:
    """The form in which a claim names it."""
    return forms.on_claim(taken.drug, rng) if taken.drug else rng.choice(taken.forms)
