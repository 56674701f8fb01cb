"""The targeted of a screening to their resources at the sink: enrollment CarePlan, and the Personal Medication List if asked for.

Enrollments of earlier plan years are ended: they become completed, and that of the year before is named by the one that continues it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import chain, islice

import ibis.expr.types as ir

from adapter import __version__
from adapter.decisions import drugs_by_person
from adapter.errors import ConfigError
from adapter.fhir.json import Resource
from adapter.jobs.targeting import Screened
from adapter.outputs.comparison import criteria_met_on
from adapter.population import own_enrollments
from adapter.resources.care_plan import enrollment
from adapter.resources.enrollment_life import carried_over, ended_with_year
from adapter.resources.ids import reference_to, resource_id
from adapter.resources.medication_list import medication_list
from adapter.resources.provenance import provenance
from adapter.sinks import PersonWrite, Sink, WriteReport
from adapter.tables.listed_drugs import listed_drugs
from adapter.targeting.decision import Decision, ListedDrug
from adapter.targeting.program import Program, Window

PERSONS_AT_ONCE = 200  # whose held resources are read together


@dataclass(frozen=True)
class Write:
    """How to write: with the Personal Medication List or not, and the instant that the Provenance tells."""

    recorded: str
    pml: bool = False


def write_back(result: Screened, sink: Sink, write: Write) -> WriteReport:
    """Writes the resources of every targeted beneficiary that differ from what the sink holds.

    Raises ConfigError when the day lies outside the plan year or a contract is not known: then nothing is written.
    """
    program, as_of = result.program, result.question.as_of
    if not program.first_day <= as_of <= program.last_day:
        raise ConfigError(
            f"Nobody can be enrolled on {as_of}, outside plan year {program.plan_year}; give a day of that year with --as-of"
        )
    targeted = result.decisions("targeted")
    if any(not decision.contract for decision in targeted):
        raise ConfigError(
            "The source does not tell the contract of some beneficiaries; say whose members they are with --contract"
        )
    drugs = _drugs(result) if write.pml else {}
    met_on = criteria_met_on(result.earlier.first_met) if result.earlier else {}
    # What is wanted is made from what is held: both must be of one reading, or a change in between would be overwritten unseen.
    held: dict[str, Resource] = {}
    persons = _persons(targeted, drugs, met_on, program, sink, write, held)
    return sink.write(chain(persons, _left(result, sink, write, held)), held)


def _drugs(result: Screened) -> dict[str, list[ListedDrug]]:
    uses, window = result.population.tables.drug_uses, result.program.part_d_drugs.window
    asked = partial(_drugs_of_targeted, result.targeting, uses, window, result.question.as_of)
    return drugs_by_person(result.engine.records(asked))


def _drugs_of_targeted(targeting: ir.Table, uses: ir.Table, window: Window, as_of: date) -> ir.Table:
    targeted = targeting.filter(targeting.outcome == "targeted")
    return listed_drugs(uses.semi_join(targeted, "beneficiary"), window, as_of)


def _persons(
    targeted: Sequence[Decision],
    drugs: Mapping[str, list[ListedDrug]],
    met_on: Mapping[tuple[str, str], date],
    program: Program,
    sink: Sink,
    write: Write,
    told: dict[str, Resource],
) -> Iterator[PersonWrite]:
    """The persons in their order; ``told`` holds what the sink holds of those that were given last (a sink may gather some)."""
    rest = iter(targeted)
    before: dict[str, Resource] = {}
    while group := list(islice(rest, PERSONS_AT_ONCE)):
        held = _held(group, drugs, program, sink, write)
        told.clear()
        told.update(before | held)
        before = held
        for decision in group:
            first = met_on.get((decision.beneficiary, decision.contract))
            yield _person(decision, first, drugs.get(decision.beneficiary, []), program, held, write)


def _held(
    group: Sequence[Decision], drugs: Mapping[str, list[ListedDrug]], program: Program, sink: Sink, write: Write
) -> dict[str, Resource]:
    """What the sink holds of the resources that the group may get, by Type/id."""
    keys = [f"CarePlan/{_id('enrollment', one, program)}" for one in group]
    keys += [_year_before(one, program) for one in group]
    if not write.pml:
        return sink.held(keys)
    keys += [f"List/{_id('medication-list', one, program)}" for one in group]
    keys += [
        f"MedicationStatement/{_id('medication-statement', one, program, drug.drug)}"
        for one in group
        for drug in drugs.get(one.beneficiary, [])
    ]
    held = sink.held(keys)
    return held | sink.held(sorted(_listed_statements(held) - set(held)))


def _listed_statements(held: Mapping[str, Resource]) -> set[str]:
    """The statements that the held lists name: one may have to be taken off."""
    lists = [resource for key, resource in held.items() if key.startswith("List/")]
    named = {entry.get("item", {}).get("reference", "") for one in lists for entry in one.get("entry", [])}
    return {reference for reference in named if reference.startswith("MedicationStatement/mtm-")}


def _id(kind: str, decision: Decision, program: Program, *more: str) -> str:
    return resource_id(kind, decision.contract, decision.beneficiary, program.plan_year, *more)  # type: ignore[arg-type]


def _year_before(decision: Decision, program: Program) -> str:
    """The reference of the enrollment of the year before in the same contract."""
    return f"CarePlan/{resource_id('enrollment', decision.contract, decision.beneficiary, program.plan_year - 1)}"


def _left(result: Screened, sink: Sink, write: Write, told: dict[str, Resource]) -> Iterator[PersonWrite]:
    """Those whose enrollment of an earlier plan year is still active, and who are not targeted in its contract now."""
    program = result.program
    plans = own_enrollments(result.engine, result.snapshot)
    over = plans.filter((plans.plan_year < program.plan_year) & (plans.status == "active"))
    if result.question.contract:
        over = over.filter(over.contract == result.question.contract)
    columns = over.select("beneficiary", "contract", "source").order_by("beneficiary", "source")
    continued = {_year_before(decision, program) for decision in result.decisions("targeted")}
    rows = (row for row in result.engine.records(columns) if row["source"] not in continued)
    before = dict(told)
    while group := list(islice(rows, PERSONS_AT_ONCE)):
        held = sink.held([row["source"] for row in group])
        told.clear()
        told.update(before | held)
        before = held
        for row in group:
            if row["source"] in held:
                yield _ended(row, held, program, write)


def _ended(row: Mapping[str, str], held: Mapping[str, Resource], program: Program, write: Write) -> PersonWrite:
    def made_by(changed: tuple[Resource, ...]) -> Resource:
        return provenance(
            changed, recorded=write.recorded, agent_version=__version__, beneficiary=row["beneficiary"],
            contract=row["contract"], plan_year=program.plan_year, program=program.name, activity="UPDATE", sources=(),
        )  # fmt: skip

    def again(person: PersonWrite, current: Mapping[str, Resource]) -> PersonWrite:
        """Ended anew after somebody wrote in between: an opt-out recorded meanwhile must stand."""
        return replace(person, resources=(ended_with_year(current[row["source"]]),))

    return PersonWrite(row["beneficiary"], (ended_with_year(held[row["source"]]),), made_by, again)


def _person(
    decision: Decision,
    first_met: date | None,
    drugs: Sequence[ListedDrug],
    program: Program,
    held: Mapping[str, Resource],
    write: Write,
) -> PersonWrite:
    def wanted(there: Mapping[str, Resource]) -> tuple[Resource, ...]:
        key = f"CarePlan/{_id('enrollment', decision, program)}"
        plan = enrollment(decision, program, there.get(key), first_met)
        before = there.get(_year_before(decision, program))
        ended = (ended_with_year(before),) if before else ()
        if plan.get("status") != "active":
            return (plan, *ended)
        plan = carried_over(plan, before)
        if not write.pml:
            return (plan, *ended)
        listed = medication_list(
            drugs, beneficiary=decision.beneficiary, contract=decision.contract, plan_year=program.plan_year,
            as_of=decision.as_of, held=_of_person(there, decision),
        )  # fmt: skip
        return (plan, *ended, *listed)

    def again(person: PersonWrite, current: Mapping[str, Resource]) -> PersonWrite:
        """Wanted anew after somebody wrote in between: an opt-out recorded meanwhile must stand."""
        return replace(person, resources=wanted({**held, **current}))

    def made_by(changed: tuple[Resource, ...]) -> Resource:
        known = any(reference_to(resource) in held for resource in changed)
        return provenance(
            changed, recorded=write.recorded, agent_version=__version__, beneficiary=decision.beneficiary,
            contract=decision.contract, plan_year=program.plan_year, program=program.name,
            activity="UPDATE" if known else "CREATE", sources=_sources(decision),
        )  # fmt: skip

    return PersonWrite(decision.beneficiary, wanted(held), made_by, again)


def _sources(decision: Decision) -> tuple[str, ...]:
    """Every resource that the decision rests on."""
    return tuple(sorted({evidence.source for result in decision.criteria for evidence in result.evidence}))


def _of_person(held: Mapping[str, Resource], decision: Decision) -> dict[str, Resource]:
    subject = f"Patient/{decision.beneficiary}"
    return {key: resource for key, resource in held.items() if resource.get("subject", {}).get("reference") == subject}
