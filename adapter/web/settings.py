"""What one running web application works on; built once by the shell, read by the views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from flask import current_app

from adapter.config import Config
from adapter.engines.duckdb import EnginePool
from adapter.jobs import targeting
from adapter.jobs.targeting import DEFAULT_PROGRAM, Screening

EXTENSION = "mtm"


@dataclass(frozen=True)
class WebSettings:
    """The source, the program and the members that every request is about. ``base_url`` is the origin, without path."""

    source: str
    config: Config
    today: Callable[[], date]
    base_url: str
    program: str = DEFAULT_PROGRAM
    contract: str = ""
    at_risk: Path | None = None
    pool: EnginePool = field(default_factory=EnginePool, compare=False, repr=False)  # warm from one request to the next

    @property
    def program_name(self) -> str:
        """The program's name without the folder that it may lie in, which is nobody's business."""
        return Path(self.program).stem if self.program.endswith(".toml") else self.program

    def screening(self, as_of: date | None = None, program: str | None = None) -> Screening:
        """What to screen: on that day and by that program, else on the default day of jobs and by the program of the settings."""
        chosen = program or self.program
        day = as_of or targeting.default_day(chosen, self.today())
        return Screening(self.source, day, chosen, self.contract, self.at_risk)


def settings() -> WebSettings:
    """The settings of the application that answers the current request."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, WebSettings)  # noqa: S101 - tells the type checker; create_app put it there
    return found
