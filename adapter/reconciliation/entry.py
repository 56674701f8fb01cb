"""The mentions of one drug in one strength as one line of the list: who takes what, how, why, since when, by whose word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from adapter.reconciliation.mention import Mention
from adapter.reconciliation.product import best

EntryState = Literal["current", "unsure", "on_hold", "planned", "stopped", "past", "unknown", "settled"]
LATELY = 90  # days after the end of its supply within which a fill speaks for a drug that is taken
USUAL_SUPPLY = 30  # days, of a fill that does not tell
_RANK = {"request": 0, "statement": 1, "dispense": 2, "claim": 3}


@dataclass(frozen=True)
class Entry:
    """One drug (set of ingredients, strength, route) on the list. Everything is "" that no source tells.

    ``name`` is how a member reads it. ``use_es`` may hold English: then ``use_es_translated`` is False. ``sources`` are all records.
    """

    key: str
    drug: str
    name: str
    generic: str
    brand: str
    strength: str
    form: str
    kind: str  # rx, both, otc, vitamin, mineral, herbal, other_supplement, unknown
    state: EntryState
    use: str
    use_es: str
    use_es_translated: bool
    why: str
    prescriber: str
    started: str
    stopped: str
    last_filled: str
    added_by_member: bool
    sources: tuple[str, ...]
    codings: tuple[tuple[str, str, str], ...]  # system, code, display


@dataclass(frozen=True)
class Group:
    """The mentions of one entry, sorted, and what they say of stopping.

    What a pharmacist took into account in a review (``settled``) keeps its place among the sources and says nothing of its own.
    """

    key: str
    mentions: tuple[Mention, ...]
    as_of: date
    settled: frozenset[Mention] = frozenset()

    @property
    def drug(self) -> str:
        return self.mentions[0].drug

    def of(self, *states: str) -> list[Mention]:
        """The mentions in one of these states that no review has settled."""
        return [one for one in self.speaking if one.state in states]

    @property
    def speaking(self) -> list[Mention]:
        """The mentions that no review has settled."""
        return [one for one in self.mentions if one not in self.settled]

    @property
    def fills(self) -> list[Mention]:
        """All dispenses and claims: what was handed out before a review may last beyond it."""
        return [one for one in self.mentions if one.state == "filled"]

    @property
    def recent_fills(self) -> list[Mention]:
        """The fills whose supply ended at most ``LATELY`` days ago."""
        return [one for one in self.of("filled") if supplied_until(one) + timedelta(days=LATELY) >= self.as_of]

    @property
    def standing_stops(self) -> list[Mention]:
        """The stops that nothing later takes back: an order renewed or given anew, or a pharmacist's later word."""
        taken = self.of("taken")
        return [stop for stop in self.of("stopped") if not any(_takes_back(one, stop) for one in taken)]

    @property
    def against_the_stop(self) -> list[Mention]:
        """What says that the drug is taken although something else says that it is stopped."""
        stops = self.standing_stops
        if not stops:
            return []
        against = [one for one in self.of("taken") if not any(_takes_back(one, stop) for stop in stops)]
        return against + [
            one for one in self.of("filled") if all(_filled_after(one, stop, self.as_of) for stop in stops)
        ]

    @property
    def state(self) -> EntryState:
        if self.against_the_stop:
            return "unsure"
        if self.standing_stops:
            return "stopped"
        if self.of("taken") or self.recent_fills:
            return "on_hold" if self.of("held") and not self.of("taken") else "current"
        for state, called in (("held", "on_hold"), ("planned", "planned"), ("unknown", "unknown")):
            if self.of(state):
                return called  # type: ignore[return-value]
        return "past" if self.speaking else "settled"


def supplied_until(fill: Mention) -> date:
    """The last day for which the fill lasts when it is used as directed; of a fill without a day, the first of all days."""
    try:
        return date.fromisoformat(fill.day) + timedelta(days=(fill.supply or USUAL_SUPPLY) - 1)
    except ValueError:
        return date.min


