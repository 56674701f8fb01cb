"""The Personal Medication List of one beneficiary, or of all of a source, put together before a pharmacist's review."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapter.config import Config
from adapter.engines.duckdb import Engine, EnginePool
from adapter.fhir.json import Resource
from adapter.fhir.references import reference_id
from adapter.mappings.folder import load_mappings
from adapter.population import mentioned_drugs
from adapter.reconciliation.pml import PersonalMedicationList, personal_medication_list
from adapter.sources.opening import open_source
from adapter.sources.person import TYPES, Person, newest, one_person, resources_of
from adapter.sources.quarantine import Rejected


@dataclass(frozen=True)
class Reconciled:
    """The list of one beneficiary, the resources that it was made of by Type/id, what was refused, and what to know beside it."""

    pml: PersonalMedicationList
    resources: Mapping[str, Resource]
    rejected: tuple[Rejected, ...]
    notices: tuple[str, ...]


def reconcile(
    source: str,
    beneficiary: str,
    as_of: date,
    config: Config,
    pool: EnginePool | None = None,
    review_day: date | None = None,
) -> Reconciled:
    """The list of the Patient ``beneficiary`` on ``as_of``. From a server only that person is read.

    With ``review_day`` it is the list before a review of that day, also when that review has been written already.

    Raises UnknownBeneficiary when the source does not hold that Patient, SourceError when it cannot be read.
    """
    with TemporaryDirectory(prefix="mtm-") as scratch, _engine(pool) as engine:
        person = one_person(source, config, Path(scratch), beneficiary)
        return _reconciled(engine, person, beneficiary, as_of, review_day)


def reconcile_all(source: str, as_of: date, config: Config) -> Iterator[PersonalMedicationList]:
    """The lists of all Patients of a source, by their ids. The drugs of all are recognized in one go, as for one."""
    with TemporaryDirectory(prefix="mtm-") as scratch, Engine() as engine:
        snapshot = open_source(source, config, Path(scratch), types=TYPES)
        engine.expect(snapshot.size)
        mentioned = mentioned_drugs(engine, snapshot, load_mappings())
        names = {row["rxcui"]: row["name"] for row in engine.records(mentioned.ingredients)}
        resources = newest(resources_of(snapshot))
        by_person: dict[str, dict[str, Resource]] = {
            key.partition("/")[2]: {} for key in resources if key.startswith("Patient/")
        }
        shared = {key: one for key, one in resources.items() if _beneficiary_of(one) is None}
        for key, one in resources.items():
            by_person.get(_beneficiary_of(one) or "", {})[key] = one
        rows: dict[str, list[dict[str, Any]]] = {}
        for row in engine.records(mentioned.rows):
            rows.setdefault(row["beneficiary"], []).append(row)
        for beneficiary, own in sorted(by_person.items()):
            yield personal_medication_list(beneficiary, rows.get(beneficiary, []), shared | own, names, as_of)


def _reconciled(engine: Engine, person: Person, beneficiary: str, as_of: date, review_day: date | None) -> Reconciled:
    mentioned = mentioned_drugs(engine, person.snapshot, load_mappings())
    rows = engine.records(mentioned.rows)
    wanted = sorted({one for row in rows for one in str(row["drug"]).split(";")})
    named = mentioned.ingredients.filter(mentioned.ingredients.rxcui.isin(wanted)) if wanted else None
    names = {row["rxcui"]: row["name"] for row in engine.records(named)} if named is not None else {}
    pml = personal_medication_list(beneficiary, rows, person.resources, names, as_of, review_day)
    return Reconciled(pml, person.resources, mentioned.rejected, person.snapshot.notices)


def _beneficiary_of(resource: Resource) -> str | None:
    """The Patient whom the resource is about; None for what is about nobody, such as a Medication or a Practitioner."""
    for name in ("subject", "patient", "beneficiary"):
        if isinstance(resource.get(name), dict):
            return reference_id(str(resource[name].get("reference", "")), "Patient") or ""
    return None


@contextmanager
def _engine(pool: EnginePool | None) -> Iterator[Engine]:
    with pool.session() if pool else Engine(threads=1) as engine:
        yield engine
