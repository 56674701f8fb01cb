"""What a pharmacist must ask before the list is final: where the records contradict each other. Nothing is settled here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Literal

from adapter.reconciliation.entry import LATELY, Entry, Group, supplied_until
from adapter.reconciliation.mention import Mention

QuestionKind = Literal[
    "two_strengths", "stopped_and_active", "not_filled", "two_prescribers", "two_directions", "two_forms", "strength_not_told",
    "not_recognized", "allergies_contradict",
]  # fmt: skip
NOT_FILLED = LATELY  # days
_NUMBERS = {
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "half": "½",
    "once": "1 times",
    "twice": "2 times",
    "thrice": "3 times",
}


@dataclass(frozen=True)
class Question:
    """One thing to ask. ``entries`` are the keys of the lines that it is about, ``sources`` the records that it rests on."""

    kind: QuestionKind
    text: str
    entries: tuple[str, ...]
    sources: tuple[str, ...]


Line = tuple[Group, Entry]


def questions(lines: Sequence[Line], as_of: date) -> list[Question]:
    """The questions that the lines raise, in the order of the lines."""
    found: list[Question] = []
    fills_known = any(group.fills for group, _ in lines)
    for group, line in lines:
        found += _stopped_and_active(group, line)
        found += _not_filled(group, line, lines, as_of) if fills_known else []
        found += _of_one_line(group, line)
    return found + _two_strengths(lines)


def _of_one_line(group: Group, line: Entry) -> list[Question]:
    """What the records of one line say of directions, prescribers, forms and the drug itself."""
    if not any(one.listed for one in group.mentions) and not line.drug.startswith("name:"):
        return [
            _question("not_recognized", f"{line.name}: no list knows this drug; which is it?", [line], group.mentions)
        ]
    if line.state not in ("current", "unsure"):
        return []
    speaking = [*group.of("taken"), *group.recent_fills]
    found: list[Question] = []
    by_use = _by_text((_plain(one.english.text), one.english.text, one) for one in group.of("taken"))
    if len(by_use) > 1:
        told = " or ".join(f"“{text}”" for text, _ in by_use)
        found.append(
            _question(
                "two_directions",
                f"{line.name}: the records give different directions, {told}. How is it taken?",
                [line],
                _all(by_use),
            )
        )
    by_name = _by_text((_surname(one.prescriber), one.prescriber, one) for one in speaking)
    if len(by_name) > 1:
        told = " and ".join(name for name, _ in by_name)
        found.append(
            _question(
                "two_prescribers",
                f"{line.name}: prescribed by {told}. Does each know of the other?",
                [line],
                _all(by_name),
            )
        )
    by_form = _by_text((one.product.shape, one.product.form, one) for one in speaking)
    if len(by_form) > 1:
        told = " and ".join(form for form, _ in by_form)
        found.append(
            _question(
                "two_forms",
                f"{line.name}: the records name two forms, {told}. Which is taken, or both?",
                [line],
                _all(by_form),
            )
        )
    without = [one for one in group.of("taken") if not one.product.key and one.listed]
    if line.strength and without:
        text = f"{line.name}: {len(without)} of {len(line.sources)} records tell no strength. Is it {line.strength}?"
        found.append(_question("strength_not_told", text, [line], without))
    return found


def _stopped_and_active(group: Group, line: Entry) -> list[Question]:
    against = group.against_the_stop
    if not against:
        return []
    stops = group.standing_stops
    when = line.stopped or max((one.day for one in stops), default="")
    text = f"{line.name}: stopped by {_told(stops)}{f' ({when})' if when else ''}, but taken by {_told(against)}. Is it still taken?"
    return [_question("stopped_and_active", text, [line], [*stops, *against])]


def _not_filled(group: Group, line: Entry, lines: Sequence[Line], as_of: date) -> list[Question]:
    """A standing order of a prescription drug without a supply in the last 90 days, in whatever strength."""
    orders = [one for one in group.of("taken") if one.kind == "request" and not one.by_member]
    if not orders or line.kind not in ("rx", "both", "unknown"):
        return []
    fills = [one for other, _ in lines if other.drug == group.drug for one in other.fills]
    last = max([*map(supplied_until, fills), *(_day(one) for one in orders)])
    if last + timedelta(days=NOT_FILLED) >= as_of:
        return []
    filled = max((one.day for one in fills), default="")
    seen = f"last filled {filled}" if filled else "never filled"
    ordered = max(one.day for one in orders) or "on a day not told"
    text = f"{line.name}: ordered {ordered}, {seen}. Is it taken, and where does it come from?"
    return [_question("not_filled", text, [line], [*orders, *fills])]


def _two_strengths(lines: Sequence[Line]) -> list[Question]:
    """Two strengths of one set of ingredients by one route, both taken: a dose made of two, a change, or a mistake."""
    taken = [(group, line) for group, line in lines if line.state in ("current", "unsure")]
    found = []
    for _, same in groupby(sorted(taken, key=_drug_and_route), key=_drug_and_route):
        both = list(same)
        if len(both) > 1:
            told = " and ".join(sorted(line.strength or "a strength that is not told" for _, line in both))
            text = f"{both[0][1].generic or both[0][1].name}: {told}. Are both taken, or did one replace the other?"
            found.append(
                _question(
                    "two_strengths",
                    text,
                    [line for _, line in both],
                    [one for group, _ in both for one in group.mentions],
                )
            )
    return found


def _drug_and_route(line: Line) -> tuple[str, str]:
    return line[0].drug, line[0].key.rpartition("|")[2]


def _question(kind: QuestionKind, text: str, lines: Iterable[Entry], mentions: Iterable[Mention]) -> Question:
    return Question(
        kind, text, tuple(sorted(line.key for line in lines)), tuple(sorted({one.source for one in mentions}))
    )


def _told(mentions: Sequence[Mention]) -> str:
    kinds = {"statement": "a statement", "request": "an order", "dispense": "a dispense", "claim": "a claim"}
    return " and ".join(sorted({kinds[one.kind] for one in mentions}))


def _by_text(texts: Iterable[tuple[str, str, Mention]]) -> list[tuple[str, list[Mention]]]:
    """What differs by the first text, told by the second: sorted, without those that say nothing."""
    told: dict[str, tuple[str, list[Mention]]] = {}
    for plain, text, one in sorted(texts, key=lambda row: (row[0], row[1], row[2].source)):
        if plain:
            told.setdefault(plain, (text, []))[1].append(one)
    return list(told.values())


def _all(told: Sequence[tuple[str, list[Mention]]]) -> list[Mention]:
    return [one for _, mentions in told for one in mentions]


def _day(mention: Mention) -> date:
    try:
        return date.fromisoformat(mention.day)
    except ValueError:
        return date.min


def _surname(name: str) -> str:
    """The last name in small letters, so that "H. Park" and "Helen Park, MD" are one prescriber."""
    bare = name.partition(",")[0].casefold().split()
    return bare[-1] if bare else ""


def _plain(directions: str) -> str:
    """Directions reduced to what they say: "Take 1 tablet by mouth once a day." and "1 tablet daily" are the same."""
    text = directions.casefold().rstrip(".")
    text = " ".join(_NUMBERS.get(word, word) for word in re.findall(r"[\w½.]+", text))
    text = re.sub(r"\b(take|by mouth|orally|oral|each|please)\b", " ", text)
    text = re.sub(r"\b(1 times )?(daily|a day|per day|every day)\b", "daily", text)
    text = re.sub(r"\b(tablet|capsule|puff|drop|softgel|unit|time|meal)s\b", r"\1", text)
    return " ".join(
        re.sub(r"\b(a|an|the|food|meal)\b", lambda m: "meal" if m[0] in ("food", "meal") else " ", text).split()
    )
