"""The edits across the records of one file: nobody twice, one contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from adapter.reporting.finding import Finding
from adapter.reporting.sheet import Sheet


def row_findings(sheet: Sheet, contract: str = "") -> Iterator[Finding]:
    """Every finding across records; ``contract`` is the one that the file is of, "" takes that of most records."""
    yield from _same_mbi(sheet)
    yield from _same_person(sheet)
    yield from _one_contract(sheet, contract)
    if not sheet.count and sheet.is_on("file_empty"):
        of = f" in {contract}" if contract else ""
        yield sheet.finding("file_empty", f"nobody was enrolled{of} in {sheet.year}: the file is empty")


def _same_mbi(sheet: Sheet) -> Iterator[Finding]:
    """One row per beneficiary and contract, reference/cms-rules.md 5."""
    if sheet.has("mbi"):
        twice = _repeated(sheet.texts["mbi"])
        rule = "the same MBI stands in another row of this file"
        yield from sheet.found("same_mbi", twice, sheet.layout.field("mbi"), rule)


def _same_person(sheet: Sheet) -> Iterator[Finding]:
    """The same name and birth date under two MBIs; with one MBI it is the edit before this."""
    names = ("last_name", "birth_date")
    if not sheet.has("mbi", *names):
        return
    first = sheet.texts["first_name"] if sheet.has("first_name") else pa.nulls(sheet.count, pa.string())
    parts = [sheet.texts["last_name"], pc.fill_null(first, ""), sheet.texts["birth_date"]]
    person = pc.utf8_upper(pc.binary_join_element_wise(*parts, "|"))  # NULL without last name or birth date
    several = pc.and_(_repeated(person), pc.invert(pc.fill_null(_repeated(sheet.texts["mbi"]), False)))
    rule = "another row has the same name and birth date under another MBI"
    yield from sheet.found("same_person", several, sheet.layout.field("last_name"), rule)


def _one_contract(sheet: Sheet, contract: str) -> Iterator[Finding]:
    field = sheet.layout.field("contract_number")
    if not field or not sheet.count or not sheet.has("contract_number"):
        return
    cells = sheet.texts["contract_number"]
    of = contract or _most(cells)
    rule = f"the row is of another contract than {of}, which the file is of"
    yield from sheet.found("contract_differs", pc.not_equal(cells, of), field, rule)


def _most(cells: Any) -> str:
    """The value that most cells have, of equals the first in alphabetical order."""
    counted = {item["values"]: item["counts"] for item in pc.value_counts(cells).to_pylist() if item["values"]}
    return min(counted, key=lambda value: (-counted[value], value), default="")


def _repeated(cells: Any) -> Any:
    """For each cell whether another one has the same value; NULL for an empty one."""
    if pc.count_distinct(cells).as_py() == len(cells) - cells.null_count:
        return pc.if_else(pc.is_valid(cells), False, None)
    coded = pa.chunked_array(cells.chunks).combine_chunks().dictionary_encode()
    counted = pc.value_counts(coded.indices).flatten()
    twice = counted[0].filter(pc.greater(counted[1], 1)).drop_null()
    return pc.if_else(pc.is_valid(coded.indices), pc.is_in(coded.indices, value_set=twice), None)
