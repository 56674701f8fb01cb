"""The Ibis backend: where tables live, how NDJSON and code lists are read, where memory limits are set.

The only module that knows DuckDB by name. Tables and criteria are Ibis expressions, so another backend replaces this file only.

An engine may serve one population after the other (``session``). What is asked by name and as a function is then written to SQL only
the first time: writing SQL takes a hundred times longer than running it for one beneficiary.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, TypeAlias

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from adapter.errors import AdapterError, ConfigError
from adapter.tables.shapes import Shape

MEMORY = 600_000_000  # bytes; with the JSON reader's own buffers a run over 2 GB of claims stays below 1 GB
MEMORY_SHARE = 0.3  # of the bytes of a larger input, at most MOST_MEMORY of the machine
MOST_MEMORY = 0.6
LARGEST_RESOURCE = 64 * 1024 * 1024  # bytes of one NDJSON line; narratives and contained documents can be long

Asked: TypeAlias = "ir.Table | Callable[[], ir.Table]"


class ReadFault(Exception):
    """The strict read stopped: a line is not JSON, or an element has another JSON type than FHIR gives it."""


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
        self._written: dict[tuple[str, str], str] = {}  # (table, about) to SQL
        self._tables: dict[str, ir.Table] = {}
        self._lists: dict[Path, ir.Table] = {}

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the backend and removes its scratch folder."""
        self.backend.disconnect()
        self._scratch.cleanup()

    @contextmanager
    def session(self) -> Iterator[Engine]:
        """This engine for one more population: tables of an earlier one are replaced, lists and written SQL stay."""
        self._names.clear()
        yield self

    def expect(self, size: int) -> None:
        """Allows the memory that an input of ``size`` bytes takes; what goes beyond it is kept in the scratch folder."""
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        self._run(f"SET memory_limit = '{max(MEMORY, int(min(size * MEMORY_SHARE, machine * MOST_MEMORY)))}B'")

    def read_ndjson(self, paths: Sequence[Path], shape: Mapping[str, Shape], name: str = "") -> ir.Table:
        """The resources in ``paths`` as one lazy table of the columns of ``shape``; absent elements are NULL, no path gives no row.

        The read itself happens in ``keep``, which raises ReadFault at the first line that is not as the shape says. With a
        ``name`` the table is the same one, reading other files, each time it is asked for.
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
        return self._known(view)

    def read_list(self, path: Path) -> ir.Table:
        """A code list (.csv, .csv.gz or .parquet) as a table of strings, read once; empty cells are empty strings."""
        if path not in self._lists:
            if path.suffix == ".parquet":
                read = self.backend.read_parquet(str(path))
            else:
                read = self.backend.read_csv(str(path), all_varchar=True, header=True, nullstr="\x00")
            self._lists[path] = self.backend.create_table(f"list_{len(self._lists)}", read, temp=True)
        return self._lists[path]

    read_csv = read_list

    def keep(self, asked: Asked, name: str = "kept", about: str = "") -> ir.Table:
        """The rows of an expression, computed once and held by the backend. Raises ReadFault when the strict read stops.

        A function is called only when its table of that ``name`` was not written to SQL before; ``about`` names what else the SQL
        depends on, such as program and day.
        """
        table = f"{name}_{self._names[name] + 1}"
        try:
            self._run(f"CREATE OR REPLACE TEMP TABLE {table} AS {self._sql(asked, table, about)}")
        except duckdb.InvalidInputException as error:
            raise ReadFault from error  # its text holds a part of the line, which is of a person
        self._names[name] += 1
        return self._known(table)

    def _run(self, sql: str) -> list[Any]:
        """Runs one statement to its end: DuckDB 2 takes no other while a result is open."""
        with _room():
            return list(self.backend.con.execute(sql).fetchall())

    def _sql(self, asked: Asked, table: str, about: str) -> str:
        if not callable(asked):
            self._tables.pop(table, None)  # another expression may have other columns
            return str(self.backend.compile(asked))
        key = (table, about)
        if key not in self._written:
            self._written[key] = str(self.backend.compile(asked()))
            self._tables.pop(table, None)
        return self._written[key]

    def _known(self, table: str) -> ir.Table:
        if table not in self._tables:
            self._tables[table] = self.backend.table(table)
        return self._tables[table]

    def _next(self, name: str) -> str:
        self._names[name] += 1
        return f"{name}_{self._names[name]}"

    def number(self, value: ir.IntegerScalar) -> int:
        """The value of a scalar expression such as a count."""
        return int(self.backend.to_pyarrow(value).as_py() or 0)

    def count(self, table: ir.Table) -> int:
        """How many rows a kept table has."""
        return int(self._run(f"SELECT count(*) FROM {table.get_name()}")[0][0])  # noqa: S608 - our own name

    def records(self, asked: Asked, name: str = "", about: str = "") -> list[dict[str, Any]]:
        """The rows of an expression as dictionaries, in its order. With a ``name``, a function is called the first time only."""
        if not name:
            expression = asked() if callable(asked) else asked
            return list(self.backend.to_pyarrow(expression).to_pylist())
        sql = self._sql(asked, f"records_{name}", about)
        return list(self.backend.con.sql(sql).to_arrow_table().to_pylist())

    def rows(self, table: ir.Table, **equal: str) -> list[dict[str, Any]]:
        """The rows of a kept table whose columns have these values."""
        wanted = " AND ".join(f'"{column}" = ?' for column in equal)
        sql = f"SELECT * FROM {table.get_name()} WHERE {wanted}"  # noqa: S608 - our own names, values as parameters
        return list(self.backend.con.sql(sql, params=list(equal.values())).to_arrow_table().to_pylist())

    def write_parquet(self, expression: ir.Table, path: Path) -> None:
        """Writes the rows of ``expression`` to ``path`` as Parquet, in its order; the caller renames it into place."""
        with _room():
            self.backend.to_parquet(expression, path, compression="zstd")

    def table(self, rows: Sequence[Mapping[str, Any]], schema: Mapping[str, str], name: str = "rows") -> ir.Table:
        """``rows`` as a table of the backend with the types of ``schema``; a ``name`` stands for one schema."""
        arrow = pa.Table.from_pylist([dict(row) for row in rows], schema=ibis.schema(dict(schema)).to_pyarrow())
        table = self._next(name)
        connection = self.backend.con
        connection.register("given_rows", arrow)
        self._run(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM given_rows")  # noqa: S608
        connection.unregister("given_rows")
        if name == "rows":  # an unnamed table has other columns each time
            self._tables.pop(table, None)
        return self._known(table)


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


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def column_type(shape: Shape) -> str:
    """The DuckDB type of a shape; every name is quoted, since FHIR uses SQL words such as ``end``."""
    if isinstance(shape, str):
        return {"string": "VARCHAR", "boolean": "BOOLEAN"}[shape]
    if isinstance(shape, list):
        return f"{column_type(shape[0])}[]"
    return "STRUCT(" + ", ".join(f'"{name}" {column_type(of)}' for name, of in shape.items()) + ")"
