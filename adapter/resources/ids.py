"""Ids, identifiers, tags and references of the adapter's own resources. All stand under one base URL.

An id is a hash of what the resource is about, so a run repeated writes the same resource again and never a second
one. The tag tells the adapter's own resources from those of others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Literal

Resource = dict[str, Any]
Kind = Literal[
    "enrollment",
    "medication-list",
    "medication-statement",
    "provenance",
    "invitation",
    "cmr-offer",
    "cmr",
    "tmr",
    "summary-sent",
    "safe-disposal",
    "recommendation",
    "resolution",
    "reviewed-list",
    "reviewed-statement",
    "action-plan",
    "detected-issue",
    "review-composition",
    "review-document",
    "review-note",
    "reviewer",
    "reviewed-allergy",
    "measure-report",
]

BASE = "https://w3id.org/mtm-adapter/fhir/"
RESOURCE_IDENTIFIER = f"{BASE}NamingSystem/resource"
RESOURCE_KIND = f"{BASE}CodeSystem/resource-kind"
KINDS: dict[str, str] = {
    "enrollment": "MTM enrollment",
    "medication-list": "Personal Medication List before a review",
    "medication-statement": "Medication statement derived from orders, dispenses or claims",
    "provenance": "Provenance of a write by the adapter",
    "invitation": "Invitation to the MTM program",
    "cmr-offer": "Offer of a Comprehensive Medication Review",
    "cmr": "Comprehensive Medication Review",
    "tmr": "Targeted Medication Review",
    "summary-sent": "Written summary sent",
    "safe-disposal": "Safe-disposal information sent",
    "recommendation": "Recommendation to a prescriber",
    "resolution": "Resolution of a recommendation",
    "reviewed-list": "Personal Medication List after a review",
    "reviewed-statement": "Medication statement from a review",
    "action-plan": "Medication action plan",
    "detected-issue": "Medication-related problem",
    "review-composition": "Composition of a medication review",
    "review-document": "Document of a medication review",
    "review-note": "Reference to the document of a review",
    "reviewer": "Reviewer of a medication review",
    "reviewed-allergy": "Allergy or side effect told in a review",
    "measure-report": "Report of a measure",
}

_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64}")  # R4 id: https://hl7.org/fhir/R4/datatypes.html#id


def resource_id(kind: Kind, contract: str, beneficiary: str, plan_year: int, *more: str) -> str:
    """``mtm-`` and 32 hexadecimal digits: the same parts give the same id, other parts or another order another id.

    Each part is hashed with its length before it, so that ("ab", "c") and ("a", "bc") differ. 36 characters of R4's
    64.
    """
    parts = [part.encode("utf-8", "surrogatepass") for part in (kind, contract, beneficiary, str(plan_year), *more)]
    return "mtm-" + sha256(b"".join(b"%d:%b" % (len(part), part) for part in parts)).hexdigest()[:32]


def identifier(own_id: str) -> dict[str, str]:
    """The business identifier of an own resource: its id, which so survives a server that renames ids."""
    return {"system": RESOURCE_IDENTIFIER, "value": own_id}


def tag(kind: Kind) -> dict[str, str]:
    """The ``meta.tag`` by which an own resource of ``kind`` is found again (``_tag=system|code``)."""
    return {"system": RESOURCE_KIND, "code": kind, "display": KINDS[kind]}


def is_own(resource: Mapping[str, Any], kind: Kind | None = None) -> bool:
    """Whether the adapter made ``resource`` (and made it as ``kind``, when one is given): its tag tells."""
    meta = resource.get("meta")
    tags = elements(meta.get("tag") if isinstance(meta, Mapping) else None)
    codes = [t.get("code") for t in tags if t.get("system") == RESOURCE_KIND]
    return bool(codes) if kind is None else kind in codes


def elements(value: object) -> list[Mapping[str, Any]]:
    """The members of ``value`` that are JSON objects; none when it is no list: what others wrote need not be FHIR."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []


def is_reference(source: str) -> bool:
    """Whether ``source`` is a relative literal reference such as ``Condition/123``.

    Not one: ``roster.csv row 4``, ``Condition/?`` (a resource that came without id), ``urn:uuid:...``.
    """
    return _REFERENCE.fullmatch(source) is not None


def references(sources: list[str]) -> list[str]:
    """Those of ``sources`` that are references, unique and sorted."""
    return sorted({source for source in sources if is_reference(source)})


def reference_to(resource: Mapping[str, Any]) -> str:
    """The relative reference ``Type/id`` of ``resource``."""
    return f"{resource['resourceType']}/{resource['id']}"
