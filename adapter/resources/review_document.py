"""The document of a review: a Bundle of type document that another system can show without asking anybody.

R4 (https://hl7.org/fhir/R4/documents.html): identifier with system and value (bdl-9), timestamp (bdl-10), the Composition first
(bdl-11), and what it points at inside. Every reference of every entry leads to an entry; what lies outside is named by a logical
reference (type, identifier, display) instead. Every entry has a narrative. SMP CI build of 2026-05 (smp-medication-action-plan-bundle)
where the plan answers a problem and patient and practitioner are as US Core asks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from adapter.resources.ids import Resource, identifier, is_reference, reference_to, resource_id, tag
from adapter.resources.merging import merge_dated
from adapter.resources.narrative import narrative, paragraph
from adapter.resources.review_composition import what, without_smp
from adapter.resources.reviewed_statement import Held

SMP_DOCUMENT = "http://hl7.org/fhir/us/smp/StructureDefinition/smp-medication-action-plan-bundle"
# Where a review lies in a folder, no server gives it an address: it gets one of the adapter's own.
NO_SERVER = "https://w3id.org/mtm-adapter/fhir/folder"
LINEAGE = (
    "derivedFrom",
    "evidence",
)  # dozens of claims and orders; they stand in the stored resource and in the Provenance
_SET_BY_SERVER = ("versionId", "lastUpdated", "source")


def document_id(review: Held) -> str:
    """The id of the document of this review."""
    return resource_id("review-document", review.contract, review.beneficiary, review.plan_year, review.day.isoformat())


def review_document(
    review: Held, resources: Sequence[Resource], *, base_url: str, smp: bool, recorded: str, held: Resource | None
) -> Resource:
    """The document Bundle of ``resources``, the Composition first. ``base_url`` is the server on which they lie, "" of a folder.

    ``recorded`` (an instant) is its timestamp when something in it is new; otherwise it keeps its timestamp.
    """
    own_id, base = document_id(review), base_url.rstrip("/") or NO_SERVER
    inside = {reference_to(one) for one in resources}
    own: Resource = {
        "resourceType": "Bundle",
        "id": own_id,
        "meta": {"tag": [tag("review-document")]} | ({"profile": [SMP_DOCUMENT]} if smp else {}),
        "identifier": identifier(own_id),
        "type": "document",
        "entry": [{"fullUrl": f"{base}/{reference_to(one)}", "resource": copy(one, inside, base)} for one in resources],
    }
    return without_smp(merge_dated(own, held and without_smp(held, smp), ("entry",), "timestamp", recorded), smp)


def copy(resource: Resource, inside: Collection[str], base: str) -> Resource:
    """``resource`` as it stands in a document: without what a server set, with a narrative, pointing nowhere outside."""
    meta = {name: _sorted(value) for name, value in resource.get("meta", {}).items() if name not in _SET_BY_SERVER}
    plain = {name: value for name, value in resource.items() if name not in ("meta", *LINEAGE)}
    made: Resource = {name: _closed(value, inside, base) for name, value in plain.items()}
    if "text" not in made:
        made["text"] = narrative(paragraph(_told(resource)))
    head = {name: made.pop(name) for name in ("resourceType", "id") if name in made}
    return head | ({"meta": meta} if meta else {}) | made


def _sorted(value: Any) -> Any:
    """Profiles and tags in one order: a server gives them back in an order of its own."""
    return sorted(value, key=str) if isinstance(value, list) else value


def _closed(value: Any, inside: Collection[str], base: str) -> Any:
    if isinstance(value, list):
        return [_closed(one, inside, base) for one in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("reference")
    if not isinstance(reference, str):
        return {name: _closed(one, inside, base) for name, one in value.items()}
    relative = reference.removeprefix(f"{base}/").partition("/_history/")[0]
    if relative in inside or reference.startswith("#"):
        return {**value, "reference": relative}
    return _logical(value, relative, base)


def _logical(value: Resource, reference: str, base: str) -> Resource:
    """Who or what is meant, for a reader who cannot follow the reference."""
    kind, _, own_id = reference.partition("/")
    known = is_reference(reference)
    rest = {name: one for name, one in value.items() if name != "reference"}
    if not known:
        return {"display": "Elsewhere on record", **rest}
    named = identifier(own_id) if own_id.startswith("mtm-") else {"system": base, "value": reference}
    return {"type": kind, "identifier": named, **rest}


def _told(resource: Resource) -> str:
    """What a resource without a narrative of its own is."""
    if resource.get("resourceType") in ("Patient", "Practitioner"):
        names = [
            str(one.get("text") or " ".join([*one.get("given", []), str(one.get("family", ""))]))
            for one in resource.get("name", [])
        ]
        born = f", born {resource['birthDate']}" if resource.get("birthDate") else ""
        return f"{resource['resourceType']}: {' or '.join(names)}{born}"
    return f"{resource.get('resourceType')}: {what(resource)}"


def is_us_core_person(resource: Resource) -> bool:
    """Whether a Patient or Practitioner has what US Core asks of it: an identifier with system and value, and a name with its parts."""
    identified = any(one.get("system") and one.get("value") for one in resource.get("identifier", []))
    names = resource.get("name", [])
    if resource.get("resourceType") == "Practitioner":
        return identified and bool(names) and all(name.get("family") for name in names)
    return identified and bool(names) and all(name.get("family") or name.get("given") for name in names)
