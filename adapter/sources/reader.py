"""Reads the resources of a snapshot type by type: strictly first, line by line only where that stops; what is refused is listed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import ibis.expr.types as ir

from adapter.engines.backend import Backend, ReadFault
from adapter.fhir.json import dump_line, loads
from adapter.sources.quarantine import Rejected, sift
from adapter.sources.snapshot import Snapshot
from adapter.tables.shapes import SHAPES


class Reader:
    """Reads one resource type after the other: strictly, counts what there is, lists what is refused."""

    def __init__(self, engine: Backend, snapshot: Snapshot) -> None:
        self.engine = engine
        self.snapshot = snapshot
        self.rejected: list[Rejected] = list(snapshot.rejected)
        self.counts: dict[str, int] = {}

    def good(self, resource_type: str, reader: Callable[[ir.Table], ir.Table]) -> ir.Table:
        """The rows that ``reader`` makes of the resources, with ``fault``; those with a fault are noted as rejected."""
        rows = self._kept(resource_type, reader)
        self.counts[resource_type] = self.engine.count(rows)
        faulty = self.engine.records(partial(_faulty, rows))
        judge = partial(self._judged, resource_type, reader)
        self.rejected += self.snapshot.located(resource_type, faulty, judge)
        return rows

    def _judged(
        self, resource_type: str, reader: Callable[[ir.Table], ir.Table], lines: list[bytes]
    ) -> list[str | None]:
        """The fault of each line, found by reading each as a resource of its own."""
        path = self.snapshot.scratch / f"{resource_type}.judged.ndjson"
        path.write_bytes(b"".join(dump_line({**loads(line), "id": f"line-{n}"}) for n, line in enumerate(lines)))
        rows = self.engine.keep(reader(self.engine.read_ndjson([path], SHAPES[resource_type], sifted=True)), "judged")
        faults = {row["id"]: row["fault"] for row in self.engine.records(rows.select("id", "fault"))}
        return [faults.get(f"line-{n}") for n in range(len(lines))]

    def _kept(self, resource_type: str, reader: Callable[[ir.Table], ir.Table]) -> ir.Table:
        """The rows of a strict read; only when that stops are the lines sifted one by one and the clean ones read."""
        shape, paths = SHAPES[resource_type], self.snapshot.paths(resource_type)
        try:
            raw = self.engine.read_ndjson(paths, shape, resource_type)
            return self.engine.keep(partial(reader, raw), resource_type)
        except ReadFault:
            clean, refused = sift(paths, resource_type, self.snapshot.scratch)
            self.rejected += self.snapshot.placed(refused)
            raw = self.engine.read_ndjson(clean, shape, resource_type, sifted=True)
            return self.engine.keep(partial(reader, raw), resource_type)

    def note_missing(self, uses: ir.Table) -> None:
        """Lists the orders whose Medication the source does not hold: their drug is unknown, which the criteria take into account."""
        for row in self.engine.records(partial(_missing, uses)):
            resource_type, _, resource_id = row["source"].partition("/")
            fault = f"the medication {row['missing']} is not in the source; the drug counts as unknown"
            self.rejected += self.snapshot.located(resource_type, [{"id": resource_id, "fault": fault}])


def _missing(uses: ir.Table) -> ir.Table:
    return uses.filter(uses.missing.notnull()).select("source", "missing").distinct().order_by("source")


def _faulty(rows: ir.Table) -> ir.Table:
    return rows.filter(rows.fault.notnull()).select("id", "fault").order_by("id", "fault")