def _takes_back(active: Mention, stop: Mention) -> bool:
    """Whether ``active`` is a later order, or a pharmacist's later word, so that the drug was begun anew.

    A stopped order tells no day of the stop, only its own: an order of that day or later renews it. The word of anybody else
    that the drug is taken contradicts a stop, however late it is.
    """
    if not active.day or not stop.day or active.source == stop.source:
        return False
    if active.kind == "request":
        return active.day >= stop.day if stop.kind == "request" else active.day > (stop.stopped or stop.day)
    return active.reviewed and active.day >= (stop.stopped or stop.day)


def _filled_after(fill: Mention, stop: Mention, as_of: date) -> bool:
    """Whether the drug was handed out after it was stopped; after a stopped order, which tells no day, whether it still lasts."""
    if stop.kind == "request":
        return supplied_until(fill) >= as_of
    stopped = stop.stopped or stop.day
    return bool(stopped) and fill.day > stopped


def entry(group: Group) -> Entry:
    """The line of ``group``; the same for any order of its mentions."""
    product = best(one.product for one in group.mentions)
    words = _words(group)
    state = group.state
    return Entry(
        key=group.key,
        drug=group.drug,
        name=_name(product.generic, product.brand, product.strength, product.form) or "Drug without a name",
        generic=product.generic,
        brand=product.brand,
        strength=product.strength,
        form=product.form,
        kind=_kind(group.mentions),
        state=state,
        use=words.english.text if words else "",
        use_es=words.spanish.text if words else "",
        use_es_translated=words.spanish.translated if words else True,
        why=_joined(one.why for one in _newest_first(group.mentions)),
        prescriber=next((one.prescriber for one in _newest_first(group.mentions) if one.prescriber), ""),
        started=min((one.started for one in group.mentions if one.started), default=""),
        stopped=max((one.stopped for one in group.mentions if one.stopped), default="")
        if state in ("stopped", "unsure")
        else "",
        last_filled=max((one.day for one in group.fills), default=""),
        added_by_member=all(one.by_member for one in group.mentions),
        sources=tuple(sorted({one.source for one in group.mentions})),
        codings=tuple(sorted({coding for one in group.mentions for coding in one.codings})),
    )


def _words(group: Group) -> Mention | None:
    """The mention whose directions are shown: the newest of those that say the drug is taken, then the newest of all."""
    told = [one for one in group.speaking if one.english.text] or [one for one in group.mentions if one.english.text]
    active = [one for one in told if one.state in ("taken", "filled")]
    return next(iter(_newest_first(active or told)), None)


def _newest_first(mentions: Iterable[Mention]) -> list[Mention]:
    """By the strength of the word (order and statement before fills), then the newest day; sources break ties."""
    by_source = sorted(mentions, key=lambda one: (_RANK[one.kind], one.source))
    by_day = sorted(by_source, key=lambda one: one.day, reverse=True)
    return sorted(by_day, key=lambda one: (one.state != "taken", one.kind in ("dispense", "claim")))


def _joined(texts: Iterable[str]) -> str:
    """The texts that differ other than in capital letters, in their order."""
    told: dict[str, str] = {}
    for text in texts:
        if text:
            told.setdefault(text.casefold(), text)
    return "; ".join(told.values())


def _name(generic: str, brand: str, strength: str, form: str) -> str:
    """ "atorvastatin (Lipitor) 20 mg tablet"."""
    named = f"{generic} ({brand})" if generic and brand and brand.casefold() != generic.casefold() else generic or brand
    return " ".join(part for part in (named, strength, form) if part)


def _kind(mentions: Sequence[Mention]) -> str:
    supplement = max(one.supplement for one in mentions)
    if supplement:
        return supplement
    told = max(one.otc for one in mentions)
    return told or ("rx" if any(one.listed for one in mentions) else "unknown")
