"""What differs between two files, by beneficiary and element."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from adapter.reporting.sheet import IDENTIFYING, Sheet

COLUMNS = ("change", "mbi", "row_before", "row_after", "element", "field", "before", "after")


@dataclass(frozen=True)
class Change:
    """One cell that differs, or a beneficiary who is in one file only (then without element)."""

    change: Literal["added", "removed", "changed"]
    mbi: str | None
    row_before: int | None
    row_after: int | None
    element: str = ""
    field: str = ""
    before: str | None = None
    after: str | None = None

    def __str__(self) -> str:
        """The change in one line, without MBI and without what identifies a person."""
        if self.change == "added":
            return f"row {self.row_after} of the second file: not in the first"
        if self.change == "removed":
            return f"row {self.row_before} of the first file: not in the second"
        place = f"row {self.row_before} and {self.row_after}, element {self.element} ({self.field})"
        return (
            f"{place}: differs"
            if self.field in IDENTIFYING
            else f"{place}: {self.before or 'blank'} -> {self.after or 'blank'}"
        )


def changes(before: Sheet, after: Sheet) -> tuple[Change, ...]:
    """Every difference, in the order of the rows of the first file, then what only the second has.

    Beneficiaries are matched by contract and MBI, an MBI that stands several times in the order of its rows; elements by
    the name of their field, so that files of two years can be compared.
    """
    old, new = _keys(before), _keys(after)
    places = pc.index_in(old, value_set=new)
    found = [
        Change("removed", before.texts["mbi"][index].as_py(), index + 1, None)
        for index in pc.indices_nonzero(pc.is_null(places)).to_pylist()
    ]
    found += _cells(before, after, places)
    found.sort(key=lambda one: one.row_before or 0)
    added = pc.indices_nonzero(pc.invert(pc.is_in(new, value_set=old))).to_pylist()
    found += [Change("added", after.texts["mbi"][index].as_py(), None, index + 1) for index in added]
    return tuple(found)


def _cells(before: Sheet, after: Sheet, places: Any) -> Iterator[Change]:
    there = pc.indices_nonzero(pc.is_valid(places))
    matched = places.take(there)
    for field in before.layout.fields:
        if field.name not in before.texts.column_names or field.name not in after.texts.column_names:
            continue
        one, other = before.texts[field.name].take(there), after.texts[field.name].take(matched)
        differs = pc.not_equal(pc.fill_null(one, ""), pc.fill_null(other, ""))
        for at in pc.indices_nonzero(differs).to_pylist():
            rows = there[at].as_py(), matched[at].as_py()
            mbi = before.texts["mbi"][rows[0]].as_py()
            cells = one[at].as_py(), other[at].as_py()
            yield Change("changed", mbi, rows[0] + 1, rows[1] + 1, field.element, field.name, *cells)


def _keys(sheet: Sheet) -> Any:
    """Contract and MBI of each row, and the how manieth of the same it is."""
    texts = sheet.texts
    contract = (
        texts["contract_number"] if "contract_number" in texts.column_names else pa.nulls(sheet.count, pa.string())
    )
    key = pc.binary_join_element_wise(pc.fill_null(contract, ""), pc.fill_null(texts["mbi"], ""), "|")
    key = pa.chunked_array(key.chunks, pa.string()).combine_chunks() if isinstance(key, pa.ChunkedArray) else key
    if pc.count_distinct(key).as_py() == len(key):
        return key
    seen: Counter[str] = Counter()
    numbered = []
    for one in key.to_pylist():
        seen[one] += 1
        numbered.append(f"{one}|{seen[one]}" if seen[one] > 1 else one)
    return pa.array(numbered, pa.string())
