"""What the adapter's own FHIR endpoint can do."""

from __future__ import annotations

from adapter.resources.ids import BASE, Resource

OPERATION = f"{BASE}OperationDefinition/mtm-targeting"


def capability_statement(version: str, base_url: str, date: str) -> Resource:
    """The CapabilityStatement of ``/fhir/metadata``: one operation on Patient. https://hl7.org/fhir/R4/capabilitystatement.html

    ``date`` (of this version of the statement) is a parameter so that the same adapter always answers the same.
    """
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": "mtm-adapter", "version": version},
        "implementation": {
            "description": "FHIR adapter for Medicare Part D Medication Therapy Management",
            "url": base_url,
        },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "resource": [{"type": "Patient", "operation": [{"name": "mtm-targeting", "definition": OPERATION}]}],
            }
        ],
    }
