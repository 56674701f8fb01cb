"""Waitress around the application: the socket, errors before Flask, a log without paths, and a clean stop."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import Any

from flask import Flask
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]
from waitress.task import ErrorTask  # type: ignore[import-untyped]
from waitress.wasyncore import close_all  # type: ignore[import-untyped]

from adapter.errors import ConfigError
from adapter.fhir.json import dump_bytes
from adapter.web.app import LARGEST_BODY
from adapter.web.faults import outcome
from adapter.web.formats import JSON
from adapter.web.guard import is_loopback
from adapter.web.traces import trace

THREADS = 4  # each request may hold a DuckDB of up to engine.MEMORY
LARGEST_HEADER = 32 * 1024  # bytes
LOOP_SECONDS = 1.0  # in which idle connections are looked at, at the latest
STOPPING = (signal.SIGTERM, signal.SIGINT)


def listener(host: str, port: int) -> socket.socket:
    """A socket bound to a loopback address; port 0 takes a free one. Raises ConfigError for any other host or a port in use."""
    if not is_loopback(host):
        raise ConfigError(
            f"The adapter serves only this machine, since it knows no authentication yet; give --host 127.0.0.1 instead of {host}"
        )
    address = "127.0.0.1" if host.lower() == "localhost" else host
    opened = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((address, port))
    except OSError as error:
        opened.close()
        raise ConfigError(
            f"Port {port} of {host} cannot be used ({error.strerror}); choose another with --port, or 0 for a free one"
        ) from None
    return opened


def origin(opened: socket.socket) -> str:
    """The http origin at which the socket is reached."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: Flask, opened: socket.socket, ready: Callable[[], None]) -> bool:
    """Answers at the socket until SIGTERM or SIGINT; calls ``ready`` once connections are taken. For the main thread.

    Returns whether every request had its answer in the five seconds that waitress gives them after the signal.
    """
    connections: dict[int, Any] = {}
    server = create_server(
        app,
        map=connections,
        sockets=[opened],
        threads=THREADS,
        ident="mtm-adapter",
        max_request_header_size=LARGEST_HEADER,
        max_request_body_size=LARGEST_BODY,
    )
    server.channel_class = _Channel
    with opened, _stopped_by_signal(server.pull_trigger) as stopped:
        try:
            ready()
            while not stopped.is_set():
                server.asyncore.loop(timeout=LOOP_SECONDS, map=connections, count=1)
        finally:
            server.task_dispatcher.shutdown()
            close_all(connections)
    return not server.task_dispatcher.threads


@contextmanager
def _stopped_by_signal(wake: Callable[[], None]) -> Iterator[Event]:
    """An event that SIGTERM or SIGINT sets, and then wakes the loop.

    An exception raised by the signal instead could come while a connection is being opened or closed, and lose it.
    """
    stopped = Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if not stopped.is_set():  # a second signal changes nothing, and the loop may be gone
            stopped.set()
            wake()

    before = {number: signal.signal(number, stop) for number in STOPPING}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Outcome:
    """An error that waitress found before Flask saw the request, told as an OperationOutcome."""

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status line, headers and body as waitress asks for them."""
        return f"{self.code} {self.reason}", [("Content-Type", JSON)], dump_bytes(outcome(self.code))


class _ErrorTask(ErrorTask):  # type: ignore[misc]
    def execute(self) -> None:
        self.request.error = _Outcome(self.request.error.code, self.request.error.reason)
        super().execute()


class _WithoutPath(logging.LoggerAdapter[logging.Logger]):
    """Waitress's log without the path of the request and the message of the fault, for both may name a person."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """The message up to "while serving", and the trace of the fault in place of exc_info."""
        said = str(msg).partition(" while serving ")[0]
        if kwargs.pop("exc_info", None):
            said = f"{said}\n{trace(sys.exc_info()[1])}"
        return said, kwargs


class _Channel(HTTPChannel):  # type: ignore[misc]
    error_task_class = _ErrorTask
    logger = _WithoutPath(HTTPChannel.logger, {})
