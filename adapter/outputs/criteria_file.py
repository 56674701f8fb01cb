"""criteria.parquet: one row per beneficiary and criterion, with its evidence as a list.

The facts come from the backend flat and in order, so the lists are cut out of one stream: half the work of a grouping into lists.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adapter.engines.backend import Backend

ROWS = 4_000  # of the file that are put together at once

_FACT = ("item", "fact", "source")
_ENTRY = pa.struct([pa.field(name, pa.string()) for name in _FACT])


def write_criteria(engine: Backend, criteria: ir.Table, evidence: ir.Table, path: Path) -> None:
    """Writes ``criteria`` (see ``evaluate.criterion_rows``) with their ``evidence`` (``evaluate.evidence_rows``) to ``path``.

    Sorted by beneficiary and criterion, the evidence of each by item, fact and source; the caller renames the file into place.
    """
    rows = engine.arrow(partial(_counted, criteria, evidence))
    plain = rows.drop_columns(["facts"])
    schema = plain.schema.append(pa.field("evidence", pa.list_(_ENTRY)))
    with (
        engine.stream(partial(_in_order, evidence)) as reader,
        pq.ParquetWriter(path, schema, compression="zstd") as out,
    ):
        facts = _Facts(reader)
        for start in range(0, max(rows.num_rows, 1), ROWS):
            counts = rows["facts"].slice(start, ROWS)
            part = plain.slice(start, ROWS).append_column("evidence", _lists(facts, counts))
            out.write_table(part.cast(schema))


def _counted(criteria: ir.Table, evidence: ir.Table) -> ir.Table:
    """The criteria in order, each with the number of its facts."""
    counts = evidence.group_by("beneficiary", "criterion").agg(facts=evidence.count())
    joined = criteria.left_join(counts, ["beneficiary", "criterion"])
    rows = joined.select(*criteria.columns, facts=ibis.coalesce(joined.facts, 0))
    return rows.order_by("beneficiary", "criterion")


def _in_order(evidence: ir.Table) -> ir.Table:
    return evidence.order_by("beneficiary", "criterion", *_FACT).select(*_FACT)


def _lists(facts: _Facts, counts: pa.ChunkedArray) -> pa.ListArray:
    """The next facts as one list for each of ``counts``."""
    ends = pc.cumulative_sum(counts.combine_chunks().cast(pa.int32()))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    return pa.ListArray.from_arrays(offsets, facts.take(offsets[-1].as_py()))


class _Facts:
    """A stream of facts, of which any number can be taken from the front."""

    def __init__(self, reader: pa.RecordBatchReader) -> None:
        self._reader = reader
        self._ready = reader.schema.empty_table()

    def take(self, number: int) -> pa.StructArray:
        """The next ``number`` facts."""
        waiting = [self._ready]
        while sum(table.num_rows for table in waiting) < number:
            waiting.append(pa.Table.from_batches([self._reader.read_next_batch()]))
        ready = pa.concat_tables(waiting)
        taken, self._ready = ready.slice(0, number), ready.slice(number)
        arrays = [taken[name].combine_chunks().cast(pa.string()) for name in _FACT]
        return pa.StructArray.from_arrays(arrays, fields=list(_ENTRY))
