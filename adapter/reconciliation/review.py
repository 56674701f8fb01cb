"""A form of a review against the records: what of them it passes over or does not fit, and what it settles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from adapter.documents.strict import Faults
from adapter.reconciliation.entry import Entry
from adapter.reconciliation.form import MedicationForm, ProblemForm, ReviewForm, uncovered
from adapter.reconciliation.pml import PersonalMedicationList
from adapter.reconciliation.product import product
from adapter.resources.action_plan import ToDo
from adapter.resources.detected_issue import Mitigation, Problem
from adapter.resources.ids import is_own
from adapter.resources.narrative import clean
from adapter.resources.review import Review, ReviewProblem
from adapter.resources.review_note import Printed
from adapter.resources.reviewed_allergy import ToldAllergy, every
from adapter.resources.reviewed_statement import ReviewedDrug
from adapter.resources.reviewer import Reviewer
from adapter.resources.service_events import Service

Resource = Mapping[str, Any]
# Lines of the records that a review must say something of; what was stopped, or was not taken lately by any record, need not be named.
TO_BE_SETTLED = ("current", "unsure", "on_hold", "planned", "unknown")


def cmr_of(form: ReviewForm, beneficiary: str, contract: str) -> Service:
    """The CMR of the form as a service; in which enrollment it was held is not settled yet (``services/records.py`` does)."""
    cmr = form.cmr
    return Service(
        kind="cmr", beneficiary=beneficiary, contract=contract, plan_year=0, enrollment="", on_day=date.fromisoformat(cmr.date),
        method=cmr.method, provider=cmr.provider, recipient=cmr.recipient, cognitively_impaired=cmr.cognitively_impaired,
        ltc_facility=cmr.ltc_facility, minutes=cmr.minutes, note=cmr.note,
    )  # fmt: skip


def known_faults(form: ReviewForm, pml: PersonalMedicationList, resources: Mapping[str, Resource]) -> Faults:
    """What of the form does not fit the records: lines passed over, keys and proposals that are not there, allergies told twice."""
    lines = {line.key: line for line in pml.entries}
    found = uncovered(form, {key: line.name for key, line in lines.items() if line.state in TO_BE_SETTLED})
    found += [
        (f"medications[{n}].entry", f"the records have no line {one.entry}; see mtm-adapter pml")
        for n, one in enumerate(form.medications)
        if one.entry and one.entry not in lines
    ]
    found += [fault for n, one in enumerate(form.problems) for fault in _of_proposal(n, one, resources)]
    return found + _of_allergies(form, pml, resources)


def _of_proposal(n: int, one: ProblemForm, resources: Mapping[str, Resource]) -> Faults:
    if not one.proposal:
        return []
    held = resources.get(f"DetectedIssue/{one.proposal}")
    if held is None or not is_own(held, "detected-issue"):
        return [
            (f"problems[{n}].proposal", f"there is no proposal {one.proposal} of this beneficiary; see mtm-adapter tmr")
        ]
    return []


def _of_allergies(form: ReviewForm, pml: PersonalMedicationList, resources: Mapping[str, Resource]) -> Faults:
    """Only those of other systems count as on record: what the review itself wrote is written again."""
    on_record = [one for one in pml.allergies.known if not is_own(resources.get(one.source, {}), "reviewed-allergy")]
    names = {one.substance.casefold() for one in on_record}
    found = [
        (f"allergies[{n}].substance", f"{one.substance} is on record already; leave it out and confirm the allergies")
        for n, one in enumerate(form.allergies)
        if clean(one.substance).casefold() in names
    ]
    if form.no_known_allergies and on_record:
        found.append(
            (
                "no_known_allergies",
                f"{len(on_record)} allergies or side effects are on record; have them corrected first",
            )
        )
    return found


def settled(
    form: ReviewForm,
    pml: PersonalMedicationList,
    service: Service,
    program: str,
    known_reviewer: str,
    pdf: Printed | None,
) -> Review:
    """The review that the form tells, with its CMR as ``service``.

    ``known_reviewer`` is the reference of the Practitioner whom the server holds for the pharmacist, or "".
    """
    lines = {line.key: line for line in pml.entries}
    drugs = [_drug(one, lines.get(one.entry)) for one in form.medications]
    keys = {clean(one.name).casefold(): drug.key for one, drug in zip(form.medications, drugs, strict=True)}
    told = [ToldAllergy(clean(one.substance), one.kind, clean(one.reaction)) for one in form.allergies]
    return Review(
        reviewer=_reviewer(form),
        known_reviewer=known_reviewer,
        service=service,
        program=program,
        drugs=tuple(drugs),
        to_do=tuple(ToDo(one.topic, tuple(one.actions)) for one in form.to_do),
        problems=tuple(_problem(one, keys, lines, drugs) for one in form.problems),
        allergies=tuple(every(told, form.no_known_allergies)),
        other=tuple(form.other),
        language=form.language,
        allergies_confirmed=form.allergies_confirmed or form.no_known_allergies,
        pdf=pdf,
    )


def _reviewer(form: ReviewForm) -> Reviewer:
    one = form.pharmacist
    return Reviewer(one.family, tuple(one.given), one.npi, one.organization, tuple(one.suffix), one.title, one.phone)


def _drug(one: MedicationForm, line: Entry | None) -> ReviewedDrug:
    return ReviewedDrug(
        key=one.entry or one.name,
        name=one.name,
        listed=one.change != "stopped",
        how=one.how,
        why=one.why,
        prescriber=one.prescriber,
        started=one.started,
        stopped=one.stopped,
        stop_reason=one.stop_reason,
        adherence=one.adherence,
        sources=line.sources if line else (),
        codings=tuple(_codings(one, line)),
    )


def _codings(one: MedicationForm, line: Entry | None) -> Iterator[tuple[str, str, str]]:
    """The codes of the form; else those of the line, unless the review changed the strength: they name the old one."""
    if one.codings:
        yield from ((coding.system, coding.code, coding.display) for coding in one.codings)
    elif line is not None:
        told = product(one.name).key
        if not told or not line.strength or told == product(f"{line.generic} {line.strength}").key:
            yield from line.codings


def _problem(
    one: ProblemForm, keys: Mapping[str, str], lines: Mapping[str, Entry], drugs: list[ReviewedDrug]
) -> ReviewProblem:
    about = tuple(keys[clean(name).casefold()] for name in one.medications)
    mitigations = tuple(Mitigation(step.action, step.text) for step in one.mitigations)
    if one.proposal:
        return ReviewProblem(proposal=one.proposal, dismissed=one.dismissed, drugs=about, mitigations=mitigations)
    names = {drug.key: drug.name for drug in drugs}
    told = tuple(lines[key].drug if key in lines else names[key] for key in about)
    problem = Problem(
        title=one.title, detail=one.detail, severity=one.severity, code=one.code, drugs=told, contacts=tuple(one.contacts),
        recommendation=one.recommendation,
    )  # fmt: skip
    return ReviewProblem(problem=problem, drugs=about, mitigations=mitigations)
