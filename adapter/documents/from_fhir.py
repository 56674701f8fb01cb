"""The resources of one beneficiary to the facts of the papers. What the adapter wrote is known by its tag or its extension.

Read: Patient, the enrollment CarePlan, the CMR Procedure, the reviewed List with its MedicationStatements, the action plan
CarePlan, AllergyIntolerance, and the Communications that recommend something to a prescriber. The newest one counts, by its own
date and then by when it was last updated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

from adapter.documents.elements import (
    ADDRESS_USES,
    best,
    codes,
    day,
    dicts,
    full_name,
    partial_date,
    string,
    strings,
    target,
    telecom,
    words_of,
)
from adapter.documents.texts import LANGUAGES
from adapter.documents.view import Drug, Facts, Fax, Member, Prescriber, Provider, Recommendation, Review, Topic
from adapter.resources.care_plan import ENROLLMENT_EXTENSION
from adapter.resources.ids import BASE, Kind, is_own
from adapter.resources.service_codes import SERVICE

Resource: TypeAlias = Mapping[str, Any]
PRESCRIBER_EXTENSION = f"{BASE}StructureDefinition/mtm-prescriber"
NOT_TAKEN = ("entered-in-error", "stopped", "completed", "not-taken")
NO_ALLERGY = ("refuted", "entered-in-error")
PAST_ALLERGY = ("inactive", "resolved")


@dataclass
class Chart:
    """The resources of one beneficiary by type, and the practitioners of all by id."""

    patient: Resource
    held: dict[str, list[Resource]] = field(default_factory=dict)
    practitioners: Mapping[str, Resource] = field(default_factory=dict)

    def own(self, resource_type: str, kind: Kind) -> list[Resource]:
        """The adapter's own resources of a kind, the newest version of each id, those in error left out."""
        found = [one for one in newest(self.held.get(resource_type, ())) if is_of_kind(one, kind)]
        return [one for one in found if one.get("status") not in ("entered-in-error", "unknown")]


def newest(resources: Iterable[Resource]) -> list[Resource]:
    """The last updated version of each id, in the order in which the ids came."""
    found: dict[str, Resource] = {}
    for resource in resources:
        there = found.get(string(resource.get("id")))
        if there is None or _updated(resource) >= _updated(there):
            found[string(resource.get("id"))] = resource
    return list(found.values())


def facts(chart: Chart, on: date) -> Facts:
    """The facts of one beneficiary, names and addresses as of the day on the paper; what the source does not hold is None or empty."""
    listed = _last(chart.own("List", "reviewed-list"), "date")
    statements = {string(one.get("id")): one for one in newest(chart.held.get("MedicationStatement", ()))}
    drugs, lost = _drugs(listed, statements) if listed else (None, 0)
    planned = _last([one for one in chart.own("CarePlan", "action-plan") if one.get("status") == "active"], "created")
    allergies, side_effects = _allergies(newest(chart.held.get("AllergyIntolerance", ())))
    return Facts(
        member=member(chart.patient, on),
        enrolled_on=_enrolled_on(chart),
        review=_review(chart, on),
        topics=_topics(planned) if planned else None,
        drugs=drugs,
        lost_drugs=lost,
        listed_on=day(listed.get("date")) if listed else None,
        allergies=allergies,
        side_effects=side_effects,
        other=tuple(string(note.get("text")) for note in dicts((listed or {}).get("note")) if note.get("text")),
        faxes=_faxes(chart, on),
    )


def is_of_kind(resource: Resource, kind: Kind) -> bool:
    """Whether the adapter made ``resource`` as ``kind``: by the tag, a service also by its code, as some servers keep no tags."""
    coded = [*dicts(resource.get("code")), *dicts(resource.get("category"))]
    codings = [coding for one in coded for coding in dicts(one.get("coding"))]
    return is_own(resource, kind) or any(one.get("system") == SERVICE and one.get("code") == kind for one in codings)


