"""Credentials for a FHIR server, bound to the origin of its base URL.

A token sent to the wrong host is a token lost: next links, bulk files and redirects may name any host, so the binding
is checked for each request, here, and not left to the caller. Values never appear in a repr, a log line or an error.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

from adapter.errors import ConfigError

TOKEN = "MTM_ADAPTER_TOKEN"  # noqa: S105 - the name of a variable
USER = "MTM_ADAPTER_USER"
PASSWORD = "MTM_ADAPTER_PASSWORD"  # noqa: S105 - the name of a variable

Origin = tuple[str, str, int | None]
_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> Origin:
    """(scheme, host, port) of a URL, with the default port filled in."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(scheme)


def is_loopback(url: str) -> bool:
    """Whether the URL can only reach this machine."""
    host = urlsplit(url).hostname or ""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name: it may resolve to anything
        return False


class OriginBoundAuth(AuthBase):
    """Adds the Authorization header to requests to the base URL's origin, and to no other.

    Raises ConfigError when the base URL is plain http on another machine and ``allow_http`` is not set.
    """

    def __init__(self, base_url: str, header: str, *, allow_http: bool = False) -> None:
        if origin(base_url)[0] != "https" and not is_loopback(base_url) and not allow_http:
            raise ConfigError(
                "Credentials would travel unencrypted to a FHIR server with an http address: "
                "use its https address, or allow http explicitly."
            )
        if not header.isprintable():
            raise ConfigError("The credentials hold a line break or control character: give the value alone.")
        self._origin = origin(base_url)
        self._header = header

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """The request with credentials if it goes to the own origin, without any if it does not."""
        request.headers.pop("Authorization", None)
        if origin(request.url or "") == self._origin:
            request.headers["Authorization"] = self._header
        return request

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class BearerAuth(OriginBoundAuth):
    """A bearer token that was obtained elsewhere."""

    def __init__(self, base_url: str, token: str, *, allow_http: bool = False) -> None:
        super().__init__(base_url, f"Bearer {token.strip()}", allow_http=allow_http)


class BasicAuth(OriginBoundAuth):
    """User and password (RFC 7617, UTF-8)."""

    def __init__(self, base_url: str, user: str, password: str, *, allow_http: bool = False) -> None:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        super().__init__(base_url, f"Basic {pair}", allow_http=allow_http)


class NoAuth(AuthBase):
    """No credentials: it also keeps requests from taking some from a .netrc file unasked."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request


def build_auth(
    base_url: str,
    *,
    token: str | None = None,
    user: str | None = None,
    password: str | None = None,
    allow_http: bool = False,
) -> OriginBoundAuth | None:
    """Credentials from plain values, None when none are given.

    Raises ConfigError when both kinds are given or half of a pair is missing.
    """
    if token and user:
        raise ConfigError(f"Both a token and a user are given for the FHIR server: keep one of {TOKEN} and {USER}.")
    if bool(user) != bool(password):
        raise ConfigError(f"A user needs a password and a password a user: set both {USER} and {PASSWORD}.")
    if token:
        return BearerAuth(base_url, token, allow_http=allow_http)
    return BasicAuth(base_url, user, password, allow_http=allow_http) if user and password else None


def auth_from_environment(
    base_url: str, environ: Mapping[str, str], *, allow_http: bool = False
) -> OriginBoundAuth | None:
    """Credentials from MTM_ADAPTER_TOKEN, or MTM_ADAPTER_USER and MTM_ADAPTER_PASSWORD, None when unset."""
    values = (environ.get(TOKEN), environ.get(USER), environ.get(PASSWORD))
    return build_auth(base_url, token=values[0], user=values[1], password=values[2], allow_http=allow_http)
