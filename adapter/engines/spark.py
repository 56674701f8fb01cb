"""The second engine: the same tables on Spark, on this machine or on a cluster. See docs/spark.md.

Loads pyspark, so it is loaded itself only when Spark is asked for (``choose.py``). What it does is told in ``duckdb.py``; how an
expression is written for Spark in ``spark_sql.py``. Its SQL is written anew each time and is not among the statements that are kept for
later (``statements.py``): there it would push out those of DuckDB, and Spark takes longer to plan one than Ibis to write it.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException, PySparkRuntimeError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from adapter.engines.backend import Asked, ReadFault
from adapter.engines.spark_settings import settings
from adapter.engines.spark_sql import as_shaped, column_type, read_type, spark_sql
from adapter.errors import ConfigError
from adapter.mappings.lists import list_arrow
from adapter.tables.shapes import Shape, ibis_type

BATCH = 20_000  # rows of a stream at once
BAD = "_mtm_bad"  # the line, where Spark could not read it as the shape says
STOPPED = "a line is not as FHIR gives it"  # says nothing of the line: executors may log it
# Read as Spark is by default, these would be taken: {'id': 'x'}, NaN, and two lines where a carriage return stands within one.
STRICT = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": BAD, "lineSep": "\n", "allowSingleQuotes": "false"}
STRICT |= {"allowNonNumericNumbers": "false"}
LONE_SURROGATE = r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"


class SparkEngine(AbstractContextManager["SparkEngine"]):
    """A Spark session of its own, or another one of the application that is running already. One at a time in a process."""

    def __init__(self) -> None:
        self._scratch = TemporaryDirectory(prefix="mtm-spark-")
        self._running = SparkSession.getActiveSession()
        try:
            self._session = self._running.newSession() if self._running else _started(Path(self._scratch.name))
        except BaseException:
            self._scratch.cleanup()
            raise
        self._names: Counter[str] = Counter()
        self._lists: dict[Path, ir.Table] = {}

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the session, unless it is of an application that goes on, and removes the scratch folder."""
        if self._running is None:
            self._session.stop()
        self._scratch.cleanup()

    @contextmanager
    def session(self) -> Iterator[SparkEngine]:
        """This engine for one more population; names are never used twice, so nothing has to be replaced."""
        yield self

    def expect(self, size: int) -> None:
        """Nothing: Spark's memory is settled when it starts (spark.driver.memory, spark.executor.memory)."""

    def read_ndjson(
        self, paths: Sequence[Path], shape: Mapping[str, Shape], name: str = "", sifted: bool = False
    ) -> ir.Table:
        """As ``Engine.read_ndjson``; what Spark's reader would take without a word is looked for here, so that ReadFault may come here.

        Lines that are ``sifted`` are clean; one that Spark still cannot read becomes a row of NULL, which every reader refuses.
        """
        if paths and not sifted:
            self._check_lines(paths)
        columns = ", ".join(f"`{column}` {read_type(of)}" for column, of in shape.items()) + f", {BAD} STRING"
        if paths:
            rows = self._session.read.schema(columns).options(**STRICT).json([_escaped(path) for path in paths])
        else:
            rows = self._session.createDataFrame([], columns)
        good, stop = f"{BAD} IS NULL", f"raise_error('{STOPPED}')"
        if not sifted:
            rows = rows.where(f"{good} OR CAST({stop} AS BOOLEAN)")
        refused = "NULL" if sifted else stop
        values = {column: as_shaped(f"`{column}`", of, refused) for column, of in shape.items()}
        found = rows.selectExpr(
            *(
                f"CAST(IF({good}, {value}, NULL) AS {column_type(shape[column])}) AS `{column}`"
                for column, value in values.items()
            )
        )
        return self._view(found, {column: ibis_type(of) for column, of in shape.items()}, f"raw_{name}")

    def _check_lines(self, paths: Sequence[Path]) -> None:
        """Raises ReadFault for a line with something behind its object, a list of objects, a key twice in one object or a broken
        character: Spark reads the first object, each object of the list, the last value, and another character."""
        lines = self._session.read.option("lineSep", "\n").text([_escaped(path) for path in paths])
        line = F.col("value")
        whole = F.try_parse_json(F.concat(F.lit('{"line":'), line, F.lit("}"))).isNotNull()
        good = whole & line.rlike(r"^\s*\{") & F.is_valid_utf8(line) & ~line.rlike(LONE_SURROGATE)
        with _faults():
            if lines.where(line.rlike(r"\S") & ~good).take(1):
                raise ReadFault

    def read_list(self, path: Path) -> ir.Table:
        """As ``Engine.read_list``. The driver reads the list, so that the folder of the lists need not be on the cluster."""
        if path not in self._lists:
            rows = list_arrow(path)
            frame = self._session.createDataFrame(rows).persist()
            self._lists[path] = self._view(frame, dict.fromkeys(rows.column_names, "string"), "list")
        return self._lists[path]

    def keep(self, asked: Asked, name: str = "kept") -> ir.Table:
        """As ``Engine.keep``. The rows lie on the executors, in memory or on their disks, and their plan is cut off: each table
        would otherwise be planned again with all that it is made of."""
        expression = _expression(asked)
        with _faults():
            kept = self._asked(expression).localCheckpoint(eager=True)
        return self._view(kept, _types(expression), name)

    def release(self, table: ir.Table) -> None:
        """As ``Engine.release``: Spark frees the rows once nothing names them any more."""
        self._session.catalog.dropTempView(table.get_name())

    def number(self, value: ir.IntegerScalar) -> int:
        """As ``Engine.number``."""
        with _faults():
            return int(self._asked(value).collect()[0][0] or 0)

    def count(self, table: ir.Table) -> int:
        """As ``Engine.count``."""
        with _faults():
            return self._session.table(table.get_name()).count()

    def records(self, asked: Asked) -> list[dict[str, Any]]:
        """As ``Engine.records``."""
        return list(self.arrow(asked).to_pylist())

    def arrow(self, asked: Asked) -> pa.Table:
        """As ``Engine.arrow``."""
        expression = _expression(asked)
        with _faults():
            found = self._asked(expression).toArrow()
        return found.cast(expression.schema().to_pyarrow())

    @contextmanager
    def stream(self, asked: Asked) -> Iterator[pa.RecordBatchReader]:
        """As ``Engine.stream``: the driver holds one partition at a time."""
        expression = _expression(asked)
        schema = expression.schema().to_pyarrow()
        with _faults():
            rows = self._asked(expression).toLocalIterator(prefetchPartitions=False)
            yield pa.RecordBatchReader.from_batches(schema, _batches(rows, schema))

    def rows(self, table: ir.Table, **equal: str) -> list[dict[str, Any]]:
        """As ``Engine.rows``."""
        found = self._session.table(table.get_name())
        for column, value in equal.items():
            found = found.where(F.col(column) == F.lit(value))
        with _faults():
            return list(found.toArrow().cast(table.schema().to_pyarrow()).to_pylist())

    def write_parquet(self, asked: Asked, path: Path) -> None:
        """As ``Engine.write_parquet``: one file, written by the driver."""
        with self.stream(asked) as reader, pq.ParquetWriter(path, reader.schema, compression="zstd") as out:
            for batch in reader:
                out.write_batch(batch)

    def table(self, rows: Sequence[Mapping[str, Any]], schema: Mapping[str, str], name: str = "rows") -> ir.Table:
        """As ``Engine.table``."""
        arrow = pa.Table.from_pylist([dict(row) for row in rows], schema=ibis.schema(dict(schema)).to_pyarrow())
        return self._view(self._session.createDataFrame(arrow), schema, name)

    def _asked(self, expression: ir.Expr) -> DataFrame:
        return self._session.sql(spark_sql(expression))

    def _view(self, frame: DataFrame, columns: Mapping[str, str], name: str) -> ir.Table:
        """The rows under a name that no other table has or had."""
        self._names[name] += 1
        table = f"{name}_{self._names[name]}"
        frame.createOrReplaceTempView(table)
        return ops.DatabaseTable(
            name=table, schema=ibis.schema(dict(columns)), source=None, namespace=ops.Namespace()
        ).to_expr()


