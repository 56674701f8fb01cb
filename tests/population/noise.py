"""Adds what must not change anything: claims, orders, dispenses and statements that do not count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from tests.population.codes import DrugForms, Form, unlisted_forms
from tests.population.draw_costs import fill_day
from tests.population.draw_drugs import Plan
from tests.population.facts import Claim, Day, Facts, Item, Use
from tests.population.lists import Drug, Pools

VOID_CLAIMS = {
    "carin": ("denied in adjudication", "denied in payment", "replaced", "replaced by prior"),
    "bfd-v2": ("deleted", "not covered E", "not covered O"),
    "bfd-v3": ("deleted", "not covered E", "not covered O"),
}
VOID_ANY_CLAIM = ("cancelled", "entered-in-error", "draft", "early", "late", "predetermination", "older valid")
VOID_USES = {
    "request": ("stopped", "completed", "cancelled", "draft", "entered-in-error", "future", "do not perform"),
    "statement": ("stopped", "completed", "entered-in-error", "not-taken", "on-hold", "future", "asserted later"),
    "dispense": ("cancelled", "entered-in-error", "declined", "stopped", "early", "late"),
}


def add_noise(facts: Facts, plan: Plan, rng: Random, pools: Pools, forms: DrugForms, day: Day) -> None:
    """Void resources: those that the plan asks for, and some more of any drug."""
    asked: list[Drug | None] = [*plan.void, *([None] if plan.void_unlisted else [])]
    for drug in asked:
        for _ in range(rng.randint(1, 3)):
            _void(facts, drug, rng, pools, forms, day)
    for _ in range(rng.choice((0, 0, 1, 2, 4))):
        _void(facts, _any_drug(rng, pools), rng, pools, forms, day)
    if plan.not_done:
        facts.uses.append(Use("request", forms.on_order(plan.not_done, rng), "do not perform"))
        facts.edge("request do not perform")
    if rng.random() < 0.1:
        facts.other_claims = 1
        facts.edge("professional claim")


def _any_drug(rng: Random, pools: Pools) -> Drug | None:
    pool = rng.choice((pools.neutral, pools.combos, pools.statins, pools.ras, pools.diabetes, []))
    return rng.choice(pool) if pool else None


def _void(facts: Facts, drug: Drug | None, rng: Random, pools: Pools, forms: DrugForms, day: Day) -> None:
    """One void resource of the drug, or of a code that no list knows."""
    unlisted = unlisted_forms(rng, facts.number * 10 + 9, pools.rxcuis)[0]
    if rng.random() < 0.6:
        form = forms.on_claim(drug, rng, False) if drug else unlisted
        facts.claims.append(_void_claim(facts, form, rng, day))
        return
    source = rng.choice(tuple(VOID_USES))
    void = rng.choice(VOID_USES[source])
    form = forms.on_order(drug, rng, False) if drug else unlisted
    by_status = void not in ("future", "asserted later", "do not perform", "early", "late")
    version = "older valid" if by_status and rng.random() < 0.2 else ""
    facts.uses.append(Use(source, form, void, version=version))
    facts.edge(f"{source} {void}")
    facts.edge(f"{source} ended in its newer version" if version else "")


def _void_claim(facts: Facts, form: Form, rng: Random, day: Day) -> Claim:
    kinds: Sequence[str] = VOID_ANY_CLAIM + VOID_CLAIMS[facts.shape]
    void = rng.choice(kinds)
    if void == "replaced by prior" and not any(not claim.void for claim in facts.claims):
        void = "replaced"
    cents = rng.choice((1, 25_000, 600_000, 600_000, None))
    facts.edge(f"claim {void}")
    dated = "item, other period" if void == "late" and rng.random() < 0.3 else "item"
    return Claim([Item(form, cents)], _filled(void, rng, day), "both" if cents else "none", void=void, dated_by=dated)


def _filled(void: str, rng: Random, day: Day) -> date:
    if void == "early":
        return day.first - timedelta(days=rng.choice((1, 1, 2, 40)))
    if void == "late":
        return day.as_of + timedelta(days=rng.choice((1, 1, 2, 40)))
    return fill_day(rng, day)
