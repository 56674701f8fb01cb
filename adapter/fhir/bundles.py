"""Bundles that write: how they are put together, whether they may be sent twice, and what their answer says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from adapter.errors import SinkError
from adapter.fhir.answers import outcome_text
from adapter.fhir.json import Resource

# Elements whose text may tell who somebody is (HumanName, Identifier, ContactPoint, Address, Reference.display, ids).
PERSONAL = frozenset(
    ["id", "value", "family", "given", "text", "display", "birthDate", "line", "city", "postalCode", "authorString"]
)
SHORTEST_PERSONAL = 3  # shorter texts would take words out of the server's own sentence


@dataclass(frozen=True)
class EntryResult:
    """What became of one entry: its HTTP status, its new version if told, and what went wrong ("" if nothing)."""

    status: int
    version: str | None
    sentence: str

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def etag(version: str) -> str:
    """A version as If-Match wants it: W/"3"; an entity tag stays what it is."""
    return version if version.endswith('"') else f'W/"{version}"'


def version_in(tag: str | None) -> str | None:
    """The version in an entity tag: of W/"3", "3" and 3 (HAPI's answers in a Bundle) alike "3"."""
    return (tag or "").removeprefix("W/").strip('"') or None


def put_bundle(
    resources: Iterable[Resource],
    base_url: str,
    versions: Mapping[str, str] | None = None,
    kind: str = "transaction",
) -> Resource:
    """A Bundle that PUTs each resource under its id, with ifMatch for those whose version is given by Type/id."""
    known = versions or {}
    entries = [_put_entry(resource, base_url, known) for resource in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def is_idempotent(bundle: Resource) -> bool:
    """Whether sending it twice does the same as once: only GET, PUT, DELETE, and POST with ifNoneExist."""
    return all(_is_repeatable(entry.get("request") or {}) for entry in bundle.get("entry") or ())


def personal_values(resource: Resource) -> tuple[str, ...]:
    """The ids, names, identifiers, dates and texts in what is sent: a server's error must not carry them into a log."""
    return tuple(dict.fromkeys(value for value in _personal(resource) if len(value) >= SHORTEST_PERSONAL))


def results(answer: Resource, count: int) -> tuple[EntryResult, ...]:
    """What became of each of ``count`` entries, in the order of the request.

    Raises SinkError when the answer is no Bundle with as many entries.
    """
    entries = answer.get("entry") or []
    responses = [entry.get("response") for entry in entries if isinstance(entry, dict)]
    told = [response for response in responses if isinstance(response, dict)]
    if answer.get("resourceType") != "Bundle" or len(told) != count:
        raise SinkError("The FHIR server's answer to a Bundle does not tell about each entry: use a FHIR R4 server.")
    return tuple(map(_result, told))


def _personal(value: object, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _personal(member, name)
    elif isinstance(value, list):
        for member in value:
            yield from _personal(member, key)
    elif isinstance(value, str) and key in PERSONAL:
        yield value


def _put_entry(resource: Resource, base_url: str, versions: Mapping[str, str]) -> Resource:
    key = f"{resource['resourceType']}/{resource['id']}"
    request = {"method": "PUT", "url": key}
    if key in versions:
        request["ifMatch"] = etag(versions[key])
    return {"fullUrl": f"{base_url}/{key}", "resource": resource, "request": request}


def _is_repeatable(request: Resource) -> bool:
    return request.get("method") in ("GET", "PUT", "DELETE") or bool(request.get("ifNoneExist"))


def _result(response: Resource) -> EntryResult:
    digits = str(response.get("status", ""))[:3]
    status = int(digits) if digits.isdigit() else 0
    outcome = response.get("outcome")
    said = outcome_text(outcome) if isinstance(outcome, dict) and not 200 <= status < 300 else ""
    tag = response.get("etag")
    return EntryResult(status, version_in(tag if isinstance(tag, str) else None), said)
