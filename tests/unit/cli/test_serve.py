"""mtm-adapter serve as a process of its own: it starts, answers, keeps its log clean and stops."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from threading import Timer

import pytest
from click.testing import CliRunner
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.parameters import Parameters

from adapter.cli.serve import serve_command
from adapter.errors import AdapterError, ConfigError, MappingError, SourceError
from adapter.web.server import LARGEST_HEADER

ROOT = Path(__file__).parents[3]
DEMO = str(ROOT / "fixtures" / "demo")
SECONDS = 180.0  # after which a process that hangs is ended, and its test fails
OPERATION = "/fhir/Patient/mtm-demo-01/$mtm-targeting"


@dataclass
class Served:
    """A running server, and after its end what it printed."""

    process: subprocess.Popen[str]
    line: str
    port: int
    said: str = ""

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def send(self, raw: bytes) -> bytes:
        """All that the server answers to these very bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS) as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit code after that signal."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=SECONDS)
        self.said = out + err
        return self.process.returncode


@contextmanager
def serving(*options: str, source: str = DEMO, **environ: str) -> Iterator[Served]:
    command = [
        sys.executable,
        "-W",
        "always::ResourceWarning",
        "-m",
        "adapter.cli.main",
        "serve",
        source,
        "--port",
        "0",
        *options,
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environ
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    guard = Timer(SECONDS, process.kill)
    guard.start()
    try:
        assert process.stdout and process.stderr
        line = process.stdout.readline()
        port = re.fullmatch(r"mtm-adapter serves \S+ at http://127\.0\.0\.1:(\d+)\n", line)
        assert port, line + process.stderr.read()
        yield Served(process, line, int(port[1]))
    finally:
        guard.cancel()
        process.kill()
        process.communicate()


def test_it_answers_over_http_and_logs_nothing_of_persons():
    with serving("--at-risk", f"{DEMO}/at-risk.csv", "--contract", "H1234") as served:
        status, body = served.ask("GET", "/health")
        assert (status, json.loads(body)["status"]) == (200, "ok")

        inputs = b'{"resourceType": "Parameters", "parameter": [{"name": "asOf", "valueDate": "2023-10-31"}]}'
        with ThreadPoolExecutor(2) as pool:  # two at once give the same answer
            answers = list(
                pool.map(
                    lambda _: served.ask("POST", OPERATION, inputs, Content_Type="application/fhir+json"), range(2)
                )
            )
        assert len(set(answers)) == 1
        assert answers[0][0] == 200
        Parameters.model_validate_json(answers[0][1])
        assert {"name": "outcome", "valueCode": "targeted"} in json.loads(answers[0][1])["parameter"]

        assert served.ask("GET", "/fhir/Patient/mtm_demo,2/$mtm-targeting")[0] == 400
        assert served.stop() == 0
    # waitress may say that requests wait on a busy machine; nothing else is said, of persons nothing at all
    assert re.sub(r"Task queue depth is \d+\n", "", served.said) == ""


def test_errors_that_come_before_flask_are_operation_outcomes_too():
    with serving() as served:
        start = b"POST " + OPERATION.encode() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        cases = {
            b"413": start + b"Content-Length: 70000\r\n\r\n",
            b"501": start + b"Transfer-Encoding: gzip\r\n\r\n",
            b"400": start + b"Content-Length: x\r\n\r\n",
            b"431": (start + b"X: ").ljust(LARGEST_HEADER, b"x"),
        }
        for status, raw in cases.items():
            head, _, body = served.send(raw).partition(b"\r\n\r\n")
            assert head.split()[1] == status
            assert b"Content-Type: application/fhir+json" in head
            OperationOutcome.model_validate_json(body)
        assert served.ask("GET", "/health", Host="evil.example")[0] == 403
        assert served.stop(signal.SIGINT) == 0
    assert served.said == ""


@pytest.mark.slow
def test_a_source_that_hangs_does_not_keep_it_from_stopping_and_no_scratch_folder_stays(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = f"http://127.0.0.1:{silent.getsockname()[1]}/fhir"
        with (
            serving(source=source, TMPDIR=str(tmp_path)) as served,
            socket.create_connection(("127.0.0.1", served.port)) as client,
        ):
            client.sendall(b"GET " + OPERATION.encode() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            connection, _ = silent.accept()  # now the request waits for the source
            with connection:
                assert served.stop() == 0
    assert list(tmp_path.iterdir()) == []


def refused(*arguments: str) -> AdapterError:
    """The fault that the command ends with before it listens."""
    fault = CliRunner().invoke(serve_command, list(arguments)).exception
    assert isinstance(fault, AdapterError), fault
    return fault


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "adapter.example"])
def test_other_hosts_are_refused(host):
    fault = refused(DEMO, "--host", host)
    assert isinstance(fault, ConfigError)
    assert "no authentication yet" in str(fault)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ((DEMO, "--program", "no-such"), MappingError),
        ((DEMO, "--contract", "12"), ConfigError),
        ((DEMO + "-no", "--contract", "H1234"), SourceError),
        (("ftp://fhir.example/r4",), ConfigError),
        ((DEMO, "--at-risk", "no-such.csv"), AdapterError),
    ],
)
def test_what_would_fail_in_every_request_fails_at_the_start(arguments, kind):
    assert isinstance(refused(*arguments, "--port", "0"), kind)
