"""Draws membership and death: the Coverages of a person, and what they mean for plan and enrollment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from tests.population.facts import PLANS, SNP, Cover, Day, Facts

OTHER_PLANS = ("H1234-001", "H1234-002", "S9999-001")


def _iso(day: date, days: int = 0) -> str:
    return (day + timedelta(days=days)).isoformat()


# Each function gives the Coverages and says what they mean for plan and enrollment.


def _kind(rng: Random) -> str:
    return rng.choice(("carin", "carin", "carin-split", "bfd-v2", "bfd-v3"))


def _whole(plan: str, kind: str, day: Day, start: str = "", end: str = "") -> Cover:
    """One Coverage of the plan that is in force the whole year, in any shape."""
    months = (plan,) * 12 if kind == "bfd-v2" else ()
    return Cover(kind, plan, start or _iso(day.first, -400), end, months=months, year=day.first.year)


def _plain(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    return [_whole(facts.plan, _kind(rng), day)]


def _ended(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    facts.enrolled = False
    return [Cover(rng.choice(("carin", "bfd-v3")), facts.plan, _iso(day.first, -400), _iso(day.as_of, -1))]


def _ends_today(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    return [Cover(rng.choice(("carin", "bfd-v3")), facts.plan, _iso(day.first, -400), _iso(day.as_of))]


def _starts_today(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    return [Cover(rng.choice(("carin", "bfd-v3")), facts.plan, _iso(day.as_of))]


def _future(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    facts.enrolled = False
    return [Cover(rng.choice(("carin", "bfd-v3")), facts.plan, _iso(day.as_of, 1))]


def _other_only(kind: str) -> Callable[[Facts, Random, Day], list[Cover]]:
    def made(facts: Facts, rng: Random, day: Day) -> list[Cover]:
        facts.enrolled, facts.plan = False, ""
        return [Cover(kind, start=_iso(day.first, -300))]

    return made


def _none(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    facts.enrolled, facts.plan = False, ""
    return []


def _several(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    others = [Cover(kind, start=_iso(day.first, -200)) for kind in ("commercial", "part-a")]
    return [*others, *_plain(facts, rng, day)]


def _changed(before: Callable[[str], str]) -> Callable[[Facts, Random, Day], list[Cover]]:
    def made(facts: Facts, rng: Random, day: Day) -> list[Cover]:
        change = rng.randint(1, max(1, (day.as_of - day.first).days - 1))
        kinds = rng.choice(("carin", "bfd-v3")), rng.choice(("carin", "bfd-v3"))
        return [
            Cover(kinds[0], before(facts.plan), _iso(day.first, -400), _iso(day.first, change - 1)),
            Cover(kinds[1], facts.plan, _iso(day.first, change)),
        ]

    return made


def _to_snp(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    facts.plan = SNP
    return _changed(lambda plan: "H1234-001")(facts, rng, day)


def _from_snp(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    facts.plan = "H1234-001"
    return _changed(lambda plan: SNP)(facts, rng, day)


def _changes_tomorrow(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    other = next(plan for plan in OTHER_PLANS if plan != facts.plan)
    return [
        Cover("carin", facts.plan, _iso(day.first, -400), _iso(day.as_of)),
        Cover("bfd-v3", other, _iso(day.as_of, 1)),
    ]


def _gap(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    """Ended, and another begins later: neither is in force, the later one is the latest."""
    facts.enrolled = False
    other = next(plan for plan in OTHER_PLANS if plan != facts.plan)
    return [
        Cover("carin", other, _iso(day.first, -400), _iso(day.as_of, -5)),
        Cover("carin", facts.plan, _iso(day.as_of, 20)),
    ]


def _renewed(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    year = day.first.year
    return [Cover("carin", facts.plan, f"{y}-01-01", f"{y}-12-31") for y in (year - 1, year, year + 1)]


def _monthly(facts: Facts, day: Day, months: list[str], year: int = 0) -> Cover:
    return Cover("bfd-v2", facts.plan, _iso(day.first, -400), "", months=tuple(months), year=year or day.first.year)


def _months_end(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    month = day.as_of.month
    if month == 1:
        return _plain(facts, rng, day)
    facts.enrolled = False
    last = rng.randint(1, month - 1)
    return [_monthly(facts, day, [facts.plan if m <= last else rng.choice(("0", "N")) for m in range(1, 13)])]


def _months_change(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    other = next(plan for plan in OTHER_PLANS if plan != facts.plan)
    change = rng.randint(1, day.as_of.month)
    return [_monthly(facts, day, [other if m < change else facts.plan for m in range(1, 13)])]


def _months_future(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    month = day.as_of.month
    if month == 12:
        return _plain(facts, rng, day)
    facts.enrolled = False
    return [_monthly(facts, day, ["0" if m <= month else facts.plan for m in range(1, 13)])]


def _months_two_years(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    year = day.first.year
    other = next(plan for plan in OTHER_PLANS if plan != facts.plan)
    return [_monthly(facts, day, [other] * 12, year - 1), _monthly(facts, day, [facts.plan] * 12, year)]


def _beside(status: str) -> Callable[[Facts, Random, Day], list[Cover]]:
    def made(facts: Facts, rng: Random, day: Day) -> list[Cover]:
        other = next(plan for plan in OTHER_PLANS if plan != facts.plan)
        return [*_plain(facts, rng, day), Cover("carin", other, _iso(day.first, 3), status=status)]

    return made


def _older_plan(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    return [Cover("carin", facts.plan, _iso(day.first, -400), version="older plan")]


def _died(days: int, enrolled: bool) -> Callable[[Facts, Random, Day], list[Cover]]:
    def made(facts: Facts, rng: Random, day: Day) -> list[Cover]:
        facts.enrolled, facts.died = enrolled, _iso(day.as_of, days)
        facts.died += rng.choice(("", "T10:15:00-05:00"))
        return _plain(facts, rng, day)

    return made


def _told_dead(value: str) -> Callable[[Facts, Random, Day], list[Cover]]:
    def made(facts: Facts, rng: Random, day: Day) -> list[Cover]:
        facts.enrolled, facts.died = value == "false", value
        return _plain(facts, rng, day)

    return made


def _undead(facts: Facts, rng: Random, day: Day) -> list[Cover]:
    facts.undead = True
    return _plain(facts, rng, day)


COVERAGE: dict[str, Callable[[Facts, Random, Day], list[Cover]]] = {
    "coverage plain": _plain,
    "coverage ended the day before": _ended,
    "coverage ends on as_of": _ends_today,
    "coverage starts on as_of": _starts_today,
    "coverage starts the day after": _future,
    "coverage commercial only": _other_only("commercial"),
    "coverage part A only": _other_only("part-a"),
    "coverage part C only": _other_only("part-c"),
    "coverage none": _none,
    "coverage beside commercial and part A": _several,
    "coverage changed contract": _changed(lambda plan: next(p for p in OTHER_PLANS if p != plan)),
    "coverage changed into the SNP": _to_snp,
    "coverage changed out of the SNP": _from_snp,
    "coverage changes the day after": _changes_tomorrow,
    "coverage in a gap": _gap,
    "coverage renewed every year": _renewed,
    "coverage v2 months ended": _months_end,
    "coverage v2 months change": _months_change,
    "coverage v2 months in the future": _months_future,
    "coverage v2 two years": _months_two_years,
    "coverage beside a cancelled one": _beside("cancelled"),
    "coverage beside a mistaken one": _beside("entered-in-error"),
    "coverage older version other plan": _older_plan,
    "died the day before": _died(-1, False),
    "died on as_of": _died(0, False),
    "died the day after": _died(1, True),
    "deceasedBoolean true": _told_dead("true"),
    "deceasedBoolean false": _told_dead("false"),
    "death in an older version": _undead,
}


def draw_coverage(facts: Facts, edge: str, rng: Random, day: Day) -> None:
    """Sets plan, enrollment, death and Coverages; ``facts.plan`` may be given already."""
    facts.plan = facts.plan or rng.choices(PLANS, (6, 3, 2, 1, 2))[0]
    facts.covers = COVERAGE[edge](facts, rng, day)
    facts.edge(edge)
