"""Who was in hospice or had ESRD, gathered from a source and from what a plan holds beside it: one table of facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import ibis
import ibis.expr.types as ir

from adapter.engines.duckdb import Engine
from adapter.measures import care_status
from adapter.measures.settings import CareStatus
from adapter.plan_lists.rosters import strangers
from adapter.population import Facts
from adapter.sources.quarantine import Rejected
from adapter.sources.reader import Reader
from adapter.sources.snapshot import Snapshot


@dataclass(frozen=True)
class CareFacts:
    """The facts (``care_status.COLUMNS``), and what was refused on the way."""

    facts: ir.Table
    rejected: tuple[Rejected, ...]


def care_facts(
    engine: Engine, snapshot: Snapshot, read: Facts, care: CareStatus, given: Sequence[Mapping[str, Any]]
) -> CareFacts:
    """The facts of ``snapshot``, whose tables were read into ``read``, and the rows ``given`` by lists (``status_lists.py``).

    Claims and Coverages are read once more: the tables of targeting hold nothing of hospice and ESRD.
    """
    reader = Reader(engine, snapshot)
    hospice, esrd = care.hospice, care.esrd
    types, bills = tuple(hospice.claim_types.value), tuple(hospice.bill_types.value)
    claims = reader.good(
        "ExplanationOfBenefit", partial(care_status.medical_claims, claim_types=types, bill_types=bills)
    )
    urls, codes = tuple(esrd.coverage_extensions.value), tuple(esrd.coverage_codes.value)
    cover = reader.good("Coverage", partial(care_status.medicare_statuses, urls=urls, codes=codes))
    lists = engine.table(given, care_status.GIVEN, "given_statuses")
    found = ibis.union(
        care_status.of_claims(claims),
        care_status.of_coverages(cover),
        care_status.of_conditions(read.conditions, read.diagnoses, care),
        care_status.of_flags(read.flags, care),
        care_status.of_lists(lists, read.persons),
    )
    unknown = _strangers(engine, read, given)
    return CareFacts(engine.keep(found.distinct(), "care_facts"), (*reader.rejected, *unknown))


def _strangers(engine: Engine, read: Facts, given: Sequence[Mapping[str, Any]]) -> list[Rejected]:
    """The persons of a hospice list who are not in the source. Reply reports are of whole contracts: their others are not told."""
    listed = [dict(row) for row in given if row["fact"].startswith("hospice list")]
    if not listed:
        return []
    people = engine.records(read.persons.select("beneficiary", "mbis"))
    return strangers(
        listed, {row["beneficiary"] for row in people}, {mbi for row in people for mbi in row["mbis"] or ()}
    )
