"""Who prescribed: names of practitioners as a list prints them, from references, displays and Practitioner resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Resource = Mapping[str, Any]
PRESCRIBING = frozenset(("prescribing", "prescriber"))  # role of a claim's careTeam: CARIN, CMS BFD


def concept_text(concept: Any) -> str:
    """What a CodeableConcept says: its text, else its first display; "" without either."""
    if not isinstance(concept, Mapping):
        return ""
    displays = (coding.get("display") for coding in concept.get("coding") or ())
    return " ".join(str(concept.get("text") or next(filter(None, displays), "")).split())


def human_name(names: Iterable[Resource]) -> str:
    """A HumanName in one line: "Helen Park, MD"; the official one of several, "" of none."""
    every = sorted(names, key=lambda name: (name.get("use") != "official", name.get("use") == "old", str(name)))
    if not every:
        return ""
    name = every[0]
    if name.get("text"):
        return " ".join(str(name["text"]).split())
    whole = " ".join(
        str(part)
        for part in (*(name.get("prefix") or ()), *(name.get("given") or ()), name.get("family") or "")
        if part
    )
    return ", ".join([whole, *(str(part) for part in name.get("suffix") or ())]) if whole else ""


def person_of(reference: Any, within: Resource, others: Mapping[str, Resource]) -> str:
    """The name of the practitioner whom ``reference`` (an element of ``within``) points at; "" when none is told.

    A display is taken only where the resource itself is not there. An organization is no prescriber.
    """
    if not isinstance(reference, Mapping):
        return ""
    target = _target(reference, within, others)
    if target is not None and target.get("resourceType") == "PractitionerRole":
        return person_of(target.get("practitioner"), target, others) or _display(reference)
    if target is not None and target.get("resourceType") == "Practitioner":
        return human_name(target.get("name") or ()) or _display(reference)
    if target is not None or str(reference.get("reference", "")).rpartition("/")[0].endswith(
        ("Organization", "Patient", "Device", "RelatedPerson")
    ):
        return ""
    return _display(reference)


def prescriber(resource: Resource, others: Mapping[str, Resource]) -> str:
    """The name of who prescribed, as far as ``resource`` (an order, a claim, a dispense) tells; "" else."""
    kind = resource.get("resourceType")
    if kind == "MedicationRequest":
        return person_of(resource.get("requester"), resource, others)
    if kind == "ExplanationOfBenefit":
        members = [one for one in resource.get("careTeam") or () if _codes(one.get("role")) & PRESCRIBING]
        names = (person_of(one.get("provider"), resource, others) for one in members)
        return next(filter(None, names), "")
    if kind == "MedicationDispense":
        orders = (others.get(str(one.get("reference", ""))) for one in resource.get("authorizingPrescription") or ())
        return next(filter(None, (prescriber(order, others) for order in orders if order is not None)), "")
    return ""


def _codes(concept: Any) -> set[str]:
    return {str(coding.get("code")) for coding in (concept or {}).get("coding") or ()}


def _target(reference: Resource, within: Resource, others: Mapping[str, Resource]) -> Resource | None:
    text = str(reference.get("reference", ""))
    if text.startswith("#"):
        return next((one for one in within.get("contained") or () if one.get("id") == text[1:]), None)
    return others.get("/".join(text.split("/")[-2:]))


def _display(reference: Resource) -> str:
    return " ".join(str(reference.get("display") or "").split())
