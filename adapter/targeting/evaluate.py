"""The one evaluation path: tables, program and day in; one row per beneficiary and one row per criterion out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

from adapter.targeting import criteria
from adapter.targeting.decision import CRITERIA, DOORS
from adapter.targeting.program import Program


@dataclass(frozen=True)
class Tables:
    """What targeting reads: tidy tables of one population (see adapter/tables/)."""

    beneficiaries: ir.Table
    coverages: ir.Table
    conditions: ir.Table
    diagnoses: ir.Table
    drug_uses: ir.Table
    at_risk: ir.Table
    entries: ir.Table  # criteria.entry_rows of the program


@dataclass(frozen=True)
class Question:
    """Who is asked about, and when."""

    program: Program
    as_of: date
    contract: str = ""  # only members of this contract; "" takes the contract of each member's Coverage
    coverage_known: bool = True  # whether the source holds any Coverage at all


def membership(tables: Tables, question: Question) -> ir.Table:
    """One row per beneficiary: contract, pbp (NULL when not told) and ``enrolled``: alive and active in Part D on ``as_of``.

    Without any Coverage in the source ``question.contract`` says whose members these are.
    """
    people, as_of = tables.beneficiaries, question.as_of
    died = people.deceased & (people.died_by.isnull() | (people.died_by <= as_of))
    alive = people.select("beneficiary", alive=~died)
    if not question.coverage_known:
        contract = ibis.literal(question.contract).nullif("")
        return alive.select("beneficiary", contract=contract, pbp=ibis.null("string"), enrolled=alive.alive)
    joined = alive.left_join(_coverage_in_force(tables.coverages, question), "beneficiary")
    active, asked = joined.active.fill_null(False), ibis.literal(question.contract).nullif("")
    contract = ibis.coalesce(joined.contract, ibis.ifelse(active, asked, ibis.null("string")))
    ours = (contract == asked).fill_null(False) if question.contract else ibis.literal(True)
    return joined.select("beneficiary", contract=contract, pbp=joined.pbp, enrolled=joined.alive & active & ours)


def _coverage_in_force(coverages: ir.Table, question: Question) -> ir.Table:
    """One Part D Coverage of each person: beneficiary, contract, pbp, active (in force on ``as_of``).

    One in force goes before one that ended or has not begun (which only tells whose member the person was or will be), the
    contract that is asked about before others, then the one that began last.
    """
    as_of, asked = question.as_of, ibis.literal(question.contract).nullif("")
    cover = coverages.filter(coverages.part_d)
    in_force = (cover.starts.isnull() | (cover.starts <= as_of)) & (cover.ends.isnull() | (cover.ends >= as_of))
    cover = cover.mutate(active=in_force, ours=(cover.contract == asked).fill_null(False))
    order = [cover.active.desc(), cover.ours.desc(), cover.contract.isnull(), cover.starts.desc(nulls_first=False),
             cover.contract, cover.pbp, cover.source]  # fmt: skip
    ranked = cover.mutate(_n=ibis.row_number().over(group_by="beneficiary", order_by=order))
    return ranked.filter(ranked._n == 0).select("beneficiary", "contract", "pbp", "active")


def criterion_rows(tables: Tables, question: Question, members: ir.Table) -> ir.Table:
    """One row per beneficiary and criterion: criterion, outcome, observed, required. What it rests on is in ``evidence_rows``."""
    found = _found(tables, question, members)
    people, program = members.select("beneficiary"), question.program
    return ibis.union(*[_with_everyone(people, name, found[name].rows, program) for name in CRITERIA])


def evidence_rows(tables: Tables, question: Question, members: ir.Table) -> ir.Table:
    """One row per fact that a criterion rests on: beneficiary, criterion, item, fact, source; each once, in no order."""
    found = _found(tables, question, members)
    facts = [
        found[name].evidence.select("beneficiary", "item", "fact", "source", criterion=ibis.literal(name))
        for name in CRITERIA
    ]
    return ibis.union(*facts).distinct()


def with_evidence(rows: ir.Table, evidence: ir.Table) -> ir.Table:
    """The rows of ``criterion_rows`` with their evidence as a list in an order of its own; empty where there is none."""
    entry = ibis.struct({"item": evidence.item, "fact": evidence.fact, "source": evidence.source})
    listed = evidence.group_by("beneficiary", "criterion").agg(evidence=entry.collect().sort())
    joined = rows.left_join(listed, ["beneficiary", "criterion"])
    return joined.select(*rows.columns, evidence=ibis.coalesce(joined.evidence, ibis.literal([], type=EVIDENCE)))


EVIDENCE = "array<struct<item: string, fact: string, source: string>>"


def _found(tables: Tables, question: Question, members: ir.Table) -> dict[str, criteria.Found]:
    program, as_of = question.program, question.as_of
    return {
        "chronic_diseases": criteria.chronic_diseases(
            tables.conditions, tables.diagnoses, tables.entries, program.chronic_diseases, as_of
        ),
        "part_d_drugs": criteria.part_d_drugs(tables.drug_uses, program.part_d_drugs, as_of),
        "drug_cost": criteria.drug_cost(tables.drug_uses, program.drug_cost, as_of),
        "at_risk": criteria.at_risk(tables.at_risk, members, program.at_risk, as_of),
        "adherence_drug": criteria.adherence_drug(
            tables.drug_uses, program.adherence_drug, program.part_d_drugs, as_of
        ),
    }


NOTHING = {"chronic_diseases": "0", "part_d_drugs": "0", "drug_cost": "0.00", "at_risk": "", "adherence_drug": ""}


def _with_everyone(people: ir.Table, name: str, found: ir.Table, program: Program) -> ir.Table:
    joined = people.left_join(found, "beneficiary")
    return joined.select(
        "beneficiary",
        criterion=ibis.literal(name),
        outcome=ibis.coalesce(joined.outcome, "not_met"),
        observed=ibis.coalesce(joined.observed, NOTHING[name]),
        required=ibis.literal(required(program)[name]),
    )


def required(program: Program) -> dict[str, str]:
    """What each criterion asks for, in words."""
    return {
        "chronic_diseases": f"at least {program.chronic_diseases.minimum} of {len(program.chronic_diseases.entries)} entries",
        "part_d_drugs": f"at least {program.part_d_drugs.minimum} covered Part D "
        + ("chronic/maintenance drugs" if program.part_d_drugs.count == "maintenance" else "drugs"),
        "drug_cost": f"{'more than' if program.drug_cost.comparator == '>' else 'at least'} ${program.drug_cost.dollars}",
        "at_risk": "status " + " or ".join(program.at_risk.statuses),
        "adherence_drug": "a drug for " + ", ".join(m.replace("_", " ") for m in program.adherence_drug.measures),
    }


def targeting(members: ir.Table, rows: ir.Table, program: Program) -> ir.Table:
    """One row per beneficiary in the order of the id: contract, pbp, outcome, doors, reason_code, outcome and observed of each criterion.

    A door is open (True), shut (False) or undecided (NULL); one open door is enough, and only when none is open and one is
    undecided the person cannot be decided.
    """
    wide = _wide(members, rows)
    doors = _doors(wide, program)
    wide = wide.mutate(**doors)
    any_open = wide.core | wide.at_risk_door | wide.snp_adherence
    outcome = ibis.cases(
        (~wide.enrolled, "not_enrolled"), (any_open, "targeted"), (any_open.isnull(), "unknown"), else_="not_targeted"
    )
    wide = wide.mutate(outcome=outcome)
    targeted = wide.outcome == "targeted"
    columns = [column for name in CRITERIA for column in (f"{name}_outcome", f"{name}_observed")]
    return wide.select(
        "beneficiary",
        contract=ibis.coalesce(wide.contract, ""),
        pbp=ibis.coalesce(wide.pbp, ""),
        outcome=wide.outcome,
        doors=ibis.ifelse(targeted, _open_doors(wide), ""),
        reason_code=ibis.ifelse(targeted, _reason_code(wide), ""),
        **{column: wide[column] for column in columns},
    ).order_by("beneficiary")


def _wide(members: ir.Table, rows: ir.Table) -> ir.Table:
    """One row per beneficiary with outcome and observed of every criterion side by side."""
    columns = {}
    for name in CRITERIA:
        columns[f"{name}_outcome"] = rows.outcome.max(where=rows.criterion == name)
        columns[f"{name}_observed"] = rows.observed.max(where=rows.criterion == name)
    return members.inner_join(rows.group_by("beneficiary").agg(**columns), "beneficiary")


def _doors(wide: ir.Table, program: Program) -> dict[str, ir.BooleanValue]:
    """The doors as three-valued logic. 42 CFR 423.153(d)(2)(i) all of diseases, drugs, cost; (ii) at-risk; the plan's own SNP door."""
    truth = {name: _truth(wide[f"{name}_outcome"]) for name in CRITERIA}
    plan = ibis.coalesce(wide.contract, "").concat("-", ibis.coalesce(wide.pbp, ""))
    return {
        "core": truth["chronic_diseases"] & truth["part_d_drugs"] & truth["drug_cost"],
        "at_risk_door": truth["at_risk"],
        "snp_adherence": plan.isin(program.snp_plans) & truth["adherence_drug"]
        if program.snp_plans
        else ibis.literal(False),
    }


def _truth(outcome: ir.StringValue) -> ir.BooleanValue:
    return ibis.cases((outcome == "met", True), (outcome == "not_met", False), else_=ibis.null("boolean"))


def _open_doors(wide: ir.Table) -> ir.StringValue:
    columns = {"core": wide.core, "at_risk": wide.at_risk_door, "snp_adherence": wide.snp_adherence}
    names = [ibis.ifelse(columns[door].fill_null(False), door, "") for door in DOORS]
    return ibis.array(names).filter(lambda door: door != "").join(";")


def _reason_code(wide: ir.Table) -> ir.StringValue:
    """CMS met-criteria reason: 01 diseases, drugs and cost; 02 at-risk; 03 both; 04 the plan's own criteria only."""
    core, at_risk = wide.core.fill_null(False), wide.at_risk_door.fill_null(False)
    return ibis.cases((core & at_risk, "03"), (core, "01"), (at_risk, "02"), else_="04")
