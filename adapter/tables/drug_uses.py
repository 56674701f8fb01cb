"""All that says which drugs a beneficiary takes, from claims, dispenses, orders and statements, as one table."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from adapter.tables.drug_codes import normal_form

COLUMNS = (
    "kind",
    "source",
    "beneficiary",
    "codings",
    "label",
    "day_first",
    "day_last",
    "ends",
    "recorded",
    "cost",
    "refused_cost",
    "days_supply",
    "missing",
)


def uses(claim_rows: ir.Table, order_rows: ir.Table) -> ir.Table:
    """Claim lines and orders with the same columns (see ``drug_uses``), their codings not resolved yet."""
    of_claims = claim_rows.mutate(ends=ibis.null("date"), recorded=ibis.null("date"), missing=ibis.null("string"))
    of_orders = order_rows.mutate(cost=ibis.null("decimal(12,2)"), refused_cost=ibis.null("string"))
    return of_claims.select(*COLUMNS).union(of_orders.select(*COLUMNS))


def drug_uses(keyed: ir.Table, drugs: ir.Table) -> ir.Table:
    """One row per claim line or order.

    Columns: kind (claim, dispense, request, statement), source, beneficiary, drug (set of ingredients; a code or text of its own
    where no list knows it), listed (whether a list knows it), name (for a person to read), matched_by (rxcui, ndc11, ndc10, ndc9,
    name or NULL), brand, route, maintenance (Y, D, N, NULL), otc (rx, both, otc, NULL), supplement (kind or ""), measures, day_first and
    day_last (of the fill, order or start), ends, recorded (of a statement), cost (DECIMAL(12,2) or NULL), refused_cost (see claims),
    days_supply, missing, medication, codings, label.
    """
    joined = keyed.left_join(drugs.rename(found="label"), "medication").drop("medication_right")
    listed = joined.drug.notnull()
    display = joined.codings.map(lambda c: c["display"]).filter(lambda d: d.notnull())[0]
    code = joined.codings.filter(lambda c: c["code"].notnull())[0]
    unknown = ibis.coalesce(
        ibis.literal("code:").concat(normal_form(code["system"], code["code"])),
        ibis.literal("text:").concat(ibis.coalesce(joined.label, display)),
        ibis.literal("reference:").concat(joined.missing),
        ibis.literal("none"),
    )
    return joined.mutate(
        drug=ibis.coalesce(joined.drug, unknown),
        listed=listed,
        name=ibis.coalesce(joined.found, joined.label, display, unknown),
        supplement=ibis.coalesce(joined.supplement, ""),
        brand=ibis.coalesce(joined.brand, ""),
        route=ibis.coalesce(joined.route, ""),
    ).drop("found")
