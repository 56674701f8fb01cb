"""Which engine is opened, and what is said when the one that is asked for cannot be had."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from adapter.cli.screen import screen_command
from adapter.engines import choose
from adapter.engines.choose import open_engine
from adapter.engines.duckdb import Engine
from adapter.errors import ConfigError


def test_duckdb_is_the_engine_that_nothing_has_to_be_installed_for():
    with open_engine() as engine:
        assert isinstance(engine, Engine)


def test_an_engine_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(ConfigError, match="no engine polars; give one of duckdb, spark"):
        open_engine("polars")


def test_without_pyspark_the_remedy_is_told(monkeypatch):
    monkeypatch.setattr(choose, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'mtm-adapter\[spark\]'$"):
        open_engine("spark")


def test_without_java_the_remedy_is_told(monkeypatch):
    pytest.importorskip("pyspark")
    from adapter.engines import spark

    monkeypatch.setattr(spark.shutil, "which", lambda name: None)
    monkeypatch.setattr(spark.SparkSession, "getActiveSession", lambda: None)
    with pytest.raises(ConfigError, match="needs Java 17 or later, which is not there; install it"):
        open_engine("spark")


def test_nothing_loads_pyspark_until_spark_is_asked_for():
    code = (
        "import sys, adapter.cli.main; sys.exit(any(name.split('.')[0] in ('pyspark', 'py4j') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_command_knows_both():
    told = CliRunner().invoke(screen_command, ["somewhere", "--engine", "polars"])
    assert told.exit_code == 2
    assert "'duckdb', 'spark'" in told.output
