"""The National Provider Identifier and its check digit."""

from __future__ import annotations

import re

NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
_PREFIX = "80840"  # of the US health industry; the check digit is made over it and the number (45 CFR 162.406)


def is_npi(text: str) -> bool:
    """Whether ``text`` is ten digits of which the last is the Luhn check digit of "80840" and the others; US Core us-core-16 and -17."""
    return re.fullmatch(r"[0-9]{10}", text) is not None and _luhn(_PREFIX + text) % 10 == 0


def _luhn(digits: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total
