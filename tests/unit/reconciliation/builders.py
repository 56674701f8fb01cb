"""Rows as the one table path gives them (``population.mentioned_drugs``) beside their resources, for tests of the core alone."""

from __future__ import annotations

from datetime import date
from typing import Any

from adapter.reconciliation.pml import PersonalMedicationList, personal_medication_list

AS_OF = date(2023, 9, 30)
INGREDIENTS = {"83367": "atorvastatin", "6809": "metformin"}
SUBJECT = {"reference": "Patient/p1"}
Pair = tuple[dict[str, Any], dict[str, Any]]

KINDS = {
    "request": "MedicationRequest",
    "statement": "MedicationStatement",
    "dispense": "MedicationDispense",
    "claim": "ExplanationOfBenefit",
}
DAY_OF = {"request": "authoredOn", "statement": "dateAsserted", "dispense": "whenHandedOver", "claim": "created"}


def pair(
    kind: str,
    key: str,
    name: str = "atorvastatin 20 MG Oral Tablet",
    day: str = "2023-08-01",
    drug: str = "83367",
    **more: Any,
) -> Pair:
    """One mention: its row and its resource. ``more`` are elements of the resource, or columns of the row named with ``row_``."""
    columns = {name.removeprefix("row_"): value for name, value in more.items() if name.startswith("row_")}
    elements = {name: value for name, value in more.items() if not name.startswith("row_")}
    on = date.fromisoformat(day) if day else None
    row = {
        "kind": kind, "source": f"{KINDS[kind]}/{key}", "beneficiary": "p1", "drug": drug, "listed": ":" not in drug, "name": name,
        "matched_by": "rxcui", "brand": "", "route": "oral" if "Oral" in name else "", "otc": "rx", "supplement": "",
        "day_first": on, "day_last": on, "ends": None, "days_supply": 90 if kind in ("claim", "dispense") else None, "missing": None,
        "codings": [], "label": name,
    }  # fmt: skip
    status = "completed" if kind == "dispense" else "active"
    resource = {"resourceType": KINDS[kind], "id": key, "status": status, "subject": SUBJECT, "intent": "order"}
    return row | columns, resource | ({DAY_OF[kind]: day} if day else {}) | elements


def of(*pairs: Pair, others: list[dict[str, Any]] | None = None, as_of: date = AS_OF) -> PersonalMedicationList:
    """The list that the mentions make, beside ``others`` that they may point at."""
    resources = [resource for _, resource in pairs] + (others or [])
    by_key = {f"{one['resourceType']}/{one['id']}": one for one in resources}
    return personal_medication_list("p1", [row for row, _ in pairs], by_key, INGREDIENTS, as_of)


def kinds(made: PersonalMedicationList) -> list[str]:
    """The kinds of the questions."""
    return [question.kind for question in made.questions]
