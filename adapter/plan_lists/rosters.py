"""At-risk beneficiaries from the file or folder of ``--at-risk``: the plan's roster (CSV) or MARx reports (DTRR), by content.

A roster is read as real exports are: byte-order mark, semicolons, quoted cells, blanks. A row that cannot be read is refused
with its line and reason; the rest goes on.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from adapter.errors import ConfigError
from adapter.plan_lists.csv_list import day_of, days_fault, delimiter_of, lines_of
from adapter.plan_lists.marx import BOM, Report, is_report, read_report
from adapter.plan_lists.marx_layout import load_marx_layout
from adapter.plan_lists.marx_rule import roster_rows, standing
from adapter.sources.quarantine import Rejected, open_lines
from adapter.targeting.program import is_contract

COLUMNS = ("beneficiary", "mbi", "contract", "status", "start", "end", "source")
STATUSES = ("AR", "PAR")


@dataclass(frozen=True)
class AtRiskFacts:
    """What a roster or MARx reports say: rows of the at-risk table, what was refused, what else is worth telling."""

    rows: list[dict[str, Any]]
    rejected: list[Rejected]
    notices: list[str]
    hashes: dict[str, str] = field(default_factory=dict)  # SHA-256 of the content of each file, unpacked, by its name


def read_at_risk(path: Path, as_of: date) -> AtRiskFacts:
    """The at-risk facts in ``path``, a file or a folder of files, as they were known on ``as_of``.

    Each file is a CSV roster or a DTRR by its content. The reports are read together, in the order of their transaction dates;
    a record with a transaction date after ``as_of`` does not count. Raises ConfigError when a file cannot be read or is neither,
    MappingError when the layout of the DTRR has a fault.
    """
    rows: list[dict[str, Any]] = []
    rejected: list[Rejected] = []
    reports: list[Report] = []
    hashes: dict[str, str] = {}
    layout = cache(load_marx_layout)  # asked for only when a file is no roster by its header
    for file in files_of(path):
        data = bytes_of(file)
        hashes[file.name] = sha256(data).hexdigest()
        if path.is_dir() and not data.removeprefix(BOM).strip():
            reports.append(Report((), (), Counter(empty=1)))  # a day without transactions
        elif not _has_header(data) and is_report(data, layout()):
            reports.append(read_report(file.name, data, layout()))
        else:
            found, refused = _read_csv(file.name, data)
            rows, rejected = rows + found, rejected + refused
    made = _resolved(reports, as_of, layout().open_years) if reports else AtRiskFacts([], [], [])
    return AtRiskFacts(rows + made.rows, rejected + made.rejected, made.notices, hashes)


def read_roster(path: Path) -> tuple[list[dict[str, Any]], list[Rejected]]:
    """The rows of the CSV roster (beneficiary, mbi, contract, status, starts, ends, source) and those that were refused.

    Raises ConfigError when the file cannot be read or lacks a column.
    """
    return _read_csv(path.name, bytes_of(path))


def files_of(path: Path, option: str = "--at-risk") -> list[Path]:
    """The file itself, or the files of a folder by name, without hidden ones. Raises ConfigError when a folder holds none."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    if not files:
        raise ConfigError(f"The folder {path} holds no file; give a folder of DTRR files, or a list, with {option}")
    return files


def bytes_of(path: Path, what: str = "roster", option: str = "--at-risk") -> bytes:
    """What the file holds, unpacked. Raises ConfigError when it cannot be read."""
    try:
        with open_lines(path) as stream:
            return stream.read()
    except FileNotFoundError:
        raise ConfigError(f"There is no {what} {path}; name an existing CSV file or DTRR with {option}") from None
    except (OSError, EOFError, zlib.error) as error:
        why = type(error).__name__
        raise ConfigError(
            f"The {what} {path.name} cannot be read ({why}); name a file that can be with {option}"
        ) from None


def _resolved(reports: Sequence[Report], as_of: date, open_years: int) -> AtRiskFacts:
    """The facts of all ``reports`` together."""
    records = [record for report in reports for record in report.records]
    now = standing(records, as_of, open_years)
    rejected = [refused for report in reports for refused in report.rejected]
    fault = "the notice to the new plan states no limitation and no period, and no other report here does"
    rejected += [Rejected(record.place[1], record.place[2], "DTRR", "", fault) for record in now.untold]
    counts = sum((report.counts for report in reports), now.counts.copy())
    return AtRiskFacts(roster_rows(now.records), rejected, list(_notices(counts, as_of)))


def _notices(counts: Counter[str], as_of: date) -> Iterator[str]:
    yield (
        f"the transaction reply reports hold {counts['records']} records: {counts['known'] + counts['later']} accepted or deleted "
        f"CARA records, {counts['refused']} refusals and notes, {counts['other']} of other transactions"
    )
    if counts["later"]:
        yield f"{counts['later']} CARA records have a transaction date after {as_of} and do not count"
    if counts["unknown"]:
        yield f"{counts['unknown']} CARA records have a reply code that the layout does not name and do not count"
    if counts["unmet"]:
        yield f"{counts['unmet']} deletions meet no accepted record; give the earlier reports too if the folder lacks some"
    if counts["empty"]:
        yield f"{counts['empty']} files of the reports are empty"


def _has_header(data: bytes) -> bool:
    """Whether the first line names columns of a roster."""
    first = next(iter(data.removeprefix(BOM).splitlines()), b"").decode("latin-1")
    return len({name.strip().strip('"').lower() for name in first.split(delimiter_of(first))} & set(COLUMNS)) > 1


def _read_csv(name: str, data: bytes) -> tuple[list[dict[str, Any]], list[Rejected]]:
    rows: list[dict[str, Any]] = []
    rejected: list[Rejected] = []
    for number, cells, unformed in lines_of(name, data, COLUMNS, "roster"):
        fault = unformed or _fault(cells)
        if fault is None:
            rows.append(_row(cells, f"{name} row {number}"))
        else:
            rejected.append(Rejected(name, number, "roster", cells["beneficiary"], fault))
    return _distinct(rows), rejected


def _fault(cells: Mapping[str, str]) -> str | None:
    if not cells["beneficiary"] and not cells["mbi"]:
        return "the row names nobody; give beneficiary or mbi"
    if cells["status"].upper() not in STATUSES:
        return "the status is neither AR nor PAR"
    if cells["contract"] and not is_contract(cells["contract"].upper()):
        return "the contract is no CMS contract number such as H1234"
    return days_fault(cells)


def _row(cells: Mapping[str, str], source: str) -> dict[str, Any]:
    return {
        "beneficiary": cells["beneficiary"].removeprefix("Patient/"),
        "mbi": cells["mbi"].upper().replace("-", "").replace(" ", ""),
        "contract": cells["contract"].upper(),
        "status": cells["status"].upper(),
        "starts": day_of(cells["start"]),
        "ends": day_of(cells["end"]),
        "source": source,
    }


def _distinct(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without those that say again what one before them says."""
    first: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        first.setdefault(tuple(value for column, value in row.items() if column != "source"), row)
    return list(first.values())


def strangers(rows: list[dict[str, Any]], ids: set[str], mbis: set[str]) -> list[Rejected]:
    """The roster rows whose person is not in the population, each once."""
    unknown = [row for row in rows if row["beneficiary"] not in ids and row["mbi"] not in mbis]
    places = {row["source"]: row["beneficiary"] for row in unknown}
    return [
        Rejected(name, int(number), "roster", beneficiary, "the person of this row is not in the source")
        for source, beneficiary in places.items()
        for name, _, number in [source.rpartition(" row ")]
    ]
