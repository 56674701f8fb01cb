"""Which engine runs the tables: DuckDB in this process, or Spark. The only place that knows that there are two."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib.util import find_spec

from adapter.engines.backend import Backend
from adapter.engines.duckdb import Engine
from adapter.errors import ConfigError

DUCKDB, SPARK = "duckdb", "spark"
ENGINES = (DUCKDB, SPARK)


def open_engine(name: str = DUCKDB) -> AbstractContextManager[Backend]:
    """A new engine of that name, to be used as a context.

    Raises ConfigError when there is no such engine, or Spark is asked for and pyspark or Java is not there.
    """
    if name == DUCKDB:
        return Engine()
    if name != SPARK:
        raise ConfigError(f"There is no engine {name}; give one of {', '.join(ENGINES)}")
    if find_spec("pyspark") is None:
        raise ConfigError("The engine spark needs PySpark, which is not there; run: pip install 'mtm-adapter[spark]'")
    from adapter.engines.spark import SparkEngine  # only now, since it loads pyspark

    return SparkEngine()
