"""Starts the real FHIR servers of the tests: HAPI FHIR (own Maven project in `hapi/`) and sekmet-fhir.

Every server listens on a free loopback port and is stopped with `RunningServer.stop()`. Nothing here knows the adapter,
nor pytest: a tool that is not installed is a `MissingTool`, and the fixtures decide whether that is a skip.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import selectors
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypedDict, Unpack
from urllib.parse import urlsplit

import requests

HERE = Path(__file__).resolve().parent
HAPI_PROJECT = HERE / "hapi"
DEFINITIONS = HERE / "definitions"

JAVA_OPTIONS = ("-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
BUILD_SECONDS = 600.0  # the first build fetches some 230 MB
START_SECONDS = 120.0
STOP_SECONDS = 15.0


class MissingTool(Exception):
    """A program or package that the server needs is not on this machine; the text says what to install."""


class ServerFailed(Exception):
    """The build or the start of a server went wrong; the text ends with its last output."""


class HapiOptions(TypedDict, total=False):
    """The system properties of `HapiServer`; what is left out has the value for tests, or HAPI's own if `stock`."""

    stock: bool
    page: int
    maxpage: int
    profiles: Path
    lenient: bool
    refs: bool
    retryAfter: int
    cache: bool
    targets: bool
    jobs: int


@dataclass
class RunningServer:
    """A server that answers at `base_url` until `stop()`; what it prints is in the file `log`."""

    base_url: str
    process: subprocess.Popen[bytes]
    log: Path
    drain: threading.Thread | None = field(default=None, repr=False)

    def stop(self) -> None:
        """Ends the process and closes its pipes; a second call does nothing."""
        end_process(self.process)
        if self.drain is not None:
            self.drain.join(STOP_SECONDS)
        close_pipes(self.process)


def build_hapi() -> Path:
    """The `target` folder of the HAPI project, built unless it already is from these very sources."""
    target = HAPI_PROJECT / "target"
    stamp = target / "built-from.sha256"
    wanted = source_digest()
    with exclusive_lock(HAPI_PROJECT / "pom.xml"):
        if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
            return target
        maven = find_program("mvn", "Install Maven 3.8 or newer (Debian: apt-get install maven).")
        shutil.rmtree(target, ignore_errors=True)  # copy-dependencies leaves old versions in lib
        run_maven(maven)
        stamp.write_text(wanted, encoding="ascii")
    return target


def start_hapi(log_dir: Path, **options: Unpack[HapiOptions]) -> RunningServer:
    """A HAPI FHIR R4 server with an empty database in memory."""
    unknown = set(options) - set(HapiOptions.__annotations__)
    if unknown:
        raise TypeError(f"HapiServer has no option {', '.join(sorted(unknown))}.")
    java = find_java()
    target = build_hapi()
    properties = [f"-D{name}={property_text(value)}" for name, value in options.items()]
    classpath = os.pathsep.join((str(target / "classes"), str(target / "lib" / "*")))
    command = [java, *JAVA_OPTIONS, *properties, "-Dwatch=true", "-cp", classpath, "fhirtest.HapiServer", "0"]
    log = log_dir / "hapi.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )
        try:
            base_url, rest = wait_for_ready(process, output, time.monotonic() + START_SECONDS)
        except BaseException as error:
            end_process(process)
            close_pipes(process)
            if isinstance(error, ServerFailed):
                output.flush()
                raise ServerFailed(f"{error}\n{tail(log)}") from None
            raise
    drain = threading.Thread(target=drain_pipe, args=(process, log, rest), name="hapi-log", daemon=True)
    drain.start()
    return RunningServer(base_url, process, log, drain)


