"""Writes a plan population of any size for the benchmarks: the people of fixtures/demo, copied under new ids.

python bench/make_claims.py FOLDER --megabytes 2000
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

DEMO = Path(__file__).resolve().parent.parent / "fixtures" / "demo"
PREFIX, MBI = b"mtm-demo-", b"1EG4DM1TM"
LETTERS = "ACDEFGHJKMNPQRTUVWXY"
REPEATS = 4  # of each claim under ids of its own: some 32 claims a person, as a year of a plan's members has
TYPES = (
    "Patient",
    "Coverage",
    "Condition",
    "Medication",
    "MedicationRequest",
    "MedicationStatement",
    "ExplanationOfBenefit",
)


def copies(lines: bytes, count: int) -> Iterator[bytes]:
    """The NDJSON ``lines`` under ``count`` different id prefixes and Medicare Beneficiary Identifiers."""
    for number in range(count):
        yield lines.replace(PREFIX, b"b%d-" % number).replace(MBI, _mbi(number))


def _mbi(number: int) -> bytes:
    """The first nine characters of the MBIs of one copy: of the same form, others for each of 20 * 10 * 20 copies."""
    letter, digit, another = LETTERS[number % 20], number // 20 % 10, LETTERS[number // 200 % 20]
    return f"1EG4{letter}M{digit}{another}M".encode()


def write(folder: Path, megabytes: int) -> int:
    """Writes the population so that its claims have about ``megabytes``; returns how many copies of the demo it holds."""
    folder.mkdir(parents=True, exist_ok=True)
    claims = (DEMO / "ExplanationOfBenefit.ndjson").read_bytes()
    count = max(1, megabytes * 1_000_000 // (len(claims) * REPEATS))
    for kind in TYPES:
        lines = (DEMO / f"{kind}.ndjson").read_bytes()
        with (folder / f"{kind}.ndjson").open("wb") as out:
            if kind == "ExplanationOfBenefit":
                lines = b"".join(lines.replace(b"-eob-", b"-eob%d-" % n) for n in range(REPEATS))
            out.writelines(copies(lines, count))
    return count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megabytes", type=int, default=2000)
    arguments = parser.parse_args()
    print(f"{write(arguments.folder, arguments.megabytes)} copies of the demo population")
