"""Gaps in taking the drugs of a Star adherence measure, in the year so far."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from adapter.problems.hits import hits
from adapter.problems.rules import Adherence
from adapter.problems.taken import written

UNDECIDED = "age_unknown"


def adherence(covered: ir.Table, rule: Adherence) -> ir.Table:
    """Hits for a proportion of days covered below the threshold. ``covered`` is the table of ``measures.pdc.pdc``.

    Not decided: the birth date is not known, or a fill without full date or days supply may lift it. A drug that no list
    knows is no fill of the measure.
    """
    rows = covered.filter((covered.measure == rule.measure) & covered.excluded.isin(["", UNDECIDED]))
    low = (rows.days_covered * 100 < rows.days * rule.threshold).fill_null(True)
    rows = rows.filter(low)
    percent = (rows.days_covered * 100 / rows.days).floor().cast("int64").cast("string")
    said = percent.concat("% of days covered: ", rows.days_covered.cast("string"), " of ", rows.days.cast("string"))
    return hits(
        rows.mutate(
            item=ibis.literal(rule.measure),
            certain=(rows.excluded == "") & ~rows.undecided,
            ingredients=ibis.literal([], type="array<string>"),  # another drug of the class is not another problem
            fact=ibis.coalesce(
                said.concat(" days since ", written(rows.first_fill), ", ", rows.fills.cast("string"), " fills"),
                "no fill with a full date",
            ),
        )
    )
