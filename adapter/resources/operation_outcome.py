"""Errors as FHIR tells them."""

from __future__ import annotations

from typing import Literal

from adapter.resources.ids import Resource
from adapter.resources.narrative import clean

Severity = Literal["fatal", "error", "warning", "information"]


def operation_outcome(message: str, *, code: str = "processing", severity: Severity = "error") -> Resource:
    """One issue with ``message`` for a person; ``code`` is of https://hl7.org/fhir/R4/valueset-issue-type.html

    The text stands in ``details.text``, where R4 wants it, and in ``diagnostics``, where most clients look.
    """
    text = clean(message) or "Something went wrong"
    issue = {"severity": severity, "code": code, "details": {"text": text}, "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
