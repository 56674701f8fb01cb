"""Who may ask: only this machine, under a name of this machine. There is no authentication yet.

A web page that a browser on this machine shows can point its own name at 127.0.0.1 (DNS rebinding) and would then read
answers as its own; the Host header gives it away. What is answered is about persons, so no cache may keep it.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from flask import Flask, Response, request
from werkzeug.exceptions import Forbidden

_HOST = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9.\-]+))(?::\d{1,5})?")


def register(app: Flask) -> None:
    """Makes ``app`` refuse requests for other hosts, and forbid caches on every answer."""
    app.before_request(refuse_other_hosts)
    app.after_request(forbid_caches)


def refuse_other_hosts() -> None:
    """Raises Forbidden unless the Host header names this machine itself."""
    host = _HOST.fullmatch(request.environ.get("HTTP_HOST", ""))
    if host is None or not is_loopback(host["six"] or host["name"]):
        raise Forbidden(
            "This server answers only under a loopback address such as 127.0.0.1, since it knows no authentication yet"
        )


def is_loopback(host: str) -> bool:
    """Whether ``host`` is localhost or an address of the loopback interface; no name is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def forbid_caches(response: Response) -> Response:
    """The answer with headers that keep it out of caches and keep browsers from guessing its type."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
