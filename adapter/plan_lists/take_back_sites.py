"""Take-back sites near each member, from a CSV file of the plan: 42 CFR 422.111(j)(4) asks for two or more in the community.

Columns: ``beneficiary`` (Patient id) or ``zip`` (five digits), ``name``, ``address``, ``phone``, ``hours``. Rows of a beneficiary go
before those of the ZIP code.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapter.documents.characters import clean
from adapter.documents.view import Member, Site
from adapter.errors import ConfigError

COLUMNS = ("beneficiary", "zip", "name", "address", "phone", "hours")
_ZIP = re.compile(r"\d{5}")


@dataclass(frozen=True)
class Sites:
    """The sites by beneficiary and by ZIP code."""

    of_beneficiary: Mapping[str, tuple[Site, ...]]
    of_zip: Mapping[str, tuple[Site, ...]]

    def near(self, member: Member) -> tuple[Site, ...]:
        """The sites of the member: those given for the member, else those of the ZIP code of the address."""
        return self.of_beneficiary.get(member.key) or self.of_zip.get(member.zip_code, ())


NO_SITES = Sites({}, {})


def read_sites(path: Path) -> Sites:
    """The sites in the file. Raises ConfigError with every fault, each with its row."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            f"The file {path} of take-back sites cannot be read as UTF-8; give another one with --sites"
        ) from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if sorted(reader.fieldnames or ()) != sorted(COLUMNS):
        raise ConfigError(f"{path.name}: the header must name the columns {', '.join(COLUMNS)} and no others")
    of_beneficiary: dict[str, list[Site]] = {}
    of_zip: dict[str, list[Site]] = {}
    faults = []
    for number, raw in enumerate(reader, start=2):
        row = {name: clean(raw.get(name) or "") for name in COLUMNS}
        fault = _fault(row, None in raw)
        if fault:
            faults.append(f"{path.name}: row {number}: {fault}")
            continue
        site = Site(row["name"], row["address"], row["phone"], row["hours"])
        place = (
            of_beneficiary.setdefault(row["beneficiary"], [])
            if row["beneficiary"]
            else of_zip.setdefault(row["zip"], [])
        )
        place.extend([] if site in place else [site])
    if faults:
        raise ConfigError("\n".join(faults))
    return Sites(
        {key: tuple(sites) for key, sites in of_beneficiary.items()},
        {key: tuple(sites) for key, sites in of_zip.items()},
    )


def _fault(row: Mapping[str, str], too_long: bool) -> str:
    if too_long:
        return f"it has more cells than the {len(COLUMNS)} of the header; quote a cell that holds a comma"
    if not row["beneficiary"] and not _ZIP.fullmatch(row["zip"]):
        return "it names no beneficiary and no ZIP code of five digits; fill in one of them"
    if row["beneficiary"] and row["zip"]:
        return "it names a beneficiary and a ZIP code; keep one of them"
    empty = [name for name in ("name", "address") if not row[name]]
    return f"{' and '.join(empty)} is empty; fill it in" if empty else ""