def is_enrollment(resource: Resource) -> bool:
    """Whether a CarePlan is an enrollment of the adapter: by the tag or the extension, as some servers keep no tags."""
    extensions = {one.get("url") for one in dicts(resource.get("extension"))}
    return is_own(resource, "enrollment") or ENROLLMENT_EXTENSION in extensions


def member(patient: Resource, on: date) -> Member:
    """The member of a Patient: name, birth date, address lines, ZIP code (five digits), preferred language, whether deceased."""
    address = best(patient.get("address"), ADDRESS_USES, on)
    spoken = _languages(patient)
    language = next((one for one in spoken if one in LANGUAGES), "")
    place = " ".join(filter(None, (string(address.get("state")), string(address.get("postalCode")))))
    last = ", ".join(filter(None, (string(address.get("city")), place)))
    lines = [*strings(address.get("line")), *filter(None, [last])] or _text_lines(address)
    return Member(
        key=string(patient.get("id")),
        name=full_name(patient, on),
        birth_date=partial_date(patient.get("birthDate")),
        address=tuple(lines),
        zip_code=string(address.get("postalCode"))[:5],
        language=language,
        other_language=spoken[0] if spoken and not language else "",
        deceased=patient.get("deceasedBoolean") is True or bool(string(patient.get("deceasedDateTime"))),
    )


def _text_lines(address: Resource) -> list[str]:
    text = address.get("text")
    return [line for line in map(string, text.splitlines()) if line] if isinstance(text, str) else []


def _languages(patient: Resource) -> list[str]:
    """The languages of a Patient without their regions, the preferred one first."""
    spoken = sorted(dicts(patient.get("communication")), key=lambda one: one.get("preferred") is not True)
    return [code.split("-")[0].lower() for one in spoken for code in sorted(codes(one.get("language")))]


def _updated(resource: Resource) -> str:
    return string(next(iter(dicts(resource.get("meta"))), {}).get("lastUpdated"))


def _last(resources: Sequence[Resource], dated: str) -> Resource | None:
    """The newest by the element ``dated``; a List or CarePlan that was superseded is not current any more and does not count."""
    current = [one for one in resources if one.get("status") in ("current", "active")]
    return max(
        current, key=lambda one: (string(one.get(dated))[:10], _updated(one), string(one.get("id"))), default=None
    )


def _enrolled_on(chart: Chart) -> date | None:
    """The first day of the active enrollment that began last."""
    plans = [
        one for one in newest(chart.held.get("CarePlan", ())) if is_enrollment(one) and one.get("status") == "active"
    ]
    days = [day(period.get("start")) for plan in plans for period in dicts(plan.get("period"))]
    return max(filter(None, days), default=None)


def _review(chart: Chart, today: date) -> Review | None:
    """The latest completed CMR of which the day is known."""
    found = []
    for one in chart.own("Procedure", "cmr"):
        on = day(one.get("performedDateTime")) or _start(one.get("performedPeriod"))
        if on and one.get("status") == "completed":
            found.append((on, string(one.get("id")), one))
    if not found:
        return None
    on, _, procedure = max(found, key=lambda item: item[:2])
    ids = [target(performer.get("actor"), "Practitioner") for performer in dicts(procedure.get("performer"))]
    practitioner = next((chart.practitioners[one] for one in ids if one in chart.practitioners), None)
    return Review(on, provider(practitioner, today) if practitioner else None)


def _start(period: Any) -> date | None:
    return next((day(one.get("start")) for one in dicts(period)), None)


def provider(practitioner: Resource, on: date) -> Provider | None:
    """Who signs; None when the Practitioner has no name."""
    titles = [words_of(one.get("code")) for one in dicts(practitioner.get("qualification"))]
    name = full_name(practitioner, on)
    return Provider(name, next(filter(None, titles), ""), "", telecom(practitioner, "phone")) if name else None


def _topics(plan: Resource) -> tuple[Topic, ...]:
    """The boxes of the to-do list: actions of equal topic are one box, in the order of their first appearance."""
    boxes: dict[str, list[str]] = {}
    for activity in dicts(plan.get("activity")):
        for detail in dicts(activity.get("detail")):
            topic, action = words_of(detail.get("code")), string(detail.get("description"))
            if (topic or action) and detail.get("status") not in ("cancelled", "entered-in-error"):
                boxes.setdefault(topic, []).extend([action] if action else [])
    return tuple(Topic(topic, tuple(actions)) for topic, actions in boxes.items())


