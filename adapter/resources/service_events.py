"""A service of the plan year as FHIR: what was done for a beneficiary is a Procedure, what was told to somebody a Communication.

A CMR and a TMR are Procedures (US Core Procedure): SNOMED CT has a procedure code for the CMR, and ``performer.function`` holds
the type of provider that CMS asks for. Invitation, offer, summary, safe-disposal information, recommendation and its resolution
are Communications: ``medium``, ``recipient``, ``sent``, ``payload`` and ``inResponseTo`` hold their facts. What no element holds
stands in the extension mtm-service. docs/services.md argues the choice against Encounter and Task.

No SNOMED CT code for a TMR was found (reference/fhir-profiles.md 1.6, UNVERIFIED): it has the adapter's own code only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from adapter.resources.ids import Kind, Resource, identifier, resource_id, tag
from adapter.resources.merging import joined, merge, with_extension
from adapter.resources.narrative import clean, narrative, paragraph
from adapter.resources.service_codes import (
    CONTACT_METHOD,
    CONTACT_METHODS,
    OFFER_ANSWERS,
    PARTICIPATION_MODE,
    PARTICIPATION_MODES,
    PROCEDURES,
    PROVIDER_TYPE,
    PROVIDER_TYPES,
    RECIPIENTS,
    REVIEW_METHODS,
    SERVICE,
    SERVICE_EXTENSION,
    SERVICES,
    YES_NO_UNKNOWN,
    ServiceKind,
    code_of,
)

US_CORE_PROCEDURE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-procedure"
CMR_CODING = {
    "system": "http://snomed.info/sct",
    "code": "428911000124108",
    "display": "Comprehensive medication therapy review",
}
COMMUNICATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"
_CATEGORIES = {"summary_sent": ("instruction", "Instruction"), "safe_disposal": ("instruction", "Instruction")}
_RECIPIENT_TYPES = {"prescriber": "Practitioner", "caregiver": "RelatedPerson"}

_PROCEDURE_OWNED = ("text", "performer", "performedDateTime", "performedPeriod")
_COMMUNICATION_OWNED = ("text", "medium", "sent", "sender", "recipient", "payload", "about", "inResponseTo")
_OWN_PARTS = (
    "contract",
    "planYear",
    "method",
    "providerType",
    "recipient",
    "cognitivelyImpaired",
    "ltcFacility",
    "minutes",
    "answer",
    "changed",
)


@dataclass(frozen=True)
class Service:
    """One service that took place; fields and codes are those of the table ``mtm_services``, "" and None are unknown.

    ``enrollment`` and ``about`` are references (``CarePlan/mtm-...``): a summary is about its CMR, a resolution about its
    recommendation, a recommendation about the problem that it concerns (DetectedIssue), if there is one. ``text`` is what was
    told (the recommendation itself), ``note`` a remark of whoever recorded it, ``performer`` the reference of the person who
    did it.
    """

    kind: ServiceKind
    beneficiary: str
    contract: str
    plan_year: int
    enrollment: str
    on_day: date
    method: str = ""
    provider: str = ""
    recipient: str = ""
    cognitively_impaired: str = ""
    ltc_facility: str = ""
    minutes: int | None = None
    answer: str = ""
    changed: bool | None = None
    about: str = ""
    text: str = ""
    note: str = ""
    performer: str = ""


def identity(service: Service) -> tuple[str, ...]:
    """What makes two records of a beneficiary's plan year and contract one event, beside its kind.

    CMR, TMR and safe-disposal information: the day (CMS counts distinct dates of TMRs). Invitation and offer: the day and the
    way, since a letter and a call on one day are two contacts. Summary: the CMR and the day. Recommendation: the problem and
    the words, whatever the day, because CMS counts a problem once a year. Resolution: its recommendation.
    """
    day = service.on_day.isoformat()
    if service.kind in ("invitation", "cmr_offer"):
        return day, service.method
    if service.kind == "summary_sent":
        return service.about, day
    if service.kind == "recommendation":
        return service.about, clean(service.text).casefold()
    if service.kind == "resolution":
        return (service.about,)
    return (day,)


def service_id(service: Service) -> str:
    """The id of the resource: the same event twice has the same id."""
    return resource_id(_kind(service), service.contract, service.beneficiary, service.plan_year, *identity(service))


def reference_of(service: Service) -> str:
    """The reference of the resource, ``Procedure/mtm-...`` or ``Communication/mtm-...``."""
    return f"{'Procedure' if service.kind in PROCEDURES else 'Communication'}/{service_id(service)}"


def service_event(service: Service, held: Resource | None = None) -> Resource:
    """The Procedure or Communication of ``service``, completed, based on the enrollment.

    ``held`` is the resource of that id that the server holds: what others added to it stays. A Procedure conforms with US Core
    Procedure 6.1.0 to 9.0.0 (http://hl7.org/fhir/us/core/StructureDefinition/us-core-procedure).
    """
    made = _procedure(service, held or {}) if service.kind in PROCEDURES else _communication(service, held or {})
    owned = _PROCEDURE_OWNED if service.kind in PROCEDURES else _COMMUNICATION_OWNED
    return merge(made, held, owned)


def withdrawn(held: Resource) -> Resource:
    """``held`` as entered in error: the service did not take place, and no table counts it."""
    return held | {"status": "entered-in-error"}


def _kind(service: Service) -> Kind:
    return code_of(service.kind)  # type: ignore[return-value]  # a test holds the kinds of services against ids.KINDS


def _common(service: Service, held: Resource) -> Resource:
    own_id = service_id(service)
    based_on = joined_references(held.get("basedOn", []), [service.enrollment])
    notes = held.get("note", [])
    if service.note and all(note.get("text") != clean(service.note) for note in notes):
        notes = [*notes, {"text": clean(service.note)}]
    common: Resource = {
        "id": own_id,
        "meta": {"tag": [tag(_kind(service))]},
        "text": _text(service),
        "extension": with_extension(held.get("extension", []), SERVICE_EXTENSION, _parts(service), _OWN_PARTS),
        "identifier": [identifier(own_id)],
        "basedOn": based_on,
        "status": "completed",
        "subject": {**held.get("subject", {}), "reference": f"Patient/{service.beneficiary}"},
    }
    return common | ({"note": notes} if notes else {})


def joined_references(held: Sequence[Resource], wanted: Sequence[str]) -> list[Resource]:
    """``held`` references and behind them those of ``wanted`` that it does not hold yet."""
    there = {one.get("reference") for one in held}
    return [*held, *({"reference": one} for one in wanted if one and one not in there)]


def _procedure(service: Service, held: Resource) -> Resource:
    common = _common(service, held)
    own = [*([CMR_CODING] if service.kind == "cmr" else []), _own_coding(service)]
    code = held.get("code", {})
    performers = [*_performers(service), *filter(_is_foreign, held.get("performer", []))]
    return {
        "resourceType": "Procedure",
        **common,
        "meta": common["meta"] | {"profile": [US_CORE_PROCEDURE]},
        "code": {**code, "coding": joined(code.get("coding", []), own)},
        "performedDateTime": service.on_day.isoformat(),
    } | ({"performer": performers} if performers else {})


def _performers(service: Service) -> list[Resource]:
    """Who did it: the person, if known, and the type of provider. R4 requires an actor: without a person it is only named."""
    if not service.provider and not service.performer:
        return []
    named = {"type": "Practitioner", "display": PROVIDER_TYPES.get(service.provider, "Provider")}
    actor = {"reference": service.performer} if service.performer else named
    function = {"function": {"coding": [_coding(PROVIDER_TYPE, service.provider, PROVIDER_TYPES)]}}
    return [{**(function if service.provider else {}), "actor": actor}]


def _is_foreign(performer: Resource) -> bool:
    """Whether somebody else added the performer: it has another function than a type of provider."""
    codings = performer.get("function", {}).get("coding", [])
    return bool(codings) and all(coding.get("system") != PROVIDER_TYPE for coding in codings)


def _communication(service: Service, held: Resource) -> Resource:
    code, display = _CATEGORIES.get(service.kind, ("notification", "Notification"))
    published = {"system": COMMUNICATION_CATEGORY, "code": code, "display": display}
    elements: Resource = {
        "resourceType": "Communication",
        **_common(service, held),
        "category": [{"coding": [_own_coding(service)]}, {"coding": [published]}],
        "sent": service.on_day.isoformat(),
    }
    if service.method:
        elements["medium"] = [{"coding": _medium(service.method)}]
    if service.performer:
        elements["sender"] = {"reference": service.performer}
    if service.recipient:
        elements["recipient"] = [_recipient(service)]
    if service.text:
        elements["payload"] = [{"contentString": clean(service.text)}]
    if service.about:
        # "Prior communication that this communication is in response to" (https://hl7.org/fhir/R4/communication.html).
        element = "inResponseTo" if service.kind == "resolution" else "about"
        elements[element] = [{"reference": service.about}]
    return elements


def _medium(method: str) -> list[Resource]:
    published = PARTICIPATION_MODES.get(method)
    own = _coding(CONTACT_METHOD, method, CONTACT_METHODS)
    if published is None:
        return [own]
    return [own, {"system": PARTICIPATION_MODE, "code": published[0], "display": published[1]}]


def _recipient(service: Service) -> Resource:
    """To whom it went: the Patient, or a person who is only described, since no resource of theirs need exist."""
    if service.recipient == "beneficiary":
        return {"reference": f"Patient/{service.beneficiary}"}
    kind = _RECIPIENT_TYPES.get(service.recipient, "RelatedPerson")
    return {"type": kind, "display": RECIPIENTS.get(service.recipient, service.recipient)}


def _own_coding(service: Service) -> Resource:
    return _coding(SERVICE, code_of(service.kind), SERVICES)


def _coding(system: str, code: str, displays: Mapping[str, str]) -> Resource:
    return {"system": system, "code": code} | ({"display": displays[code]} if code in displays else {})


def _parts(service: Service) -> list[Resource]:
    """The parts of the extension: what no standard element of the resource holds."""
    procedure = service.kind in PROCEDURES
    values: dict[str, tuple[str, object]] = {
        "contract": ("valueString", clean(service.contract)),
        "planYear": ("valueInteger", service.plan_year),
        "method": ("valueCode", service.method if procedure else ""),
        "providerType": ("valueCode", "" if procedure else service.provider),
        "recipient": ("valueCode", service.recipient),
        "cognitivelyImpaired": ("valueCode", service.cognitively_impaired),
        "ltcFacility": ("valueCode", service.ltc_facility),
        "minutes": ("valueInteger", service.minutes),
        "answer": ("valueCode", service.answer),
        "changed": ("valueBoolean", service.changed),
    }
    return [{"url": name, key: value} for name, (key, value) in values.items() if value not in ("", None)]


def _text(service: Service) -> dict[str, str]:
    """The narrative, without name or birth date."""
    title = SERVICES[code_of(service.kind)]
    about = f"{title} on {service.on_day.isoformat()}, MTM plan year {service.plan_year}"
    facts = "; ".join(told for told in _facts(service) if told)
    told = paragraph(f"{about}: {facts}." if facts else f"{about}.")
    return narrative(told, *([paragraph(service.text)] if clean(service.text) else []))


def _facts(service: Service) -> list[str]:
    methods = REVIEW_METHODS if service.kind in PROCEDURES else CONTACT_METHODS
    changed = {True: "drug therapy was changed", False: "drug therapy was not changed", None: ""}[service.changed]
    return [
        methods.get(service.method, service.method).lower(),
        _labeled("by", PROVIDER_TYPES.get(service.provider, service.provider)),
        _labeled("with" if service.kind in PROCEDURES else "to", RECIPIENTS.get(service.recipient, service.recipient)),
        _labeled("answer", OFFER_ANSWERS.get(service.answer, service.answer)),
        _labeled("cognitively impaired", YES_NO_UNKNOWN.get(service.cognitively_impaired, "")),
        _labeled("in a long-term care facility", YES_NO_UNKNOWN.get(service.ltc_facility, "")),
        "" if service.minutes is None else f"{service.minutes} minutes",
        changed,
    ]


def _labeled(label: str, value: str) -> str:
    return f"{label}: {value}" if value else ""
