"""Where an unexpected fault came from, without what it says: messages of exceptions quote values, and values are personal."""

from __future__ import annotations

import traceback
from collections.abc import Iterator


def trace(fault: BaseException | None) -> str:
    """The frames and the type of a fault and of all that led to it, the first cause first; no message, no value."""
    told = [f"{''.join(traceback.format_tb(one.__traceback__))}{type(one).__name__}" for one in _chain(fault)]
    return "\nwhich led to\n".join(reversed(told))


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while fault is not None and id(fault) not in seen:
        seen.add(id(fault))
        yield fault
        fault = fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