def _drugs(listed: Resource, statements: Mapping[str, Resource]) -> tuple[tuple[Drug, ...], int]:
    """The rows of the list in its order, and how many of its entries the source does not hold: no drug may be lost unseen."""
    entries = [one for one in dicts(listed.get("entry")) if one.get("deleted") is not True]
    ids = [target(one.get("item"), "MedicationStatement") for one in entries]
    found = [statements[one] for one in ids if one in statements]
    return tuple(_drug(one) for one in found if one.get("status") not in NOT_TAKEN), len(ids) - len(found)


def _drug(statement: Resource) -> Drug:
    told = [string(one.get("text")) or string(one.get("patientInstruction")) for one in dicts(statement.get("dosage"))]
    reasons = [words_of(one) for one in dicts(statement.get("reasonCode"))]
    prescribers = [
        string(one.get("valueString"))
        for one in dicts(statement.get("extension"))
        if one.get("url") == PRESCRIBER_EXTENSION
    ]
    named = next(iter(dicts(statement.get("medicationReference"))), {})
    return Drug(
        name=words_of(statement.get("medicationCodeableConcept")) or string(named.get("display")),
        how="; ".join(filter(None, told)),
        why=", ".join(filter(None, reasons)),
        prescriber=next(filter(None, prescribers), ""),
    )


def _allergies(resources: Iterable[Resource]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Allergies, and side effects (AllergyIntolerance of type intolerance), each with its reactions."""
    allergies: list[str] = []
    side_effects: list[str] = []
    for one in resources:
        told = words_of(one.get("code"))
        if (
            not told
            or codes(one.get("verificationStatus")) & {*NO_ALLERGY}
            or codes(one.get("clinicalStatus")) & {*PAST_ALLERGY}
        ):
            continue
        reactions = [
            words_of(sign) for reaction in dicts(one.get("reaction")) for sign in dicts(reaction.get("manifestation"))
        ]
        known = ", ".join(dict.fromkeys(filter(None, reactions)))
        (side_effects if one.get("type") == "intolerance" else allergies).append(f"{told} ({known})" if known else told)
    return tuple(dict.fromkeys(allergies)), tuple(dict.fromkeys(side_effects))


def _faxes(chart: Chart, on: date) -> tuple[Fax, ...]:
    """The recommendations that nobody has resolved yet, by prescriber."""
    resolved = {
        target(one, "Communication")
        for resolution in chart.own("Communication", "resolution")
        for one in dicts(resolution.get("inResponseTo"))
    }
    issues = {string(one.get("id")): one for one in newest(chart.held.get("DetectedIssue", ()))}
    grouped: dict[Prescriber, list[Recommendation]] = {}
    for one in chart.own("Communication", "recommendation"):
        if string(one.get("id")) not in resolved:
            told = " ".join(strings([payload.get("contentString") for payload in dicts(one.get("payload"))]))
            found = [issues.get(target(about, "DetectedIssue"), {}) for about in dicts(one.get("about"))]
            about = "; ".join(
                filter(None, (string(issue.get("detail")) or words_of(issue.get("code")) for issue in found))
            )
            grouped.setdefault(_prescriber(one, chart, on), []).append(Recommendation(about, told))
    return tuple(Fax(prescriber, tuple(told)) for prescriber, told in grouped.items())


def _prescriber(communication: Resource, chart: Chart, on: date) -> Prescriber:
    """Whom a recommendation went to; nameless when the Communication only says that it was a prescriber."""
    ids = [target(one, "Practitioner") for one in dicts(communication.get("recipient"))]
    practitioner = next((chart.practitioners[one] for one in ids if one in chart.practitioners), {})
    return Prescriber(full_name(practitioner, on), "", telecom(practitioner, "phone"), telecom(practitioner, "fax"))
