"""The Ibis backend: where tables live, how NDJSON and code lists are read, where memory limits are set.

The only module that knows DuckDB by name. Tables and criteria are Ibis expressions, so another backend stands beside this file only:
adapter/engines/spark.py, with the same methods (adapter/engines/backend.py).

An engine may serve one population after the other (``session``). What is asked as a function with its arguments (``partial``) is
written to SQL only the first time (adapter/engines/statements.py): writing SQL takes longer than running it for one beneficiary.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa

from adapter.engines.backend import Asked, ReadFault
from adapter.engines.statements import Statement, key_of, statements
from adapter.errors import AdapterError, ConfigError
from adapter.mappings.lists import list_columns
from adapter.tables.shapes import Shape, ibis_type

MEMORY = 600_000_000  # bytes; with the JSON reader's own buffers a run over 2 GB of claims stays below 1 GB
MEMORY_SHARE = 0.3  # of the bytes of a larger input, at most MOST_MEMORY of the machine
MOST_MEMORY = 0.6
BATCH = 20_000  # rows of a stream at once
LARGEST_RESOURCE = 64 * 1024 * 1024  # bytes of one NDJSON line; narratives and contained documents can be long


class Engine(AbstractContextManager["Engine"]):
    """A DuckDB in process, for one thread. Close it, or use it as a context, so that its scratch folder goes away."""

    def __init__(self, memory: int = MEMORY, threads: int | None = None) -> None:
        self._scratch = TemporaryDirectory(prefix="mtm-engine-")
        settings: dict[str, Any] = {"temp_directory": self._scratch.name, "memory_limit": f"{memory}B"}
        if threads is not None:
            settings["threads"] = threads
        self.backend = ibis.duckdb.connect(**settings)
        self._run("SET preserve_insertion_order = false")
        self._run("SET lambda_syntax = 'ENABLE_SINGLE_ARROW'")  # Ibis 12.0.0 still writes x -> y
        self._names: Counter[str] = Counter()
        self._statements = statements()
        self._lists: dict[Path, ir.Table] = {}

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the backend and removes its scratch folder."""
        self._statements.save()
        self.backend.disconnect()
        self._scratch.cleanup()

    @contextmanager
    def session(self) -> Iterator[Engine]:
        """This engine for one more population: tables of an earlier one are replaced, lists stay."""
        self._names.clear()
        yield self

    def expect(self, size: int) -> None:
        """Allows the memory that an input of ``size`` bytes takes; what goes beyond it is kept in the scratch folder."""
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        self._run(f"SET memory_limit = '{max(MEMORY, int(min(size * MEMORY_SHARE, machine * MOST_MEMORY)))}B'")

    def read_ndjson(
        self, paths: Sequence[Path], shape: Mapping[str, Shape], name: str = "", sifted: bool = False
    ) -> ir.Table:
        """The resources in ``paths`` as one lazy table of the columns of ``shape``; absent elements are NULL, no path gives no row.

        The read itself happens in ``keep``, which raises ReadFault at the first line that is not as the shape says. With a
        ``name`` the table has the same name, reading other files, each time it is asked for. Lines that are ``sifted``
        (adapter/sources/quarantine.py) are read in the same way.
        """
        view = f"raw_{name}" if name else self._next("raw")
        columns = ", ".join(f"'{column}': '{column_type(of)}'" for column, of in shape.items())
        if paths:
            files = ", ".join(_quoted(path) for path in paths)
            options = f"format = 'newline_delimited', maximum_object_size = {LARGEST_RESOURCE}"
            source = f"SELECT * FROM read_json([{files}], columns = {{{columns}}}, {options})"  # noqa: S608 - as below
        else:
            casts = ", ".join(f'CAST(NULL AS {column_type(of)}) AS "{column}"' for column, of in shape.items())
            source = f"SELECT {casts} WHERE FALSE"
        self._run(f"CREATE OR REPLACE TEMP VIEW {view} AS {source}")
        return self._named(view, {column: ibis_type(of) for column, of in shape.items()})

    def read_list(self, path: Path) -> ir.Table:
        """A code list (.csv, .csv.gz or .parquet) as a table of strings, read once; empty cells are empty strings."""
        if path not in self._lists:
            table = f"list_{path.name.partition('.')[0]}_{sha256(str(path).encode()).hexdigest()[:12]}"
            columns = list_columns(path)
            self._run(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM {_list_source(path, columns)}")  # noqa: S608
            self._lists[path] = self._named(table, dict.fromkeys(columns, "string"))
        return self._lists[path]

    def keep(self, asked: Asked, name: str = "kept") -> ir.Table:
        """The rows of an expression, computed once and held by the backend. Raises ReadFault when the strict read stops.

        A function with its arguments is called only when this table was not written to SQL before.
        """
        table = self._next(name)
        statement = self._statement(asked, table)
        try:
            self._run(f"CREATE OR REPLACE TEMP TABLE {table} AS {statement.sql}")
        except duckdb.InvalidInputException as error:
            self._names[name] -= 1
            raise ReadFault from error  # its text holds a part of the line, which is of a person
        return self._named(table, statement.columns)

    def _run(self, sql: str) -> list[Any]:
        """Runs one statement to its end: DuckDB 2 takes no other while a result is open."""
        with _room():
            return list(self.backend.con.execute(sql).fetchall())

    def release(self, table: ir.Table) -> None:
        """Forgets a kept table, so that its memory is free; nothing may be asked of it afterwards."""
        self._run(f"DROP TABLE {table.get_name()}")

    def _statement(self, asked: Asked, table: str) -> Statement:
        if not isinstance(asked, partial):
            return self._written(asked)
        key = key_of(asked, table)
        known = self._statements.get(key)
        if known is None:
            known = self._written(asked())
            self._statements.put(key, known)
        return known

    def _written(self, expression: ir.Table) -> Statement:
        columns = {name: str(kind) for name, kind in expression.schema().items()}
        return Statement(str(self.backend.compile(expression)), columns)

    def _named(self, table: str, columns: Mapping[str, str]) -> ir.Table:
        """The table of that name, without asking the backend for its columns."""
        schema = ibis.schema({name: _type(kind) for name, kind in columns.items()})
        operation = ops.DatabaseTable(name=table, schema=schema, source=self.backend, namespace=ops.Namespace())
        return operation.to_expr()

    def _next(self, name: str) -> str:
        self._names[name] += 1
        return f"{name}_{self._names[name]}"

    def number(self, value: ir.IntegerScalar) -> int:
        """The value of a scalar expression such as a count."""
        return int(self.backend.to_pyarrow(value).as_py() or 0)

    def count(self, table: ir.Table) -> int:
        """How many rows a kept table has."""
        return int(self._run(f"SELECT count(*) FROM {table.get_name()}")[0][0])  # noqa: S608 - our own name

    def records(self, asked: Asked) -> list[dict[str, Any]]:
        """The rows of an expression as dictionaries, in its order; a function with its arguments is written to SQL once."""
        return list(self.arrow(asked).to_pylist())

    def arrow(self, asked: Asked) -> pa.Table:
        """The rows of an expression as an Arrow table, in its order."""
        statement = self._statement(asked, "")
        with _room():
            found = self.backend.con.sql(statement.sql).to_arrow_table()
        return found.cast(ibis.schema(dict(statement.columns)).to_pyarrow())

    @contextmanager
    def stream(self, asked: Asked) -> Iterator[pa.RecordBatchReader]:
        """The rows of an expression in its order, one batch after the other; nothing else may be asked meanwhile."""
        statement = self._statement(asked, "")
        with _room(), self.backend.con.sql(statement.sql).to_arrow_reader(BATCH) as reader:
            yield reader

    def rows(self, table: ir.Table, **equal: str) -> list[dict[str, Any]]:
        """The rows of a kept table whose columns have these values."""
        wanted = " AND ".join(f'"{column}" = ?' for column in equal)
        sql = f"SELECT * FROM {table.get_name()} WHERE {wanted}"  # noqa: S608 - our own names, values as parameters
        return list(self.backend.con.sql(sql, params=list(equal.values())).to_arrow_table().to_pylist())

    def write_parquet(self, asked: Asked, path: Path) -> None:
        """Writes the rows of ``asked`` to ``path`` as Parquet, in its order; the caller renames it into place."""
        sql = self._statement(asked, "").sql
        self._run(f"COPY ({sql}) TO {_quoted(path)} (FORMAT parquet, COMPRESSION zstd)")

    def table(self, rows: Sequence[Mapping[str, Any]], schema: Mapping[str, str], name: str = "rows") -> ir.Table:
        """``rows`` as a table of the backend with the types of ``schema``."""
        arrow = pa.Table.from_pylist([dict(row) for row in rows], schema=ibis.schema(dict(schema)).to_pyarrow())
        table = self._next(name)
        connection = self.backend.con
        connection.register("given_rows", arrow)
        self._run(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM given_rows")  # noqa: S608
        connection.unregister("given_rows")
        return self._named(table, schema)


@contextmanager
def _room() -> Iterator[None]:
    """Tells in one sentence when memory or the disk is full."""
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        if isinstance(error, duckdb.IOException) and "space" not in str(error):
            raise ReadFault from error  # a damaged file: the sifting tells which and where
        what = "memory" if isinstance(error, duckdb.OutOfMemoryException) else "space for its scratch files"
        raise ConfigError(
            f"The run needs more {what} than there is; free some, or screen fewer persons at once"
        ) from error


class EnginePool:
    """Engines that serve one population after the other, as many as are busy at once; each keeps the SQL that it has written."""

    def __init__(self) -> None:
        self._idle: SimpleQueue[Engine] = SimpleQueue()

    @contextmanager
    def session(self) -> Iterator[Engine]:
        """An engine that nobody else uses meanwhile; after an unexpected fault it is closed and not lent again."""
        try:
            engine = self._idle.get_nowait()
        except Empty:
            engine = Engine(threads=1)
        try:
            with engine.session():
                yield engine
        except AdapterError:
            self._idle.put(engine)
            raise
        except BaseException:
            engine.close()
            raise
        self._idle.put(engine)

    def close(self) -> None:
        """Closes the idle engines."""
        while not self._idle.empty():
            self._idle.get_nowait().close()


@cache
def _type(text: str) -> dt.DataType:
    """The Ibis type of that text; reading one takes longer than it looks, and few are different."""
    return dt.dtype(text)


def _quoted(path: Path) -> str:
    return _literal(str(path))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _list_source(path: Path, columns: Sequence[str]) -> str:
    """How DuckDB reads a list; its columns are told, because finding out takes longer than reading."""
    if path.suffix == ".parquet":
        return f"read_parquet({_quoted(path)})"
    types = ", ".join(f"{_literal(column)}: 'VARCHAR'" for column in columns)
    dialect = "header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = chr(0)"
    return f"read_csv({_quoted(path)}, columns = {{{types}}}, {dialect})"


def column_type(shape: Shape) -> str:
    """The DuckDB type of a shape; every name is quoted, since FHIR uses SQL words such as ``end``."""
    if isinstance(shape, str):
        return {"string": "VARCHAR", "boolean": "BOOLEAN"}[shape]
    if isinstance(shape, list):
        return f"{column_type(shape[0])}[]"
    return "STRUCT(" + ", ".join(f'"{name}" {column_type(of)}' for name, of in shape.items()) + ")"
