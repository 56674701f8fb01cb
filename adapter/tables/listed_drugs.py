"""What belongs on the Personal Medication List of each beneficiary: every drug, OTC, vitamin and herbal that is taken."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from adapter.targeting.program import Window
from adapter.targeting.windows import in_window


def listed_drugs(uses: ir.Table, window: Window, as_of: date) -> ir.Table:
    """One row per beneficiary and drug on ``as_of``.

    Columns: beneficiary, drug, name, codings (system, code, display), statement (an active MedicationStatement, or ""), sources,
    since and latest (dates as text, "" when not told), kind (rx, both, otc, vitamin, mineral, herbal, other_supplement, unknown).
    OTC and supplements belong on the list though they do not count for targeting. 42 CFR 423.153(d)(1)(vii)(D).
    """
    rows = uses.filter(in_window(uses, window, as_of).fill_null(True))
    rows = rows.mutate(
        coding=rows.codings.map(
            lambda c: ibis.struct({"system": c["system"], "code": c["code"], "display": c["display"]})
        )
    )
    statement = rows.kind == "statement"
    grouped = rows.group_by("beneficiary", "drug").agg(
        name=ibis.coalesce(rows.name.min(where=statement), rows.name.min()),
        codings=rows.coding.collect(distinct=True).flatten().unique().sort(),
        statement=ibis.coalesce(rows.source.min(where=statement), ""),
        sources=rows.source.collect(distinct=True, order_by="source"),
        since=ibis.coalesce(_written(rows).min(), ""),
        latest=ibis.coalesce(_written(rows).max(), ""),
        supplement=rows.supplement.max(),
        otc=ibis.coalesce(rows.otc.max(), ibis.ifelse(rows.listed.any(), "rx", "unknown")),
    )
    kind = ibis.ifelse(grouped.supplement != "", grouped.supplement, grouped.otc)
    return grouped.mutate(kind=kind).drop("supplement", "otc").order_by("beneficiary", "drug")


def _written(rows: ir.Table) -> ir.StringValue:
    """The date as its source gave it, told by the days that it can mean: a year, a month, or a day. NULL when not told."""
    first, last = rows.day_first, rows.day_last
    month = (first + ibis.interval(months=1) - ibis.interval(days=1)).cast("date")
    text = first.cast("string")
    return ibis.cases((first == last, text), (last == month, text.left(7)), else_=text.left(4))
