"""What an engine does for the tables, whichever it is: the one interface of ``duckdb.py`` and ``spark.py`` beside it.

Tables and criteria are Ibis expressions and know neither. A job asks ``choose.py`` for one by its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import ibis.expr.types as ir
import pyarrow as pa

from adapter.tables.shapes import Shape

Asked: TypeAlias = "ir.Table | partial[ir.Table]"


class ReadFault(Exception):
    """The strict read stopped: a line is not JSON, or an element has another JSON type than FHIR gives it."""


class Backend(Protocol):
    """Reads resources and lists, keeps tables and answers questions about them. Each method is described in ``duckdb.py``."""

    def expect(self, size: int) -> None:
        """Prepares for an input of ``size`` bytes."""

    def read_ndjson(
        self, paths: Sequence[Path], shape: Mapping[str, Shape], name: str = "", sifted: bool = False
    ) -> ir.Table:
        """The resources in ``paths`` as a table of the columns of ``shape``. ReadFault comes here or in ``keep``."""

    def read_list(self, path: Path) -> ir.Table:
        """A code list as a table of strings."""

    def keep(self, asked: Asked, name: str = "kept") -> ir.Table:
        """The rows of an expression, computed once."""

    def release(self, table: ir.Table) -> None:
        """Forgets a kept table."""

    def number(self, value: ir.IntegerScalar) -> int:
        """The value of a scalar expression."""

    def count(self, table: ir.Table) -> int:
        """How many rows a kept table has."""

    def records(self, asked: Asked) -> list[dict[str, Any]]:
        """The rows of an expression as dictionaries, in its order."""

    def arrow(self, asked: Asked) -> pa.Table:
        """The rows of an expression as an Arrow table, in its order."""

    def stream(self, asked: Asked) -> AbstractContextManager[pa.RecordBatchReader]:
        """The rows of an expression in its order, one batch after the other."""

    def rows(self, table: ir.Table, **equal: str) -> list[dict[str, Any]]:
        """The rows of a kept table whose columns have these values."""

    def table(self, rows: Sequence[Mapping[str, Any]], schema: Mapping[str, str], name: str = "rows") -> ir.Table:
        """``rows`` as a table with the types of ``schema``."""
