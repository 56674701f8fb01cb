"""One pure function per criterion: tables, program and day in, one row per beneficiary out, and beside it the facts it rests on.

Each returns what it found for those who have any fact that bears on it; who has none stands at ``not met`` in ``evaluate``. Unknown is
never a default: it arises only from a fact that is there and cannot be read as one or the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from adapter.tables.columns import earliest
from adapter.targeting.program import AdherenceDrug, AtRisk, ChronicDiseases, DrugCost, PartDDrugs
from adapter.targeting.windows import LikelyCost, in_window, likely_cost, since, window_start


@dataclass(frozen=True)
class Found:
    """What one criterion found, as two expressions: neither is computed for the sake of the other.

    ``rows``: beneficiary, outcome ("met", "not_met" or "unknown"), observed (text); one row per beneficiary.
    ``evidence``: beneficiary, item, fact, source; one row per fact, and a fact may come more than once.
    """

    rows: ir.Table
    evidence: ir.Table


def chronic_diseases(
    conditions: ir.Table, diagnoses: ir.Table, entries: ir.Table, rule: ChronicDiseases, as_of: date
) -> Found:
    """At least ``minimum`` entries of the program's list. 42 CFR 423.153(d)(2)(i)(A).

    ``entries`` is the table of ``entry_rows``. One code can prove two diseases (I11.0); several codes of one entry count once.
    """
    columns = ("beneficiary", "entry", "fact", "source")
    proven = [_by_condition(conditions, entries, rule, as_of)] if "condition" in rule.sources else []
    proven += [_by_claims(diagnoses, entries, rule, as_of)] if "claim" in rule.sources else []
    rows = ibis.union(*[one.select(*columns) for one in proven]) if len(proven) > 1 else proven[0].select(*columns)
    counted = rows.group_by("beneficiary").agg(n=rows.entry.nunique())
    return Found(
        counted.select("beneficiary", outcome=_met(counted.n >= rule.minimum), observed=counted.n.cast("string")),
        rows.select("beneficiary", item="entry", fact="fact", source="source"),
    )


def _by_condition(conditions: ir.Table, entries: ir.Table, rule: ChronicDiseases, as_of: date) -> ir.Table:
    active = conditions.filter(counts_as_active(conditions, rule, as_of))
    proven = active.inner_join(entries, "disease").filter(lambda t: _in_entry(t, rule))
    fact = _named(proven.code, ibis.coalesce(proven.display, proven.label))
    since = ibis.literal(", since ").concat(proven.onset.left(10))
    recorded = ibis.literal(", recorded ").concat(proven.recorded.left(10))
    return proven.mutate(fact=fact.concat(ibis.coalesce(since, recorded, "")))


def _named(code: ir.StringValue, label: ir.StringValue) -> ir.StringValue:
    return code.concat(" ", ibis.coalesce(label, "")).strip()


def _by_claims(diagnoses: ir.Table, entries: ir.Table, rule: ChronicDiseases, as_of: date) -> ir.Table:
    """Entries that enough medical claims name: ``inpatient_claims`` inpatient, or ``outpatient_claims`` of any kind on different days."""
    first = window_start(rule.claims_window, as_of)
    inside = diagnoses.filter((diagnoses.day_first >= first) & (diagnoses.day_last <= as_of))
    rows = inside.inner_join(entries, "disease").filter(lambda t: _in_entry(t, rule))
    counts = rows.group_by("beneficiary", "entry").agg(
        inpatient=rows.source.nunique(where=rows.kind == "inpatient"), days=rows.day_first.nunique()
    )
    by_stay = (counts.inpatient >= rule.inpatient_claims) & (rule.inpatient_claims > 0)
    by_visits = (counts.days >= rule.outpatient_claims) & (rule.outpatient_claims > 0)
    enough = counts.filter(by_stay | by_visits)
    return rows.semi_join(enough, ["beneficiary", "entry"]).mutate(fact=_named(ibis._.code, ibis._.display))


def counts_as_active(conditions: ir.Table, rule: ChronicDiseases, as_of: date) -> ir.BooleanValue:
    """Whether a Condition counts on ``as_of``: no inactive status, not refuted, begun and recorded by then.

    Without a status it counts until it has ended.
    """
    said = (conditions.clinical.length() > 0).fill_null(False)
    active = conditions.clinical.filter(lambda c: c.isin(rule.clinical_status)).length() > 0
    refused = (conditions.verification.filter(lambda c: c.isin(rule.refused_verification)).length() > 0).fill_null(
        False
    )
    over = (earliest(conditions.abated) <= as_of).fill_null(False) | conditions.over.fill_null(False)
    begun = conditions.begins.isnull() | (conditions.begins <= as_of)
    return ibis.ifelse(said, active, ~over) & ~refused & begun


def _in_entry(rows: ir.Table, rule: ChronicDiseases) -> ir.BooleanValue:
    subgroup = (rows.only_subgroup == "") | (rows.only_subgroup == rows.subgroup)
    wanted = (rows.listed == "Y") | rows.disease.concat("/", rows.subgroup).isin(rule.with_subgroups)
    return subgroup & wanted


def entry_rows(rule: ChronicDiseases) -> list[dict[str, str]]:
    """The program's entries as rows: entry, disease, only_subgroup ("" = every subgroup)."""
    rows = []
    for entry in rule.entries:
        for named in entry.diseases:
            disease, _, subgroup = named.partition("/")
            rows.append({"entry": entry.name, "disease": disease, "only_subgroup": subgroup})
    return rows


