"""The application on the demo folder, its test client, and a decision that costs nothing to make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from adapter.config import Config
from adapter.engines.duckdb import EnginePool
from adapter.jobs import targeting
from adapter.jobs.targeting import Screening
from adapter.targeting.decision import CriterionResult, Decision, Evidence
from adapter.targeting.program import load_program
from adapter.web import create_app
from tests.unit.web.helpers import ROOT, web_settings


@pytest.fixture
def make() -> Iterator[Callable[..., FlaskClient]]:
    """A client of an application whose settings can be changed."""
    made = []

    def client(**changes: Any) -> FlaskClient:
        made.append(web_settings(**changes))
        return create_app(made[-1]).test_client()

    yield client
    for settings in made:
        settings.pool.close()


@pytest.fixture
def app() -> Iterator[Flask]:
    settings = web_settings()
    yield create_app(settings)
    settings.pool.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Screening, str]]:
    """What was asked of targeting.explain, which answers at once with one and the same decision."""
    calls: list[tuple[Screening, str]] = []
    program = load_program("health-partners-2023", ROOT / "mappings" / "programs")

    def explain(screening: Screening, config: Config, beneficiary: str, pool: EnginePool) -> tuple[Any, ...]:
        calls.append((screening, beneficiary))
        evidence = (Evidence("metformin", "metformin 500 MG <oral>", "MedicationRequest/m1"),)
        criteria = (CriterionResult("part_d_drugs", "met", "7", "at least 7", evidence),)
        decision = Decision(beneficiary, "H1234", "001", "targeted", ("core",), "01", criteria, screening.as_of)
        return decision, program, ("the source holds no Coverage",)

    monkeypatch.setattr(targeting, "explain", explain)
    return calls


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Makes targeting.explain raise that fault."""

    def fail(error: Exception) -> None:
        def explain(*_: Any) -> None:
            raise error

        monkeypatch.setattr(targeting, "explain", explain)

    return fail
