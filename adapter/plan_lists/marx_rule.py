"""What CARA records mean together on a day: which stand, which were deleted or superseded, and who is at risk by them.

42 CFR 423.100 (at-risk and potential at-risk beneficiary), 423.153(f); the rule is derived from secondary texts (standing P).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from adapter.plan_lists.marx import Period, Record, open_end


@dataclass(frozen=True)
class Standing:
    """The records that stand on a day, the notices to a new plan that told nothing, and counts."""

    records: tuple[Record, ...]
    untold: tuple[Record, ...]
    counts: Counter[str]  # known, later, unmet (deletions of records that are not here)


def standing(records: Iterable[Record], as_of: date, open_years: int) -> Standing:
    """The records that stand by what was known on ``as_of``: a later record wins, by transaction date, then order in file."""
    persons: dict[str, list[Record]] = {}
    untold: list[Record] = []
    counts: Counter[str] = Counter()
    for record in sorted(records, key=lambda record: (record.known, record.place)):
        counts["known" if record.known <= as_of else "later"] += 1
        if record.known > as_of:
            continue
        held = persons.setdefault(record.mbi, [])
        told = stated(record, held, open_years)
        new = [record] if record.kind == "deleted" else told
        gone = [old for old in held if any(old in replaced(held, one) for one in new)]
        counts["unmet"] += record.kind == "deleted" and not gone
        if not new:
            untold.append(record)
        persons[record.mbi] = [old for old in held if old not in gone] + told
    kept = [record for held in persons.values() for record in held]
    return Standing(tuple(sorted(kept, key=lambda record: record.place)), tuple(untold), counts)


def stated(record: Record, held: Sequence[Record], open_years: int) -> list[Record]:
    """What ``record`` puts in force: itself, nothing when it deletes, and for a notice to the new plan the old plan's status.

    A notice with a period of its own speaks for itself. One without carries over what stands in the person's other contracts;
    when nothing does and it names a limitation, that begins on the effective date of the notice.
    """
    if record.kind == "deleted":
        return []
    if record.kind == "accepted" or record.notification.start or record.implementation.start:
        return [record]
    others = [old for old in held if old.contract != record.contract and record.drug_class in ("", old.drug_class)]
    if others:
        return [
            replace(old, updates=False, contract=record.contract, source=record.source, place=record.place)
            for old in others
        ]
    if record.limited and record.effective:
        return [replace(record, implementation=Period(record.effective, open_end(record.effective, open_years)))]
    return []


def replaced(held: Sequence[Record], new: Record) -> list[Record]:
    """Those of the ``held`` records that ``new`` supersedes or deletes, of the same contract and drug class.

    It takes the place of those about the same period. When there is none, an update takes the place of the latest, and so does a
    deletion that names no period; an addition then stands beside the others.
    """
    same = [old for old in held if (old.contract, old.drug_class) == (new.contract, new.drug_class)]
    met = [old for old in same if _about_the_same(old, new)]
    undated = not (new.notification.start or new.implementation.start)
    takes_latest = undated if new.kind == "deleted" else new.updates
    return met or (same[-1:] if takes_latest else [])


def _about_the_same(old: Record, new: Record) -> bool:
    """Whether both begin alike or share days; a notification gives way to the implementation that follows it."""
    first, second = old.implementation, new.implementation
    if first.start is None:
        notified = old.notification.overlaps(new.notification) or old.notification.overlaps(second)
        return notified or _begin_alike(old.notification, new.notification)
    alike = _begin_alike(first, second) or _begin_alike(old.notification, new.notification)
    return alike or first.overlaps(second)


def _begin_alike(first: Period, second: Period) -> bool:
    return first.start is not None and first.start == second.start


def roster_rows(records: Iterable[Record]) -> list[dict[str, Any]]:
    """The rows of the at-risk table: AR for the days of a limitation, PAR for the days of a notification before it."""
    return [
        {
            "beneficiary": "", "mbi": record.mbi, "contract": record.contract, "status": status,
            "starts": period.start, "ends": period.end, "source": record.source,
        }
        for record in records
        for status, period in _statuses(record)
    ]  # fmt: skip


def _statuses(record: Record) -> Iterator[tuple[str, Period]]:
    limit = record.implementation if record.limited else Period()
    notified = record.notification
    if notified.start is not None and limit.start is not None:
        last = limit.start - timedelta(days=1)
        notified = Period(notified.start, min(notified.end or last, last))
    if notified.start is not None and not notified.reversed:
        yield "PAR", notified
    if limit.start is not None:
        yield "AR", limit