def _started(scratch: Path) -> SparkSession:
    """A session with the settings of adapter/engines/spark_settings.py. Raises ConfigError when Java is missing or too old."""
    chosen = settings(scratch)
    if shutil.which(chosen.java) is None:
        raise ConfigError("The engine spark needs Java 17 or later, which is not there; install it, or say JAVA_HOME")
    builder = SparkSession.builder.appName("mtm-adapter")
    for key, value in chosen.values.items():
        builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except (PySparkRuntimeError, Py4JError) as error:
        raise ConfigError("Spark did not start; it needs Java 17 or later and the memory that it is given") from error


@contextmanager
def _faults() -> Iterator[None]:
    """Tells a read that stopped from a fault of the machine; all else goes on as it is."""
    try:
        yield
    except (PySparkException, Py4JError) as error:
        told = str(error)
        if STOPPED in told or "EOFException" in told or "ZipException" in told:
            raise ReadFault from None
        for sign, what in (("OutOfMemory", "memory"), ("No space left", "space for its scratch files")):
            if sign in told:
                raise ConfigError(
                    f"The run needs more {what} than Spark has; give it more (docs/spark.md), or screen fewer persons at once"
                ) from None
        raise


def _expression(asked: Asked) -> ir.Table:
    return asked() if callable(asked) else asked


def _types(expression: ir.Table) -> dict[str, str]:
    return {name: str(kind) for name, kind in expression.schema().items()}


def _batches(rows: Iterator[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while batch := list(islice(rows, BATCH)):
        yield pa.RecordBatch.from_pylist([row.asDict(recursive=True) for row in batch], schema=schema)


def _escaped(path: Path) -> str:
    """The path as Spark takes it, which reads braces, brackets, stars and question marks as a pattern."""
    return "file://" + re.sub(r"([\\{}\[\]*?])", r"\\\1", str(path.absolute()))
