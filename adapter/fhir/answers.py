"""What an answer means: the resource in it, or the fault in one sentence that holds no personal data.

Servers like to repeat what was sent ("Resource Patient/17 is not known"), so their words are cut to 200 characters and
everything that may be an id, an identifier, a date or a query is taken out before they reach a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from adapter.errors import ConformanceError, SinkError, SourceError
from adapter.fhir import json
from adapter.fhir.json import Resource
from adapter.fhir.transport import Answer, Call

LONGEST_TEXT = 200
HIDDEN = "[...]"

_PRIVATE_SHAPES = (
    (re.compile(r"\b([A-Z][A-Za-z]+)/(?!\[)[A-Za-z0-9\-._]+(?:/_history/\S+)?"), r"\1/[id]"),
    (re.compile(r"\?\S+"), f"?{HIDDEN}"),
    (re.compile(r"\S*\|\S+"), HIDDEN),
    (re.compile(r"(?i)\b(value|id|identifier|name|family|given)(:?\s*|=)(\"[^\"]*\"|'[^']*')"), rf"\1\2{HIDDEN}"),
    (re.compile(r"\d{4}-\d{2}(?:-\d{2})?(?:T\S*)?"), HIDDEN),
    (re.compile(r"[A-Za-z0-9\-._]*\d{5,}[A-Za-z0-9\-._]*"), HIDDEN),
    # A Medicare Beneficiary Identifier, with or without dashes; then any other mixture that looks like an identifier.
    (re.compile(r"(?i)\b[1-9][A-Z][A-Z0-9]\d-?[A-Z][A-Z0-9]\d-?[A-Z]{2}\d{2}\b"), HIDDEN),
    (re.compile(r"\b(?=(?:[A-Za-z]*\d){3})(?=[0-9]*[A-Za-z])[A-Za-z0-9]{6,}\b"), HIDDEN),
)

_REMEDIES = {
    404: "check the base URL and that the server offers this resource type",
    409: "somebody else changed it in between, read it again and repeat",
    410: "it was deleted or has expired, start again",
    412: "somebody else changed it in between, read it again and repeat",
    413: "ask for or send less at once",
}


def decode(answer: Answer, call: Call) -> Resource:
    """The resource in a successful answer; raises the call's fault when the answer failed or holds no resource."""
    if not 200 <= answer.status < 300:
        raise failure(answer, call)
    resource = resource_in(answer)
    if resource is None:
        raise _not_fhir(answer, call)
    return resource


def failure(answer: Answer, call: Call) -> SourceError | SinkError:
    """The fault of an answer that is no success."""
    status, where = answer.status, f"{call.purpose} at {call.place}"
    if status == 401:
        sentence = f"{where} was not authenticated (status 401): give a valid token, or user and password."
    elif status == 403:
        sentence = f"{where} is not permitted to these credentials (status 403): ask the operator for the scope."
    else:
        said = outcome_text(resource_in(answer) or {}, call.private)
        remedy = _REMEDIES.get(status, "try again later" if status == 429 or status >= 500 else "correct the request")
        sentence = f"{where} failed with status {status}{f' ({said})' if said else ''}: {remedy}."
    return call.fault(sentence, status)


def resource_in(answer: Answer) -> Resource | None:
    """The FHIR resource of a JSON or XML body, None for anything else (an HTML page, no body)."""
    try:
        resource = _parsed(answer)
    except (ValueError, ConformanceError):  # not a resource: the caller tells it with status and content type
        return None
    return resource if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str) else None


def outcome_text(resource: Resource, private: Iterable[str] = ()) -> str:
    """What an OperationOutcome's first error says, without personal data; "" when it says nothing."""
    for issue in _issues(resource):
        details = issue.get("details")
        text = (details.get("text") if isinstance(details, dict) else None) or issue.get("diagnostics")
        if isinstance(text, str) and text.strip():
            return redact(text, private)
    return ""


def worst(resource: Resource) -> str:
    """The gravest severity among the issues of an OperationOutcome, "" when it tells none."""
    told = {issue.get("severity") for issue in _issues(resource)}
    return next((severity for severity in ("fatal", "error", "warning", "information") if severity in told), "")


def redact(text: str, private: Iterable[str] = ()) -> str:
    """One line of at most 200 characters without the private values and whatever looks like personal data."""
    line = " ".join(text.split()).rstrip(".")
    for value in sorted({value for value in private if value}, key=len, reverse=True):
        line = re.sub(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", HIDDEN, line)
    for shape, instead in _PRIVATE_SHAPES:
        line = shape.sub(instead, line)
    return line[:LONGEST_TEXT]


def _parsed(answer: Answer) -> object:
    if "html" in answer.content_type:
        return None
    if "xml" in answer.content_type:
        from adapter.fhir import conformance  # fhir.resources takes long to import, and most servers speak JSON

        return conformance.from_xml(answer.body)
    return json.loads(answer.body)


def _issues(resource: Resource) -> Iterator[Resource]:
    """The issues of an OperationOutcome, errors first."""
    listed = resource.get("issue") if resource.get("resourceType") == "OperationOutcome" else None
    issues = [issue for issue in listed if isinstance(issue, dict)] if isinstance(listed, list) else []
    yield from sorted(issues, key=lambda issue: issue.get("severity") not in ("error", "fatal"))


def _not_fhir(answer: Answer, call: Call) -> SourceError | SinkError:
    kind = answer.content_type or "no content type"
    held = _held(answer, kind) if answer.body.strip() else "an empty body"
    return call.fault(
        f"{call.purpose} at {call.place} was answered with {held} (status {answer.status}): "
        "check that the base URL is that of a FHIR R4 server.",
        answer.status,
    )


def _held(answer: Answer, kind: str) -> str:
    """What a body that is no resource is: cut off or otherwise unreadable, or something else."""
    try:
        _parsed(answer)
    except ConformanceError as fault:  # names an element or a line, never a value; its remedy is for who sends
        return f"{kind} that is no FHIR resource ({str(fault).rpartition(': ')[0]})"
    except ValueError:
        return f"{kind} that cannot be read, broken off or not in UTF-8, so it is no FHIR resource"
    return f"{kind} that is no FHIR resource"
