"""The lineage of a file as cells: for each row and element the resources with their versions, and the rule that filled it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from adapter.errors import ReportError
from adapter.reporting.enrolled import SEVERAL
from adapter.reporting.form import Layout
from adapter.reporting.rules import RULES

ROWS_AT_ONCE = 20_000  # rows of the file in one row group of the lineage
_WORD = pa.dictionary(pa.int8(), pa.string())
SCHEMA = pa.schema([
    ("row", pa.int32()),  # of the file, from 1
    ("element", _WORD),
    ("field", _WORD),
    ("resources", pa.string()),  # Type/id/_history/version, joined by ";"
    ("rule", _WORD),
    ("citation", _WORD),
    ("standing", _WORD),
])  # fmt: skip


def cells(order: Any, parts: Iterable[Any], layout: Layout) -> Iterator[Any]:
    """Tables of ``SCHEMA``, row by row and within a row element by element.

    ``order`` are the beneficiaries of the rows, ``parts`` the tables of ``records.evidence``.
    """
    columns: dict[str, tuple[Any, Any]] = {}  # the values, and where in them each row finds its own
    for part in parts:
        place = pc.index_in(order, value_set=part["beneficiary"].combine_chunks())
        columns |= {name: (part[name].combine_chunks(), place) for name in part.column_names if name != "beneficiary"}
    for start in range(0, len(order), ROWS_AT_ONCE):
        batch = {name: values.take(place.slice(start, ROWS_AT_ONCE)) for name, (values, place) in columns.items()}
        yield _cells(pa.table(batch), start, layout)


def _cells(batch: Any, before: int, layout: Layout) -> Any:
    fields = [field for field in layout.fields if field.type != "filler"]
    unknown = [field.name for field in fields if field.name not in RULES]
    if unknown:
        raise ReportError(
            f"the layout {layout.name} has the field {unknown[0]!r}, which no rule fills; give it the type filler"
        )
    size, wide = batch.num_rows, len(fields)
    resources: dict[tuple[tuple[str, ...], bool], Any] = {}
    for rule in {(RULES[field.name].evidence, RULES[field.name].first_only) for field in fields}:
        resources[rule] = _resources(batch, *rule)
    order, rows = _order(size, wide)
    by_field = [resources[RULES[field.name].evidence, RULES[field.name].first_only] for field in fields]
    said: list[Callable[[Any], str]] = [
        lambda field: field.element, lambda field: field.name, lambda field: RULES[field.name].text,
        lambda field: RULES[field.name].citation, lambda field: RULES[field.name].standing,
    ]  # fmt: skip
    element, name, rule_text, citation, standing = (_repeated([of(field) for field in fields], size) for of in said)
    columns = [
        pc.add(rows, pa.scalar(before + 1, pa.int32())), element, name, pa.concat_arrays(by_field).take(order),
        rule_text, citation, standing,
    ]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _resources(batch: Any, evidence: tuple[str, ...], first_only: bool) -> Any:
    """The resources of one rule for each row; the enrollments where there are none."""
    columns = [batch[name].combine_chunks() for name in evidence]
    if len(columns) == 1 or first_only:
        joined = pc.coalesce(*columns)
    else:
        joined = pc.binary_join_element_wise(*columns, SEVERAL, null_handling="replace", null_replacement="")
        joined = pc.utf8_trim(joined, characters=SEVERAL)
        joined = pc.if_else(pc.equal(joined, ""), None, joined)
    filled = pc.coalesce(joined, batch["enrollments"].combine_chunks())
    return filled.cast(pa.string())


@lru_cache(maxsize=2)
def _order(size: int, wide: int) -> tuple[Any, Any]:
    """Where in the columns of one field after the other each cell of one row after the other stands, and its row."""
    order = pa.array([field * size + row for row in range(size) for field in range(wide)], pa.int32())
    return order, pa.array([row for row in range(size) for _ in range(wide)], pa.int32())


def _repeated(words: list[str], size: int) -> Any:
    """``words`` once for each row, as a dictionary."""
    distinct = list(dict.fromkeys(words))
    codes = [distinct.index(word) for word in words]
    return pa.DictionaryArray.from_arrays(_tiled(tuple(codes), size), pa.array(distinct))


@lru_cache(maxsize=16)
def _tiled(codes: tuple[int, ...], size: int) -> Any:
    return pa.array(codes * size, pa.int8())
