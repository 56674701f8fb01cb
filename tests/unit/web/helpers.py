"""What the tests of the web share beside fixtures: the settings of the demo folder, and a server with one answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from adapter.config import Config
from adapter.web import WebSettings

ROOT = Path(__file__).parents[3]
OPERATION = "/fhir/Patient/b1/$mtm-targeting"


def web_settings(**changes: Any) -> WebSettings:
    values: dict[str, Any] = {
        "source": str(ROOT / "fixtures" / "demo"),
        "config": Config(retries=0),
        "today": lambda: date(2023, 6, 30),
        "base_url": "http://127.0.0.1:8000",
    }
    return WebSettings(**(values | changes))


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """The base URL of a server that gives one and the same answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/fhir"
        finally:
            server.shutdown()
            thread.join()
