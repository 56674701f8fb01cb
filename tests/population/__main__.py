"""Writes a plan population with its truth: ``python -m tests.population --size 5000 --seed 7 --out DIR``."""

from __future__ import annotations

import argparse
import time
from datetime import date
from pathlib import Path

from tests.population.write import Order, write


def main() -> None:
    """Reads the options, writes the files, tells the throughput."""
    parser = argparse.ArgumentParser(prog="python -m tests.population", description=__doc__)
    parser.add_argument("--size", type=int, default=5000, help="number of beneficiaries")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2023, 9, 30))
    parser.add_argument("--claims-per-person", type=int, default=12, help="mean of those who have claims")
    parser.add_argument("--workers", type=int, default=1, help="processes; the bytes are the same")
    options = parser.parse_args()
    begun = time.perf_counter()
    order = Order(options.size, options.seed, options.as_of, options.claims_per_person)
    written = write(order, options.out, options.workers)
    seconds = time.perf_counter() - begun
    claims, size = written["ExplanationOfBenefit"], sum(file.stat().st_size for file in options.out.iterdir())
    print(f"{options.size} beneficiaries, {claims} claims, {size / 1e6:.0f} MB in {seconds:.1f} s")
    print(f"{options.size / seconds:.0f} beneficiaries/s, {claims / seconds:.0f} claims/s")


if __name__ == "__main__":
    main()