ENTRY_ROWS = {"entry": "string", "disease": "string", "only_subgroup": "string"}


def part_d_drugs(uses: ir.Table, rule: PartDDrugs, as_of: date) -> Found:
    """At least ``minimum`` different chronic/maintenance covered Part D drugs. 42 CFR 423.153(d)(2)(i)(B).

    A drug that no list knows, or whose maintenance flag is not known, may be one more: the criterion is unknown when the
    known ones do not reach the minimum and the possible ones would.
    """
    rows = uses.filter(uses.kind.isin(rule.sources))
    rows = rows.mutate(counts=is_part_d(rows) & _is_maintenance(rows, rule) & in_window(rows, rule.window, as_of))
    if rule.unlisted == "not_counted":
        rows = rows.mutate(counts=rows.counts.fill_null(False))
    rows = rows.filter(rows.counts.fill_null(True))
    rows = rows.mutate(certain=rows.counts.fill_null(False))
    fact = rows.name.concat(ibis.ifelse(rows.certain, "", " (not on a list, or not known to be a maintenance drug)"))
    units = rows.mutate(unit=_unit(rows, rule))
    per_drug = units.group_by("beneficiary", "unit").agg(certain=units.certain.any())
    counted = per_drug.group_by("beneficiary").agg(n=per_drug.certain.sum(), possible=per_drug.count())
    outcome = _met(counted.n >= rule.minimum, counted.possible >= rule.minimum)
    return Found(
        counted.select("beneficiary", outcome=outcome, observed=counted.n.cast("string")),
        rows.select("beneficiary", item="drug", fact=fact, source="source"),
    )


def _unit(rows: ir.Table, rule: PartDDrugs) -> ir.StringValue:
    """What counts as one drug: the set of ingredients, each ingredient, or the set and the route (a product family)."""
    if rule.count_by == "ingredient":
        return ibis.ifelse(rows.listed, rows.drug.split(";"), ibis.array([rows.drug])).unnest()
    if rule.count_by == "product_family":
        return rows.drug.concat("@", rows.route)
    return rows.drug


def is_part_d(uses: ir.Table) -> ir.BooleanValue:
    """Whether the drug is one that Part D covers: by prescription. NULL when nothing tells, False for OTC and supplements.

    An ingredient that is sold both ways counts when it was prescribed or claimed (a prescription drug event is a prescription);
    in a bare statement it may be either. Source: reference/terminology-loading.md, "Decisions in the lists".
    """
    said_only = (uses.otc == "both") & (uses.kind == "statement")
    return ibis.cases(
        (~uses.listed, ibis.null("boolean")), (uses.otc == "otc", False), (said_only, ibis.null("boolean")), else_=True
    )


def _is_maintenance(uses: ir.Table, rule: PartDDrugs) -> ir.BooleanValue:
    if rule.count == "all":
        return ibis.literal(True)
    return ibis.cases(
        (uses.maintenance == "Y", True),
        (uses.maintenance == "D", rule.depends == "counted"),
        (uses.maintenance == "N", False),
        else_=ibis.null("boolean"),
    )


def drug_cost(uses: ir.Table, rule: DrugCost, as_of: date) -> Found:
    """Gross cost of covered Part D drugs (plan and member paid) against the threshold. 42 CFR 423.153(d)(2)(i)(C).

    Priced claims alone above it: met. Otherwise unknown when a claim has no usable cost, when claims of undecidable date would
    reach it, or when drugs are taken and no claim is there; else not met. A claim without money is never $0.
    """
    likely = likely_cost(rule, as_of)
    rows = uses.filter(is_part_d(uses).fill_null(True)).mutate(inside=since(uses, likely.first, as_of))
    rows = rows.filter(rows.inside.fill_null(True))
    claim = rows.kind == "claim"
    rows = rows.mutate(claim=claim, priced=claim & rows.inside.fill_null(False) & rows.cost.notnull())
    dated = rows.inside.notnull()
    amounts = rows.group_by("beneficiary").agg(
        total=rows.cost.sum(where=rows.priced),
        perhaps=rows.cost.sum(where=rows.claim & ~dated),  # priced, and the date leaves open whether it counts
        priced=rows.priced.sum(),
        unpriced=(rows.claim & rows.cost.isnull()).sum(),
        undated=(rows.claim & ~dated).sum(),
        orders=(~rows.claim).sum(),
    )
    sure = ibis.coalesce(amounts.total, _NO_DOLLARS)
    total = _reckoned(sure, likely)
    most = _reckoned(sure + ibis.coalesce(amounts.perhaps, _NO_DOLLARS), likely)
    above = _above(total, rule, likely)
    no_claim = (amounts.priced + amounts.unpriced + amounts.undated == 0) & (amounts.orders > 0)
    not_priced = (amounts.unpriced > 0) | _above(most, rule, likely)
    undecided = (not_priced & (rule.unpriced == "unknown")) | (no_claim & (rule.orders_without_claims == "unknown"))
    return Found(
        amounts.select(
            "beneficiary",
            outcome=_met(above, above | undecided),
            observed=ibis.ifelse((amounts.priced == 0) & undecided, "", total.cast("decimal(38,2)").cast("string")),
        ),
        rows.filter(rows.claim).select(
            "beneficiary", item=ibis.ifelse(rows.priced, "priced", "unpriced"), fact=_cost_fact(rows), source="source"
        ),
    )


