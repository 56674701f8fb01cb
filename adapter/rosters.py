"""The plan's roster of at-risk beneficiaries from CSV to rows, read as real exports are: byte-order mark, semicolons, blanks.

A row that cannot be read is refused with its line and reason; the rest goes on.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from adapter.errors import ConfigError
from adapter.quarantine import Rejected

COLUMNS = ("beneficiary", "mbi", "contract", "status", "start", "end", "source")
STATUSES = ("AR", "PAR")
DATE_FORMS = ("%Y-%m-%d", "%Y%m%d", "%m/%d/%Y")


def read_roster(path: Path) -> tuple[list[dict[str, Any]], list[Rejected]]:
    """The rows of the roster (beneficiary, mbi, contract, status, starts, ends, source) and those that were refused.

    Raises ConfigError when the file cannot be read or lacks a column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"There is no roster {path}; name an existing CSV file with --at-risk") from None
    except UnicodeDecodeError:
        raise ConfigError(f"The roster {path.name} is not UTF-8; save it as CSV UTF-8") from None
    lines = text.splitlines()
    delimiter = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    reader = csv.DictReader(lines, delimiter=delimiter)
    names = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise ConfigError(
            f"The roster {path.name} lacks the column {missing[0]}; its header must be {','.join(COLUMNS)}"
        )
    rows, rejected = [], []
    for row in reader:
        cells = {column: (row[names[column]] or "").strip() for column in COLUMNS}
        if not any(cells.values()):
            continue
        fault = _fault(cells)
        if fault is None:
            rows.append(_row(cells, f"{path.name} row {reader.line_num}"))
        else:
            rejected.append(Rejected(path.name, reader.line_num, "roster", cells["beneficiary"], fault))
    return rows, rejected


def _fault(cells: Mapping[str, str]) -> str | None:
    if not cells["beneficiary"] and not cells["mbi"]:
        return "the row names nobody; give beneficiary or mbi"
    if cells["status"].upper() not in STATUSES:
        return "the status is neither AR nor PAR"
    for column in ("start", "end"):
        if cells[column] and _day(cells[column]) is None:
            return f"the {column} is no date of the calendar"
    return None


def _row(cells: Mapping[str, str], source: str) -> dict[str, Any]:
    return {
        "beneficiary": cells["beneficiary"].removeprefix("Patient/"),
        "mbi": cells["mbi"].upper().replace("-", ""),
        "contract": cells["contract"].upper(),
        "status": cells["status"].upper(),
        "starts": _day(cells["start"]),
        "ends": _day(cells["end"]),
        "source": source,
    }


def _day(text: str) -> date | None:
    for form in DATE_FORMS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def strangers(rows: list[dict[str, Any]], ids: set[str], mbis: set[str]) -> list[Rejected]:
    """The roster rows whose person is not in the population."""
    return [
        Rejected(row["source"].rpartition(" row ")[0], int(row["source"].rpartition(" row ")[2]), "roster", row["beneficiary"],
                 "the person of this row is not in the source")
        for row in rows
        if (row["beneficiary"] not in ids if row["beneficiary"] else row["mbi"] not in mbis)
    ]  # fmt: skip
