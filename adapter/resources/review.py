"""A whole review of one beneficiary as resources: what is written, and what it takes the place of.

The order is that of the reader: the person who held it, the drugs and their list, problems and plan, allergies, the CMR itself,
then the documents made of them. Every function of it is a function of what is held, so that a second run finds nothing to write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from adapter.resources.action_plan import ToDo, action_plan, completed, is_standing_plan, plan_id
from adapter.resources.detected_issue import Mitigation, Problem, Status, detected_issue, detected_issue_id, reviewed
from adapter.resources.ids import Resource, is_own, reference_to
from adapter.resources.medication_statement import is_standing, withdrawn
from adapter.resources.merging import joined
from adapter.resources.review_composition import composition_id, review_composition
from adapter.resources.review_document import document_id, is_us_core_person, review_document
from adapter.resources.review_note import Printed, note_id, review_note, superseded_note
from adapter.resources.reviewed_allergy import ToldAllergy, allergy_id, reviewed_allergy
from adapter.resources.reviewed_list import is_current, list_id, retired, reviewed_list
from adapter.resources.reviewed_statement import Held, ReviewedDrug, reviewed_statement, statement_id, superseded
from adapter.resources.reviewer import Reviewer, practitioner, reviewer_id
from adapter.resources.service_events import Service, reference_of, service_event

State = Mapping[str, Resource]  # by Type/id


@dataclass(frozen=True)
class ReviewProblem:
    """A problem of the review: a proposal that is answered, by its id, or one that was found, as ``problem``."""

    problem: Problem | None = None
    proposal: str = ""
    dismissed: bool = False
    drugs: tuple[str, ...] = ()  # keys of reviewed drugs
    mitigations: tuple[Mitigation, ...] = ()


@dataclass(frozen=True)
class Review:
    """What was settled in a review. ``service`` tells the facts of the CMR; its performer is filled in here."""

    reviewer: Reviewer
    known_reviewer: str  # reference of the Practitioner that the source holds for that NPI, "" for none
    service: Service
    program: str
    drugs: tuple[ReviewedDrug, ...]
    to_do: tuple[ToDo, ...]
    problems: tuple[ReviewProblem, ...]
    allergies: tuple[ToldAllergy, ...]
    other: tuple[str, ...]
    language: str
    allergies_confirmed: bool
    pdf: Printed | None

    @property
    def held(self) -> Held:
        """Of which review its resources are."""
        of = self.service
        author = self.known_reviewer or f"Practitioner/{reviewer_id(self.reviewer.npi)}"
        return Held(of.beneficiary, of.contract, of.plan_year, of.on_day, author, self.language)


@dataclass(frozen=True)
class Written:
    """The resources of a review: its own first, then those that it takes the place of. ``smp`` tells whether SMP's plan is claimed."""

    resources: tuple[Resource, ...]
    earlier: tuple[Resource, ...]
    smp: bool
    notices: tuple[str, ...]


def keys(review: Review) -> list[str]:
    """Type/id of everything that the review may write of its own, to ask a sink for what it holds of it."""
    held = review.held
    made = [f"MedicationStatement/{statement_id(drug, held)}" for drug in review.drugs]
    made += [f"DetectedIssue/{_issue_id(one, review)}" for one in review.problems]
    made += [f"AllergyIntolerance/{allergy_id(told, held)}" for told in review.allergies]
    made += [
        f"List/{list_id(held)}",
        f"CarePlan/{plan_id(held)}",
        reference_of(review.service),
        f"Composition/{composition_id(held)}",
    ]
    return [
        *made,
        f"Bundle/{document_id(held)}",
        f"DocumentReference/{note_id(held)}",
        held.practitioner,
        f"Patient/{held.beneficiary}",
    ]


