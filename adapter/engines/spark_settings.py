"""How Spark is started: on this machine without touching the network, or on the cluster that the environment names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MASTER = "MTM_ADAPTER_SPARK_MASTER"  # for example spark://host:7077 or yarn; local[*] when it is not given

# What the answer depends on; also set when Spark runs already.
MEANING = {
    # A sum that overflows or a text that is no number stops the run, as on DuckDB; without it Spark answers NULL and money is lost.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",  # FHIR's names are
    # A number where a text is read is that text, to the last cent, and not a float written out.
    "spark.sql.json.enableExactStringParsing": "true",
    # A row that a filter leaves out is read to its end all the same, so that a fault in it is found.
    "spark.sql.json.filterPushdown.enabled": "false",
}

# Nothing but the command speaks, and no trace of an error shows a line of a person's record. Without an appender Spark takes its own.
_LOGGING = """\
rootLogger.level = off
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
logger.python.name = org.apache.spark.api.python.PythonGatewayServer
logger.python.level = off
"""


@dataclass(frozen=True)
class SparkSettings:
    """The settings of a session, and the Java that runs it."""

    values: Mapping[str, str]
    java: str


def settings(scratch: Path, environ: Mapping[str, str] = os.environ) -> SparkSettings:
    """How a session is started whose files lie in ``scratch``; the logging is written there.

    Whatever is not settled here is left to Spark's own configuration (spark-defaults.conf in SPARK_CONF_DIR), such as its memory.
    """
    master = environ.get(MASTER) or "local[*]"
    logging = scratch / "log4j2.properties"
    logging.write_text(_LOGGING, encoding="ascii")
    values = MEANING | {
        "spark.master": master,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={logging}",
        "spark.driver.maxResultSize": "0",  # lists and results go through the driver; its memory is the limit
    }
    if master.startswith("local"):
        values |= _alone(scratch)
    home = environ.get("JAVA_HOME")
    return SparkSettings(values, str(Path(home) / "bin" / "java") if home else "java")


def _alone(scratch: Path) -> dict[str, str]:
    """Spark within one machine: loopback only, files in the scratch folder, as many partitions as processors."""
    return {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(scratch / "local"),
        "spark.sql.shuffle.partitions": str(os.cpu_count() or 1),
    }
