"""The Ibis backend: where tables live, how NDJSON and code lists are read, where memory limits are set.

The only module that knows DuckDB by name. Tables and criteria are Ibis expressions, so another backend replaces this file only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir

from adapter.tables.shapes import Shape

MEMORY_LIMIT = "600MB"  # with the JSON reader's own buffers a run stays below 1 GB
LARGEST_RESOURCE = 64 * 1024 * 1024  # bytes of one NDJSON line; narratives and contained documents can be long


class ReadFault(Exception):
    """The strict read stopped: a line is not JSON, or an element has another JSON type than FHIR gives it."""


class Engine(AbstractContextManager["Engine"]):
    """A DuckDB in process. Close it, or use it as a context, so that its scratch folder goes away."""

    def __init__(self, memory_limit: str = MEMORY_LIMIT, threads: int | None = None) -> None:
        self._scratch = TemporaryDirectory(prefix="mtm-engine-")
        settings: dict[str, Any] = {"temp_directory": self._scratch.name, "memory_limit": memory_limit}
        if threads is not None:
            settings["threads"] = threads
        self.backend = ibis.duckdb.connect(**settings)
        self.backend.raw_sql("SET preserve_insertion_order = false")
        self.backend.raw_sql("SET lambda_syntax = 'ENABLE_SINGLE_ARROW'")  # Ibis 12.0.0 still writes x -> y
        self._kept = 0

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the backend and removes its scratch folder."""
        self.backend.disconnect()
        self._scratch.cleanup()

    def read_ndjson(self, paths: Sequence[Path], shape: Mapping[str, Shape]) -> ir.Table:
        """The resources in ``paths`` as one lazy table of the columns of ``shape``; absent elements are NULL, no path gives no row.

        The read itself happens in ``keep``, which raises ReadFault at the first line that is not as the shape says.
        """
        columns = {name: column_type(of) for name, of in shape.items()}
        if not paths:
            return self._empty(columns)
        return self.backend.read_json(
            [str(path) for path in paths],
            columns=columns,
            format="newline_delimited",
            maximum_object_size=LARGEST_RESOURCE,
        )

    def _empty(self, columns: Mapping[str, str]) -> ir.Table:
        name = self._next("empty")
        self.backend.raw_sql(
            f"CREATE TEMP TABLE {name} (" + ", ".join(f'"{column}" {kind}' for column, kind in columns.items()) + ")"
        )
        return self.backend.table(name)

    def _next(self, name: str) -> str:
        self._kept += 1
        return f"{name}_{self._kept}"

    def read_csv(self, path: Path) -> ir.Table:
        """A code list as a table of strings; empty cells are empty strings."""
        return self.keep(self.backend.read_csv(str(path), all_varchar=True, header=True, nullstr="\x00"))

    def keep(self, expression: ir.Table, name: str = "kept") -> ir.Table:
        """The rows of ``expression``, computed once and held by the backend. Raises ReadFault when the strict read stops."""
        try:
            return self.backend.create_table(self._next(name), expression, temp=True)
        except duckdb.InvalidInputException as error:
            raise ReadFault(str(error)) from error

    def number(self, value: ir.IntegerScalar) -> int:
        """The value of a scalar expression such as a count."""
        return int(self.backend.to_pyarrow(value).as_py() or 0)

    def records(self, expression: ir.Table) -> list[dict[str, Any]]:
        """The rows of ``expression`` as dictionaries, in its order."""
        return list(self.backend.to_pyarrow(expression).to_pylist())

    def write_parquet(self, expression: ir.Table, path: Path) -> None:
        """Writes the rows of ``expression`` to ``path`` as Parquet, in its order; the caller renames it into place."""
        self.backend.to_parquet(expression, path, compression="zstd")

    def table(self, rows: Sequence[Mapping[str, Any]], schema: Mapping[str, str]) -> ir.Table:
        """``rows`` as a table of the backend with the types of ``schema``."""
        import pyarrow as pa

        arrow = pa.Table.from_pylist([dict(row) for row in rows], schema=ibis.schema(dict(schema)).to_pyarrow())
        return self.backend.create_table(self._next("rows"), arrow, temp=True)


def column_type(shape: Shape) -> str:
    """The DuckDB type of a shape; every name is quoted, since FHIR uses SQL words such as ``end``."""
    if isinstance(shape, str):
        return {"string": "VARCHAR", "boolean": "BOOLEAN"}[shape]
    if isinstance(shape, list):
        return f"{column_type(shape[0])}[]"
    return "STRUCT(" + ", ".join(f'"{name}" {column_type(of)}' for name, of in shape.items()) + ")"
