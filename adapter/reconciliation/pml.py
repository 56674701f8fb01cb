"""The Personal Medication List before a review: one line for each drug, with its sources, and what a pharmacist must ask.

42 CFR 423.153(d)(1)(vii)(D): the list holds prescription and nonprescription drugs, vitamins, herbals and dietary supplements.
What is put together here does not depend on the order of the records, nor on how often one of them is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from adapter.reconciliation.allergies import Allergies, allergies
from adapter.reconciliation.entry import Entry, Group, entry
from adapter.reconciliation.mention import Mention, mention
from adapter.reconciliation.questions import Question, questions
from adapter.reconciliation.shape import shaped

Resource = Mapping[str, Any]
_ORDER = {"current": 0, "unsure": 0, "on_hold": 1, "planned": 1, "unknown": 2, "past": 3, "stopped": 4, "settled": 5}
_KINDS = {"rx": 0, "both": 0, "otc": 1, "vitamin": 2, "mineral": 2, "herbal": 2, "other_supplement": 2, "unknown": 3}


@dataclass(frozen=True)
class PersonalMedicationList:
    """The list of one beneficiary on ``as_of``: what is taken first, what was taken last."""

    beneficiary: str
    as_of: date
    entries: tuple[Entry, ...]
    questions: tuple[Question, ...]
    allergies: Allergies
    fills_known: bool  # whether any claim or dispense is there: without one, "not filled" means nothing


def personal_medication_list(
    beneficiary: str,
    rows: Iterable[Mapping[str, Any]],
    resources: Mapping[str, Resource],
    ingredients: Mapping[str, str],
    as_of: date,
    review_day: date | None = None,
) -> PersonalMedicationList:
    """The list that ``rows`` (see ``population.mentioned_drugs``) and the ``resources`` of the person, by Type/id, make together.

    ``ingredients`` gives the name of each RxNorm ingredient id. Claims that came without id have no resource and no directions.
    With ``review_day`` the list is the one before a review of that day, also when it has been written already.
    """
    resources = {key: shaped(one) for key, one in resources.items()}
    made = (mention(row, resources.get(row["source"], {}), resources, ingredients, as_of, review_day) for row in rows)
    groups = grouped((one for one in made if one is not None), as_of)
    lines = sorted(((group, entry(group)) for group in groups), key=lambda line: _order(line[1]))
    known = allergies(resources.values())
    return PersonalMedicationList(
        beneficiary=beneficiary,
        as_of=as_of,
        entries=tuple(line for _, line in lines),
        questions=(*questions(lines, as_of), *_about_allergies(known)),
        allergies=known,
        fills_known=any(group.fills for group in groups),
    )


def grouped(mentions: Iterable[Mention], as_of: date) -> list[Group]:
    """The mentions by drug, strength and route, each group sorted.

    A mention without strength (or route) joins the only one that others tell of the drug; where they tell several it stands alone.
    """
    by_drug: dict[str, set[Mention]] = {}
    every_one = set(mentions)
    settled = _settled(every_one)
    for one in every_one:
        by_drug.setdefault(one.drug, set()).add(one)
    groups: list[Group] = []
    for drug, every in sorted(by_drug.items()):
        by_key: dict[str, list[Mention]] = {}
        strengths = {one.product.key for one in every} - {""}
        for one in sorted(every):
            strength = one.product.key or (next(iter(strengths)) if len(strengths) == 1 else "")
            routes = {other.route for other in every if other.product.key in ("", strength)} - {""}
            route = one.route or (next(iter(routes)) if len(routes) == 1 else "")
            by_key.setdefault(f"{drug}|{strength}|{route}", []).append(one)
        groups += [Group(key, tuple(members), as_of, settled) for key, members in by_key.items()]
    return groups


def _settled(mentions: Iterable[Mention]) -> frozenset[Mention]:
    """The mentions that a review took into account and that are not later than it."""
    told = set(mentions)
    days: dict[str, str] = {}
    for one in told:
        for source in one.settles:
            days[source] = max(one.day, days.get(source, ""))
    return frozenset(one for one in told if one.source in days and one.day <= days[one.source])


def _order(line: Entry) -> tuple[int, int, str, str]:
    return _ORDER[line.state], _KINDS.get(line.kind, 3), line.name.casefold(), line.key


def _about_allergies(known: Allergies) -> list[Question]:
    if not known.known or not known.none_known:
        return []
    told = ", ".join(sorted({one.substance for one in known.known}))
    text = f"One record says that no allergies are known, another names {told}. Which is right?"
    return [
        Question(
            "allergies_contradict", text, (), tuple(sorted({*known.none_known, *(one.source for one in known.known)}))
        )
    ]
