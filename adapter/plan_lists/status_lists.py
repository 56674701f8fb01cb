"""Hospice and ESRD from what a plan holds beside FHIR: a list of hospice stays (CSV), or MARx reply reports, told apart by content.

A reply report tells a status in two ways (mappings/measures/care_status.toml): by the reply codes that set and end it, and by the
indicator on any record, which tells it for the effective date of that record alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from adapter.errors import Fault, MappingError
from adapter.measures.settings import STATUSES, CareStatus, Marx
from adapter.plan_lists.csv_list import day_of, days_fault, lines_of
from adapter.plan_lists.marx import BOM, FORMS, ccyymmdd, is_report, raw_records
from adapter.plan_lists.marx_layout import FILE, MarxLayout, load_marx_layout
from adapter.plan_lists.rosters import bytes_of, files_of
from adapter.sources.quarantine import Rejected

COLUMNS = ("beneficiary", "mbi", "start", "end", "source")
FIELDS = ("mbi", "record_type", "effective_date", "transaction_date", "reply_code", *STATUSES)
Event = Literal["set", "ended", "seen"]
Row = dict[str, Any]


@dataclass(frozen=True)
class StatusFacts:
    """Rows of ``care_status.GIVEN``, what was refused, and what else is worth telling."""

    rows: list[Row]
    rejected: list[Rejected]
    notices: list[str]


@dataclass(frozen=True)
class _Told:
    """One record that tells a status of a person on a day."""

    mbi: str
    status: str
    day: date
    event: Event
    source: str


def read_statuses(path: Path, care: CareStatus, option: str) -> StatusFacts:
    """The facts in ``path``, a file or a folder of files: MARx reply reports, or lists of hospice stays (CSV) with ``--hospice``.

    With ``--at-risk`` only reply reports are asked; a roster of the at-risk tells no hospice. Raises ConfigError when a file
    cannot be read, MappingError when the layout of the reports lacks a field.
    """
    layout = _layout()
    rows: list[Row] = []
    rejected: list[Rejected] = []
    told: list[_Told] = []
    reports = 0
    for file in files_of(path, option):
        data = bytes_of(file, "list", option)
        if is_report(data, layout):
            reports += 1
            found, refused = _report(file.name, data, layout, care)
            told, rejected = told + found, rejected + refused
        elif option == "--hospice" and data.removeprefix(BOM).strip():
            read, refused = _list(file.name, data)
            rows, rejected = rows + read, rejected + refused
    rows += [row for one in _by_person(told).values() for row in _spells(one)]
    notices = [f"{reports} transaction reply reports tell hospice or ESRD in {len(told)} records"] if reports else []
    return StatusFacts(rows, rejected, notices)


def _layout() -> MarxLayout:
    layout = load_marx_layout()
    missing = [name for name in FIELDS if name not in {field.name for field in layout.fields}]
    if missing:
        raise MappingError(
            [Fault(FILE, f"fields.{name}", "the field is needed for hospice and ESRD; add it") for name in missing]
        )
    return layout


def _list(name: str, data: bytes) -> tuple[list[Row], list[Rejected]]:
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for number, cells, unformed in lines_of(name, data, COLUMNS, "list of hospice stays"):
        fault = unformed or _fault(cells)
        if fault is None:
            rows.append(_stay(cells, f"{name} row {number}"))
        else:
            rejected.append(Rejected(name, number, "hospice list", cells["beneficiary"], fault))
    return rows, rejected


def _fault(cells: Mapping[str, str]) -> str | None:
    if not cells["beneficiary"] and not cells["mbi"]:
        return "the row names nobody; give beneficiary or mbi"
    return days_fault(cells)


def _stay(cells: Mapping[str, str], source: str) -> Row:
    mbi = cells["mbi"].upper().replace("-", "").replace(" ", "")
    fact = f"hospice list{': ' if cells['source'] else ''}{cells['source']}"
    days = {"starts": day_of(cells["start"]), "ends": day_of(cells["end"])}
    beneficiary = cells["beneficiary"].removeprefix("Patient/")
    return {"beneficiary": beneficiary, "mbi": mbi, "status": "hospice", "fact": fact, "source": source, **days}


def _report(name: str, data: bytes, layout: MarxLayout, care: CareStatus) -> tuple[list[_Told], list[Rejected]]:
    """What the records of one report tell. A record without a usable MBI or day is refused only when it tells a status."""
    told: list[_Told] = []
    rejected: list[Rejected] = []
    for number, raw in raw_records(data, layout.record_length):
        if len(raw) != layout.record_length:
            fault = f"the record has {len(raw)} bytes instead of {layout.record_length}; get the report anew, as it was sent"
            rejected.append(Rejected(name, number, "DTRR", "", fault))
            continue
        cells = {field: raw[layout.field(field).place].decode("latin-1").strip() for field in FIELDS}
        if cells["record_type"] in layout.codes.record_type.values:
            found = list(_events(cells, care))
            unreadable = _record_fault(cells) if found else None
            if unreadable:
                rejected.append(Rejected(name, number, "DTRR", "", unreadable))
            else:
                source, day = f"{name} row {number}", _record_day(cells)
                told += [_Told(cells["mbi"], status, day, event, source) for status, event in found if day]
    return told, rejected


def _events(cells: Mapping[str, str], care: CareStatus) -> Iterator[tuple[str, Event]]:
    for status in STATUSES:
        marx: Marx = getattr(care, status).marx
        if cells["reply_code"] in marx.set_by:
            yield status, "set"
        elif cells["reply_code"] in marx.ended_by:
            yield status, "ended"
        elif cells[status] in marx.values:
            yield status, "seen"


def _record_day(cells: Mapping[str, str]) -> date | None:
    return ccyymmdd(cells["effective_date"]) or ccyymmdd(cells["transaction_date"])


def _record_fault(cells: Mapping[str, str]) -> str | None:
    if not FORMS["mbi"].fullmatch(cells["mbi"]):
        return "the MBI is malformed"
    return None if _record_day(cells) else "the record has neither an effective date nor a transaction date"


def _by_person(told: Iterable[_Told]) -> dict[tuple[str, str], list[_Told]]:
    order: dict[Event, int] = {"set": 0, "seen": 1, "ended": 2}
    persons: dict[tuple[str, str], list[_Told]] = {}
    for one in sorted(told, key=lambda one: (one.mbi, one.status, one.day, order[one.event], one.source)):
        persons.setdefault((one.mbi, one.status), []).append(one)
    return persons


def _spells(told: Iterable[_Told]) -> Iterator[Row]:
    """The times of one status of one person: from each set to the end that follows it, and the single days that are seen.

    An end without a beginning is told for its day; a second set before the end tells nothing new.
    """
    begun: _Told | None = None
    for one in told:
        if one.event == "set":
            begun = begun or one
        elif one.event == "ended":
            yield _row(begun or one, (begun or one).day, one.day)
            begun = None
        else:
            yield _row(one, one.day, one.day)
    if begun:
        yield _row(begun, begun.day, None)


def _row(told: _Told, starts: date, ends: date | None) -> Row:
    return {
        "beneficiary": "", "mbi": told.mbi, "status": told.status, "starts": starts, "ends": ends,
        "fact": "MARx transaction reply report", "source": told.source,
    }  # fmt: skip
