"""One HTTP request to a FHIR server: limits, retries, redirects; what it means is left to the client.

Every request of a client goes through one Transport, so its limit of requests in flight holds whoever asks, and from
however many threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from threading import BoundedSemaphore
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from adapter.errors import SinkError, SourceError
from adapter.fhir.auth import NoAuth, origin

RETRIED = frozenset({429, 502, 503, 504})
LONGEST_WAIT = 60.0  # seconds: HAPI says "Retry-After: 120" whatever the load (reference/hapi.md, section 4)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5

Fault = type[SourceError] | type[SinkError]


@dataclass(frozen=True)
class Call:
    """One request, and how its failure is told: ``place`` is a URL free of ids and query, ``purpose`` a noun."""

    method: str
    url: str
    place: str
    purpose: str
    fault: Fault = SourceError
    idempotent: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    private: tuple[str, ...] = ()  # values sent that no message may repeat


@dataclass(frozen=True)
class Answer:
    """What came back, read to its end."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").split(";")[0].strip().lower()


class Transport:
    """Sends calls with at most ``max_parallel`` in flight, and repeats those that may be repeated."""

    def __init__(
        self,
        *,
        auth: AuthBase | None = None,
        timeout: tuple[float, float] = (5, 60),
        retries: int = 4,
        max_parallel: int = 4,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        ca_bundle: str | None = None,
    ) -> None:
        self._owned = session is None
        self._session = session or _session(max_parallel)
        self._auth = auth or NoAuth()
        self._timeout = timeout
        self._retries = retries
        self._slots = BoundedSemaphore(max_parallel)
        self._sleep = sleep
        self._clock = clock
        self._ca_bundle = ca_bundle

    def send(self, call: Call) -> Answer:
        """The answer, whatever its status, after retries and redirects on the same origin.

        Raises the call's fault when no answer came. 429 is repeated always, since the server did nothing; everything
        else only when the call is idempotent.
        """
        attempt = 0
        while True:
            last = attempt >= self._retries
            try:
                answer = self._follow(call)
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as fault:
                if last or not call.idempotent or isinstance(fault, requests.exceptions.SSLError):
                    raise _unreachable(call, fault) from None  # the cause quotes the whole URL
                self._sleep(_backoff(attempt))
            except requests.RequestException as fault:
                raise _unreachable(call, fault) from None
            else:
                if last or not _retried(answer.status, call):
                    return answer
                self._sleep(self._wait(answer, attempt))
            attempt += 1

    def close(self) -> None:
        """Closes the connections, unless the session is the caller's own."""
        if self._owned:
            self._session.close()

    def _follow(self, call: Call) -> Answer:
        """The first answer that is no redirect; raises the call's fault on one that leads off the origin."""
        url = call.url
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._once(call, url)
            target = answer.headers.get("Location")
            if answer.status not in REDIRECTS or not target:
                return answer
            url = urljoin(url, target)
            if call.method != "GET" or origin(url) != origin(call.url):
                break
        raise call.fault(
            f"{call.purpose} at {call.place} was redirected to another address (status {answer.status}): "
            "configure the address where the FHIR server really is as its base URL.",
            answer.status,
        )

    def _once(self, call: Call, url: str) -> Answer:
        with self._slots:
            response = self._session.request(
                call.method,
                url,
                data=call.body,
                headers=dict(call.headers),
                auth=self._auth,
                timeout=self._timeout,
                allow_redirects=False,
                verify=self._ca_bundle,
            )
        return Answer(response.status_code, url, response.headers, response.content)

    def _wait(self, answer: Answer, attempt: int) -> float:
        """Seconds to wait: what Retry-After asks for, at most LONGEST_WAIT, else the back-off."""
        asked = retry_after(answer.headers, self._clock())
        return _backoff(attempt) if asked is None else min(max(asked, 0.0), LONGEST_WAIT)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that Retry-After asks to wait, from a number or an HTTP date, None when absent or unreadable.

    A date is compared with the answer's own Date header when there is one, so that two clocks need not agree
    (RFC 9110, section 10.2.3).
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    wanted = _http_date(text)
    if wanted is None:
        return None
    sent = _http_date(headers.get("Date", ""))
    return wanted - (now if sent is None else sent)


def with_body(call: Call, body: bytes, content_type: str) -> Call:
    """The call carrying a body."""
    return replace(call, body=body, headers={**call.headers, "Content-Type": content_type})


def _http_date(text: str) -> float | None:
    try:
        parsed = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _retried(status: int, call: Call) -> bool:
    return status == 429 or (status in RETRIED and call.idempotent)


def _backoff(attempt: int) -> float:
    """1, 2, 4, 8 ... seconds."""
    return float(min(2.0**attempt, LONGEST_WAIT))


def _unreachable(call: Call, fault: requests.RequestException) -> SourceError | SinkError:
    if isinstance(fault, requests.exceptions.SSLError):
        return call.fault(
            f"{call.purpose} at {call.place} found no TLS that can be trusted: name the file of its certificate authority in "
            "REQUESTS_CA_BUNDLE, or correct the address or the certificate."
        )
    cause = f"no answer ({type(fault).__name__})"
    if isinstance(fault, requests.Timeout):
        cause = "no answer in time"
    elif isinstance(fault, (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)):
        cause = "an answer that is broken off or damaged"
    return call.fault(f"{call.purpose} at {call.place} got {cause}: check the address, the network and the server.")


def _session(max_parallel: int) -> requests.Session:
    session = requests.Session()
    for prefix in ("http://", "https://"):
        session.mount(prefix, HTTPAdapter(pool_connections=2, pool_maxsize=max_parallel))
    return session
