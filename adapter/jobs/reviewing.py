"""A review of one beneficiary: its form is checked against the records, and everything that follows from it is written at once.

All or nothing: one transaction at a server. What was held when the resources were made must still be held when they are written
(If-Match); otherwise they are made again from what is held by then. The same form again writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from adapter import __version__
from adapter.config import Config
from adapter.engines.duckdb import EnginePool
from adapter.enrolled import TYPES, standing_of
from adapter.errors import ConfigError, ConformanceError, SinkError
from adapter.fhir import conformance
from adapter.fhir.json import Resource, loads
from adapter.jobs import papers
from adapter.jobs.papers import Printing
from adapter.jobs.reconciling import Reconciled, reconcile
from adapter.jobs.review_printing import SUMMARY, printed, read_pdf
from adapter.reconciliation.form import ReviewForm, review_form
from adapter.reconciliation.review import cmr_of, known_faults, settled
from adapter.resources import review as resources
from adapter.resources.ids import is_own, reference_to
from adapter.resources.npi import NPI_SYSTEM
from adapter.resources.provenance import provenance
from adapter.resources.review import Review, Written
from adapter.resources.review_document import is_us_core_person
from adapter.resources.review_note import Printed
from adapter.resources.reviewed_list import is_current
from adapter.services.records import same_event, with_known
from adapter.services.records import settled as settled_service
from adapter.sinks import PersonWrite, Sink, WriteReport, differs, open_sink

OF_PERSON = ("List", "MedicationStatement", "CarePlan", "DocumentReference", "AllergyIntolerance", "DetectedIssue")


@dataclass(frozen=True)
class Reviewing:
    """What to record: the review in the form at ``form`` of the Patient ``beneficiary``, by the last day ``today``.

    ``sink`` is where it is written, a server or a folder; "" is the source itself. ``recorded`` is the instant of the write.
    ``correct`` lets facts of the CMR that are recorded otherwise be replaced. The summary is kept with the review: ``pdf`` when it
    was printed elsewhere, else it is printed in the language of the form when ``plan`` names the plan's file; ``letter_day`` is the
    day on it (None: the day of the CMR).
    """

    source: str
    beneficiary: str
    form: Path
    today: date
    recorded: str
    pdf: Path | None = None
    plan: Path | None = None
    letter_day: date | None = None
    large_print: bool = False
    sites: Path | None = None
    sink: str = ""
    contract: str = ""
    correct: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Change:
    """What becomes of one resource: created, changed or left as it is."""

    reference: str
    what: str


@dataclass(frozen=True)
class Reviewed:
    """What a review came to. ``report`` is None of a dry run, ``summary`` tells of a summary that was printed now."""

    changes: tuple[Change, ...]
    smp: bool
    notices: tuple[str, ...]
    summary: papers.Printed | None = None
    report: WriteReport | None = field(default=None)

    def count(self, what: str) -> int:
        """How many resources were created, changed or left as they are."""
        return sum(change.what == what for change in self.changes)


def review(asked: Reviewing, config: Config, pool: EnginePool | None = None) -> Reviewed:
    """Writes the review, or with ``dry_run`` tells what would be written; every resource is validated in both cases.

    Raises ConfigError with every fault of the form, RefusedRecord when no CMR of that day can be recorded (not enrolled, before the
    enrollment, after an opt-out), SinkError when it could not be written: then nothing was.
    """
    if asked.pdf and asked.plan:
        raise ConfigError("The summary is either printed now (--plan) or was printed before (--pdf); give one of them")
    form = read_form(asked.form, asked.today)
    pdf = read_pdf(asked.pdf) if asked.pdf else None
    day = date.fromisoformat(form.cmr.date)
    records = reconcile(asked.source, asked.beneficiary, day, config, pool, review_day=day)
    target = asked.sink or asked.source
    with _sink(target, config) as (sink, base_url), sink.exclusive():
        reviewer = _known_reviewer(form.pharmacist.npi, target, config)
        return _Task(asked, form, records, reviewer, pdf, sink, base_url, pool).run()


@dataclass(frozen=True)
class _Made:
    """A review as it was judged, what the sink held of it then, what it writes, and what is to be told of its summary."""

    review: Review
    held: dict[str, Resource]
    result: Written
    summary: papers.Printed | None

    @property
    def resources(self) -> tuple[Resource, ...]:
        """All that is written: the review's own, then what it takes the place of."""
        return (*self.result.resources, *self.result.earlier)


