"""A snapshot and the code lists to the tables of one population: read once, faults listed, drugs and diseases recognized.

The order of the steps stands here; what each step means stands in ``adapter/tables/``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import ibis.expr.types as ir

from adapter.engines.backend import Backend
from adapter.loading import overlays
from adapter.loading.maintenance import maintenance_rows
from adapter.mappings.folder import Mappings
from adapter.mappings.lists import list_rows
from adapter.sources.quarantine import Rejected
from adapter.sources.reader import Reader
from adapter.sources.snapshot import Snapshot
from adapter.tables import (
    at_risk,
    beneficiaries,
    claims,
    conditions,
    coverages,
    diagnoses,
    drug_codes,
    drug_names,
    drug_uses,
    mtm_events,
    mtm_services,
    orders,
)
from adapter.targeting.criteria import ENTRY_ROWS, entry_rows
from adapter.targeting.evaluate import Tables
from adapter.targeting.program import Program

DRUG_LISTS = ("products", "ingredients", "ndc", "brands", "classes")
LOADED_LISTS = ("maintenance", "ndc_marks", "levels")  # are there only when a plan loaded them


@dataclass(frozen=True)
class Drugs:
    """The distinct medications of a source, what they resolve to, and the lists that a plan's own list is matched by."""

    asked: ir.Table
    resolved: ir.Table
    lists: Mapping[str, ir.Table]