def written(review: Review, state: State, *, base_url: str, recorded: str) -> Written:
    """Everything that ``review`` writes over ``state``: what the sink holds of its ``keys`` and of the person's earlier reviews.

    ``state`` must hold the Patient. ``recorded`` is an instant, ``base_url`` the server on which it will lie ("" of a folder).
    """
    held = review.held
    person = (
        state[held.practitioner]
        if review.known_reviewer
        else practitioner(review.reviewer, state.get(held.practitioner))
    )
    drugs = _drugs(review, state)
    issues = [_issue(one, review, state) for one in review.problems]
    standing = [issue for issue, one in zip(issues, review.problems, strict=True) if not one.dismissed]
    plan = action_plan(
        review.to_do, [reference_to(one) for one in standing], held,
        [reference_to(one) for one in _earlier_plans(review, state)], _of(state, "CarePlan", plan_id(held)),
    )  # fmt: skip
    told = [
        reviewed_allergy(one, held, _of(state, "AllergyIntolerance", allergy_id(one, held))) for one in review.allergies
    ]
    procedure = service_event(
        replace(review.service, performer=held.practitioner), state.get(reference_of(review.service))
    )
    smp, notices = _claim(standing, state[f"Patient/{held.beneficiary}"], person)
    parts = _Parts(person, drugs, plan, tuple(standing), (*_standing_allergies(state, told), *told), procedure, smp)
    own = [
        *([] if review.known_reviewer else [person]), *drugs.statements, drugs.listed, *issues, plan, *told, procedure,
        *_documents(parts, review, state, base_url, recorded),
    ]  # fmt: skip
    return Written(tuple(own), tuple(_superseded(review, state, drugs.statements)), smp, notices)


@dataclass(frozen=True)
class _Drugs:
    statements: tuple[Resource, ...]
    stopped: tuple[Resource, ...]
    listed: Resource


@dataclass(frozen=True)
class _Parts:
    """What the documents of a review are made of."""

    person: Resource
    drugs: _Drugs
    plan: Resource
    issues: tuple[Resource, ...]
    allergies: tuple[Resource, ...]
    procedure: Resource
    smp: bool


def _drugs(review: Review, state: State) -> _Drugs:
    held = review.held
    made = [
        reviewed_statement(drug, held, _of(state, "MedicationStatement", statement_id(drug, held)))
        for drug in review.drugs
    ]
    stopped = [one for one, drug in zip(made, review.drugs, strict=True) if not drug.listed]
    listed = reviewed_list(review.drugs, held, review.other, _of(state, "List", list_id(held)))
    return _Drugs(tuple(made), tuple(stopped), listed)


def _documents(parts: _Parts, review: Review, state: State, base_url: str, recorded: str) -> list[Resource]:
    """Composition, document Bundle and the note that points at it."""
    held = review.held
    note = review_note(
        held,
        review.reviewer.organization,
        document_id(held),
        review.pdf,
        recorded,
        _of(state, "DocumentReference", note_id(held)),
    )
    composition = review_composition(
        held, plan=parts.plan, medications=parts.drugs.listed, stopped=parts.drugs.stopped, issues=parts.issues,
        allergies=parts.allergies, procedure=parts.procedure, note=note, allergies_confirmed=review.allergies_confirmed,
        smp=parts.smp, recorded=recorded, held=_of(state, "Composition", composition_id(held)),
    )  # fmt: skip
    inside = [
        composition, state[f"Patient/{held.beneficiary}"], parts.person, parts.plan, *parts.issues, parts.drugs.listed,
        *parts.drugs.statements, *parts.allergies, parts.procedure, *_printed(composition, note),
    ]  # fmt: skip
    document = review_document(
        held, inside, base_url=base_url, smp=parts.smp, recorded=recorded, held=_of(state, "Bundle", document_id(held))
    )
    return [composition, document, note]


def _of(state: State, kind: str, own_id: str) -> Resource | None:
    return state.get(f"{kind}/{own_id}")


def _issue_id(one: ReviewProblem, review: Review) -> str:
    if one.problem is None:
        return one.proposal
    of = review.service
    return detected_issue_id(one.problem, beneficiary=of.beneficiary, contract=of.contract, plan_year=of.plan_year)


def _issue(one: ReviewProblem, review: Review, state: State) -> Resource:
    """The DetectedIssue with the pharmacist behind it, about the statements of this review."""
    held, day = review.held, review.service.on_day.isoformat()
    drugs = [drug for drug in review.drugs if drug.key in one.drugs]
    about = [f"MedicationStatement/{statement_id(drug, held)}" for drug in drugs]
    answers = [replace(mitigation, day=day, author=held.practitioner) for mitigation in one.mitigations]
    if one.problem is None:
        status: Status = "cancelled" if one.dismissed else "final"
        issue = reviewed(
            state[f"DetectedIssue/{one.proposal}"], author=held.practitioner, status=status, mitigations=answers
        )
        implicated = joined(issue.get("implicated", []), [{"reference": reference} for reference in about])
        return issue | ({"implicated": _once(implicated)} if implicated else {})
    return detected_issue(
        replace(one.problem, sources=tuple(about)), beneficiary=held.beneficiary, contract=held.contract, plan_year=held.plan_year,
        identified=day, status="final", author=held.practitioner, mitigations=answers,
        held=_of(state, "DetectedIssue", _issue_id(one, review)),
    )  # fmt: skip


