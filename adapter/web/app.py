"""The Flask application, put together from its parts."""

from __future__ import annotations

from types import TracebackType

from flask import Flask

from adapter.web import faults, fhir, guard, health
from adapter.web.settings import EXTENSION, WebSettings
from adapter.web.traces import trace

LARGEST_BODY = 64 * 1024  # bytes; the operation takes two small parameters


class Application(Flask):
    """Flask, except that an unexpected fault is logged without the path of the request, which names a Patient."""

    def log_exception(
        self, exc_info: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> None:
        """Logs where the fault came from and of which type it is, never a value."""
        faults.LOG.error("A request met an unexpected fault, please report it:\n%s", trace(exc_info[1]))


def create_app(settings: WebSettings) -> Flask:
    """The application that answers for ``settings``; every error that leaves it is an OperationOutcome."""
    app = Application("adapter.web", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.url_map.merge_slashes = False  # "//" is an unknown address, not a redirect
    app.extensions[EXTENSION] = settings
    guard.register(app)
    faults.register(app)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(fhir.blueprint)
    return app
