"""The Personal Medication List before a pharmacist's review: a plain R4 List and the statements that it needs.

SMP's list profile wants a practitioner as source, so it is not claimed here; the review writes its own list (LOINC
104203-5) and supersedes this one, which is then left alone. The held list is also the record of which derived
statements are of this plan year: ids are hashes and do not tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from adapter.resources.ids import Resource, identifier, is_reference, reference_to, resource_id, tag
from adapter.resources.medication_statement import (
    is_listable,
    is_standing,
    medication_concept,
    own_statements,
    statement,
    withdrawn,
)
from adapter.resources.merging import merge_dated
from adapter.resources.narrative import bullets, narrative, paragraph
from adapter.targeting.decision import ListedDrug

# Displays of 104202-7 as LOINC gives it for SMP; an active list before a CMR (reference/fhir-profiles.md 0.2).
LIST_CODE = {
    "coding": [
        {
            "system": "http://loinc.org",
            "code": "104202-7",
            "display": "Active medication list [Identifier] Episode Pharmacy",
        },
        {"system": "http://loinc.org", "code": "10160-0", "display": "History of Medication use Narrative"},
    ],
    "text": "Personal Medication List",
}
# "The investigation to find out whether there are items has not occurred": nobody has asked the person yet.
# "nilknown" would be a clinical judgment. https://hl7.org/fhir/R4/valueset-list-empty-reason.html
EMPTY_REASON = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/list-empty-reason",
            "code": "notasked",
            "display": "Not Asked",
        }
    ]
}
_RANK = {"rx": 0, "both": 0, "otc": 1, "vitamin": 2, "mineral": 2, "herbal": 2, "other_supplement": 2, "unknown": 3}
_OWNED = ("text", "entry", "emptyReason")


@dataclass(frozen=True)
class _Run:
    """What one list is about, and what the server holds for it, by reference."""

    beneficiary: str
    contract: str
    plan_year: int
    day: str
    held: dict[str, Resource]
    derived: set[str]  # references of held statements that the adapter derived, in any plan year

    def statement_id(self, drug: ListedDrug) -> str:
        return resource_id("medication-statement", self.contract, self.beneficiary, self.plan_year, drug.drug)


@dataclass(frozen=True)
class _Line:
    """One drug of the list: the statement that stands for it, and that statement when the adapter makes it."""

    drug: ListedDrug
    reference: str
    made: Resource | None


def medication_list(
    drugs: Sequence[ListedDrug],
    *,
    beneficiary: str,
    contract: str,
    plan_year: int,
    as_of: date,
    held: Mapping[str, Resource],
) -> list[Resource]:
    """The List first, then every statement that the adapter makes for it, then those that it takes off the list.

    ``held`` are the resources that the server holds for the person (any keys). What needs no change is returned
    equal to what is held. A held list that is no longer ``current`` (superseded by a review) is returned alone and
    as it is.
    """
    by_reference = {reference_to(resource): resource for resource in held.values()}
    run = _Run(beneficiary, contract, plan_year, as_of.isoformat(), by_reference, own_statements(by_reference))
    own_id = resource_id("medication-list", contract, beneficiary, plan_year)
    held_list = by_reference.get(f"List/{own_id}")
    if held_list is not None and held_list.get("status") != "current":
        return [held_list]
    lines = [line for drug in sorted(drugs, key=_order) if (line := _line(drug, run)) is not None]
    made = [line.made for line in lines if line.made is not None]
    listed = [line for line in lines if line.made is None or is_listable(line.made)]
    return [_list(listed, own_id, run, held_list), *made, *_withdrawn(lines, run, held_list or {})]


def _order(drug: ListedDrug) -> tuple[int, str, str, str]:
    """Prescription drugs by name, over the counter, supplements, then what no list knows."""
    return (_RANK.get(drug.kind, _RANK["unknown"]), drug.name.casefold(), drug.name, drug.drug)


def _line(drug: ListedDrug, run: _Run) -> _Line | None:
    """The line of ``drug``; None when nothing but the adapter's own earlier statement speaks for it."""
    own_id = run.statement_id(drug)
    own = {f"MedicationStatement/{own_id}", *run.derived}
    if is_reference(drug.statement) and drug.statement not in own:
        return _Line(drug, drug.statement, None)
    if drug.statement in own and not set(drug.sources) - own:
        return None
    others = ListedDrug(**{**vars(drug), "sources": tuple(source for source in drug.sources if source not in own)})
    held = run.held.get(f"MedicationStatement/{own_id}")
    return _Line(drug, f"MedicationStatement/{own_id}", statement(others, own_id, run.beneficiary, run.day, held))


def _list(lines: list[_Line], own_id: str, run: _Run, held: Resource | None) -> Resource:
    names = {line.reference: medication_concept(line.drug)["text"] for line in lines}
    own: Resource = {
        "resourceType": "List",
        "id": own_id,
        "meta": {"tag": [tag("medication-list")]},
        "text": _text(run, list(names.values())),
        "identifier": [identifier(own_id)],
        "status": "current",
        "mode": "snapshot",
        "title": f"Personal Medication List {run.plan_year}",
        "code": LIST_CODE,
        "subject": {**(held or {}).get("subject", {}), "reference": f"Patient/{run.beneficiary}"},
    }
    if (
        names
    ):  # entries without date: lst-3 allows that in a working list only; an empty reason only without entries: lst-1
        own["entry"] = [{"item": {"reference": reference, "display": name}} for reference, name in names.items()]
    else:
        own["emptyReason"] = EMPTY_REASON
    return merge_dated(own, held, _OWNED, "date", run.day)


def _text(run: _Run, names: list[str]) -> dict[str, str]:
    return narrative(
        paragraph(
            f"Personal Medication List {run.plan_year}, put together from records and not yet reviewed with the person."
        ),
        bullets(names) or paragraph("No drugs are known."),
    )


def _withdrawn(lines: list[_Line], run: _Run, held_list: Resource) -> list[Resource]:
    """Derived statements that this year's held list names and that no line needs any more."""
    wanted = {line.reference for line in lines}
    superseded = {
        f"MedicationStatement/{run.statement_id(line.drug)}": line.reference for line in lines if line.made is None
    }
    named = [entry.get("item", {}).get("reference", "") for entry in held_list.get("entry", [])]
    gone = [run.held[r] for r in dict.fromkeys(named) if r in run.held and r not in wanted and is_standing(run.held[r])]
    return [_withdraw(resource, superseded.get(reference_to(resource), ""), run.day) for resource in gone]


def _withdraw(resource: Resource, by: str, day: str) -> Resource:
    return withdrawn(resource, "superseded" if by else "no-longer-listed", day, by)
