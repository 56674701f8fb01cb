"""Work done by several threads whose results come in the order of the tasks, so that a run repeated reads the same."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def in_order(work: Callable[[Task], Result], tasks: Iterable[Task], parallel: int) -> Iterator[Result]:
    """The result of each task in the order of the tasks, ``parallel`` at once and at most two rounds ahead.

    What ``work`` raises is raised at its place in the order, and tasks not yet begun are then dropped.
    """
    pending: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(parallel)
    try:
        for task in tasks:
            pending.append(pool.submit(work, task))
            if len(pending) >= 2 * parallel:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)  # waits for what is in flight: no request outlives the caller
