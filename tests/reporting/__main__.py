"""``python -m tests.reporting --size N --seed N --out DIR``"""

import argparse
from pathlib import Path

from tests.reporting.year import write

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rows = write(arguments.out, arguments.size, arguments.seed)
    print(f"{len(rows)} rows of truth for {arguments.size} beneficiaries in {arguments.out}")
