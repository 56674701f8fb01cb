"""A real HTTP server on the loopback interface whose answers a test writes down, and a small FHIR server on top."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Resource = dict[str, Any]


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode())

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    content_type: str | None = "application/fhir+json"
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False  # close the connection instead of answering
    cut: bool = False  # promise more bytes than are sent


class Server:
    """Answers with what ``answer`` returns, and keeps every request."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/fhir"

    def handle(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return self.answer(request)
        finally:
            with self._lock:
                self.in_flight -= 1

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = False
    owner: Server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        request = Request(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
        reply = self.server.owner.handle(request)  # type: ignore[attr-defined]
        if reply.drop:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.content_type:
            self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body) + reply.cut))
        self.end_headers()
        self.close_connection = self.close_connection or reply.cut
        self.wfile.write(reply.body)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of http.server
        """Nothing: the test output stays readable."""


@contextmanager
def serving(answer: Callable[[Request], Reply]) -> Iterator[Server]:
    server = Server(answer)
    try:
        yield server
    finally:
        server.close()


def script(*replies: Reply) -> Callable[[Request], Reply]:
    """One reply after the other; a request too many is a fault of the test."""
    left = list(replies)
    return lambda request: left.pop(0)


def reply(resource: Resource, status: int = 200, **headers: str) -> Reply:
    return Reply(status, json.dumps(resource).encode(), headers={k.replace("_", "-"): v for k, v in headers.items()})


def outcome(status: int, text: str, *, details: str | None = None, **headers: str) -> Reply:
    issue: Resource = {"severity": "error", "code": "processing", "diagnostics": text}
    if details:
        issue["details"] = {"text": details}
    return reply({"resourceType": "OperationOutcome", "issue": [issue]}, status, **headers)


def page(*resources: Resource, following: str | None = None, total: int | None = None) -> Resource:
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "entry": [entry(one) for one in resources]}
    if following:
        bundle["link"] = [{"relation": "self", "url": "ignored"}, {"relation": "next", "url": following}]
    if total is not None:
        bundle["total"] = total
    return bundle


def entry(resource: Resource) -> Resource:
    mode = {"Patient": "include", "OperationOutcome": "outcome"}.get(resource["resourceType"], "match")
    return {"resource": resource, "search": {"mode": mode}}


def condition(number: int | str) -> Resource:
    return {"resourceType": "Condition", "id": f"c{number}"}


class FhirStore:
    """Enough of a FHIR server for the sinks: POST _search by _id or patient, and transactions of PUT with versions.

    ``like_hapi``: a PUT with version 0 creates, and one that changes nothing keeps the version. Else as sekmet does: neither.
    """

    def __init__(self, *resources: Resource, stale: int = 409, like_hapi: bool = True) -> None:
        self.stale = stale
        self.like_hapi = like_hapi
        self.held: dict[str, Resource] = {}
        self.bundles: list[Resource] = []
        self.before_transaction: Callable[[], None] = lambda: None
        self.refused: Callable[[Resource], Reply | None] = lambda bundle: None
        self._lock = threading.Lock()
        for resource in resources:
            self.store(resource)

    def store(self, resource: Resource) -> str:
        key = f"{resource['resourceType']}/{resource['id']}"
        if self.like_hapi and resource == self.held.get(key):
            return str(resource["meta"]["versionId"])
        version = str(int(self.held[key]["meta"]["versionId"]) + 1) if key in self.held else "1"
        meta = {**resource.get("meta", {}), "versionId": version, "lastUpdated": "2024-01-01T00:00:00Z"}
        self.held[key] = {**resource, "meta": meta}
        return version

    def __call__(self, request: Request) -> Reply:
        with self._lock:
            if request.path.endswith("/_search"):
                return reply(self._search(request))
            if request.method == "GET":
                return reply(
                    page(*[one for key, one in self.held.items() if key.startswith(f"{request.path.split('/')[-1]}/")])
                )
            return self._transaction(request.json)

    def _search(self, request: Request) -> Resource:
        resource_type = request.path.split("/")[-2]
        if "patient" in request.form:
            return self._of_persons(resource_type, {f"Patient/{one}" for one in request.form["patient"][0].split(",")})
        if "subject" in request.form:
            return self._of_persons(resource_type, {request.form["subject"][0]})
        if "identifier" in request.form:
            return self._identified(resource_type, request.form["identifier"][0])
        keys = [f"{resource_type}/{one}" for one in request.form["_id"][0].split(",")]
        return page(*[self.held[key] for key in keys if key in self.held])

    def _identified(self, resource_type: str, token: str) -> Resource:
        of_type = [one for key, one in self.held.items() if key.startswith(f"{resource_type}/")]
        return page(
            *[
                one
                for one in of_type
                if token in [f"{i.get('system')}|{i.get('value')}" for i in one.get("identifier", [])]
            ]
        )

    def _of_persons(self, resource_type: str, wanted: set[str]) -> Resource:
        named = {
            key: {one.get(element, {}).get("reference") for element in ("patient", "subject")}
            for key, one in self.held.items()
            if key.startswith(f"{resource_type}/")
        }
        return page(*[self.held[key] for key, references in named.items() if references & wanted])

    def _transaction(self, bundle: Resource) -> Reply:
        self.bundles.append(bundle)
        refusal = self.refused(bundle)
        if refusal:
            return refusal
        self.before_transaction()
        for one in bundle["entry"]:
            wanted, current = one["request"].get("ifMatch"), self.held.get(one["request"]["url"])
            version = current["meta"]["versionId"] if current else "0" if self.like_hapi else "none"
            if wanted and wanted != f'W/"{version}"':
                return outcome(self.stale, f"Version conflict on {one['request']['url']}")
        answers = [{"response": {"status": "200 OK", "etag": self.store(one["resource"])}} for one in bundle["entry"]]
        return reply({"resourceType": "Bundle", "type": "transaction-response", "entry": answers})
