"""What is odd in the data, as tables of kind, resource and finding: told to a person, never corrected.

Each function looks at tidy tables and returns the columns kind, resource and finding. A finding changes no decision; what the
decision makes of the same data stands in the tables and criteria themselves. Findings hold no names, birth dates or identifiers.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from adapter.tables.columns import earliest

COLUMNS = ("kind", "resource", "finding")
LONGEST_SUPPLY = 365  # days
SHOWN = 3  # other Patients of one identifier


def contradictory_codings(conditions: ir.Table) -> ir.Table:
    """One row per Condition whose codings prove different diseases and have none in common. Every disease counts nevertheless."""
    proven = conditions.filter(conditions.disease.notnull())
    proven = proven.select(
        "source", "disease", "code", coding=_text(proven.system).concat("|", _text(proven.code))
    ).distinct()
    shared = proven.group_by("source", "disease").agg(n=proven.coding.nunique())
    shared = shared.group_by("source").agg(most=shared.n.max())
    told = proven.mutate(told=proven.disease.replace("_", " ").concat(" (", proven.code, ")"))
    told = told.group_by("source").agg(
        codings=told.coding.nunique(), told=told.told.collect(distinct=True, order_by="told").join(", ")
    )
    rows = told.inner_join(shared, "source").filter(lambda t: t.most < t.codings)
    return _rows(
        rows,
        "contradictory_codings",
        rows.source,
        ibis.literal("its codes prove different diseases: ").concat(rows.told),
    )


def shared_mbis(beneficiaries: ir.Table) -> ir.Table:
    """One row per Patient whose Medicare Beneficiary Identifier another Patient has too; they are not merged."""
    known = beneficiaries.filter((beneficiaries.mbi != "").fill_null(False))
    # Data without real identifiers may give everybody the same one: hence a few names and a number, not every pair.
    groups = known.group_by("mbi").agg(n=known.count(), some=known.source.collect(order_by="source")[: SHOWN + 1])
    rows = known.select("mbi", "source").inner_join(groups.filter(groups.n > 1), "mbi")
    rows = rows.mutate(others=lambda t: t.some.filter(lambda one: one != t.source)[:SHOWN])
    more = rows.n - 1 - rows.others.length()
    told = ibis.literal("the Medicare Beneficiary Identifier is also that of ").concat(
        rows.others.join(", "),
        ibis.ifelse(more > 0, ibis.literal(" and ").concat(more.cast("string"), " more"), ""),
        "; each is decided by itself",
    )
    return _rows(rows, "shared_mbi", rows.source, told)


def several_mbis(beneficiaries: ir.Table) -> ir.Table:
    """One row per Patient with more than one current Medicare Beneficiary Identifier; the last one given is taken."""
    rows = beneficiaries.filter(beneficiaries.current_mbis > 1)
    told = rows.current_mbis.cast("string").concat(
        " different Medicare Beneficiary Identifiers are current; the last one counts"
    )
    return _rows(rows, "several_mbis", rows.source, told)


def born_later(beneficiaries: ir.Table, as_of: date) -> ir.Table:
    """One row per Patient who is born after ``as_of``."""
    rows = beneficiaries.filter(earliest(beneficiaries.birth_date) > as_of)
    return _rows(rows, "born_later", rows.source, ibis.literal(f"the birth date lies after {as_of}"))


def overlapping_coverages(coverages: ir.Table, members: ir.Table, as_of: date) -> ir.Table:
    """One row per beneficiary with Part D Coverages of different contracts on ``as_of``, and which of them counts."""
    cover = coverages.filter(coverages.part_d & coverages.contract.notnull())
    begun, lasting = cover.starts.isnull() | (cover.starts <= as_of), cover.ends.isnull() | (cover.ends >= as_of)
    cover = cover.filter(begun & lasting)
    cover = cover.mutate(told=cover.contract.concat(" (", cover.source, ")"))
    each = cover.group_by("beneficiary").agg(
        n=cover.contract.nunique(), told=cover.told.collect(distinct=True, order_by="told").join(", ")
    )
    rows = each.filter(each.n > 1).inner_join(members.select("beneficiary", counts="contract"), "beneficiary")
    told = ibis.literal(f"Part D of several contracts on {as_of}: ").concat(
        rows.told, "; ", _text(rows.counts), " counts"
    )
    return _rows(rows, "overlapping_coverages", _patient(rows), told)


def refused_costs(uses: ir.Table) -> ir.Table:
    """One row per claim whose total drug cost is negative, absurd or no number; the claim counts as unpriced."""
    rows = uses.filter(uses.refused_cost.notnull()).select("source", "refused_cost").distinct()
    told = ibis.literal("the total drug cost ").concat(rows.refused_cost, " is no price; the claim counts as unpriced")
    return _rows(rows, "refused_cost", rows.source, told)


def odd_days_supply(uses: ir.Table) -> ir.Table:
    """One row per fill with a negative days supply or one of more than a year."""
    rows = (
        uses.filter((uses.days_supply < 0) | (uses.days_supply > LONGEST_SUPPLY))
        .select("source", "days_supply")
        .distinct()
    )
    days = rows.days_supply.cast("string").re_replace(r"\.0+$", "")
    return _rows(rows, "odd_days_supply", rows.source, ibis.literal("days supply ").concat(days, " cannot be right"))


def matched_by_name(uses: ir.Table) -> ir.Table:
    """One row per distinct text by which alone a drug was recognized: how often, with the first resource that holds it."""
    named = uses.filter((uses.matched_by == "name").fill_null(False))
    rows = named.group_by("name").agg(n=named.source.nunique(), first=named.source.min())
    many = ibis.ifelse(rows.n == 1, " resource", " resources")
    told = rows["name"].concat(": recognized by its name alone, in ", rows.n.cast("string"), many)
    return _rows(rows, "matched_by_name", rows["first"], told)


def enrolled_but_gone(enrollments: ir.Table, members: ir.Table, people: ir.Table, as_of: date) -> ir.Table:
    """One row per active enrollment on ``as_of`` of somebody who is dead, or no member of Part D of its contract any more."""
    lasting = enrollments.ends_on.isnull() | (enrollments.ends_on >= as_of)
    active = enrollments.filter((enrollments.status == "active").fill_null(False) & lasting)
    active = active.select("source", "beneficiary", enrolled_with="contract")
    rows = active.inner_join(members, "beneficiary").inner_join(
        people.select("beneficiary", "deceased", "died_by"), "beneficiary"
    )
    died = rows.deceased & (rows.died_by.isnull() | (rows.died_by <= as_of))
    elsewhere = (rows.contract != rows.enrolled_with).fill_null(False)
    gone = ibis.cases(
        (died, "the beneficiary died"),
        (~rows.enrolled | elsewhere, ibis.literal("the beneficiary is no member of ").concat(rows.enrolled_with, " any more")),
        else_=ibis.null("string"),
    )  # fmt: skip
    rows = rows.mutate(gone=gone).filter(lambda t: t.gone.notnull())
    told = ibis.literal(f"the enrollment is active on {as_of}, but ").concat(rows.gone)
    return _rows(rows, "enrolled_but_gone", rows.source, told)


def _rows(rows: ir.Table, kind: str, resource: ir.StringValue, finding: ir.StringValue) -> ir.Table:
    return rows.select(kind=ibis.literal(kind), resource=resource, finding=finding)


def _patient(rows: ir.Table) -> ir.StringValue:
    return ibis.literal("Patient/").concat(rows.beneficiary)


def _text(value: ir.StringValue) -> ir.StringValue:
    return ibis.coalesce(value, "")
