"""A FHIR R4 server over REST: search, read and write, with the patience and the suspicion that real servers need.

What is decided here is which requests are made; how one is sent stands in transport.py, what an answer means in
answers.py, when a search may stand in a URL in queries.py, and which page comes next in paging.py.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from adapter.errors import ConfigError, SinkError, SourceError
from adapter.fhir import answers, bundles, json, paging, queries
from adapter.fhir.bundles import EntryResult
from adapter.fhir.json import Resource
from adapter.fhir.parallel import in_order
from adapter.fhir.queries import Params, Query
from adapter.fhir.transport import Answer, Call, Transport, with_body

IDS_AT_ONCE = 100
MOST_BARREN = 100  # pages one after the other that bring nothing new: a server may filter some empty, but not so many
NOT_SERVED = frozenset({404, 501})  # a server answers so to a search of a resource type that it does not know
IN_PART = frozenset({202, 206})  # answers that say that they are not the whole
NO_POST_SEARCH = frozenset({404, 405, 501})
_ID = re.compile(r"(?!\.+$)[A-Za-z0-9\-._]+")  # a path of dots only would lead out of the resource type
_MIME = {"json": "application/fhir+json", "xml": "application/fhir+xml"}


class PageExpired(SourceError):
    """The server no longer knows a page of a search (410); the search has to start again."""


class Incomplete(SourceError):
    """A search ended before all the matches came that the server counted."""


class NotServed(SourceError):
    """The server does not know the resource type: the search itself, not one of its pages, was answered with 404 or 501."""


class FhirClient:
    """One FHIR server. Safe to use from several threads; close it, or use it as a context manager.

    Raises ConfigError for a base URL that is no plain http(s) address. Reading raises SourceError, writing
    SinkError, both with ``.status``.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: AuthBase | None = None,
        timeout: tuple[float, float] = (5, 60),
        retries: int = 4,
        max_parallel: int = 4,
        page_size: int = 200,
        format: Literal["json", "xml"] = "json",  # noqa: A002 - the name FHIR gives it
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        ca_bundle: str | None = None,
    ) -> None:
        self.base_url = _checked(base_url)
        self.max_parallel = max_parallel
        self.page_size = page_size
        self._format = format
        self._no_post: set[str] = set()
        self._warnings: dict[str, None] = {}
        self._transport = Transport(
            auth=auth,
            timeout=timeout,
            retries=retries,
            max_parallel=max_parallel,
            session=session,
            sleep=sleep,
            clock=clock,
            ca_bundle=ca_bundle,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    # ---- reading

    def capabilities(self) -> Resource:
        """The server's CapabilityStatement; raises SourceError when what answers is no FHIR R4 server."""
        url = f"{self.base_url}/metadata"
        call = Call("GET", url, url, "The capability statement", headers=self._headers())
        statement = answers.decode(self._transport.send(call), call)
        version = str(statement.get("fhirVersion", ""))
        if statement["resourceType"] != "CapabilityStatement" or not version.startswith("4."):
            raise SourceError(f"The server at {self.base_url} does not say that it speaks FHIR R4: use an R4 address.")
        return statement

    def offers(self, resource_type: str) -> bool:
        """Whether the server says of itself that it serves the type; False also when its CapabilityStatement cannot be read."""
        try:
            served = self.capabilities().get("rest")
        except SourceError:  # told by whoever needs the statement itself
            return False
        rest = [one for one in served if isinstance(one, dict)] if isinstance(served, list) else []
        kinds = [kind for one in rest for kind in one.get("resource") or () if isinstance(kind, dict)]
        return any(kind.get("type") == resource_type for kind in kinds)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the server warned of beside the results of searches, each once, without personal data."""
        return tuple(self._warnings)

    def search(self, resource_type: str, params: Params, *, strict: bool = False) -> Iterator[Resource]:
        """Every match and include once, page by page, to the last. ``strict`` asks that no parameter be ignored.

        A search whose pages expired, or that ended short of its own total (somebody may have deleted in between), starts again,
        once. Raises NotServed when the server does not know the type, Incomplete when it ends short again, and SourceError for
        a page that cannot be read: a part is never given for the whole.
        """
        query = queries.build(self.base_url, resource_type, params, self.page_size, strict)
        seen: set[str] = set()
        try:
            yield from self._walk(query, seen, frozenset())
            return
        except PageExpired:
            again = query
        except Incomplete:  # a total may be an estimate: now the exact one is asked for
            exact = {**params, "_total": "accurate"}
            again = queries.build(self.base_url, resource_type, exact, self.page_size, strict)
        yield from self._walk(again, set(), seen)

    def search_each(self, searches: Iterable[tuple[str, Params]]) -> Iterator[Resource]:
        """The results of several searches in the order of the searches, up to ``max_parallel`` at once.

        A resource found by two of the searches comes twice.
        """
        return chain.from_iterable(in_order(self._listed, searches, self.max_parallel))

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """The resource, None when it is unknown (404) or deleted (410)."""
        call = self._instance_call("GET", resource_type, resource_id, "The read", SourceError)
        answer = self._transport.send(call)
        return None if answer.status in (404, 410) else answers.decode(answer, call)

    def read_many(self, resource_type: str, ids: Iterable[str]) -> Iterator[Resource]:
        """The resources that exist, each once, in the order of the ids; ids unknown to the server are left out."""
        wanted = list(dict.fromkeys(ids))
        if not all(_ID.fullmatch(one) for one in wanted):
            raise SourceError(f"An id of type {resource_type} cannot be asked for: correct the reference.")
        chunks = [wanted[at : at + IDS_AT_ONCE] for at in range(0, len(wanted), IDS_AT_ONCE)]
        found = in_order(lambda chunk: self._chunk(resource_type, chunk), chunks, self.max_parallel)
        return chain.from_iterable(found)

    # ---- writing

    def transaction(self, bundle: Resource) -> Resource:
        """The transaction-response; raises SinkError when it failed, and then nothing was stored."""
        answer = self._send_bundle(bundle, "The transaction")
        for result in bundles.results(answer, len(bundle.get("entry") or ())):
            if not result.ok:
                raise SinkError(
                    f"The transaction at {self.base_url} has an entry with status {result.status} "
                    f"({result.sentence or 'no reason given'}): correct the resource.",
                    result.status,
                )
        return answer

    def put_batch(self, resources: Sequence[Resource]) -> tuple[EntryResult, ...]:
        """What became of each resource, put on its own under its id, in one request; no versions are checked."""
        bundle = bundles.put_bundle(resources, self.base_url, kind="batch")
        return bundles.results(self._send_bundle(bundle, "The batch"), len(resources))

    def put(self, resource: Resource, if_match: str | None = None) -> Resource:
        """The resource as stored; raises SinkError with status 409 or 412 when ``if_match`` is not its version."""
        call = self._instance_call("PUT", resource["resourceType"], resource["id"], "The write", SinkError)
        call = with_body(call, self._encoded(resource), _MIME[self._format])
        wishes = {"Prefer": "return=representation"} | ({"If-Match": bundles.etag(if_match)} if if_match else {})
        call = replace(call, headers={**call.headers, **wishes}, private=bundles.personal_values(resource))
        answer = self._transport.send(call)
        if answer.status in (200, 201, 204) and not answer.body.strip():
            return _as_stored(resource, answer)
        return answers.decode(answer, call)

    def delete(self, resource_type: str, resource_id: str) -> None:
        """Deletes the resource; one that is unknown or gone already is no fault."""
        call = self._instance_call("DELETE", resource_type, resource_id, "The deletion", SinkError)
        answer = self._transport.send(call)
        if answer.status >= 300 and answer.status not in (404, 410):
            raise answers.failure(answer, call)

    # ---- how

    def _walk(self, query: Query, seen: set[str], before: Container[str]) -> Iterator[Resource]:
        """The resources of every page that are new to ``seen`` and not in ``before``; raises when the pages are not whole."""
        answer, call = self._first_page(query)
        if answer.status in NOT_SERVED:
            raise NotServed(str(answers.failure(answer, call)), answer.status)
        visited, matches, barren, total = {answer.url}, 0, 0, None
        while True:
            page, link = self._page(answer, call)
            fresh = paging.fresh(page.entries, seen)
            yield from (entry.resource for entry in fresh if entry.key not in before)
            matches += sum(entry.match for entry in fresh)
            barren = 0 if fresh else barren + 1
            total = total if page.total is None else page.total
            if link is None:
                break
            if link in visited or barren > MOST_BARREN:
                raise SourceError(f"The search at {query.place} never ends: a next link leads back to an earlier page.")
            visited.add(link)
            call = Call("GET", link, query.place, "A further page", headers=self._headers(), private=query.private)
            answer = self._transport.send(call)
            if answer.status == 410:
                raise PageExpired(str(answers.failure(answer, call)), 410)
        if total is not None and matches < total:
            raise Incomplete(
                f"The search at {query.place} ended after {matches:,} of the {total:,} resources that the server counted: "
                "ask its operator why some are held back.",
                answer.status,
            )

    def _page(self, answer: Answer, call: Call) -> tuple[paging.Page, str | None]:
        """The page in an answer and the link to the next; keeps the server's warnings, raises SourceError for its errors."""
        bundle = _searchset(answer, call)
        try:
            page, link = paging.read_page(bundle), paging.next_link(bundle, answer.url, self.base_url)
        except paging.Malformed as fault:
            raise SourceError(
                f"{call.purpose} at {call.place} was answered with a page {fault}: its results cannot be taken for whole.",
                answer.status,
            ) from None
        for outcome in page.outcomes:
            severity, said = answers.worst(outcome), answers.outcome_text(outcome, call.private)
            if severity in ("fatal", "error"):
                raise SourceError(
                    f"{call.purpose} at {call.place} gave its results together with an error ({said or 'not told'}), "
                    "so they may not be whole: ask the operator of the server.",
                    answer.status,
                )
            if severity == "warning":
                self._warnings.setdefault(f"{call.place} warns: {said or 'of what it does not tell'}")
        return page, link

    def _first_page(self, query: Query) -> tuple[Answer, Call]:
        """The first page, by POST when the query must not stand in a URL and the server takes one."""
        # https://hl7.org/fhir/R4/search.html#errors: without it a server may ignore a parameter and answer with everybody
        headers = self._headers() | ({"Prefer": "handling=strict"} if query.strict else {})
        call = Call("GET", query.get_url, query.place, "The search", headers=headers, private=query.private)
        if not query.needs_post or (query.resource_type in self._no_post and query.may_be_get):
            return self._transport.send(call), call
        form = Call("POST", query.post_url, query.place, "The search", headers=headers, private=query.private)
        form = with_body(form, query.encoded.encode(), "application/x-www-form-urlencoded")
        answer = self._transport.send(form)
        if answer.status not in NO_POST_SEARCH:
            return answer, form
        if not query.may_be_get:
            raise SourceError(
                f"The server takes no POST _search at {query.place} (status {answer.status}), and this search must not "
                "stand in a URL since it names a person: enable POST _search on the server.",
                answer.status,
            )
        self._no_post.add(query.resource_type)
        return self._transport.send(call), call

    def _listed(self, search: tuple[str, Params]) -> list[Resource]:
        return list(self.search(*search))

    def _chunk(self, resource_type: str, ids: Sequence[str]) -> list[Resource]:
        found = {
            resource.get("id"): resource
            for resource in self.search(resource_type, {"_id": ",".join(ids), "_count": str(len(ids))})
            if resource["resourceType"] == resource_type
        }
        return [found[one] for one in ids if one in found]

    def _send_bundle(self, bundle: Resource, purpose: str) -> Resource:
        call = Call(
            "POST",
            self.base_url,
            self.base_url,
            purpose,
            fault=SinkError,
            idempotent=bundles.is_idempotent(bundle),
            headers=self._headers(),
            private=bundles.personal_values(bundle),
        )
        call = with_body(call, self._encoded(bundle), _MIME[self._format])
        return answers.decode(self._transport.send(call), call)

    def _instance_call(
        self, method: str, resource_type: str, resource_id: str, purpose: str, fault: type[SourceError | SinkError]
    ) -> Call:
        place = f"{self.base_url}/{resource_type}/[id]"
        if not _ID.fullmatch(resource_id):
            raise fault(f"{purpose} at {place} was not sent since the id is none: correct the reference.")
        url = f"{self.base_url}/{resource_type}/{resource_id}"
        return Call(method, url, place, purpose, fault, headers=self._headers(), private=(resource_id,))

    def _headers(self) -> dict[str, str]:
        # no-cache: HAPI answers a search that it has seen within the last minute from its cache (hapi.md, section 8).
        return {"Accept": _MIME[self._format], "Cache-Control": "no-cache"}

    def _encoded(self, resource: Resource) -> bytes:
        if self._format == "json":
            return json.dump_bytes(resource)
        from adapter.fhir import conformance  # fhir.resources takes long to import

        return conformance.to_xml(resource)


def _checked(base_url: str) -> str:
    parts = urlsplit(base_url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError("The FHIR base URL is no plain http or https address: give one such as https://host/fhir.")
    if parts.username or parts.password:
        raise ConfigError("The FHIR base URL holds credentials: give them by option or environment instead.")
    return base_url.strip().rstrip("/")


def _searchset(answer: Answer, call: Call) -> Resource:
    """The Bundle of a page; raises SourceError when the server answered a search with something else."""
    bundle = answers.decode(answer, call)
    if answer.status in IN_PART:
        raise SourceError(
            f"{call.purpose} at {call.place} was answered with a part only (status {answer.status}): try again later.",
            answer.status,
        )
    if bundle["resourceType"] != "Bundle":
        said = answers.outcome_text(bundle, call.private)
        raise SourceError(
            f"{call.purpose} at {call.place} was answered with {bundle['resourceType']} instead of a Bundle"
            f"{f' ({said})' if said else ''}: check that the server offers this search.",
            answer.status,
        )
    return bundle


def _as_stored(resource: Resource, answer: Answer) -> Resource:
    """What an empty answer to a PUT means: the resource itself under its new version."""
    version = bundles.version_in(answer.headers.get("ETag"))
    return {**resource, "meta": {**resource.get("meta", {}), "versionId": version}} if version else dict(resource)
