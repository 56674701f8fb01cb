"""GET /health: whether the process answers. The source is not asked, and nothing personal is told."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from adapter import __version__
from adapter.web.settings import settings

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> dict[str, Any]:
    """Status, version and program as plain JSON."""
    return {"status": "ok", "version": __version__, "program": settings().program_name}
