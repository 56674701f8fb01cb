"""A medication-related problem as a DetectedIssue: a proposal that a rule made, or what a pharmacist found.

Content as the SMP CI build of 2026-05 asks of the problems of a medication action plan (implicated only statements,
conditions, observations and allergies; author only a practitioner). The profile is claimed once a practitioner stands
behind the issue; before that it is a proposal (status preliminary) without author. Whatever else a problem rests on
(claims, orders, dispenses) stands in ``evidence``.

A proposal belongs to the adapter only as long as nobody else has worked on it: see ``is_open_proposal``.
http://hl7.org/fhir/us/smp/StructureDefinition/smp-medication-action-plan-detected-issue
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from adapter.resources.ids import BASE, Resource, elements, identifier, references, resource_id, tag
from adapter.resources.merging import merge, reference_elements
from adapter.resources.narrative import bullets, clean, narrative, paragraph

Severity = Literal["high", "moderate", "low"]
Status = Literal["preliminary", "final", "amended", "cancelled"]

SMP_DETECTED_ISSUE = "http://hl7.org/fhir/us/smp/StructureDefinition/smp-medication-action-plan-detected-issue"
PROBLEM_EXTENSION = f"{BASE}StructureDefinition/mtm-problem"
PROBLEM_CLOSING = f"{BASE}CodeSystem/problem-closing"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
SEVERITIES: tuple[Severity, ...] = ("high", "moderate", "low")  # the whole value set of R4, the worst first
CONTACTS = ("member", "caregiver", "pharmacist", "prescriber")

# Of the value set detectedissue-category, with the displays of THO's v3-ActCode (read in HAPI 8.8.0's copy of R4 4.0.1).
CODES = {
    "DUPTHPY": "Duplicate Therapy Alert",
    "DRG": "Drug Interaction Alert",
    "COMPLY": "Compliance Alert",
    "AGE": "Age Alert",
    "COND": "Condition Alert",
    "FULFIL": "fulfillment alert",
    "DOSE": "Dosage problem",
    "LAB": "Lab Alert",
    "TPROD": "Therapeutic Product Alert",
}
# Of the value set detectedissue-mitigation-action: what a review answers to a problem.
MITIGATIONS = {
    "1": "Therapy Appropriate",
    "2": "Assessed Patient",
    "3": "Patient Explanation",
    "4": "Consulted Other Source",
    "5": "Consulted Prescriber",
    "6": "Prescriber Declined Change",
    "7": "Interacting Therapy No Longer Active/Planned",
    "8": "Other Action Taken",
    "9": "Instituted Ongoing Monitoring Program",
    "10": "Provided Patient Education",
    "11": "Added Concurrent Therapy",
    "12": "Temporarily Suspended Concurrent Therapy",
    "13": "Stopped Concurrent Therapy",
}
CLOSINGS = {"no-longer-found": "The rule no longer finds the problem"}

_IMPLICATED = ("MedicationStatement/", "Condition/", "Observation/", "AllergyIntolerance/")
_OWNED = ("text", "code", "implicated", "evidence", "mitigation")
_OWN_PARTS = ("rule", "contract", "planYear", "contact", "recommendation", "standing")


@dataclass(frozen=True)
class Problem:
    """One problem of one beneficiary, as plain values.

    ``drugs`` are what the problem is about: keys of drugs (RxNorm ingredient ids or names), in any order. With ``rule``
    they identify the problem within a plan year; a problem that a person found has "" as rule and is told by its title.
    """

    title: str
    detail: str  # one or two sentences for a professional, with the facts
    severity: Severity
    rule: str = ""
    code: str = (
        ""  # of CODES, "" where none fits: most documented problems have no code (reference/fhir-profiles.md 1.6)
    )
    drugs: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()  # of CONTACTS, whom to ask first
    recommendation: str = ""
    standing: str = ""  # of the source of the rule: V, P or U; "" for what a person found
    sources: tuple[str, ...] = ()  # every resource that the problem rests on


@dataclass(frozen=True)
class Mitigation:
    """What was done about a problem: a code of MITIGATIONS or "", words, the day, and a reference to who did it."""

    action: str = ""
    text: str = ""
    day: str = ""
    author: str = ""


def detected_issue_id(problem: Problem, *, beneficiary: str, contract: str, plan_year: int) -> str:
    """The id of a problem: the same for the same rule (or title) and drugs of a beneficiary, contract and plan year."""
    drugs = sorted(set(problem.drugs))
    return resource_id(
        "detected-issue", contract, beneficiary, plan_year, problem.rule or f"title:{problem.title}", *drugs
    )


def detected_issue(
    problem: Problem,
    *,
    beneficiary: str,
    contract: str,
    plan_year: int,
    identified: str,
    status: Status = "preliminary",
    author: str = "",
    mitigations: Sequence[Mitigation] = (),
    held: Resource | None = None,
) -> Resource:
    """The DetectedIssue of ``problem``, laid over ``held``; it keeps the day on which it was identified first.

    ``author`` is a reference to the Practitioner or PractitionerRole who stands behind it; with one the SMP profile is
    claimed. ``identified`` is a date or dateTime. Raises ValueError for a severity, code, contact, mitigation or author
    that no profile knows. Who writes a proposal asks ``is_open_proposal`` or ``is_closed_proposal`` of ``held`` before.
    """
    _refuse_unknown(problem, author, mitigations)
    own_id = detected_issue_id(problem, beneficiary=beneficiary, contract=contract, plan_year=plan_year)
    before = held or {}
    implicated = references([source for source in problem.sources if source.startswith(_IMPLICATED)])
    own: Resource = {
        "resourceType": "DetectedIssue",
        "id": own_id,
        "meta": {"tag": [tag("detected-issue")]} | ({"profile": [SMP_DETECTED_ISSUE]} if author else {}),
        "text": _text(problem, mitigations),
        "extension": _extensions(problem, contract, plan_year, before),
        "identifier": [identifier(own_id)],
        "status": status,
        "code": _code(problem),
        "severity": problem.severity,
        "patient": {**before.get("patient", {}), "reference": f"Patient/{beneficiary}"},
        "identifiedDateTime": before.get("identifiedDateTime", identified),
        "detail": clean(problem.detail) or clean(problem.title),
    }
    optional: Resource = {
        "author": {"reference": author} if author else None,
        "implicated": reference_elements(implicated, before.get("implicated", [])),
        "evidence": [{"detail": reference_elements(found)}] if (found := references(list(problem.sources))) else None,
        "mitigation": [_mitigation(mitigation) for mitigation in mitigations],
    }
    return merge(own | {name: value for name, value in optional.items() if value}, held, _OWNED)


def reviewed(
    held: Resource, *, author: str, status: Status = "final", mitigations: Sequence[Mitigation] = ()
) -> Resource:
    """``held`` as a practitioner took it over: the status and author given, the mitigations behind those it has.

    From then on it is no proposal of the adapter any more.
    """
    _refuse_author(author)
    standing = [one for one in held.get("mitigation", []) if not _is_closing(one)]
    answers = [*standing, *(one for one in map(_mitigation, mitigations) if one not in standing)]
    own: Resource = {"status": status, "author": {"reference": author}, "meta": {"profile": [SMP_DETECTED_ISSUE]}}
    return merge(own | ({"mitigation": answers} if answers else {}), held, ("mitigation",))


def closed(held: Resource, day: str) -> Resource:
    """An open proposal, closed because its rule no longer finds the problem. It is kept: it was once proposed."""
    concept = _concept(PROBLEM_CLOSING, "no-longer-found", CLOSINGS)
    return {**held, "status": "cancelled", "mitigation": [{"action": concept, "date": day}]}


def is_open_proposal(held: Resource) -> bool:
    """Whether ``held`` is a proposal of the adapter that nobody has worked on: preliminary, no author, no mitigation."""
    return _is_proposal(held) and held.get("status") == "preliminary" and not held.get("mitigation")


def is_closed_proposal(held: Resource) -> bool:
    """Whether the adapter itself closed the proposal ``held``, and nobody has worked on it since."""
    answers = held.get("mitigation", [])
    return (
        _is_proposal(held)
        and held.get("status") == "cancelled"
        and len(answers) == 1
        and all(map(_is_closing, answers))
    )


def rule_of(held: Resource) -> str:
    """The name of the rule that found ``held``; "" for one that a person found."""
    return next((str(part["valueString"]) for part in _parts(held) if part.get("url") == "rule"), "")


def _is_proposal(held: Resource) -> bool:
    # By the own extension and not by the tag: some servers keep no tags.
    return held.get("resourceType") == "DetectedIssue" and rule_of(held) != "" and "author" not in held


def plan_of(held: Resource) -> tuple[str, int]:
    """Contract ("" when not told) and plan year of ``held``; the year is 0 when the adapter did not make it."""
    told = {part.get("url"): part for part in _parts(held)}
    contract = str(told.get("contract", {}).get("valueString", ""))
    return contract, int(told.get("planYear", {}).get("valueInteger", 0))


def _parts(held: Resource) -> list[Mapping[str, Any]]:
    """The parts of the own extension."""
    return [
        part
        for extension in elements(held.get("extension"))
        if extension.get("url") == PROBLEM_EXTENSION
        for part in elements(extension.get("extension"))
    ]


def _is_closing(mitigation: Resource) -> bool:
    codings = mitigation.get("action", {}).get("coding", [])
    return "author" not in mitigation and any(coding.get("system") == PROBLEM_CLOSING for coding in codings)


def _refuse_unknown(problem: Problem, author: str, mitigations: Sequence[Mitigation]) -> None:
    if problem.severity not in SEVERITIES:
        raise ValueError(f"{problem.severity!r} is no severity of a DetectedIssue")
    if problem.code and problem.code not in CODES:
        raise ValueError(f"{problem.code!r} is no code of a problem that the adapter knows")
    strange = [contact for contact in problem.contacts if contact not in CONTACTS]
    strange += [one.action for one in mitigations if one.action and one.action not in MITIGATIONS]
    if strange:
        raise ValueError(f"{strange[0]!r} is no contact or mitigation that the adapter knows")
    if author:
        _refuse_author(author)


def _refuse_author(author: str) -> None:
    if not author.startswith(("Practitioner/", "PractitionerRole/")):
        raise ValueError("the author of a DetectedIssue is a Practitioner or PractitionerRole")


def _code(problem: Problem) -> Resource:
    text = {"text": clean(problem.title)}
    return {"coding": _concept(ACT_CODE, problem.code, CODES)["coding"]} | text if problem.code else text


def _concept(system: str, code: str, displays: dict[str, str]) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": displays[code]}]}


def _mitigation(mitigation: Mitigation) -> Resource:
    action = _concept(ACT_CODE, mitigation.action, MITIGATIONS) if mitigation.action else {}
    words = clean(mitigation.text) or MITIGATIONS.get(mitigation.action, "")
    element: Resource = {"action": action | {"text": words}}
    if mitigation.day:
        element["date"] = mitigation.day
    if mitigation.author:
        element["author"] = {"reference": mitigation.author}
    return element


def _extensions(problem: Problem, contract: str, plan_year: int, held: Resource) -> list[Resource]:
    """The own extension in its place among those of others, with parts that others added to it."""
    values: list[tuple[str, str, Any]] = [
        ("rule", "valueString", problem.rule),
        ("contract", "valueString", clean(contract)),
        ("planYear", "valueInteger", plan_year),
        *(("contact", "valueCode", contact) for contact in problem.contacts),
        ("recommendation", "valueString", clean(problem.recommendation)),
        ("standing", "valueCode", problem.standing),
    ]
    others = [part for part in _parts(held) if part.get("url") not in _OWN_PARTS]
    parts = [{"url": url, element: value} for url, element, value in values if value]
    own = {"url": PROBLEM_EXTENSION, "extension": [*parts, *others]}
    extensions = list(held.get("extension", []))
    places = [place for place, extension in enumerate(extensions) if extension.get("url") == PROBLEM_EXTENSION]
    if not places:
        return [*extensions, own]
    extensions[places[0]] = own
    return extensions


def _text(problem: Problem, mitigations: Sequence[Mitigation]) -> dict[str, str]:
    """The narrative, without name or birth date: what, how severe, whom to ask, what was done."""
    facts = [f"Severity: {problem.severity}"]
    facts += [f"Contact: {', '.join(problem.contacts)}"] if problem.contacts else []
    facts += [f"Recommendation: {clean(problem.recommendation)}"] if clean(problem.recommendation) else []
    facts += [f"Done: {_mitigation(one)['action']['text']}" for one in mitigations]
    return narrative(paragraph(problem.title), paragraph(problem.detail), bullets(facts))
