"""Compares a targeting.csv with the planted truth: ``python -m tests.population.compare TARGETING.csv TRUTH.csv``.

Prints the cells that differ, by column and planted edge, and exits with 1 if there are any.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

KEY, EDGES = "beneficiary", "edges"
SHOWN_EDGES, SHOWN_PERSONS = 6, 3


class Mismatch(NamedTuple):
    """One cell that is not as planted."""

    beneficiary: str
    column: str
    planted: str
    found: str
    edges: tuple[str, ...]


def compare(targeting: Path, truth: Path) -> list[Mismatch]:
    """Every cell that differs, and every person who is missing or was never planted (column "row")."""
    planted, found = _rows(truth), _rows(targeting)
    wrong = [Mismatch(who, "row", "none", "present", ()) for who in sorted(set(found) - set(planted))]
    for who, row in planted.items():
        edges = tuple(row[EDGES].split(";"))
        if who not in found:
            wrong.append(Mismatch(who, "row", "present", "none", edges))
            continue
        for column in row:
            value = found[who].get(column, "(no such column)")
            if column not in (KEY, EDGES) and value != row[column]:
                wrong.append(Mismatch(who, column, row[column], value, edges))
    return wrong


def _rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    doubled = [who for who, count in Counter(row[KEY] for row in rows).items() if count > 1]
    if doubled:
        raise SystemExit(f"{path}: more than one row of {', '.join(doubled[:SHOWN_PERSONS])}")
    return {row[KEY]: row for row in rows}


def told(wrong: list[Mismatch], truth: Path) -> str:
    """The account: per column the kinds of difference, and the edges that are commoner among the wrong persons."""
    everyone = Counter(edge for row in _rows(truth).values() for edge in row[EDGES].split(";"))
    groups: dict[tuple[str, str, str], list[Mismatch]] = defaultdict(list)
    for mismatch in wrong:
        observed = mismatch.column.endswith("observed")
        kind = ("a value", "another") if observed else (mismatch.planted, mismatch.found)
        groups[mismatch.column, *kind].append(mismatch)
    lines = [f"{len(wrong)} cells differ, of {len({m.beneficiary for m in wrong})} persons"]
    for (column, planted, found), cells in sorted(groups.items(), key=lambda g: -len(g[1])):
        lines.append(f"{column}: planted {planted or '(empty)'}, found {found or '(empty)'}: {len(cells)}")
        edges = Counter(edge for cell in cells for edge in cell.edges)
        ranked = sorted(edges, key=lambda e: (-edges[e] / everyone[e], -edges[e], e))[:SHOWN_EDGES]
        lines += [f"    {edges[edge]:5d} of {everyone[edge]:5d}  {edge}" for edge in ranked]
        lines += [f"    {c.beneficiary}: planted {c.planted!r}, found {c.found!r}" for c in cells[:SHOWN_PERSONS]]
    return "\n".join(lines)


def main() -> int:
    """Prints the account; 1 when a cell differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.population.compare", description=__doc__)
    parser.add_argument("targeting", type=Path)
    parser.add_argument("truth", type=Path)
    options = parser.parse_args()
    wrong = compare(options.targeting, options.truth)
    if wrong:
        print(told(wrong, options.truth))
        return 1
    print(f"no cell differs: {len(_rows(options.truth))} persons")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
