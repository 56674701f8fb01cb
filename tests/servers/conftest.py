"""Fixtures of the real FHIR servers, one of each for the whole run; see README.md."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.servers.launch import DEFINITIONS, MissingTool, RunningServer, start_hapi, start_sekmet
from tests.servers.pool import ServerPool

MARK_OF_FIXTURE = {"hapi_server": "hapi", "hapi_stock_server": "hapi", "sekmet_server": "sekmet"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that ask for a server with its name, before `-m` selects."""
    for item in items:
        for name in getattr(item, "fixturenames", ()):
            if name in MARK_OF_FIXTURE and item.get_closest_marker(MARK_OF_FIXTURE[name]) is None:
                item.add_marker(MARK_OF_FIXTURE[name])


@pytest.fixture(scope="session")
def server_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerPool]:
    """The servers of this run, shared by its pytest-xdist workers, whose temporary folders have one parent."""
    own = tmp_path_factory.getbasetemp()
    pool = ServerPool(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)
    yield pool
    pool.close()


def address(pool: ServerPool, name: str, start: Callable[[], RunningServer]) -> str:
    """The base URL of a server; without its tools the test is skipped, in CI it fails."""
    try:
        return pool.base_url(name, start)
    except MissingTool as error:
        missing = str(error)
    if os.environ.get("CI"):
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def hapi_server(server_pool: ServerPool, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The base URL of a HAPI server set for tests, with the US Core and SMP profiles."""
    return address(server_pool, "hapi", lambda: start_hapi(tmp_path_factory.mktemp("hapi"), profiles=DEFINITIONS))


@pytest.fixture(scope="session")
def hapi_stock_server(server_pool: ServerPool, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The base URL of a HAPI server as HAPI is by default: pages of 10, searches cached, Retry-After 120."""
    return address(server_pool, "hapi-stock", lambda: start_hapi(tmp_path_factory.mktemp("hapi-stock"), stock=True))


@pytest.fixture(scope="session")
def sekmet_server(server_pool: ServerPool, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The base URL of a sekmet server with an empty database."""
    return address(server_pool, "sekmet", lambda: start_sekmet(tmp_path_factory.mktemp("sekmet")))


@pytest.fixture(
    scope="session",
    params=[pytest.param("sekmet", marks=pytest.mark.sekmet), pytest.param("hapi", marks=pytest.mark.hapi)],
)
def fhir_server(request: pytest.FixtureRequest) -> str:
    """The base URL of each of the servers in turn; only the one asked for is started."""
    base_url: str = request.getfixturevalue(f"{request.param}_server")
    return base_url