@dataclass(frozen=True)
class _Task:
    """One review to be written: its form, the records of the person, and where it goes."""

    asked: Reviewing
    form: ReviewForm
    records: Reconciled
    reviewer: str
    pdf: Printed | None
    sink: Sink
    base_url: str
    pool: EnginePool | None

    def run(self) -> Reviewed:
        made = self._made()
        done = Reviewed(tuple(_changes(made.result, made.held)), made.result.smp, made.result.notices, made.summary)
        if self.asked.dry_run:
            for resource in made.resources:
                conformance.validate(resource)
            return done

        def again(person: PersonWrite, current: Mapping[str, Resource]) -> PersonWrite:
            anew = self._made(current)
            return replace(person, resources=anew.resources, rests_on=_enrollment(anew.review, anew.held))

        person = PersonWrite(
            self.asked.beneficiary, made.resources, _provenance(made.review, made.held, self.asked), again,
            _enrollment(made.review, made.held), as_new=True,
        )  # fmt: skip
        report = self.sink.write([person], made.held)
        if report.failures:
            raise SinkError(
                f"{report.failures[0].sentence} Nothing of the review was written.", report.failures[0].status
            )
        return replace(done, report=report)

    def _made(self, current: Mapping[str, Resource] | None = None) -> _Made:
        """The review as it is judged now and what it writes; ``current`` is newer than what is read from the sink."""
        review, judged = self._judged()
        # What was judged stands before what was read after it: who wrote in between is then noticed by the version.
        held = _held(self.sink, review) | judged | dict(current or {})
        _refuse_later(review, held)
        state, notices = _without_invalid_allergies({**_of_source(self.records, review), **held})
        result, summary = self._written(review, state), None
        if self.asked.plan:
            after = state | {reference_to(one): one for one in (*result.resources, *result.earlier)}
            pdf, summary = printed(self._printing(self.asked.plan, review), self.asked.beneficiary, after)
            result = self._written(replace(review, pdf=pdf), state)
        return _Made(review, held, replace(result, notices=(*result.notices, *notices)), summary)

    def _written(self, review: Review, state: Mapping[str, Resource]) -> Written:
        return resources.written(review, state, base_url=self.base_url, recorded=self.asked.recorded)

    def _printing(self, plan: Path, review: Review) -> Printing:
        asked, day = self.asked, self.asked.letter_day or review.service.on_day
        return Printing(SUMMARY, plan, Path(), day, self.form.language, asked.large_print, sites=asked.sites)

    def _judged(self) -> tuple[Review, dict[str, Resource]]:
        """What the form settles, and what the sink holds for it.

        Raises RefusedRecord where ``mtm-adapter record cmr`` would, ConfigError for faults of the form.
        """
        at_sink: dict[str, Resource] = {}
        for kind in (*TYPES, "DetectedIssue"):
            at_sink |= self.sink.of_persons(kind, [self.asked.beneficiary])
        known = dict(self.records.resources) | at_sink
        standing = standing_of(known.values(), self.asked.today, self.pool)
        asked = cmr_of(self.form, self.asked.beneficiary, self.asked.contract)
        service, enrollment = settled_service(asked, standing)
        service = with_known(service, same_event(standing.services, service), self.asked.correct)
        _refuse(self.asked.form, known_faults(self.form, self.records.pml, known))
        program = enrollment["program"] or "unknown"
        return settled(self.form, self.records.pml, service, program, self.reviewer, self.pdf), at_sink


def _known_reviewer(npi: str, source: str, config: Config) -> str:
    """The reference of the one Practitioner with that NPI whom a server holds; "" when there is none, or only the adapter's own.

    Of several none is chosen: which is right only a person can tell.
    """
    if "://" not in source:
        return ""
    with config.client(source) as client:
        found = list(client.search("Practitioner", {"identifier": f"{NPI_SYSTEM}|{npi}"}))
    others = [one for one in found if one.get("active") is not False and not is_own(one)]
    return reference_to(others[0]) if len(others) == 1 and is_us_core_person(others[0]) else ""


