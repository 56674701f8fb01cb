"""The adapter over HTTP: parses a request, calls one function of ``jobs``, and answers FHIR. No rule of MTM lives here."""

from __future__ import annotations

from adapter.web.app import create_app
from adapter.web.settings import WebSettings

__all__ = ["WebSettings", "create_app"]