@dataclass(frozen=True)
class Facts:
    """What the source holds before any program is asked: read once, drugs and diseases recognized."""

    persons: ir.Table
    coverages: ir.Table
    conditions: ir.Table
    diagnoses: ir.Table
    drug_uses: ir.Table
    drugs: Drugs
    flags: ir.Table  # as received
    roster: ir.Table
    rejected: tuple[Rejected, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Population:
    """The tables of one population, and what was refused on the way."""

    tables: Tables
    rejected: tuple[Rejected, ...]
    coverage_known: bool
    counts: Mapping[str, int]  # resources read, by type
    facts: Facts  # what another program would be asked over

    @property
    def unmapped(self) -> partial[ir.Table]:
        """Every code that no list knows, with how many resources use it: system, code, display, count, used_as."""
        return partial(_unmapped, self.facts.conditions, self.facts.drug_uses)


def populate(
    engine: Backend, snapshot: Snapshot, mappings: Mappings, program: Program, roster: Sequence[Mapping[str, Any]] = ()
) -> Population:
    """The tables of the population in ``snapshot``. A malformed line or a resource with a fault is left out and listed."""
    return by_program(engine, read_facts(engine, snapshot, mappings, roster), program)


def read_facts(
    engine: Backend, snapshot: Snapshot, mappings: Mappings, roster: Sequence[Mapping[str, Any]] = ()
) -> Facts:
    """What ``snapshot`` and ``roster`` hold, the same for every program. A resource with a fault is left out and listed."""
    reader = Reader(engine, snapshot)
    people = reader.good("Patient", beneficiaries.patients)
    persons = engine.keep(partial(beneficiaries.beneficiaries, people), "beneficiaries")
    cover = reader.good("Coverage", coverages.memberships)
    lists = _condition_lists(engine, mappings)
    explained = reader.good("ExplanationOfBenefit", claims.explanations)
    billed = reader.good("Claim", diagnoses.medical_claims)
    uses, drugs = _drug_uses(engine, reader, mappings, explained)
    billed_diagnoses = engine.keep(partial(diagnoses.diagnoses, explained, billed, lists), "diagnoses")
    engine.release(explained)  # the largest table by far: without it what follows fits into memory
    problems = reader.good("Condition", conditions.problems)
    facts = Facts(
        persons=persons,
        coverages=engine.keep(partial(coverages.coverages, cover), "coverages"),
        conditions=engine.keep(partial(conditions.conditions, problems, lists), "conditions"),
        diagnoses=billed_diagnoses,
        drug_uses=uses,
        drugs=drugs,
        flags=reader.good("Flag", at_risk.received),
        roster=engine.table(roster, at_risk.ROSTER, "roster"),
        rejected=(),
        counts=reader.counts,
    )
    reader.note_missing(facts.drug_uses)
    return replace(facts, rejected=tuple(reader.rejected))


def by_program(engine: Backend, facts: Facts, program: Program) -> Population:
    """The population as ``program`` sees it: its list of diseases, and the Flags that it takes as at-risk."""
    rule = program.at_risk
    rostered = partial(
        _rostered_and_flagged, facts.flags, facts.roster, facts.persons, rule.flag_codes, rule.flag_texts
    )
    tables = Tables(
        beneficiaries=facts.persons,
        coverages=facts.coverages,
        conditions=facts.conditions,
        diagnoses=facts.diagnoses,
        drug_uses=_by_own_list(engine, facts, program),
        at_risk=engine.keep(rostered, "at_risk"),
        entries=engine.table(entry_rows(program.chronic_diseases), ENTRY_ROWS, "entries"),
    )
    known = facts.counts["Coverage"] > 0  # also when none of them is in force for anybody
    return Population(tables, facts.rejected, known, facts.counts, facts)


def _rostered_and_flagged(
    flags: ir.Table, roster: ir.Table, persons: ir.Table, codes: Sequence[str], texts: Sequence[str]
) -> ir.Table:
    return at_risk.at_risk(at_risk.flags(flags, codes, texts), roster, persons)


@dataclass(frozen=True)
class Enrolled:
    """Who is enrolled by the adapter's own CarePlans, what was done for them, and the persons."""

    enrollments: ir.Table
    beneficiaries: ir.Table
    services: ir.Table
    rejected: tuple[Rejected, ...]


def enrollment_tables(engine: Backend, snapshot: Snapshot) -> Enrolled:
    """What the CMS file is made of: only Patient, CarePlan, Procedure and Communication of ``snapshot`` are read."""
    reader = Reader(engine, snapshot)
    persons = engine.keep(
        partial(beneficiaries.beneficiaries, reader.good("Patient", beneficiaries.patients)), "beneficiaries"
    )
    plans = engine.keep(partial(mtm_events.standing, reader.good("CarePlan", mtm_events.plans)), "enrollments")
    done = reader.good("Procedure", mtm_services.procedures)
    told = reader.good("Communication", mtm_services.communications)
    services = engine.keep(partial(mtm_services.standing, done, told), "services")
    return Enrolled(plans, persons, services, tuple(reader.rejected))


def own_enrollments(engine: Backend, snapshot: Snapshot) -> ir.Table:
    """The enrollments of the adapter in ``snapshot``; a faulty one is left out (``report`` tells it)."""
    reader = Reader(engine, snapshot)
    return engine.keep(partial(mtm_events.standing, reader.good("CarePlan", mtm_events.plans)), "enrollments")


@dataclass(frozen=True)
class PlanYear:
    """Who is enrolled, what was done for them, who they are and in which contracts they have been."""

    enrollments: ir.Table
    services: ir.Table
    beneficiaries: ir.Table
    coverages: ir.Table
    rejected: tuple[Rejected, ...]


def plan_year_tables(engine: Backend, snapshot: Snapshot) -> PlanYear:
    """The enrollments with their services in ``snapshot``: Patient, Coverage, CarePlan, Procedure and Communication are read."""
    reader = Reader(engine, snapshot)
    people = reader.good("Patient", beneficiaries.patients)
    cover = reader.good("Coverage", coverages.memberships)
    plans = reader.good("CarePlan", mtm_events.plans)
    done = reader.good("Procedure", mtm_services.procedures)
    told = reader.good("Communication", mtm_services.communications)
    return PlanYear(
        enrollments=engine.keep(partial(mtm_events.standing, plans), "enrollments"),
        services=engine.keep(partial(mtm_services.standing, done, told), "services"),
        beneficiaries=engine.keep(partial(beneficiaries.beneficiaries, people), "beneficiaries"),
        coverages=engine.keep(partial(coverages.coverages, cover), "coverages"),
        rejected=tuple(reader.rejected),
    )


@dataclass(frozen=True)
class Mentioned:
    """What mentions a drug (the columns of drug_uses, see ``tables/drug_uses.py``), and the name of each ingredient on the lists."""

    rows: ir.Table
    ingredients: ir.Table  # rxcui, name
    rejected: tuple[Rejected, ...]


def mentioned_drugs(engine: Backend, snapshot: Snapshot, mappings: Mappings) -> Mentioned:
    """Every order, statement, dispense and claim that names a drug, those that say it is stopped too, recognized as for a screening."""
    reader = Reader(engine, snapshot)
    explained = reader.good("ExplanationOfBenefit", claims.explanations)
    uses, drugs = _drug_uses(engine, reader, mappings, explained, every=True)
    reader.note_missing(uses)
    names = drugs.lists["ingredients"]
    return Mentioned(uses, names.select(names.rxcui, names["name"]), tuple(reader.rejected))


def _condition_lists(engine: Backend, mappings: Mappings) -> ir.Table:
    snomed = engine.read_list(mappings.path("conditions/snomedct")) if mappings.has("conditions/snomedct") else None
    icd10cm = engine.read_list(mappings.path("conditions/icd10cm"))
    return engine.keep(partial(conditions.condition_lists, icd10cm, snomed), "condition_lists")


def _drug_uses(
    engine: Backend, reader: Reader, mappings: Mappings, explained: ir.Table, every: bool = False
) -> tuple[ir.Table, Drugs]:
    """Which drugs are taken; with ``every`` also what says that one is no longer taken or is not covered by Part D."""
    known = reader.good("Medication", orders.medications)
    readers = orders.MENTIONS if every else orders.READERS
    received = [reader.good(name, read) for name, read in readers.items()]
    names = (*DRUG_LISTS, *(name for name in LOADED_LISTS if mappings.has(f"drugs/{name}")))
    lists = {name: engine.read_list(mappings.path(f"drugs/{name}")) for name in names}
    keyed = engine.keep(partial(_keyed_uses, explained, received, known, every), "uses")
    asked = engine.keep(partial(drug_codes.distinct_medications, keyed), "medications")
    resolved = engine.keep(partial(drug_codes.resolve_codes, asked, lists), "resolved")
    by_name = _by_name(engine, asked, resolved, mappings)
    named = engine.keep(partial(_with_named, resolved, by_name), "named")
    found = engine.keep(partial(_kinds_of_drugs, named, lists["classes"], by_name), "drugs")
    drugs = Drugs(asked, named, lists)
    if "maintenance" in lists or "ndc_marks" in lists:
        found = _with_own(engine, found, drugs)
    uses = engine.keep(partial(drug_uses.drug_uses, keyed, found), "drug_uses")
    engine.release(keyed)
    return uses, drugs


def _keyed_uses(
    explained: ir.Table,
    received: Sequence[ir.Table],
    known: ir.Table,
    every: bool,
) -> ir.Table:
    order_rows = orders.mentions if every else orders.orders
    ordered = [order_rows(rows, known) for rows in received]
    claimed = claims.claims(explained, covered_only=not every)
    return drug_codes.with_medication(drug_uses.uses(claimed, ordered[0].union(*ordered[1:])))


def _with_named(resolved: ir.Table, by_name: ir.Table) -> ir.Table:
    return resolved.union(by_name.drop("kind"))


def _kinds_of_drugs(every: ir.Table, classes: ir.Table, by_name: ir.Table) -> ir.Table:
    return drug_codes.with_kind(drug_codes.drugs(every, classes), by_name)


def _with_own(engine: Backend, rows: ir.Table, drugs: Drugs) -> ir.Table:
    """``rows`` (drugs or drug uses) where what the plan's own lists say stands in place of the shipped flags and marks."""
    own = engine.keep(partial(overlays.own_marks, drugs.asked, drugs.resolved, drugs.lists), "own")
    return engine.keep(partial(overlays.with_own, rows, own), "with_own")


def _by_own_list(engine: Backend, facts: Facts, program: Program) -> ir.Table:
    """The drug uses with the flags of the program's own maintenance list, which goes before the loaded and the shipped."""
    if not program.maintenance_list:
        return facts.drug_uses
    ndc = facts.drugs.lists["ndc"]

    def known(asked: Collection[str]) -> set[str]:
        return {row["ndc11"] for row in engine.records(ndc.filter(ndc.ndc11.isin(sorted(asked))).select("ndc11"))}

    rows = maintenance_rows(Path(program.maintenance_list), known)
    own = engine.table(rows, dict.fromkeys(rows[0], "string"), "own_list")
    drugs = replace(facts.drugs, lists={**facts.drugs.lists, "maintenance": own})
    return _with_own(engine, facts.drug_uses, drugs)


def _by_name(engine: Backend, asked: ir.Table, resolved: ir.Table, mappings: Mappings) -> ir.Table:
    """The medications that no code resolves, by their text: medication, drug, label, matched_by, kind."""
    found: dict[str, dict[str, str]] = {}
    for row in engine.records(partial(_unresolved, asked, resolved)):
        named = drug_names.named(row["text"], _lexicon(mappings)) if row["medication"] not in found else None
        if named is not None:
            found[row["medication"]] = {
                "medication": row["medication"], "drug": named.drug, "label": named.label, "matched_by": "name", "kind": named.kind
            }  # fmt: skip
    return engine.table(list(found.values()), drug_codes.BY_NAME, "by_name")


def _unresolved(asked: ir.Table, resolved: ir.Table) -> ir.Table:
    return drug_codes.texts(asked.anti_join(resolved, "medication")).order_by("medication", "place")


def _lexicon(mappings: Mappings) -> drug_names.Lexicon:
    """The names that texts are looked up in, read once for each set of lists."""
    return _lexicon_of(tuple(mappings.path(f"drugs/{name}") for name in drug_codes.NAME_LISTS))


@cache
def _lexicon_of(paths: tuple[Path, ...]) -> drug_names.Lexicon:
    return drug_names.lexicon({name: list_rows(path) for name, path in zip(drug_codes.NAME_LISTS, paths, strict=True)})


def _unmapped(sick: ir.Table, uses: ir.Table) -> ir.Table:
    """Every code that no list knows, with how many resources use it."""
    import ibis

    problems = sick.filter(sick.disease.isnull()).select(
        "system", "code", display=ibis.coalesce(sick.display, sick.label), used_as=ibis.literal("condition")
    )
    unlisted = uses.filter(~uses.listed).mutate(coding=lambda t: t.codings.unnest())
    unlisted = unlisted.select(
        system=unlisted.coding["system"], code=unlisted.coding["code"],
        display=ibis.coalesce(unlisted.coding["display"], unlisted.label), used_as=ibis.literal("drug"),
    )  # fmt: skip
    every = problems.union(unlisted).mutate(
        system=lambda t: ibis.coalesce(t.system, ""), code=lambda t: ibis.coalesce(t.code, "")
    )
    return (
        every.group_by("system", "code", "used_as")
        .agg(display=lambda t: ibis.coalesce(t.display.min(), ""), count=lambda t: t.count())
        .select("system", "code", "display", "count", "used_as")
        .order_by(ibis.desc("count"), "used_as", "system", "code")
    )