_NO_DOLLARS = ibis.literal("0.00").cast("decimal(38,2)")


def _above(total: ir.DecimalValue, rule: DrugCost, likely: LikelyCost) -> ir.BooleanValue:
    compared = total * likely.share
    return compared > likely.dollars if rule.comparator == ">" else compared >= likely.dollars


def _reckoned(total: ir.DecimalValue, likely: LikelyCost) -> ir.DecimalValue:
    """The sum as it is, or carried to the end of the year, in cents rounded half up."""
    if likely.factor == 1:
        return total
    # More than 18 digits, lest DuckDB multiply in 64 bits and stop at some millions; 18 + 19 digits, lest Spark drop decimals.
    factor = ibis.literal(str(likely.factor.quantize(Decimal("0.0000000001")))).cast("decimal(19,10)")
    return (total.cast("decimal(18,2)") * factor).round(2).cast("decimal(38,2)")


def _cost_fact(rows: ir.Table) -> ir.StringValue:
    dollars = ibis.literal("$").concat(rows.cost.cast("string"))
    filled = ibis.coalesce(ibis.literal(", filled ").concat(rows.day_first.cast("string")), "")
    return ibis.ifelse(rows.priced, dollars, "no total drug cost, or no full date").concat(" for ", rows.name, filled)


def at_risk(facts: ir.Table, membership: ir.Table, rule: AtRisk, as_of: date) -> Found:
    """An at-risk beneficiary on ``as_of``, by the roster (status AR, not the potential PAR) or by a Flag. 42 CFR 423.100."""
    joined = facts.inner_join(membership.select("beneficiary", member_of="contract"), "beneficiary")
    begun = joined.starts.isnull() | (joined.starts <= as_of)
    lasting = joined.ends.isnull() | (joined.ends >= as_of)
    same = joined.contract.isnull() | joined.member_of.isnull() | (joined.contract == joined.member_of)
    rows = joined.filter(begun & lasting & same)
    found = rows.group_by("beneficiary").agg(
        outcome=_met(rows.status.isin(rule.statuses).any()),
        observed=rows.status.collect(distinct=True, order_by="status").join(";"),
    )
    fact = ibis.literal("at-risk list, status ").concat(rows.status)
    return Found(found, rows.select("beneficiary", item="status", fact=fact, source="source"))


def adherence_drug(uses: ir.Table, rule: AdherenceDrug, drugs: PartDDrugs, as_of: date) -> Found:
    """Takes a drug of one of the Star adherence measures of the program; unknown when only a drug that no list knows may be one."""
    rows = uses.filter(uses.kind.isin(drugs.sources))
    wanted = rows.measures.filter(lambda m: m.isin(rule.measures))
    refused = rows.brand.lower().isin([brand.lower() for brand in rule.refused_brands])
    measure = ibis.ifelse(refused, ibis.null("string"), wanted.join(";").nullif(""))
    may_be = ibis.ifelse(
        rows.listed, measure.notnull(), ibis.null("boolean") if rule.unlisted == "unknown" else ibis.literal(False)
    )
    rows = rows.mutate(measure=measure, takes=may_be & in_window(rows, drugs.window, as_of))
    rows = rows.filter(rows.takes.fill_null(True))
    sure = rows.takes.fill_null(False)
    found = rows.group_by("beneficiary").agg(
        outcome=_met(sure.any(), ibis.literal(True)),
        observed=ibis.coalesce(rows.measure.collect(distinct=True, order_by="measure", where=sure).join(";"), ""),
    )
    fact = rows.name.concat(ibis.ifelse(sure, "", " (not on a list, or no full date)"))
    item = ibis.coalesce(rows.measure, "not listed")
    return Found(found, rows.select("beneficiary", item=item, fact=fact, source="source"))


def _met(certain: ir.BooleanValue, possible: ir.BooleanValue | None = None) -> ir.StringValue:
    if possible is None:
        return ibis.ifelse(certain, "met", "not_met")
    return ibis.cases((certain, "met"), (possible, "unknown"), else_="not_met")
