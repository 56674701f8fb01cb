"""What many tests share: one engine per process, resources read as the adapter reads them, and the program as shipped."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from adapter.engines.duckdb import Engine, EnginePool
from adapter.tables.shapes import SHAPES
from adapter.targeting.program import load_program

settings.register_profile("house", deadline=None)  # tests never assert times
settings.load_profile("house")
os.environ["MTM_ADAPTER_CACHE"] = "off"  # no test leans on what an earlier run left

PROGRAMS = Path(__file__).parents[1] / "mappings" / "programs"


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """DuckDB in process, on one thread: the test processes share the cores among them."""
    with Engine(threads=1) as engine:
        yield engine


@pytest.fixture(scope="session")
def pool() -> Iterator[EnginePool]:
    """Engines that stay warm from one population to the next, as those of the web do."""
    engines = EnginePool()
    yield engines
    engines.close()


@pytest.fixture(scope="session")
def read(engine, tmp_path_factory):
    """The table of some resources of one type, read from a file of NDJSON just as in a run."""
    folder, number = tmp_path_factory.mktemp("read"), itertools.count()

    def table(resource_type, resources):
        path = folder / f"{resource_type}.{next(number)}.ndjson"
        path.write_text("".join(json.dumps(resource) + "\n" for resource in resources), encoding="utf-8")
        return engine.keep(engine.read_ndjson([path], SHAPES[resource_type]))

    return table


@pytest.fixture(scope="session")
def program_2023():
    """The program health-partners-2023 as shipped."""
    return load_program("health-partners-2023", PROGRAMS)
