"""At-risk beneficiaries from the file or folder of ``--at-risk``: the plan's roster (CSV) or MARx reports (DTRR), by content.

A roster is read as real exports are: byte-order mark, semicolons, quoted cells, blanks. A row that cannot be read is refused
with its line and reason; the rest goes on.
"""

from __future__ import annotations

import csv
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from adapter.errors import ConfigError
from adapter.marx import BOM, Report, is_report, read_report
from adapter.marx_layout import load_marx_layout
from adapter.marx_rule import roster_rows, standing
from adapter.quarantine import Rejected, open_lines
from adapter.targeting.program import is_contract

COLUMNS = ("beneficiary", "mbi", "contract", "status", "start", "end", "source")
STATUSES = ("AR", "PAR")
DATE_FORMS = (  # year, month, day
    re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"),
    re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"),
    re.compile(r"(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})"),
)


@dataclass(frozen=True)
class AtRiskFacts:
    """What a roster or MARx reports say: rows of the at-risk table, what was refused, what else is worth telling."""

    rows: list[dict[str, Any]]
    rejected: list[Rejected]
    notices: list[str]


def read_at_risk(path: Path, as_of: date) -> AtRiskFacts:
    """The at-risk facts in ``path``, a file or a folder of files, as they were known on ``as_of``.

    Each file is a CSV roster or a DTRR by its content. The reports are read together, in the order of their transaction dates;
    a record with a transaction date after ``as_of`` does not count. Raises ConfigError when a file cannot be read or is neither,
    MappingError when the layout of the DTRR has a fault.
    """
    rows: list[dict[str, Any]] = []
    rejected: list[Rejected] = []
    reports: list[Report] = []
    layout = cache(load_marx_layout)  # asked for only when a file is no roster by its header
    for file in _files(path):
        data = _bytes(file)
        if path.is_dir() and not data.removeprefix(BOM).strip():
            reports.append(Report((), (), Counter(empty=1)))  # a day without transactions
        elif not _has_header(data) and is_report(data, layout()):
            reports.append(read_report(file.name, data, layout()))
        else:
            found, refused = _read_csv(file.name, data)
            rows, rejected = rows + found, rejected + refused
    made = _resolved(reports, as_of, layout().open_years) if reports else AtRiskFacts([], [], [])
    return AtRiskFacts(rows + made.rows, rejected + made.rejected, made.notices)


def read_roster(path: Path) -> tuple[list[dict[str, Any]], list[Rejected]]:
    """The rows of the CSV roster (beneficiary, mbi, contract, status, starts, ends, source) and those that were refused.

    Raises ConfigError when the file cannot be read or lacks a column.
    """
    return _read_csv(path.name, _bytes(path))


