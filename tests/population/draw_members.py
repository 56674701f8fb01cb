"""Draws diagnoses (diseases) and what makes a beneficiary at-risk (risk)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

from tests.population.facts import Day, Diagnosis, Facts, FlagFact, RosterRow
from tests.population.lists import ENTRY_NAMES, Code, Pools

VOID_CONDITIONS = ("inactive", "remission", "resolved", "refuted", "entered-in-error", "recorded later", "onset later")

BONE = ("osteoporosis", "osteoarthritis", "rheumatoid_arthritis")


def _of_subgroup(pools: Pools, entry: str, subgroup: str, rng: Random) -> Code:
    return rng.choice([code for code in pools.conditions[entry] if code.subgroup == subgroup])


def _singles(pools: Pools, rng: Random, count: int, without: tuple[str, ...] = ()) -> list[Code]:
    names = rng.sample([name for name in ENTRY_NAMES if name not in without], count)
    return [rng.choice(pools.conditions[name]) for name in names]


def _arthritis(pools: Pools, rng: Random, others: int) -> list[Code]:
    bone = [_of_subgroup(pools, "bone_disease", name, rng) for name in rng.sample(BONE, 2)]
    return bone + _singles(pools, rng, others, ("bone_disease",))


def _lungs(pools: Pools, rng: Random, others: int) -> list[Code]:
    lungs = [rng.choice(pools.conditions[name]) for name in ("asthma", "copd")]
    return lungs + _singles(pools, rng, others, ("asthma", "copd"))


def _double(pools: Pools, rng: Random, others: int, icd: bool) -> list[Code]:
    code = rng.choice([c for c in pools.doubles if (c.kind == "icd") is icd])
    return [code, *_singles(pools, rng, others, tuple(code.entries))]


DISEASES: dict[str, Callable[[Pools, Random], list[Code]]] = {
    "entries plain": lambda pools, rng: _singles(pools, rng, rng.randint(3, 5)),
    "entries 0": lambda pools, rng: [],
    "entries 1": lambda pools, rng: _singles(pools, rng, 1),
    "entries 2": lambda pools, rng: _singles(pools, rng, 2),
    "entries 3": lambda pools, rng: _singles(pools, rng, 3),
    "entries 7": lambda pools, rng: _singles(pools, rng, 7),
    "entries arthritis and osteoporosis, 2": lambda pools, rng: _arthritis(pools, rng, 1),
    "entries arthritis and osteoporosis, 3": lambda pools, rng: _arthritis(pools, rng, 2),
    "entries asthma and COPD, 2": lambda pools, rng: _lungs(pools, rng, 0),
    "entries asthma and COPD, 3": lambda pools, rng: _lungs(pools, rng, 1),
    "entries one ICD code for two, 2": lambda pools, rng: _double(pools, rng, 0, True),
    "entries one ICD code for two, 3": lambda pools, rng: _double(pools, rng, 1, True),
    "entries one SNOMED code for two, 2": lambda pools, rng: _double(pools, rng, 0, False),
    "entries one SNOMED code for two, 3": lambda pools, rng: _double(pools, rng, 1, False),
}
NOT_MET = tuple(name for name in DISEASES if name.endswith(("2", "1", "0")))


def draw_diseases(facts: Facts, edge: str, rng: Random, pools: Pools) -> None:
    """Sets the entries and the Conditions that prove them, some twice, some with a second coding that proves none."""
    codes = DISEASES[edge](pools, rng)
    facts.entries = {entry for code in codes for entry in code.entries}
    facts.edge(edge)
    for code in codes:
        second = (rng.choice(pools.no_entry),) if rng.random() < 0.1 else ()
        if rng.random() < 0.1:
            alike = [c for c in pools.conditions.get(min(code.entries), ()) if c.entries <= facts.entries]
            second = (rng.choice(alike),) if alike else second
        both = (code, *second) if rng.random() < 0.5 else (*second, code)
        version = rng.choice(("duplicate", "older void", "offset")) if rng.random() < 0.12 else ""
        facts.diagnoses.append(Diagnosis(both, version=version))
        facts.edge("condition with two codings" if second else "")
        facts.edge(f"condition {version}" if version else "")
        if rng.random() < 0.1:
            facts.diagnoses.append(Diagnosis((code,)))


def add_void_diagnoses(facts: Facts, rng: Random, pools: Pools, count: int) -> None:
    """Conditions that prove nothing: ended, refuted or later ones of any entry, and codes of no entry."""
    for _ in range(count):
        if rng.random() < 0.4:
            facts.diagnoses.append(Diagnosis((rng.choice(pools.no_entry),)))
            continue
        code = rng.choice(pools.conditions[rng.choice(ENTRY_NAMES)])
        void = rng.choice(VOID_CONDITIONS)
        timed = void.endswith("later")
        version = "older valid" if rng.random() < 0.2 and not timed else ""
        facts.diagnoses.append(Diagnosis((code,), void, version))
        facts.edge(f"condition {void}")
        facts.edge("condition ended in its newer version" if version else "")


# At-risk: rows of the roster and Flags as (status, start, end, who), with days from as_of; "" = open

RISK: dict[str, tuple[bool, tuple[tuple[str, int | None, int | None, str], ...], tuple[tuple[str, str], ...]]] = {
    "risk none": (False, (), ()),
    "risk AR": (True, (("AR", -90, None, "both"),), ()),
    "risk AR by id": (True, (("AR", -90, 60, "id"),), ()),
    "risk AR by MBI": (True, (("AR", -90, 60, "mbi"),), ()),
    "risk AR ends on as_of": (True, (("AR", -90, 0, "both"),), ()),
    "risk AR starts on as_of": (True, (("AR", 0, None, "both"),), ()),
    "risk AR expired": (False, (("AR", -400, -1, "both"),), ()),
    "risk AR in the future": (False, (("AR", 1, None, "both"),), ()),
    "risk AR expired and future": (False, (("AR", -400, -30, "mbi"), ("AR", 20, None, "both")), ()),
    "risk PAR": (False, (("PAR", -90, None, "both"),), ()),
    "risk PAR then AR": (True, (("PAR", -90, None, "both"), ("AR", -30, None, "both")), ()),
    "risk stranger": (False, (("AR", -90, None, "stranger"),), ()),
    "risk Flag": (True, (), (("own", "active"),)),
    "risk Flag by text": (True, (), (("text", "active"),)),
    "risk Flag with period": (True, (), (("own", "period"),)),
    "risk Flag ends on as_of": (True, (), (("own", "last day"),)),
    "risk Flag inactive": (False, (), (("own", "inactive"),)),
    "risk Flag mistaken": (False, (), (("own", "entered-in-error"),)),
    "risk Flag in the future": (False, (), (("own", "future"),)),
    "risk Flag ended": (False, (), (("own", "ended"),)),
    "risk Flag of something else": (False, (), (("other", "active"),)),
    "risk Flag older version active": (False, (), (("own", "newer inactive"),)),
}
FLAG_STATES = {
    "active": ("active", None, None, ""),
    "period": ("active", -100, 100, ""),
    "last day": ("active", -100, 0, ""),
    "inactive": ("inactive", -100, None, ""),
    "entered-in-error": ("entered-in-error", -100, None, ""),
    "future": ("active", 1, None, ""),
    "ended": ("active", -100, -1, ""),
    "newer inactive": ("inactive", -100, None, "older valid"),
}


def draw_risk(facts: Facts, edge: str, day: Day) -> None:
    """Sets roster rows and Flags."""
    facts.at_risk, rows, flags = RISK[edge]
    facts.edge(edge)

    def on(days: int | None) -> str:
        return "" if days is None else (day.as_of + timedelta(days=days)).isoformat()

    facts.roster = [RosterRow(status, on(start), on(end), who) for status, start, end, who in rows]
    for code, state in flags:
        status, start, end, version = FLAG_STATES[state]
        facts.flags.append(FlagFact(code, status, on(start), on(end), version))
