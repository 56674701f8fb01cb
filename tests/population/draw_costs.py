"""Draws where the drugs are written (claims, orders, dispenses, statements) and what the claims cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tests.population.codes import DrugForms, Form
from tests.population.draw_drugs import Plan, Taken, claim_form, clear, order_form
from tests.population.facts import THRESHOLD, Claim, Day, Facts, Item, Use
from tests.population.lists import Pools

ORDER_SOURCES = ("request", "statement", "dispense")


@dataclass(frozen=True)
class Cost:
    """An edge of the cost: priced total in cents as a range, claims without money, or no claims at all."""

    cents: tuple[int, int] = (0, 0)
    unpriced: int = 0  # at least so many claims have no price
    all_unpriced: bool = False
    no_claims: str = ""  # orders | statements | dispenses | acute | nothing | otc


COSTS: dict[str, Cost] = {
    "cost plain": Cost((THRESHOLD + 2, 3_000_000)),
    "cost 4935.00": Cost((THRESHOLD, THRESHOLD)),
    "cost 4935.01": Cost((THRESHOLD + 1, THRESHOLD + 1)),
    "cost 4934.99": Cost((THRESHOLD - 1, THRESHOLD - 1)),
    "cost low": Cost((5_000, THRESHOLD - 2)),
    "cost passes, some unpriced": Cost((THRESHOLD + 1, 1_000_000), unpriced=1),
    "cost 4935.01, some unpriced": Cost((THRESHOLD + 1, THRESHOLD + 1), unpriced=1),
    "cost 4935.00, some unpriced": Cost((THRESHOLD, THRESHOLD), unpriced=1),
    "cost low, some unpriced": Cost((5_000, THRESHOLD), unpriced=2),
    "cost all unpriced": Cost(all_unpriced=True),
    "cost orders without claims": Cost(no_claims="orders"),
    "cost statements without claims": Cost(no_claims="statements"),
    "cost dispenses without claims": Cost(no_claims="dispenses"),
    "cost one acute order without claims": Cost(no_claims="acute"),
    "cost neither": Cost(no_claims="nothing"),
    "cost OTC only": Cost(no_claims="otc"),
}


def draw_costs(
    facts: Facts, plan: Plan, edge: str, rng: Random, pools: Pools, forms: DrugForms, day: Day, mean: int
) -> None:
    """Sets cost, claims, orders, dispenses and statements."""
    cost = COSTS[edge]
    facts.edge(edge)
    if cost.no_claims:
        _without_claims(facts, plan, cost.no_claims, rng, pools, forms)
        return
    lines = _claim_lines(facts, plan, rng, pools, forms, mean)
    unpriced = len(lines) if cost.all_unpriced else cost.unpriced and rng.randint(cost.unpriced, cost.unpriced + 2)
    while len(lines) < unpriced + (not cost.all_unpriced):
        lines.append(lines[0])
    rng.shuffle(lines)
    cents = max(rng.randint(*cost.cents), 0 if cost.all_unpriced else len(lines))
    prices: list[int | None] = [None] * unpriced
    prices += [] if cost.all_unpriced else _split(cents, len(lines) - unpriced, rng)
    facts.claims = _claims(facts, [Item(form, price) for form, price in zip(lines, prices, strict=True)], rng, day)
    _otc_claims(facts, plan, rng, pools, forms, day)
    facts.cost = _outcome(cents, unpriced, cost.all_unpriced)


def _outcome(cents: int, unpriced: int, all_unpriced: bool) -> tuple[str, str]:
    observed = "" if all_unpriced else f"{cents // 100}.{cents % 100:02d}"
    if cents > THRESHOLD:
        return "met", observed
    return ("unknown" if unpriced else "not_met"), observed


def _split(cents: int, parts: int, rng: Random) -> list[int | None]:
    """``parts`` amounts of at least one cent that sum to ``cents``."""
    cuts = sorted(rng.randint(0, cents - parts) for _ in range(parts - 1))
    return [end - start + 1 for start, end in zip([0, *cuts], [*cuts, cents - parts], strict=True)]


# With claims


def _claim_lines(facts: Facts, plan: Plan, rng: Random, pools: Pools, forms: DrugForms, mean: int) -> list[Form]:
    """The drugs of all claim lines that count; orders, dispenses and statements are set on the way."""
    claimed = []
    for taken in plan.taken:
        if taken.kind == "otc":
            _use(facts, taken, rng.choice(ORDER_SOURCES), forms, rng)
        elif _is_claimed(taken, rng):
            claimed.append(taken)
        else:
            _ordered(facts, taken, forms, rng)
    if not claimed:
        claimed = [taken for taken in plan.taken if taken.kind != "otc" and not taken.via][:1]
    if not claimed:
        claimed = [Taken("other", rng.choice(pools.acute))]
    lines = []
    for taken in claimed:
        lines += [claim_form(taken, forms, rng) for _ in range(1 + taken.twice)]
        if taken.kind not in ("both", "unlisted") and not taken.via and rng.random() < 0.2:
            _ordered(facts, taken, forms, rng)
    wanted = rng.randint(max(1, mean // 2), mean * 3 // 2)
    while len(lines) < wanted:
        lines.append(claim_form(rng.choice(claimed), forms, rng))
    if any(taken.via == "compound" for taken in claimed):
        facts.shape = "bfd-v3"
    return lines


def _is_claimed(taken: Taken, rng: Random) -> bool:
    if taken.via in (*ORDER_SOURCES, "text"):
        return False
    return taken.via == "compound" or rng.random() < (0.3 if taken.via == "level" else 0.75)


def _ordered(facts: Facts, taken: Taken, forms: DrugForms, rng: Random) -> None:
    source = taken.via if taken.via in ORDER_SOURCES else rng.choice(ORDER_SOURCES)
    if taken.kind == "both":  # a bare statement of such a drug may mean the one over the counter
        source = "request"
    for _ in range(1 + taken.twice):
        _use(facts, taken, source, forms, rng)


def _use(facts: Facts, taken: Taken, source: str, forms: DrugForms, rng: Random) -> None:
    form = order_form(taken, forms, rng)
    where = rng.choices(("inline", "contained", "referenced"), (7, 1, 1))[0]
    version = rng.choice(("duplicate", "older void", "offset")) if rng.random() < 0.1 else ""
    facts.uses.append(Use(source, form, "", where, version))
    facts.edge(form.edge)
    facts.edge(f"{source} {version}" if version else "")


def _claims(facts: Facts, items: list[Item], rng: Random, day: Day) -> list[Claim]:
    claims = []
    while items:
        item = items.pop()
        priced = item.cents is not None
        claim = Claim([item], fill_day(rng, day), rng.choice(("item", "both", "both", "total") if priced else MISSING))
        if facts.shape == "carin" and priced and items and items[-1].cents is not None and rng.random() < 0.05:
            claim.items.append(items.pop())
            facts.edge("claim with two lines")
        claim.compound = facts.shape == "bfd-v3" and (rng.random() < 0.1 or _is_compound(facts))
        claim.adjusted = rng.random() < 0.05
        claim.dated_by = rng.choice(DATED) if rng.random() < 0.1 else "item"
        claim.version = rng.choice(VERSIONS) if rng.random() < 0.05 else ""
        _note(facts, claim, day)
        claims.append(claim)
    return claims


MISSING = ("none", "submitted")
DATED = ("period", "serviced period", "item, other period")
VERSIONS = ("duplicate", "older cancelled", "older price", "older price under another id", "older drug", "offset")


def _is_compound(facts: Facts) -> bool:
    return "drugs 7, one in a compound" in facts.edges


def _note(facts: Facts, claim: Claim, day: Day) -> None:
    """Names the edges that the claim shows."""
    for name, shown in (
        (f"claim {claim.version}", claim.version),
        (f"claim money in {claim.money}", claim.money in ("total", "item")),
        (f"claim unpriced: {claim.money}", claim.money in MISSING),
        ("claim compound", claim.compound),
        ("claim adjusted", claim.adjusted),
        (f"claim dated by {claim.dated_by}", claim.dated_by != "item"),
        ("claim on 1 January", claim.filled == day.first),
        ("claim on as_of", claim.filled == day.as_of),
        (f"claims {facts.shape}", True),
    ):
        facts.edge(name if shown else "")
    for item in claim.items:
        facts.edge(item.form.edge)


def fill_day(rng: Random, day: Day) -> date:
    """A day of the window, often its first or last."""
    chance = rng.random()
    if chance < 0.06:
        return day.first if chance < 0.03 else day.as_of
    return day.first + timedelta(days=rng.randint(0, (day.as_of - day.first).days))


def _otc_claims(facts: Facts, plan: Plan, rng: Random, pools: Pools, forms: DrugForms, day: Day) -> None:
    """Claims of OTC drugs, with a price that would change the cost, or without."""
    drugs = [taken.drug for taken in plan.taken if taken.kind == "otc" and taken.drug]
    drugs += [rng.choice(pools.otc)] if rng.random() < 0.15 else []
    for drug in drugs:
        cents = rng.choice((600_000, 1, None))
        money = "both" if cents else "none"
        facts.claims.append(Claim([Item(forms.on_claim(drug, rng), cents)], fill_day(rng, day), money))
        facts.edge("claim of an OTC drug" if cents else "claim of an OTC drug, unpriced")


# Without claims


def _without_claims(facts: Facts, plan: Plan, mode: str, rng: Random, pools: Pools, forms: DrugForms) -> None:
    if mode in ("acute", "nothing", "otc"):
        clear(facts, plan)
    if mode == "acute":
        plan.taken = [Taken("other", rng.choice(pools.acute + pools.depends), via=rng.choice(ORDER_SOURCES))]
    elif mode == "otc":
        plan.taken = [Taken("otc", rng.choice(pools.otc), via=rng.choice(ORDER_SOURCES)) for _ in range(2)]
    elif mode != "nothing" and not any(t.kind in ("counted", "other", "both") for t in plan.taken):
        plan.taken.append(Taken("other", rng.choice(pools.acute)))
    source = {"orders": "request", "statements": "statement", "dispenses": "dispense"}.get(mode, "")
    for taken in plan.taken:
        if source and taken.via not in ("text", "level"):
            taken.via = source
        _ordered(facts, taken, forms, rng)
    prescribed = any(taken.kind != "otc" for taken in plan.taken)
    facts.cost = ("unknown", "") if prescribed else ("not_met", "0.00")
