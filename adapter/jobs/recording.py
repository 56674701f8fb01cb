"""The job that records what happened to one beneficiary: a service, an opt-out, a re-enrollment, or that a record was a mistake.

What stands is read first, what is impossible is refused with its reason (``adapter/services/records.py``), and only what differs is
written, in one transaction with its Provenance. Somebody who wrote in between is noticed (If-Match): then it is all read and judged
again. The same record again writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapter import __version__
from adapter.config import Config
from adapter.engines.duckdb import Engine, EnginePool
from adapter.errors import RefusedRecord, SinkError, UnknownBeneficiary
from adapter.fhir.json import Resource, loads
from adapter.population import plan_year_tables
from adapter.resources.enrollment_life import opt_out_withdrawn, opted_out, re_enrolled
from adapter.resources.ids import reference_to
from adapter.resources.narrative import clean
from adapter.resources.provenance import provenance
from adapter.resources.service_events import Service, reference_of, service_event, withdrawn
from adapter.services import records
from adapter.services.records import Row, Standing
from adapter.sinks import PersonWrite, Sink, differs, open_sink
from adapter.sources.opening import open_source
from adapter.sources.snapshot import Snapshot

TYPES = ("CarePlan", "Procedure", "Communication")
RECIPIENT_UNDERSTOOD = {
    "invitation": "beneficiary",
    "cmr_offer": "beneficiary",
    "summary_sent": "beneficiary",
    "safe_disposal": "beneficiary",
    "recommendation": "prescriber",
}


@dataclass(frozen=True)
class Place:
    """Of whom to record, where, and when: ``today`` is the current day, ``recorded`` the instant of the write with its offset."""

    source: str
    beneficiary: str
    today: date
    recorded: str


@dataclass(frozen=True)
class Recorded:
    """What became of a record: the reference of its resource, and whether it was created, changed or stood already (unchanged)."""

    reference: str
    what: str
    day: date | None
    contract: str
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Plan:
    """The resource that is wanted over what is held, and what is told with it."""

    reference: str
    enrollment: Row
    make: Callable[[Resource | None], Resource]
    day: date | None
    notices: tuple[str, ...] = ()
    about: str = ""  # the reference of another record that must stand

    def rests_on(self, held: Mapping[str, Resource]) -> tuple[Resource, ...]:
        """What was judged and must not have changed when the record is written: the enrollment, and what the record is about."""
        wanted = dict.fromkeys([str(self.enrollment.get("source", "")), self.about])
        return tuple(held[one] for one in wanted if one != self.reference and one in held)


Judge = Callable[[Standing, Mapping[str, Resource]], _Plan]


def record_service(
    place: Place, service: Service, config: Config, *, correct: bool = False, pool: EnginePool | None = None
) -> Recorded:
    """Records ``service``, whose beneficiary, plan year and enrollment are found here, and whose contract may be "".

    Raises RefusedRecord with the reason, UnknownBeneficiary, SourceError, and SinkError: then nothing was written.
    """
    asked = replace(service, beneficiary=place.beneficiary)

    def judge(standing: Standing, held: Mapping[str, Resource]) -> _Plan:
        made, enrollment = records.settled(asked, standing)
        row = records.same_event(standing.services, made)
        made = records.with_known(made, row, correct)
        if row:
            made = _with_told(made, row, held.get(row["source"], {}), correct)
        made = _understood(made)
        return _Plan(reference_of(made), enrollment, partial(service_event, made), made.on_day, about=made.about)

    return _recorded(place, judge, config, pool)


def record_opt_out(
    place: Place, day: date, reason: str, config: Config, *, contract: str = "", pool: EnginePool | None = None
) -> Recorded:
    """Ends the enrollment of the beneficiary on ``day`` for the CMS ``reason`` (01 death, 02 disenrollment, 03 request, 99 other)."""

    def judge(standing: Standing, held: Mapping[str, Resource]) -> _Plan:
        enrollment = records.opted_out_of(standing, day, reason, contract)
        return _Plan(
            enrollment["source"], enrollment, lambda there: opted_out(_there(there), day, reason), day,
            _left_behind(standing, enrollment, day),
        )  # fmt: skip

    return _recorded(place, judge, config, pool)


def record_re_enrollment(
    place: Place, day: date, config: Config, *, contract: str = "", pool: EnginePool | None = None
) -> Recorded:
    """Enrolls the beneficiary again from ``day`` on, on request after an opt-out: the only way back in the same plan year."""

    def judge(standing: Standing, held: Mapping[str, Resource]) -> _Plan:
        enrollment = records.re_enrolled_of(standing, day, contract)
        last = date(enrollment["plan_year"], 12, 31)
        return _Plan(enrollment["source"], enrollment, lambda there: re_enrolled(_there(there), day, last), day)

    return _recorded(place, judge, config, pool)


def withdraw(place: Place, reference: str, config: Config, *, pool: EnginePool | None = None) -> Recorded:
    """Takes a record back that was a mistake: a service becomes entered-in-error, an opt-out (the CarePlan's reference) is undone."""

    def judge(standing: Standing, held: Mapping[str, Resource]) -> _Plan:
        enrollment = next((row for row in standing.enrollments if row["source"] == reference), None)
        if enrollment is not None:
            if not enrollment["opted_out_on"]:
                raise RefusedRecord(f"{reference} has no opt-out; nothing can be withdrawn")
            last = date(enrollment["plan_year"], 12, 31)
            return _Plan(reference, enrollment, lambda there: opt_out_withdrawn(_there(there), last), None)
        return _mistake(standing, reference)

    return _recorded(place, judge, config, pool)


def _mistake(standing: Standing, reference: str) -> _Plan:
    row = next((row for row in standing.services if row["source"] == reference), None)
    if row is None:
        raise RefusedRecord(
            f"{reference} is no record of the beneficiary; give the reference as it was told when recorded"
        )
    about = records.dependents(standing.services, row)
    if about:
        raise RefusedRecord(f"{about[0]['source']} is about {reference}; withdraw that first")
    same = [
        one
        for one in standing.enrollments
        if (one["contract"], one["plan_year"]) == (row["contract"], row["plan_year"])
    ]
    enrollment = same[0] if same else {**row, "program": "unknown"}
    return _Plan(reference, enrollment, lambda there: withdrawn(_there(there)), row["on_day"])


# ---- reading, judging, writing


def _recorded(place: Place, judge: Judge, config: Config, pool: EnginePool | None) -> Recorded:
    with ExitStack() as stack:
        sink = open_sink(place.source, lambda url: stack.enter_context(config.client(url)))
        stack.enter_context(sink.exclusive())
        standing, held = _standing(place, config, pool, sink)
        plan = judge(standing, held)
        held = sink.held([plan.reference]) | held  # also one that is no longer found by its code
        wanted = plan.make(held.get(plan.reference))
        what = "changed" if plan.reference in held else "created"
        if not differs(wanted, held.get(plan.reference)):
            return _told(plan, "unchanged")
        last = [plan]

        def again(person: PersonWrite, current: Mapping[str, Resource]) -> PersonWrite:
            now, there = _standing(place, config, pool, sink)
            last[:] = [anew := judge(now, there)]
            return replace(person, resources=(anew.make(current.get(anew.reference)),), rests_on=anew.rests_on(there))

        person = PersonWrite(
            place.beneficiary, (wanted,), _provenance(place, plan, what), again, plan.rests_on(held), as_new=True
        )
        report = sink.write([person], held)
    if report.failures:
        raise SinkError(f"{report.failures[0].sentence} Nothing was recorded.", report.failures[0].status)
    return _told(last[0], what if report.written else "unchanged")


def _told(plan: _Plan, what: str) -> Recorded:
    return Recorded(plan.reference, what, plan.day, plan.enrollment["contract"], plan.notices)


def _standing(
    place: Place, config: Config, pool: EnginePool | None, sink: Sink
) -> tuple[Standing, dict[str, Resource]]:
    """The enrollments and services of the beneficiary, and the resources that tell them, both as the source holds them now.

    Both are of one reading at a server: what somebody writes after it is noticed by its version.
    """
    with TemporaryDirectory(prefix="mtm-") as scratch, pool.session() if pool else Engine(threads=1) as engine:
        if "://" in place.source:
            with config.client(place.source) as client:
                if not list(client.read_many("Patient", [place.beneficiary])):
                    raise UnknownBeneficiary
        only = f"_id={place.beneficiary}" if "://" in place.source else ""
        snapshot = open_source(place.source, config, Path(scratch), only, TYPES)
        year = plan_year_tables(engine, snapshot)
        if not engine.rows(year.beneficiaries, beneficiary=place.beneficiary):
            raise UnknownBeneficiary
        enrollments = engine.rows(year.enrollments, beneficiary=place.beneficiary)
        services = engine.rows(year.services, beneficiary=place.beneficiary)
        read = _read(snapshot) if snapshot.remote else {}
    if not enrollments and year.rejected:
        raise RefusedRecord(
            f"The beneficiary has no enrollment that can be read; {len(year.rejected)} resources of the source were refused,"
            f" the first: {year.rejected[0].sentence}"
        )
    standing = Standing(enrollments, services, place.today)
    return standing, read or sink.held([row["source"] for row in (*enrollments, *services)])


def _read(snapshot: Snapshot) -> dict[str, Resource]:
    """The resources that were read, by Type/id."""
    lines = (line for kind in TYPES for path in snapshot.paths(kind) for line in path.read_bytes().splitlines())
    return {reference_to(one): one for one in map(loads, lines)}


def _with_told(service: Service, row: Row, held: Resource, correct: bool) -> Service:
    """The service with what only the resource of its earlier record tells: its words and the person who did it.

    Raises RefusedRecord when others are told, without ``correct``.
    """
    words = [one["contentString"] for one in held.get("payload", []) if "contentString" in one]
    actors = [one.get("actor", {}) for one in held.get("performer", [])] + [held.get("sender", {})]
    persons = [one["reference"] for one in actors if "reference" in one]
    changes = {}
    for fact, known in (("text", words[:1]), ("performer", persons[:1])):
        told = getattr(service, fact)
        # The words of a recommendation make it what it is, in whatever letter case they are told again.
        if known and (not told or (fact == "text" and service.kind == "recommendation")):
            changes[fact] = known[0]
        elif known and clean(told) != known[0] and not correct:
            raise records.contradiction(service, row, fact, known[0])
    return replace(service, **changes)


def _understood(service: Service) -> Service:
    """The service with what is understood where nothing is told."""
    told: dict[str, Any] = {}
    if service.kind == "cmr":
        told |= {name: "U" for name in ("cognitively_impaired", "ltc_facility") if not getattr(service, name)}
    if not service.recipient and service.kind in RECIPIENT_UNDERSTOOD:
        told["recipient"] = RECIPIENT_UNDERSTOOD[service.kind]
    return replace(service, **told)


def _there(held: Resource | None) -> Resource:
    if held is None:
        raise RefusedRecord(
            "The resource does not stand in a plain file of its type in the folder, so it cannot be changed there; give a folder"
            " with CarePlan.ndjson, Procedure.ndjson and Communication.ndjson, or a server"
        )
    return held


def _left_behind(standing: Standing, enrollment: Row, day: date) -> tuple[str, ...]:
    count = len(records.later_services(standing.services, enrollment, day))
    return (f"{count} recorded services after {day} no longer count",) if count else ()


def _provenance(place: Place, plan: _Plan, what: str) -> Callable[[tuple[Resource, ...]], Resource]:
    def made_by(changed: tuple[Resource, ...]) -> Resource:
        enrollment = plan.enrollment
        return provenance(
            changed, recorded=place.recorded, agent_version=__version__, beneficiary=place.beneficiary,
            contract=enrollment["contract"], plan_year=enrollment["plan_year"], program=enrollment["program"] or "unknown",
            activity="CREATE" if what == "created" else "UPDATE",
            sources=[enrollment["source"]] if reference_to(changed[0]) != enrollment["source"] else [],
        )  # fmt: skip

    return made_by