def _refuse_later(made: Review, held: Mapping[str, Resource]) -> None:
    """Raises ConfigError when a review of a later day stands: what it settled must not be undone by an earlier one."""
    day = made.service.on_day.isoformat()
    lists = [one for one in held.values() if is_current(one) and is_own(one, "reviewed-list")]
    later = max((str(one.get("date", ""))[:10] for one in lists), default="")
    if later > day:
        raise ConfigError(
            f"A review of {later} stands already, later than that of {day}: correct the later one instead"
        )


def read_form(path: Path, today: date) -> ReviewForm:
    """The form in the file of that path. Raises ConfigError with every fault of it, each with the path of its key."""
    try:
        raw = loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"The review {path} cannot be read ({error.strerror}); give the file with --input") from error
    except ValueError as error:
        raise ConfigError(f"{path.name} is {error}; an example is fixtures/review/review.json") from error
    form, found = review_form(raw, today)
    _refuse(path, found)
    assert form is not None  # noqa: S101 - without a fault there is a form
    return form


def _refuse(path: Path, found: list[tuple[str, str]]) -> None:
    if found:
        raise ConfigError("\n".join(f"{path.name}: {key or 'the form'}: {fault}" for key, fault in found))


def _held(sink: Sink, made: Review) -> dict[str, Resource]:
    """What the sink holds of the review's own resources and of the person's earlier ones."""
    beneficiary = made.service.beneficiary
    found: dict[str, Resource] = {}
    for kind in OF_PERSON:
        found |= sink.of_persons(kind, [beneficiary])
    return found | sink.held(key for key in resources.keys(made) if key not in found)


def _enrollment(made: Review, held: Mapping[str, Resource]) -> tuple[Resource, ...]:
    """The enrollment in which the review lies, as held: nobody may have ended it when the review is written."""
    return (held[made.service.enrollment],) if made.service.enrollment in held else ()


def _of_source(records: Reconciled, made: Review) -> dict[str, Resource]:
    """What the source holds of the person, for a sink that is another place: it is read from there, and written here."""
    wanted = (*OF_PERSON, "Patient")
    own = {key: one for key, one in records.resources.items() if key.partition("/")[0] in wanted}
    if made.known_reviewer in records.resources:
        own[made.known_reviewer] = records.resources[made.known_reviewer]
    return own


def _without_invalid_allergies(state: dict[str, Resource]) -> tuple[dict[str, Resource], list[str]]:
    """``state`` without the AllergyIntolerances of others that are not valid FHIR: the document holds all, and would not be either."""
    invalid = []
    for key, one in state.items():
        if one["resourceType"] == "AllergyIntolerance":
            try:
                conformance.validate(one)
            except ConformanceError:
                invalid.append(key)
    left = [f"{key} is not valid FHIR and is left out of the document" for key in invalid]
    return {key: one for key, one in state.items() if key not in invalid}, left


def _changes(result: Written, held: Mapping[str, Resource]) -> Iterator[Change]:
    for resource in (*result.resources, *result.earlier):
        key = reference_to(resource)
        what = "unchanged" if not differs(resource, held.get(key)) else "changed" if key in held else "created"
        yield Change(key, what)


def _provenance(made: Review, held: Mapping[str, Resource], asked: Reviewing) -> Any:
    def of(changed: tuple[Resource, ...]) -> Resource:
        known = any(reference_to(resource) in held for resource in changed)
        service = made.service
        author = {"reference": made.held.practitioner, "display": made.reviewer.organization}
        return provenance(
            changed, recorded=asked.recorded, agent_version=__version__, beneficiary=service.beneficiary, contract=service.contract,
            plan_year=service.plan_year, program=made.program, activity="UPDATE" if known else "CREATE",
            sources=sorted({source for drug in made.drugs for source in drug.sources}), author=author,
        )  # fmt: skip

    return of


@contextmanager
def _sink(target: str, config: Config) -> Iterator[tuple[Sink, str]]:
    """The sink, and the base URL of a server ("" of a folder)."""
    with ExitStack() as stack:
        sink = open_sink(target, lambda url: stack.enter_context(config.client(url)))
        yield sink, target.rstrip("/") if "://" in target else ""