def _once(references: Sequence[Resource]) -> list[Resource]:
    return list({str(one.get("reference", one)): one for one in references}.values())


def _claim(standing: Sequence[Resource], patient: Resource, person: Resource) -> tuple[bool, tuple[str, ...]]:
    """Whether the plan, the Composition and the document are SMP's, and why not."""
    reasons = []
    if not standing:
        reasons.append(
            "no problem stands in the review, so the action plan is a plain US Core CarePlan (SMP asks for at least one DetectedIssue)"
        )
    for one in (patient, person):
        if not is_us_core_person(one):
            lacking = "has no identifier with system and value, or no name with its parts"
            reasons.append(f"the {one['resourceType']} {lacking}: the document claims no SMP profile")
    return not reasons, tuple(reasons)


def _standing_allergies(state: State, told: Sequence[Resource]) -> list[Resource]:
    """The allergies on record that stand, others than those told now."""
    own = {reference_to(one) for one in told}
    over = {"inactive", "resolved", "refuted", "entered-in-error"}

    def stands(one: Resource) -> bool:
        concepts = (one.get("clinicalStatus") or {}, one.get("verificationStatus") or {})
        return not over & {coding.get("code") for concept in concepts for coding in concept.get("coding", [])}

    found = [one for key, one in sorted(state.items()) if key.startswith("AllergyIntolerance/") and key not in own]
    return [one for one in found if stands(one)]


def _printed(composition: Resource, note: Resource) -> list[Resource]:
    """The note, when the Composition points at it."""
    pointed = {entry["reference"] for section in composition["section"] for entry in section.get("entry", [])}
    return [note] if reference_to(note) in pointed else []


def _earlier_plans(review: Review, state: State) -> list[Resource]:
    """Action plans that this one takes the place of, now or when it was first written."""
    own = f"CarePlan/{plan_id(review.held)}"
    before = {one.get("reference") for one in state.get(own, {}).get("replaces", [])}
    plans = [one for key, one in sorted(state.items()) if key.startswith("CarePlan/") and key != own]
    return [
        one for one in plans if is_own(one, "action-plan") and (is_standing_plan(one) or reference_to(one) in before)
    ]


def _superseded(review: Review, state: State, statements: Sequence[Resource]) -> list[Resource]:
    """What the review takes the place of: earlier lists, plans and notes, their statements, and what was derived before a review."""
    wanted, day = {reference_to(one) for one in statements}, review.service.on_day.isoformat()
    by = _successors(review)
    own = set(keys(review)) | wanted
    changed: list[Resource] = []
    for key, one in sorted(state.items()):
        act = _ACTS.get(key.partition("/")[0])
        if act is None or key in own:
            continue
        after = act(one, day, by(one))
        if after is not one and after != one:
            changed.append(after)
    return changed


def _successors(review: Review) -> Callable[[Resource], str]:
    """The statement of this review that takes the place of an earlier one: that of the same records or of the same name."""
    held = review.held
    by_name = {drug.name.casefold(): statement_id(drug, held) for drug in review.drugs}
    by_source = {source: statement_id(drug, held) for drug in review.drugs for source in drug.sources}

    def successor(one: Resource) -> str:
        text = str(one.get("medicationCodeableConcept", {}).get("text", "")).casefold()
        told = [str(source.get("reference", "")) for source in one.get("derivedFrom", [])]
        found = (
            by_source.get(reference_to(one))
            or next((by_source[s] for s in told if s in by_source), None)
            or by_name.get(text)
        )
        return f"MedicationStatement/{found}" if found else ""

    return successor


def _list_after(one: Resource, day: str, by: str) -> Resource:
    ours = is_own(one, "reviewed-list") or is_own(one, "medication-list")
    return retired(one) if ours and is_current(one) else one


def _statement_after(one: Resource, day: str, by: str) -> Resource:
    if is_standing(one):  # derived before a review
        return withdrawn(one, "superseded", day, by)
    return superseded(one, day, by)


def _plan_after(one: Resource, day: str, by: str) -> Resource:
    return completed(one)


def _note_after(one: Resource, day: str, by: str) -> Resource:
    return superseded_note(one) if is_own(one, "review-note") else one


_ACTS: Mapping[str, Callable[[Resource, str, str], Resource]] = {
    "List": _list_after,
    "MedicationStatement": _statement_after,
    "CarePlan": _plan_after,
    "DocumentReference": _note_after,
}
