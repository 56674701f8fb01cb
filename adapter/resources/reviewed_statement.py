"""One drug as a pharmacist settled it with the member: an SMP MedicationStatement with the pharmacist as its source.

SMP 1.0.0 (http://hl7.org/fhir/us/smp/StructureDefinition/smp-medicationstatement): informationSource is a practitioner, never an
Organization; adherence is pre-adopted from R5 where it was talked about. IPS asks for effective[x], so there always is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from adapter.resources.ids import BASE, Resource, identifier, is_own, reference_to, references, resource_id, tag
from adapter.resources.medication_statement import STATUS_REASON, date_time, withdrawn
from adapter.resources.merging import merge, reference_elements
from adapter.resources.narrative import bullets, clean, narrative, paragraph

SMP_STATEMENT = "http://hl7.org/fhir/us/smp/StructureDefinition/smp-medicationstatement"
PRESCRIBER_EXTENSION = f"{BASE}StructureDefinition/mtm-prescriber"
ADHERENCE_EXTENSION = "http://hl7.org/fhir/5.0/StructureDefinition/extension-MedicationStatement.adherence"
ADHERENCE = "http://hl7.org/fhir/CodeSystem/medication-statement-adherence"
_OWNED = (
    "text", "language", "extension", "statusReason", "medicationReference", "effectiveDateTime", "effectivePeriod", "reasonCode",
    "dosage", "derivedFrom",
)  # fmt: skip


@dataclass(frozen=True)
class ReviewedDrug:
    """One drug of a review. ``key`` tells it from the others of the review; ``sources`` are the records that it comes from."""

    key: str
    name: str
    listed: bool  # on the list; False when it was stopped
    how: str = ""
    why: str = ""
    prescriber: str = ""
    started: str = ""
    stopped: str = ""
    stop_reason: str = ""
    adherence: str = ""
    sources: tuple[str, ...] = ()
    codings: tuple[tuple[str, str, str], ...] = ()  # system, code, display


@dataclass(frozen=True)
class Held:
    """Of which review a statement is: whose, in which contract and year, on which day, by whom, in which language."""

    beneficiary: str
    contract: str
    plan_year: int
    day: date
    practitioner: str  # reference
    language: str = "en"


def statement_id(drug: ReviewedDrug, review: Held) -> str:
    """The id of the statement: each review has statements of its own, so that an earlier list stays what it was."""
    key = (review.day.isoformat(), clean(drug.key).casefold())
    return resource_id("reviewed-statement", review.contract, review.beneficiary, review.plan_year, *key)


def reviewed_statement(drug: ReviewedDrug, review: Held, held: Resource | None) -> Resource:
    """The MedicationStatement of ``drug`` in ``review``, laid over ``held``."""
    own_id = statement_id(drug, review)
    before = held or {}
    own: Resource = {
        "resourceType": "MedicationStatement",
        "id": own_id,
        "meta": {"profile": [SMP_STATEMENT], "tag": [tag("reviewed-statement")]},
        "language": review.language,
        "text": _text(drug),
        "identifier": [identifier(own_id)],
        "status": "active" if drug.listed else "stopped",
        "medicationCodeableConcept": _concept(drug),
        "subject": {**before.get("subject", {}), "reference": f"Patient/{review.beneficiary}"},
        **_effective(drug, review),
        "dateAsserted": review.day.isoformat(),
        "informationSource": {"reference": review.practitioner},
    }
    sources = [source for source in drug.sources if source != f"MedicationStatement/{own_id}"]
    optional: Resource = {
        "extension": _extensions(drug),
        "statusReason": [{"text": clean(drug.stop_reason)}] if clean(drug.stop_reason) else [],
        "reasonCode": [{"text": clean(drug.why)}] if clean(drug.why) else [],
        "dosage": [{"text": clean(drug.how)}] if clean(drug.how) else [],
        "derivedFrom": reference_elements(references(sources), before.get("derivedFrom", [])),
    }
    return merge(own | {name: value for name, value in optional.items() if value}, held, _OWNED)


def superseded(held: Resource, day: str, by: str = "") -> Resource:
    """A statement of an earlier review, which a later one took the place of: it says nothing of today any more.

    Of a drug that is stopped it stays what it is: that is still so.
    """
    if not is_superseding(held):
        return held
    return withdrawn(held, "superseded", day, by)


def is_superseding(held: Resource) -> bool:
    """Whether ``held`` is a reviewed statement of a drug that is taken, and that no later review has superseded."""
    codings = [coding for reason in held.get("statusReason", []) for coding in reason.get("coding", [])]
    withdrawn_before = any(coding.get("system") == STATUS_REASON for coding in codings)
    return is_own(held, "reviewed-statement") and held.get("status") == "active" and not withdrawn_before


def _concept(drug: ReviewedDrug) -> Resource:
    codings: list[Resource] = []
    for system, code, display in drug.codings:
        parts = {"system": clean(system), "code": clean(code), "display": clean(display)}
        coding = {name: value for name, value in parts.items() if value}
        if coding and coding not in codings:
            codings.append(coding)
    return ({"coding": codings} if codings else {}) | {"text": clean(drug.name)}


def _effective(drug: ReviewedDrug, review: Held) -> Resource:
    """Since when and until when; the day of the review when neither is known."""
    start, end = date_time(drug.started), date_time(drug.stopped) if not drug.listed else ""
    period = {name: value for name, value in (("start", start), ("end", end)) if value}
    return {"effectivePeriod": period} if period else {"effectiveDateTime": review.day.isoformat()}


def _extensions(drug: ReviewedDrug) -> list[Resource]:
    made: list[Resource] = []
    if clean(drug.prescriber):
        made.append({"url": PRESCRIBER_EXTENSION, "valueString": clean(drug.prescriber)})
    if drug.adherence:
        code = {"coding": [{"system": ADHERENCE, "code": drug.adherence}]}
        made.append({"url": ADHERENCE_EXTENSION, "extension": [{"url": "code", "valueCodeableConcept": code}]})
    return made


def facts(drug: ReviewedDrug) -> list[str]:
    """What is known of the drug, as lines of a narrative."""
    told = (
        ("How", drug.how), ("Why", drug.why), ("Prescriber", drug.prescriber), ("Started", drug.started),
        ("Stopped", drug.stopped), ("Why stopped", drug.stop_reason), ("Adherence", drug.adherence.replace("-", " ")),
    )  # fmt: skip
    return [f"{label}: {clean(text)}" for label, text in told if clean(text)]


def _text(drug: ReviewedDrug) -> dict[str, str]:
    state = "Taken" if drug.listed else "Stopped"
    return narrative(
        paragraph(drug.name),
        paragraph(f"{state}, as settled with the member in a medication review."),
        bullets(facts(drug)),
    )


def by_drug(statements: Sequence[Resource]) -> dict[str, str]:
    """The reference of each statement by the text of its drug, in small letters."""
    return {
        str(one.get("medicationCodeableConcept", {}).get("text", "")).casefold(): reference_to(one)
        for one in statements
    }
