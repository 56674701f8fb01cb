"""What every kind of rule gives: one row per problem, or per problem that cannot be decided."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

HIT = ("beneficiary", "item", "certain", "ingredients", "names", "fact", "sources")
NO_TEXTS = ibis.literal([], type="array<string>")


def hits(rows: ir.Table) -> ir.Table:
    """``rows`` with the columns of a hit, in their order.

    ``item`` tells several problems of one rule and person apart (a group, a drug); ``certain`` is False when the data leave
    open whether there is a problem; ``ingredients`` and ``names`` are of the drugs concerned; ``fact`` is for a person to read.
    """
    texts = {name: ibis.coalesce(rows[name], NO_TEXTS) for name in ("ingredients", "names", "sources")}
    return rows.mutate(**texts).select(*HIT)


def texts(column: ir.StringValue, where: ir.BooleanValue | None = None) -> ir.ArrayValue:
    """The distinct values of ``column`` in a group, sorted; NULL when there is none."""
    kept = column.notnull() if where is None else column.notnull() & where
    return column.collect(distinct=True, order_by=column, where=kept)
