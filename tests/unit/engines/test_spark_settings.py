"""How Spark is started: alone on this machine, or on a cluster, and always with one meaning."""

from __future__ import annotations

import pytest

from adapter.engines.spark_settings import MEANING, settings

ALONE = {"spark.driver.host", "spark.driver.bindAddress", "spark.local.dir", "spark.sql.shuffle.partitions"}


@pytest.mark.parametrize("environ", [{}, {"MTM_ADAPTER_SPARK_MASTER": ""}, {"MTM_ADAPTER_SPARK_MASTER": "local[2]"}])
def test_alone_it_listens_on_loopback_only_and_leaves_its_files_in_the_scratch_folder(tmp_path, environ):
    values = settings(tmp_path, environ).values
    assert values["spark.master"].startswith("local[")
    assert values["spark.driver.host"] == values["spark.driver.bindAddress"] == "127.0.0.1"
    assert values["spark.ui.enabled"] == "false"
    assert all(values[name].startswith(str(tmp_path)) for name in ("spark.local.dir", "spark.sql.warehouse.dir"))


def test_on_a_cluster_what_belongs_to_one_machine_is_left_to_its_own_configuration(tmp_path):
    values = settings(tmp_path, {"MTM_ADAPTER_SPARK_MASTER": "spark://host:7077"}).values
    assert values["spark.master"] == "spark://host:7077"
    assert not ALONE & set(values)
    assert MEANING.items() <= values.items()


def test_nothing_is_logged(tmp_path):
    options = settings(tmp_path, {}).values["spark.driver.extraJavaOptions"]
    assert options == f"-Dlog4j2.configurationFile={tmp_path / 'log4j2.properties'}"
    assert "rootLogger.level = off" in (tmp_path / "log4j2.properties").read_text()


@pytest.mark.parametrize(("environ", "java"), [({}, "java"), ({"JAVA_HOME": "/opt/java"}, "/opt/java/bin/java")])
def test_which_java_runs_it(tmp_path, environ, java):
    assert settings(tmp_path, environ).java == java
