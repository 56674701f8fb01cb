"""The findings of one screening: every oddity in its data, listed in one order and counted by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial
from typing import Any

import ibis
import ibis.expr.types as ir

from adapter.engines.backend import Backend
from adapter.population import own_enrollments
from adapter.sources.snapshot import Snapshot
from adapter.tables import findings as of
from adapter.targeting.evaluate import Question, Tables

KINDS = {
    "contradictory_codings": "Conditions whose codes prove different diseases",
    "shared_mbi": "Patients who share a Medicare Beneficiary Identifier",
    "several_mbis": "Patients with several current Medicare Beneficiary Identifiers",
    "born_later": "Patients born after the day of the screening",
    "overlapping_coverages": "Patients with Part D of several contracts at once",
    "refused_cost": "claims whose cost is no price",
    "odd_days_supply": "fills with an impossible days supply",
    "matched_by_name": "texts by which alone a drug was recognized",
    "enrolled_but_gone": "active enrollments of persons who died or left",
}


def findings(
    engine: Backend, snapshot: Snapshot, tables: Tables, members: ir.Table, question: Question
) -> list[dict[str, Any]]:
    """The rows of findings.csv: kind, resource, finding, sorted. ``members`` is the table of ``evaluate.membership``."""
    enrolled = own_enrollments(engine, snapshot)
    return engine.records(partial(_every, tables, members, enrolled, question.as_of, question.contract))


def _every(tables: Tables, members: ir.Table, enrolled: ir.Table, as_of: date, contract: str) -> ir.Table:
    people, uses = tables.beneficiaries, tables.drug_uses
    if contract:  # whose members others are is then not asked
        enrolled = enrolled.filter(enrolled.contract == contract)
    every = ibis.union(
        of.contradictory_codings(tables.conditions),
        of.shared_mbis(people),
        of.several_mbis(people),
        of.born_later(people, as_of),
        of.overlapping_coverages(tables.coverages, members, as_of),
        of.refused_costs(uses),
        of.odd_days_supply(uses),
        of.matched_by_name(uses),
        of.enrolled_but_gone(enrolled, members, people, as_of),
    )
    return every.order_by(*of.COLUMNS)


def counted(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many findings there are of each kind that occurs, in the order of KINDS."""
    numbers = Counter(row["kind"] for row in rows)
    return {kind: numbers[kind] for kind in KINDS if numbers[kind]}
