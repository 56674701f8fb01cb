"""Drugs that should not be taken by somebody (use), and treatment that is missing (gap)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from adapter.problems.hits import NO_TEXTS, hits, texts
from adapter.problems.rules import DrugSet, Gap, Use
from adapter.problems.taken import FILLS, Span, fill_days, members, of_kinds
from adapter.targeting.windows import since


def use(rows: ir.Table, diseases: ir.Table, rule: Use, days: Span) -> ir.Table:
    """Hits for each ingredient of the set that is taken; ``item`` is the ingredient. ``rows`` as of ``taken.taken``.

    ``diseases``: beneficiary, disease, fact, source of the conditions that the rules name.
    """
    found = _within(of_kinds(rows, rule.sources), rule.drugs, days)
    found = found.mutate(item=ibis.coalesce(found.ingredient, found.drug))
    counted = _counted(found, ["beneficiary", "item"], rule.minimum_fills)
    counted = counted.filter(counted.perhaps)
    if rule.conditions:
        counted = _with_diseases(counted, diseases, rule.conditions)
    return hits(counted.mutate(certain=counted.surely, fact=_how_often(counted, days)))


def gap(rows: ir.Table, diseases: ir.Table, rule: Gap, days: Span) -> ir.Table:
    """Hits for those who need a treatment and have nothing of it in the window. ``rows`` as of ``taken.taken``.

    Anything that says the person takes a drug of the set closes the gap, an order as well. Not decided: a drug that no list
    knows may be of the set, and so may all drugs of a person whose drugs the source does not tell at all.
    """
    needing = _needing(rows, diseases, rule, days)
    needing = needing.anti_join(diseases.filter(diseases.disease.isin(rule.unless_conditions)), "beneficiary")
    taking = _within(rows, rule.lacking, days)
    has = taking.group_by("beneficiary").agg(surely=(taking.sure & taking.inside).fill_null(False).any())
    told = rows.filter(_inside(rows, days).fill_null(True)).select("beneficiary").distinct().mutate(drugs_told=True)
    found = needing.left_join(has, "beneficiary").drop("beneficiary_right")
    found = found.left_join(told, "beneficiary").drop("beneficiary_right")
    found = found.filter(~found.surely.fill_null(False))
    nothing = found.surely.isnull() & found.drugs_told.fill_null(False)
    lacking = ibis.literal(f"; no {rule.lacking.name} since {days.first}")
    return hits(
        found.mutate(
            item=ibis.literal(""),
            certain=found.needed & nothing,
            ingredients=NO_TEXTS,  # the gap is one problem, whatever drugs show the need
            fact=found.fact.concat(lacking),
        )
    )


def _needing(rows: ir.Table, diseases: ir.Table, rule: Gap, days: Span) -> ir.Table:
    """beneficiary, needed (False when it is not sure), names, sources, fact."""
    if rule.drugs is None:
        sick = diseases.filter(diseases.disease.isin(rule.conditions))
        return sick.group_by("beneficiary").agg(
            needed=ibis.literal(True), names=NO_TEXTS, sources=texts(sick.source), fact=texts(sick.fact).join(", ")
        )
    found = _within(of_kinds(rows, rule.sources), rule.drugs, days)
    counted = _counted(found, ["beneficiary"], rule.minimum_fills)
    counted = counted.filter(counted.perhaps)
    if rule.conditions:
        counted = _with_diseases(counted, diseases, rule.conditions)
    return counted.select(
        "beneficiary", "names", "sources", needed=counted.surely,
        fact=ibis.literal(f"{rule.drugs.name}: ").concat(_how_often(counted, days)),
    )  # fmt: skip


def _within(rows: ir.Table, drugs: DrugSet, days: Span) -> ir.Table:
    """The rows that are or may be of the set and in the window, with ``inside`` (NULL when a partial date leaves it open)."""
    found = members(rows, [drugs])
    found = found.mutate(inside=_inside(found, days))
    return found.filter(found.inside.fill_null(True))


def _inside(rows: ir.Table, days: Span) -> ir.BooleanValue:
    """Whether a fill lies in the window, or an order or statement stands on its last day."""
    return since(rows, days.first, days.last)


def _counted(rows: ir.Table, key: list[str], fewest: int) -> ir.Table:
    """By ``key``: surely and perhaps (enough fills on different days, or an order or statement), fills, what and from where."""
    known = (rows.sure & rows.inside).fill_null(False)
    fill = rows.kind.isin(FILLS)
    counted = rows.group_by(key).agg(
        fills=rows.day_first.nunique(where=known & fill),
        standing=(known & ~fill).any(),
        possible=fill_days(rows, fill),
        may_stand=(~fill).any(),
        # Where nothing is sure, what may be is told: otherwise nobody could decide it.
        **{
            name: ibis.coalesce(texts(column, known), texts(column))
            for name, column in (("ingredients", rows.ingredient), ("names", rows.name), ("sources", rows.source))
        },
        unlisted=(~rows.listed).any(),
    )
    return counted.mutate(
        surely=(counted.fills >= fewest) | counted.standing,
        perhaps=(counted.possible >= fewest) | counted.may_stand,
    )


def _with_diseases(counted: ir.Table, diseases: ir.Table, conditions: list[str]) -> ir.Table:
    """Those of ``counted`` who have one of the conditions, its sources beside the others."""
    sick = diseases.filter(diseases.disease.isin(conditions))
    proof = sick.group_by("beneficiary").agg(proof=texts(sick.source), disease=texts(sick.fact).join(", "))
    joined = counted.inner_join(proof, "beneficiary")
    both = ibis.coalesce(joined.sources, NO_TEXTS).concat(joined.proof).sort()
    return joined.mutate(sources=both).drop("proof")


def _how_often(counted: ir.Table, days: Span) -> ir.StringValue:
    fills = counted.fills.cast("string").concat(
        ibis.ifelse(counted.fills == 1, " fill", " fills"), f" since {days.first}"
    )
    said = ibis.cases(
        (counted.standing & (counted.fills > 0), fills.concat(", and an order or statement")),
        (counted.standing, "an order or statement that stands"),
        else_=fills,
    )
    why = ibis.ifelse(counted.unlisted, " (no list knows a drug)", " (a date leaves open whether these are enough)")
    said = said.concat(ibis.ifelse(counted.surely, "", why))
    return said.concat(ibis.literal("; ").concat(counted.disease)) if "disease" in counted.columns else said
