"""One Spark for all tests of this folder, which run in one process; see README.md."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

CONF = Path(__file__).parent / "conf"
QUICK = (
    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # two thirds of the time: little is run often enough to be made faster
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of this folder, and keeps those that start Spark in one process (pytest -n 2 --dist loadgroup)."""
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)
            item.add_marker(pytest.mark.xdist_group("spark"))
            item.add_marker(
                pytest.mark.filterwarnings("ignore:unclosed .*(socket|subprocess|BufferedRWPair):ResourceWarning")
            )


def missing() -> str:
    """What is not on this machine that Spark needs, in one sentence; "" when all is there."""
    if find_spec("pyspark") is None:
        return "The package pyspark is missing. Install the spark extra (pip install -e '.[spark]')."
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(f"{home}/bin/java" if home else "java")
    if java is None:
        return "The program java is missing. Install Java 17 or later, or say JAVA_HOME."
    answer = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    number = answer.partition('version "')[2].partition(".")[0].partition('"')[0]
    if not number.isdigit() or int(number) < 17:
        return f"The java on this machine is older than 17 ({answer.splitlines()[:1]})."
    return ""


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A Spark engine; without its tools the test is skipped, in CI it fails."""
    lacking = missing()
    if lacking and os.environ.get("CI"):
        pytest.fail(lacking, pytrace=False)
    if lacking:
        pytest.skip(lacking)
    before = {name: os.environ.get(name) for name in ("SPARK_CONF_DIR", "JDK_JAVA_OPTIONS", "MTM_ADAPTER_SPARK_MASTER")}
    os.environ |= {"SPARK_CONF_DIR": str(CONF), "JDK_JAVA_OPTIONS": QUICK}
    os.environ.pop("MTM_ADAPTER_SPARK_MASTER", None)
    from adapter.engines.spark import SparkEngine

    with SparkEngine() as engine:
        yield engine
    gc.collect()
    for name, value in before.items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@pytest.fixture(autouse=True)
def sockets_of_spark() -> Iterator[None]:
    """PySpark leaves its sockets to the garbage collector: they go while their warnings are expected, not in another test."""
    yield
    gc.collect()
