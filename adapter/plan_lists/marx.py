"""The MARx Daily Transaction Reply Report (DTRR) from bytes to CARA records: who was told to be at risk, when, by which limit.

The positions and codes stand in ``mappings/layouts/marx/`` (``marx_layout.py``); what the records mean together, in
``marx_rule.py``. Names, birth dates and the like are never read, and no reason holds an MBI.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from adapter.plan_lists.marx_layout import USED, MarxLayout
from adapter.sources.quarantine import Rejected

BOM = b"\xef\xbb\xbf"
Kind = Literal["accepted", "new_plan", "deleted"]

_LINE_END = re.compile(rb"\r\n|\n|\r")
FORMS = {
    # As in CMS, Understanding the MBI, but S may stand second: so CMS marks the MBI of a synthetic person.
    "mbi": re.compile(r"[1-9][AC-HJKMNP-Y][0-9AC-HJKMNP-RT-Y]\d[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d[AC-HJKMNP-RT-Y]{2}\d\d"),
    "contract": re.compile(r"[HSRE]\d{4}"),
    "yn": re.compile(r"[YN]?"),
    "text": re.compile(r"[ -~]*"),
    "code": re.compile(r"[ -~]*"),
}  # fmt: skip
_FORM_FAULTS = {
    "mbi": "is malformed",
    "contract": "is no CMS contract number",
    "yn": "is neither Y, N nor blank",
    "date8": "is no date of the calendar",
}


@dataclass(frozen=True)
class Period:
    """Days from ``start`` to ``end``, both included; without start no period at all, without end an open one."""

    start: date | None = None
    end: date | None = None

    def overlaps(self, other: Period) -> bool:
        """Whether the two have a day in common."""
        if self.start is None or other.start is None:
            return False
        return self.start <= (other.end or date.max) and other.start <= (self.end or date.max)

    @property
    def reversed(self) -> bool:
        """Whether it ends before it starts."""
        return self.start is not None and self.end is not None and self.end < self.start


@dataclass(frozen=True)
class Record:
    """One CARA record that was accepted or deletes another."""

    kind: Kind
    updates: bool  # flag U
    mbi: str
    contract: str
    drug_class: str
    known: date  # transaction date: on which day the record became known
    effective: date | None
    notification: Period
    implementation: Period  # an open end already made the end of one year
    limited: bool  # at least one of POS edit, prescriber limitation, pharmacy limitation
    source: str  # FILE row N
    place: tuple[date, str, int] = (
        date.min,
        "",
        0,
    )  # day and name of the report, row: the order within one transaction date


@dataclass(frozen=True)
class Report:
    """The CARA records of one file, what was refused, and how many records there were of each other sort."""

    records: tuple[Record, ...]
    rejected: tuple[Rejected, ...]
    counts: Counter[str]  # records, other, refused, unknown


def is_report(data: bytes, layout: MarxLayout) -> bool:
    """Whether ``data`` is a DTRR by its content: one of its first lines has a contract and a reply code, or whole records."""
    head = data.removeprefix(BOM)[: layout.record_length * 20]
    return any(_is_record(line, layout) for line in _LINE_END.split(head) if line.strip())


def _is_record(line: bytes, layout: MarxLayout) -> bool:
    contract, reply = layout.field("contract").place, layout.field("reply_code").place
    if re.search(rb"[,;]", line[: max(contract.stop, reply.stop)]):  # a roster, not a report
        return False
    named = FORMS["contract"].fullmatch(line[contract].decode("latin-1")) is not None
    return len(line) % layout.record_length == 0 or (named and line[reply].isdigit())


def read_report(name: str, data: bytes, layout: MarxLayout) -> Report:
    """The CARA records of the report called ``name``. A record that cannot be read is refused with its row."""
    records: list[Record] = []
    rejected: list[Rejected] = []
    counts: Counter[str] = Counter()
    reader = _Reader(layout)
    for row, raw in raw_records(data, layout.record_length):
        counts["records"] += 1
        sort = reader.sort(raw)
        if sort == "cara":
            read = reader.record(raw, f"{name} row {row}")
            if isinstance(read, Record):
                records.append(replace(read, place=(date.min, name, row)))
            else:
                rejected.append(Rejected(name, row, "DTRR", "", read))
        elif sort == "length":
            fault = f"the record has {len(raw)} bytes instead of {layout.record_length}; get the report anew, as it was sent"
            rejected.append(Rejected(name, row, "DTRR", "", fault))
        else:
            counts[sort] += 1
    day = max((record.known for record in records), default=date.min)
    dated = tuple(replace(record, place=(day, name, record.place[2])) for record in records)
    return Report(dated, tuple(rejected), counts)


def raw_records(data: bytes, length: int) -> Iterator[tuple[int, bytes]]:
    """Row number and bytes of each record; a line of several whole records (a file without line ends) is cut into them."""
    row = 0
    for line in _LINE_END.split(data.removeprefix(BOM).rstrip(b"\x1a")):
        whole = bool(line) and len(line) % length == 0
        for start in range(0, len(line), length) if whole else (0,):
            row += 1
            record = line[start : start + length] if whole else line
            if record.strip():
                yield row, record


class _Reader:
    """Reads records by one layout."""

    def __init__(self, layout: MarxLayout) -> None:
        self.layout = layout
        self.places = {name: layout.field(name).place for name in USED}
        self.titles = {name: layout.field(name).title for name in USED}
        codes = layout.codes
        self.counted = {*codes.accepted.values, *codes.deleted.values}
        self.flags = {*codes.add.values, *codes.update.values, *codes.delete.values}

    def sort(self, raw: bytes) -> str:
        """What the record is: ``cara`` (to be read), or ``length``, ``other``, ``refused``, ``unknown`` (to be counted)."""
        if len(raw) != self.layout.record_length:
            return "length"
        codes = self.layout.codes
        cara = self._cell(raw, "record_type") in codes.record_type.values
        if not cara or self._cell(raw, "transaction_code") not in codes.transaction.values:
            return "other"
        reply = self._cell(raw, "reply_code")
        if reply in self.counted:
            return "cara"
        return "refused" if reply in codes.refused.values else "unknown"

    def _cell(self, raw: bytes, name: str) -> str:
        return raw[self.places[name]].decode("latin-1").strip()

    def record(self, raw: bytes, source: str) -> Record | str:
        """The record, or why it cannot be read in one sentence."""
        cells = {name: self._cell(raw, name) for name in USED}
        no_date = self.layout.codes.no_date.values
        dates = {name: cells[name] for name, kind in USED.items() if kind == "date8"}
        days = {name: ccyymmdd(text) if text not in no_date else None for name, text in dates.items()}
        wrong = [name for name in USED if name not in days and not FORMS[USED[name]].fullmatch(cells[name])]
        wrong += [name for name, text in dates.items() if text and text not in no_date and days[name] is None]
        if wrong:
            return f"the {self.titles[wrong[0]]} {_FORM_FAULTS.get(USED[wrong[0]], 'is not ASCII')}"
        if days["transaction_date"] is None:
            return "the record has no transaction date"
        record = self._made(cells, days, days["transaction_date"], source)
        return self._fault(record, cells["flag"]) or record

    def _made(self, cells: Mapping[str, str], days: Mapping[str, date | None], known: date, source: str) -> Record:
        start, end = days["implementation_start"], days["implementation_end"]
        return Record(
            kind=self._kind(cells["reply_code"], cells["flag"]),
            updates=cells["flag"] in self.layout.codes.update.values,
            mbi=cells["mbi"],
            contract=cells["contract"],
            drug_class=cells["drug_class"],
            known=known,
            effective=days["effective_date"],
            notification=Period(days["notification_start"], days["notification_end"]),
            implementation=Period(start, end or open_end(start, self.layout.open_years)),
            limited="Y" in (cells["pos_edit"], cells["prescriber_limit"], cells["pharmacy_limit"]),
            source=source,
        )

    def _kind(self, reply: str, flag: str) -> Kind:
        codes = self.layout.codes
        if reply in codes.deleted.values or flag in codes.delete.values:
            return "deleted"
        return "new_plan" if reply in codes.new_plan.values else "accepted"

    def _fault(self, record: Record, flag: str) -> str | None:
        if flag not in self.flags and (flag or record.kind == "accepted"):
            return f"the {self.titles['flag']} is none of {', '.join(sorted(self.flags))}"
        if record.kind == "deleted":
            return None
        if record.notification.reversed or record.implementation.reversed:
            return "a period of the record ends before it starts"
        dated = record.notification.start or record.implementation.start
        if record.kind == "accepted" and not dated and (record.limited or not record.updates):
            return "the record states neither the start of a notification nor of an implementation"
        return None


def open_end(start: date | None, years: int) -> date | None:
    """The last day of a limitation without an end: of ``years`` years that begin on ``start`` (42 CFR 423.153(f))."""
    if start is None or start.year + years > date.max.year:
        return None
    try:
        return start.replace(year=start.year + years) - timedelta(days=1)
    except ValueError:  # begun on 29 February
        return date(start.year + years, 2, 28)


def ccyymmdd(text: str) -> date | None:
    """The day of eight digits CCYYMMDD, or None."""
    if not re.fullmatch(r"[0-9]{8}", text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
