"""One record that mentions a drug, as plain values: which drug by the table path, the rest from the resource itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from adapter.reconciliation.dosage import NO_USE, Use, use
from adapter.reconciliation.people import concept_text, prescriber
from adapter.reconciliation.product import Product, product
from adapter.resources.ids import BASE, is_own
from adapter.resources.medication_statement import STATUS_REASON
from adapter.tables.orders import ORDER_INTENTS

Resource = Mapping[str, Any]
State = Literal["taken", "stopped", "held", "planned", "filled", "past", "unknown"]
Kind = Literal["statement", "request", "dispense", "claim"]

PRESCRIBER_EXTENSION = f"{BASE}StructureDefinition/mtm-prescriber"
_STATEMENT_STATES: Mapping[str, State] = {
    "active": "taken",
    "intended": "planned",
    "on-hold": "held",
    "completed": "stopped",
    "stopped": "stopped",
    "not-taken": "stopped",
    "unknown": "unknown",
}
_REQUEST_STATES: Mapping[str, State] = {
    "active": "taken",
    "on-hold": "held",
    "completed": "past",  # all of it was dispensed, which says nothing of a stop
    "stopped": "stopped",
    "cancelled": "stopped",
    "unknown": "unknown",
}
_DISPENSED = ("completed", "in-progress")


@dataclass(frozen=True, order=True)
class Mention:
    """What one record says of one drug. Dates are FHIR dates in the precision of the source, "" when not told.

    ``day`` is the day of the fact: of the order, the fill, or the word of a person. ``supply`` is in days.
    """

    source: str
    kind: Kind
    drug: str
    listed: bool
    product: Product
    route: str
    state: State
    day: str = ""
    started: str = ""
    stopped: str = ""
    supply: int = 0
    english: Use = NO_USE
    spanish: Use = NO_USE
    why: str = ""
    prescriber: str = ""
    by_member: bool = False
    reviewed: bool = False
    otc: str = ""  # rx, both, otc or ""
    supplement: str = ""
    codings: tuple[tuple[str, str, str], ...] = ()  # system, code, display
    settles: tuple[str, ...] = ()  # the records that a pharmacist took into account


def mention(
    row: Mapping[str, Any],
    resource: Resource,
    others: Mapping[str, Resource],
    ingredients: Mapping[str, str],
    as_of: date,
    review_day: date | None = None,
) -> Mention | None:
    """The mention that ``row`` (of drug_uses, see ``population.mentioned_drugs``) and its ``resource`` make; None when it says nothing.

    ``others`` are the resources that it points at, by Type/id. Nothing is said by what is entered in error, only proposed, not
    handed over, superseded by a review, or of a day after ``as_of``. With ``review_day`` all is told as before a review of that
    day: its own statements say nothing, and what it superseded still stands.
    """
    state = _state(row, resource, as_of, review_day)
    if state is None:
        return None
    dosages = resource.get("dosage") or resource.get("dosageInstruction") or ()
    language = str(resource.get("language") or "en")
    started, stopped = _period(row, resource, state)
    return Mention(
        source=row["source"],
        kind=row["kind"],
        drug=row["drug"],
        listed=bool(row["listed"]),
        product=_product(row, ingredients),
        route=row["route"] or "",
        state=state,
        day=_day(row, resource),
        started=started,
        stopped=stopped,
        supply=int(row["days_supply"] or _supply(resource)),
        english=use(dosages, "en", language),
        spanish=use(dosages, "es", language),
        why=_why(resource, others),
        prescriber=_told_prescriber(resource) or prescriber(resource, others),
        by_member=_by_member(resource),
        reviewed=is_own(resource, "reviewed-statement"),
        settles=_settles(resource),
        otc=row["otc"] or "",
        supplement=row["supplement"] or "",
        codings=tuple(
            sorted(
                {(c["system"] or "", c["code"] or "", c["display"] or "") for c in row["codings"] or () if c["code"]}
            )
        ),
    )


def _state(row: Mapping[str, Any], resource: Resource, as_of: date, review_day: date | None) -> State | None:
    first = row["day_first"]
    later = first is not None and first > as_of
    status = str(resource.get("status", ""))
    if row["kind"] == "claim":
        return None if later else "filled"
    if row["kind"] == "dispense":
        return "filled" if status in _DISPENSED and not later else None
    if row["kind"] == "request":
        return None if later else _request_state(resource, status)
    if is_own(resource, "reviewed-statement"):
        return _reviewed_state(resource, status, as_of, review_day)
    return _statement_state(row, resource, status, later, as_of)


def _request_state(resource: Resource, status: str) -> State | None:
    intent = resource.get("intent")
    if intent not in (*ORDER_INTENTS, None) and not resource.get("reportedBoolean"):
        return None
    if resource.get("doNotPerform") and status == "active":  # an order not to take it
        return "stopped"
    return _REQUEST_STATES.get(status)


def _statement_state(row: Mapping[str, Any], resource: Resource, status: str, later: bool, as_of: date) -> State | None:
    if str(resource.get("dateAsserted", ""))[:10] > as_of.isoformat():
        return None
    state = _STATEMENT_STATES.get(status)
    if state == "taken" and later:
        return "planned"
    ended = row["ends"] is not None and row["ends"] < as_of
    return "stopped" if ended and state in ("taken", "unknown") else state


def _reviewed_state(resource: Resource, status: str, as_of: date, review_day: date | None) -> State | None:
    """What an earlier review says; when it was superseded, ``dateAsserted`` is the day of the review that did so."""
    day = str(resource.get("dateAsserted", ""))[:10]
    if _is_superseded(resource):
        return "taken" if review_day and day == review_day.isoformat() else None
    if day > as_of.isoformat() or (review_day and day >= review_day.isoformat()):
        return None
    return _STATEMENT_STATES.get(status)


def _is_superseded(resource: Resource) -> bool:
    codings = [coding for reason in resource.get("statusReason") or () for coding in reason.get("coding") or ()]
    return any(coding.get("system") == STATUS_REASON for coding in codings)


def _period(row: Mapping[str, Any], resource: Resource, state: State) -> tuple[str, str]:
    """When the drug was started and stopped, as far as this record tells."""
    day = str(row["day_first"] or "")
    if row["kind"] != "statement":
        return str(resource.get("authoredOn") or day)[:10], ""
    period = resource.get("effectivePeriod") or {}
    started = str(period.get("start") or resource.get("effectiveDateTime") or "")[:10]
    return started, str(period.get("end") or "")[:10] if state == "stopped" else ""


def _day(row: Mapping[str, Any], resource: Resource) -> str:
    if row["kind"] != "statement":
        return str(row["day_last"] or "")
    period = resource.get("effectivePeriod") or {}
    return str(
        resource.get("dateAsserted")
        or period.get("end")
        or period.get("start")
        or resource.get("effectiveDateTime")
        or ""
    )[:10]


def _supply(resource: Resource) -> int:
    value = (resource.get("daysSupply") or {}).get("value") or 0
    return int(value)


def _product(row: Mapping[str, Any], ingredients: Mapping[str, str]) -> Product:
    """What the names say together: that of the lists first, then what the source wrote."""
    texts = [row["name"], row["label"], *(coding["display"] for coding in row["codings"] or ())]
    told = [product(text) for text in dict.fromkeys(text for text in texts if text)]
    if not row["listed"] and told and str(row["name"]) == row["drug"]:  # the lists made the name of a code
        told = told[1:] or told
    strength = next(((one.strength, one.key) for one in told if one.key), ("", ""))
    known = sorted(ingredients[one] for one in str(row["drug"]).split(";") if one in ingredients)
    generic = (
        " / ".join(known)
        or str(row["drug"]).partition("name:")[2]
        or next((one.generic for one in told if one.generic), "")
    )
    brand = row["brand"] or next((one.brand for one in told if one.brand), "") or _other_name(row, told, known)
    return Product(generic, brand, strength[0], next((one.form for one in told if one.form), ""), strength[1])


def _other_name(row: Mapping[str, Any], told: list[Product], ingredients: list[str]) -> str:
    """The name by which a text was recognized when it is not that of an ingredient: "Advil" of ibuprofen; "" else."""
    if row["matched_by"] != "name" or not ingredients or not told:
        return ""
    name = told[0].generic
    return "" if any(one.casefold() in name.casefold() for one in ingredients) else name


def _why(resource: Resource, others: Mapping[str, Resource]) -> str:
    """Why it is taken: the reason as it is written, else the text of the Condition that is referenced."""
    told = [concept_text(reason) for reason in resource.get("reasonCode") or ()]
    for reference in resource.get("reasonReference") or ():
        condition = others.get("/".join(str(reference.get("reference", "")).split("/")[-2:])) or {}
        told.append(concept_text(condition.get("code")) or " ".join(str(reference.get("display") or "").split()))
    return "; ".join(dict.fromkeys(text for text in told if text))


def _told_prescriber(resource: Resource) -> str:
    """The prescriber whom an earlier review wrote down."""
    extensions = [one for one in resource.get("extension") or () if one.get("url") == PRESCRIBER_EXTENSION]
    return str(extensions[0].get("valueString") or "") if extensions else ""


def _settles(resource: Resource) -> tuple[str, ...]:
    """The records that a review made one statement of; what they said by its day, it settled."""
    if not is_own(resource, "reviewed-statement"):
        return ()
    return tuple(sorted(str(one.get("reference", "")) for one in resource.get("derivedFrom") or ()))


def _by_member(resource: Resource) -> bool:
    reference = str(
        (resource.get("informationSource") or resource.get("reportedReference") or {}).get("reference") or ""
    )
    return "Patient/" in reference or "RelatedPerson/" in reference or resource.get("reportedBoolean") is True
