"""Who is one step short of the core door: one disease, one drug, or at most a tenth of the cost.

A near miss is no decision. It shows a pharmacist where one more fact, for example a diagnosis that nobody recorded, would decide.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import ibis
import ibis.expr.types as ir

from adapter.targeting.evaluate import required
from adapter.targeting.program import DrugCost, Program
from adapter.targeting.windows import likely_cost

CORE = ("chronic_diseases", "part_d_drugs", "drug_cost")
COLUMNS = ("beneficiary", "criterion", "observed", "required", "short_by")
CENT = Decimal("0.01")
NEAR = Decimal("0.1")  # of the threshold


def near_misses(targeting: ir.Table, program: Program, as_of: date) -> ir.Table:
    """One row per enrolled beneficiary who is not targeted and misses the core door by one criterion, and that one nearly.

    ``targeting`` is the table of ``evaluate.targeting``. Columns: beneficiary, criterion, observed, required (in words) and short_by
    (entries, drugs, or dollars on what was observed). Sorted by beneficiary.
    """
    open_cases = targeting.filter(targeting.outcome.isin(["not_targeted", "unknown"]))
    diseases, drugs = program.chronic_diseases.minimum, program.part_d_drugs.minimum
    rows = ibis.union(
        _missing_only(open_cases, "chronic_diseases", _one_short(open_cases.chronic_diseases_observed, diseases), program),
        _missing_only(open_cases, "part_d_drugs", _one_short(open_cases.part_d_drugs_observed, drugs), program),
        _missing_only(open_cases, "drug_cost", _dollars_short(open_cases, program.drug_cost, as_of), program),
    )  # fmt: skip
    return rows.order_by("beneficiary")


def _missing_only(rows: ir.Table, criterion: str, short_by: ir.StringValue, program: Program) -> ir.Table:
    """The rows that meet all core criteria but ``criterion`` and lie near it (``short_by`` is not NULL)."""
    rest = [rows[f"{name}_outcome"] == "met" for name in CORE if name != criterion]
    missed = rows[f"{criterion}_outcome"] != "met"
    near = rows.mutate(short_by=short_by).filter(*rest, missed)
    return near.filter(near.short_by.notnull()).select(
        "beneficiary",
        criterion=ibis.literal(criterion),
        observed=near[f"{criterion}_observed"],
        required=ibis.literal(required(program)[criterion]),
        short_by="short_by",
    )


def _one_short(observed: ir.StringValue, minimum: int) -> ir.StringValue:
    return ibis.ifelse(observed.try_cast("int64") == minimum - 1, "1", ibis.null("string"))


def _dollars_short(rows: ir.Table, rule: DrugCost, as_of: date) -> ir.StringValue:
    """The dollars that are wanting when the cost lies within a tenth of the threshold; a cost that is not known is not near."""
    share = likely_cost(rule, as_of).share
    wanted = _enough(rule, share)
    cost = rows.drug_cost_observed.try_cast("decimal(18,2)")
    lowest = (rule.dollars * (1 - NEAR) / share).quantize(CENT, ROUND_CEILING)
    near = cost.between(lowest, wanted - CENT)
    return ibis.ifelse(near, (ibis.literal(wanted, "decimal(18,2)") - cost).cast("string"), ibis.null("string"))


def _enough(rule: DrugCost, share: int) -> Decimal:
    """The smallest amount in cents that meets the criterion."""
    threshold = rule.dollars / share
    if rule.comparator == ">=":
        return threshold.quantize(CENT, ROUND_CEILING)
    return threshold.quantize(CENT, ROUND_FLOOR) + CENT
