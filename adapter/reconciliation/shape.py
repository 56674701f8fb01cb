"""A resource with only those elements that have the JSON shape FHIR gives them, so that one malformed element is not told, and no more.

A list of drugs must not lack a drug, nor fail, because a source wrote ``"timing": "daily"``. What is read here is named here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

Shape: TypeAlias = "Callable[[Any], bool] | Mapping[str, Shape] | Sequence[Shape]"


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and Decimal(str(value)).is_finite()


def _count(value: Any) -> bool:
    """A positiveInt."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _length(value: Any) -> bool:
    """A number above 0, also one that was written as text."""
    written = isinstance(value, str) and re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value) is not None
    return (written or _number(value)) and Decimal(str(value)) > 0


def _element(value: Any) -> bool:
    return isinstance(value, Mapping)


def _minutes(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _clock(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"([01]\d|2[0-3]):[0-5]\d", value) is not None


_CODING: Shape = {"system": _text, "code": _text, "display": _text}
_CONCEPT: Shape = {"text": _text, "coding": [_CODING]}
_REFERENCE: Shape = {"reference": _text, "display": _text, "type": _text}
_PERIOD: Shape = {"start": _text, "end": _text}
_QUANTITY: Shape = {"value": _length, "unit": _text, "code": _text, "system": _text}
_RANGE: Shape = {"low": _QUANTITY, "high": _QUANTITY}
_RATIO: Shape = {"numerator": _QUANTITY, "denominator": _QUANTITY}
_NAME: Shape = {"use": _text, "text": _text, "family": _text, "given": [_text], "prefix": [_text], "suffix": [_text]}
_REPEAT: Shape = {
    "boundsDuration": _QUANTITY, "boundsRange": _RANGE, "boundsPeriod": _PERIOD, "count": _count, "duration": _length,
    "durationUnit": _text, "frequency": _count, "frequencyMax": _count, "period": _length, "periodMax": _length, "periodUnit": _text,
    "dayOfWeek": [_text],
    "timeOfDay": [_clock], "when": [_text], "offset": _minutes,
}  # fmt: skip
DOSAGE: Shape = {
    "sequence": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "text": _text, "patientInstruction": _text, "additionalInstruction": [_CONCEPT], "asNeededBoolean": _flag,
    "asNeededCodeableConcept": _CONCEPT, "site": _CONCEPT, "route": _CONCEPT, "method": _CONCEPT,
    "timing": {"event": [_text], "repeat": _REPEAT, "code": _CONCEPT},
    "doseAndRate": [
        {"doseRange": _RANGE, "doseQuantity": _QUANTITY, "rateRatio": _RATIO, "rateRange": _RANGE, "rateQuantity": _QUANTITY}
    ],
    "maxDosePerPeriod": _RATIO, "maxDosePerAdministration": _QUANTITY, "maxDosePerLifetime": _QUANTITY,
}  # fmt: skip
_PERSON: dict[str, Shape] = {"resourceType": _text, "id": _text, "name": [_NAME], "practitioner": _REFERENCE}
_RECORD: Shape = {
    **_PERSON,
    "contained": [_PERSON],
    "meta": {"tag": [_CODING]}, "identifier": [{"system": _text, "value": _text}], "language": _text, "status": _text, "intent": _text,
    "extension": [{"url": _text, "valueString": _text}],
    # orders, statements, dispenses
    "authoredOn": _text, "dateAsserted": _text, "effectiveDateTime": _text, "effectivePeriod": _PERIOD, "daysSupply": _QUANTITY,
    "reportedBoolean": _flag, "doNotPerform": _flag, "dosage": [_element], "dosageInstruction": [_element],
    "reasonCode": [_CONCEPT], "reasonReference": [_REFERENCE], "statusReason": [_CONCEPT], "derivedFrom": [_REFERENCE],
    "informationSource": _REFERENCE, "reportedReference": _REFERENCE, "requester": _REFERENCE, "authorizingPrescription": [_REFERENCE],
    # claims
    "careTeam": [{"role": _CONCEPT, "provider": _REFERENCE}],
    # conditions, allergies, side effects
    "code": _CONCEPT, "clinicalStatus": _CONCEPT, "verificationStatus": _CONCEPT, "type": _text, "criticality": _text,
    "reaction": [{"manifestation": [_CONCEPT], "severity": _text}],
    "actuality": _text, "event": _CONCEPT, "severity": _CONCEPT, "suspectEntity": [{"instance": _REFERENCE}],
}  # fmt: skip
_ABSENT = object()


def shaped(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """``resource`` with the elements that a list of drugs is made of, as far as they have their shape."""
    return of_shape(resource, _RECORD) or {}


_OFTEN = ("frequency", "frequencyMax", "period", "periodMax", "periodUnit")


def formed_dosage(raw: Any) -> Mapping[str, Any]:
    """A Dosage as far as it has its shape. How often is told whole or not at all: "per day" without its number would be once."""
    made = of_shape(raw, DOSAGE) or {}
    repeat = made.get("timing", {}).get("repeat")
    if repeat is None or all(name in repeat for name in _OFTEN if name in raw["timing"]["repeat"]):
        return made
    kept = {name: value for name, value in repeat.items() if name not in _OFTEN}
    return made | {"timing": made["timing"] | {"repeat": kept}}


def of_shape(value: Any, shape: Shape) -> Any:
    """``value`` without what has not its shape, None when nothing of it has."""
    kept = _kept(value, shape)
    return None if kept is _ABSENT else kept


def _kept(value: Any, shape: Shape) -> Any:
    if callable(shape):
        return value if shape(value) else _ABSENT
    if isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            return _ABSENT
        made = {name: _kept(value[name], part) for name, part in shape.items() if name in value}
        return {name: part for name, part in made.items() if part is not _ABSENT}
    if not isinstance(value, list | tuple):
        return _ABSENT
    return [part for part in (_kept(one, shape[0]) for one in value) if part is not _ABSENT]