def start_sekmet(db_dir: Path) -> RunningServer:
    """A sekmet-fhir server of this environment, with its SQLite file, settings and log in `db_dir`."""
    if importlib.util.find_spec("sekmet") is None:
        raise MissingTool("The server sekmet-fhir is missing. Install the demo extra (pip install -e '.[demo]').")
    port = free_port()
    base_url = f"http://127.0.0.1:{port}/fhir"
    settings = db_dir / "settings.yaml"
    # JSON is YAML too. The simulator would answer MedicationRequests and Claims with resources of its own.
    settings.write_text(
        json.dumps({"data_dir": str(db_dir), "simulator": {"enabled": False}, "log_inbound": False}), encoding="utf-8"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEKMET_")}
    environment |= {
        "SEKMET_CONFIG": str(settings),
        "SEKMET_BASE_URL": base_url,  # taken as it is for links: it must end in /fhir
        "SEKMET_DB": str(db_dir / "sekmet.db"),
    }
    command = [sys.executable, "-m", "sekmet.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    log = db_dir / "sekmet.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=db_dir, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_for_metadata(process, base_url, time.monotonic() + START_SECONDS)
    except BaseException as error:
        end_process(process)
        if isinstance(error, ServerFailed):
            raise ServerFailed(f"{error}\n{tail(log)}") from None
        raise
    return RunningServer(base_url, process, log)


def source_digest() -> str:
    """A digest of all that goes into the build of the HAPI project."""
    digest = hashlib.sha256()
    files = [HAPI_PROJECT / "pom.xml", *(HAPI_PROJECT / "src").rglob("*")]
    for file in sorted(path for path in files if path.is_file()):
        digest.update(str(file.relative_to(HAPI_PROJECT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


@contextmanager
def exclusive_lock(file: Path) -> Iterator[None]:
    """Holds the only lock on the file, so that of several pytest-xdist workers one acts and the others wait."""
    with file.open("ab") as handle:  # closing it drops the lock
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def run_maven(maven: str) -> None:
    """Packages the HAPI project; the classes and libraries are in `target` after it."""
    try:
        built = subprocess.run(
            [maven, "-q", "-B", "package"],
            cwd=HAPI_PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ServerFailed(f"mvn package was not done after {BUILD_SECONDS:.0f} s.") from None
    if built.returncode != 0:
        output = built.stdout.decode(errors="replace")
        raise ServerFailed(f"mvn package ended with {built.returncode}.\n{output[-4000:]}")


def find_program(name: str, advice: str) -> str:
    """The path of a program on PATH."""
    path = shutil.which(name)
    if path is None:
        raise MissingTool(f"The program {name} is missing. {advice}")
    return path


def find_java() -> str:
    """The path of a Java that can run the server: 17 or newer."""
    advice = "Install a JDK 17 or newer (Debian: apt-get install openjdk-17-jdk-headless)."
    java = find_program("java", advice)
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
    version = re.search(r'version "(\d+)', answer)
    if version is None or int(version[1]) < 17:
        raise MissingTool(f"The java on PATH is older than 17 ({answer.splitlines()[:1]}). {advice}")
    return java


def property_text(value: object) -> str:
    """The value as Java's Boolean and Integer read it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def wait_for_ready(process: subprocess.Popen[bytes], output: IO[bytes], deadline: float) -> tuple[str, bytes]:
    """The address in the READY line, and what was read after that line; copies the lines up to it to the log."""
    assert process.stdout is not None
    seen = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise ServerFailed(f"HAPI was not ready after {START_SECONDS:.0f} s.")
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                raise ServerFailed(f"HAPI ended before it was ready, with {process.wait(STOP_SECONDS)}.")
            seen += chunk
            *lines, seen = seen.split(b"\n")
            for number, line in enumerate(lines):
                output.write(line + b"\n")
                if line.startswith(b"READY "):
                    return line.removeprefix(b"READY ").decode().strip(), b"\n".join([*lines[number + 1 :], seen])


def drain_pipe(process: subprocess.Popen[bytes], log: Path, first: bytes) -> None:
    """Copies the output to the log until the process ends, lest it block on a full pipe."""
    assert process.stdout is not None
    with log.open("ab", buffering=0) as output:
        output.write(first)
        while chunk := os.read(process.stdout.fileno(), 65536):
            output.write(chunk)


def wait_for_metadata(process: subprocess.Popen[bytes], base_url: str, deadline: float) -> None:
    """Returns when the server's CapabilityStatement can be read."""
    address = urlsplit(base_url)
    with requests.Session() as session:
        session.trust_env = False  # no proxy for a loopback address
        while time.monotonic() < deadline:
            if ended(process, within=0.05):
                raise ServerFailed(f"sekmet ended before it was ready, with {process.returncode}.")
            try:
                socket.create_connection((address.hostname or "", address.port or 0), timeout=1).close()
            except OSError:
                continue
            if session.get(f"{base_url}/metadata", timeout=max(1.0, deadline - time.monotonic())).ok:
                return
    raise ServerFailed(f"sekmet was not ready after {START_SECONDS:.0f} s.")


def ended(process: subprocess.Popen[bytes], within: float) -> bool:
    """Whether the process ends within so many seconds."""
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        return False
    return True


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Asks the process to end, and makes it if it does not."""
    if process.poll() is not None:
        return
    process.terminate()
    if not ended(process, within=STOP_SECONDS):
        process.kill()
        process.wait()


def close_pipes(process: subprocess.Popen[bytes]) -> None:
    """Closes this side of the pipes to the process."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def free_port() -> int:
    """A TCP port that nothing on the loopback interface listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tail(log: Path, characters: int = 4000) -> str:
    """The end of a log."""
    return log.read_text(encoding="utf-8", errors="replace")[-characters:]
