"""Prescription drugs that were ordered and, as far as the source tells, never reached the person."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from adapter.problems.hits import hits, texts
from adapter.problems.rules import Unfilled
from adapter.problems.taken import FILLS, written
from adapter.targeting.criteria import is_part_d


def unfilled(uses: ir.Table, rule: Unfilled, as_of: date) -> ir.Table:
    """Hits for each drug with an order of that age and no claim or dispense of the same ingredients up to ``as_of``.

    ``uses`` is the table of drug uses. Not decided: the source tells no fill at all of the person, the person filled a drug
    that no list knows, the drug ordered is on no list or can be bought without a prescription, or the date of the order
    leaves its age open.
    """
    fills = uses.filter(uses.kind.isin(FILLS) & (uses.day_first <= as_of).fill_null(True))
    of_drug = fills.select("beneficiary", "drug").distinct()
    of_person = fills.group_by("beneficiary").agg(any_unlisted=(~fills.listed).any())
    orders = uses.filter((uses.kind == "request") & is_part_d(uses).fill_null(True))
    orders = orders.mutate(
        youngest=ibis.date(as_of).delta(orders.day_last, unit="day"),
        oldest=ibis.date(as_of).delta(orders.day_first, unit="day"),
    )
    # The order that stands longest decides: a renewal does not make it younger.
    drugs = orders.group_by("beneficiary", "drug").agg(
        youngest=orders.youngest.max(),
        oldest=orders.oldest.max(),
        undated=orders.oldest.isnull().any(),
        listed=orders.listed.any(),
        otc=ibis.coalesce(orders.otc.max(where=orders.otc == "both"), ""),
        ordered=orders.day_first.min(),
        names=texts(orders.name),
        sources=texts(orders.source),
    )
    rows = drugs.anti_join(of_drug, ["beneficiary", "drug"]).left_join(of_person, "beneficiary")
    longest = rule.to_days if rule.to_days is not None else 10**6
    sure = (rows.youngest >= rule.from_days) & (rows.oldest <= longest) & ~rows.undated
    may = (rows.oldest >= rule.from_days) & (rows.youngest <= longest) | rows.undated
    known = rows.listed & (rows.otc == "") & ~rows.any_unlisted.fill_null(True)
    days = ibis.literal("ordered on ").concat(written(rows.ordered), ", ", rows.oldest.cast("string"), " days ago")
    rows = rows.mutate(
        item=rows.drug,
        certain=sure & known,
        ingredients=ibis.ifelse(rows.listed, rows.drug.split(";"), ibis.array([rows.drug])),
        fact=ibis.coalesce(days, "ordered, no day told").concat("; no claim and no dispense of it"),
    )
    return hits(rows.filter(may.fill_null(True)))