def _files(path: Path) -> list[Path]:
    """The file itself, or the files of a folder by name, without hidden ones."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    if not files:
        raise ConfigError(f"The folder {path} holds no file; give a folder of DTRR files, or a roster, with --at-risk")
    return files


def _bytes(path: Path) -> bytes:
    try:
        with open_lines(path) as stream:
            return stream.read()
    except FileNotFoundError:
        raise ConfigError(f"There is no roster {path}; name an existing CSV file or DTRR with --at-risk") from None
    except (OSError, EOFError, zlib.error) as error:
        why = type(error).__name__
        raise ConfigError(
            f"The roster {path.name} cannot be read ({why}); name a file that can be with --at-risk"
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
    return len({name.strip().strip('"').lower() for name in first.split(_delimiter(first))} & set(COLUMNS)) > 1


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _read_csv(name: str, data: bytes) -> tuple[list[dict[str, Any]], list[Rejected]]:
    try:
        lines = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    except UnicodeDecodeError:
        raise ConfigError(f"The roster {name} is not UTF-8; save it as CSV UTF-8") from None
    delimiter = _delimiter(lines[0])
    header = _cells(lines[0], delimiter) or []
    columns = _columns(name, header)
    needed = 1 + max(at for column, at in columns.items() if column != "source")  # where it came from may lack
    rows: list[dict[str, Any]] = []
    rejected: list[Rejected] = []
    for number, line in enumerate(lines[1:], start=2):
        found = _cells(line, delimiter)
        if found is not None and not any(found):
            continue
        row = {column: found[at] if found and at < len(found) else "" for column, at in columns.items()}
        fault = _form_fault(found, len(header), needed) or _fault(row)
        if fault is None:
            rows.append(_row(row, f"{name} row {number}"))
        else:
            rejected.append(Rejected(name, number, "roster", row["beneficiary"], fault))
    return _distinct(rows), rejected


def _cells(line: str, delimiter: str) -> list[str] | None:
    """The cells of one line without blanks around them, or None when its quotes do not pair."""
    try:
        return [
            cell.strip()
            for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True), [])
        ]
    except csv.Error:
        return None


def _columns(name: str, header: Sequence[str]) -> dict[str, int]:
    """Where each column stands in the header. Raises ConfigError when one lacks or stands twice."""
    titles = [title.lower() for title in header]
    for column in COLUMNS:
        if titles.count(column) != 1:
            what = "names twice" if column in titles else "lacks" if any(titles) else "is empty and lacks"
            raise ConfigError(f"The roster {name} {what} the column {column}; its header must be {','.join(COLUMNS)}")
    return {column: titles.index(column) for column in COLUMNS}


def _form_fault(cells: Sequence[str] | None, width: int, needed: int) -> str | None:
    """Why a row cannot be told apart into its columns; blank cells beyond the last column do no harm."""
    if cells is None:
        return "the quotes do not pair on this line; write each row on one line and a quote within a cell twice"
    if any(cells[width:]) or len(cells) < needed:
        return f"the row has {len(cells)} cells, the header {width}; quote a cell that holds the delimiter"
    return None


def _fault(cells: Mapping[str, str]) -> str | None:
    if not cells["beneficiary"] and not cells["mbi"]:
        return "the row names nobody; give beneficiary or mbi"
    if cells["status"].upper() not in STATUSES:
        return "the status is neither AR nor PAR"
    if cells["contract"] and not is_contract(cells["contract"].upper()):
        return "the contract is no CMS contract number such as H1234"
    for column in ("start", "end"):
        if cells[column] and _day(cells[column]) is None:
            return f"the {column} is no date of the calendar"
    starts, ends = _day(cells["start"]), _day(cells["end"])
    if starts is not None and ends is not None and ends < starts:
        return "the end lies before the start"
    return None


def _row(cells: Mapping[str, str], source: str) -> dict[str, Any]:
    return {
        "beneficiary": cells["beneficiary"].removeprefix("Patient/"),
        "mbi": cells["mbi"].upper().replace("-", "").replace(" ", ""),
        "contract": cells["contract"].upper(),
        "status": cells["status"].upper(),
        "starts": _day(cells["start"]),
        "ends": _day(cells["end"]),
        "source": source,
    }


def _distinct(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without those that say again what one before them says."""
    first: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        first.setdefault(tuple(value for column, value in row.items() if column != "source"), row)
    return list(first.values())


def _day(text: str) -> date | None:
    for form in DATE_FORMS:
        if found := form.fullmatch(text):
            try:
                return date(int(found["year"]), int(found["month"]), int(found["day"]))
            except ValueError:
                return None
    return None


def strangers(rows: list[dict[str, Any]], ids: set[str], mbis: set[str]) -> list[Rejected]:
    """The roster rows whose person is not in the population, each once."""
    unknown = [row for row in rows if row["beneficiary"] not in ids and row["mbi"] not in mbis]
    places = {row["source"]: row["beneficiary"] for row in unknown}
    return [
        Rejected(name, int(number), "roster", beneficiary, "the person of this row is not in the source")
        for source, beneficiary in places.items()
        for name, _, number in [source.rpartition(" row ")]
    ]
