"""The files that a user gives: found, proved whole, hashed, and open to the backend as tables of text.

Large files are read once from front to end by the backend; only first and last lines are looked at here.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import duckdb

from adapter.engines.duckdb import Engine
from adapter.errors import Fault, MappingError

TAIL = 1 << 16
CHUNK = 1 << 20


def refusal(place: str, fault: str, at: str = "") -> MappingError:
    """One fault as the error that refuses a load."""
    return MappingError([Fault(place, at, fault)])


def found(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """The files of ``folder`` among ``names``, plain or .gz, whatever their case; a plain file goes before its .gz."""
    wanted = {f"{name}{ending}".lower(): name for name in names for ending in (".gz", "")}
    files = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_file()}
    return {name: files[spelled] for spelled, name in wanted.items() if spelled in files}


def opened(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked when it is gzipped."""
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix.lower() == ".gz" else path.open("rb")


def sha256(path: Path) -> str:
    """SHA-256 of the file as it lies there, as hexadecimal. Raises MappingError when it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise refusal(path.name, f"the file cannot be read ({error.strerror}); fetch it again") from None


def edges(path: Path) -> tuple[bytes, bytes]:
    """The first line of a file and its last bytes. Raises MappingError when it is damaged or holds nothing."""
    try:
        with opened(path) as stream:
            first = stream.readline()
            last = _last(stream, packed=path.suffix.lower() == ".gz") or first
    except (OSError, EOFError, zlib.error) as error:
        raise refusal(path.name, f"the file is damaged ({error}); fetch it again") from None
    if not first.strip():
        raise refusal(path.name, "the file is empty; fetch it again")
    return first, last


def _last(stream: IO[bytes], packed: bool) -> bytes:
    if not packed:
        stream.seek(max(stream.seek(0, os.SEEK_END) - TAIL, 0))
        return stream.read()
    last = b""
    while chunk := stream.read(CHUNK):  # a gzip file has no end to jump to; reading it through also proves it
        last = (last + chunk)[-TAIL:]
    return last


def prove_whole(path: Path, separator: bytes, fields: int) -> int:
    """The number of separators in each line, proved on the first and the last line; a file cut off is refused."""
    first, last = edges(path)
    count = first.count(separator)
    if count < fields - 1:
        raise refusal(path.name, f"the line has {count + 1} fields where the format has {fields}", "row 1")
    if not last.endswith(b"\n") and last.rpartition(b"\n")[2].count(separator) != count:
        raise refusal(path.name, "the last line is cut off, so this is only a part of the file; fetch it again")
    return count


@contextmanager
def backend() -> Iterator[Any]:
    """A DuckDB connection with the engine's limits of memory and its scratch folder; faults of reading are told."""
    with Engine() as engine:
        try:
            yield engine.backend.con
        except (duckdb.InvalidInputException, duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise refusal(*_told(str(error))) from None


def _told(message: str) -> tuple[str, str, str]:
    """The file, the fault and its row out of a message of the backend."""
    file = re.search(r"^\s*file = (.+)$", message, re.MULTILINE)
    row = re.search(r"Error on Line: (\d+)", message)
    fields = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if fields:
        what = f"the line has {fields[2]} fields where the format has {fields[1]}"
    elif "unicode" in message:
        what = "the line is not UTF-8"
    else:
        what = message.splitlines()[0].rstrip(".")
    place = Path(file[1]).name if file else "the lists"
    return place, f"{what}; fetch the file again, nothing was loaded", f"row {row[1]}" if row else ""


def first_row(connection: Any, query: str, values: Sequence[Any] = ()) -> dict[str, Any]:
    """The one row that a query has, by column."""
    result = connection.execute(query, list(values))
    names = [column[0] for column in result.description]
    return dict(zip(names, result.fetchall()[0], strict=True))


def table_view(connection: Any, name: str, path: Path, columns: Sequence[str]) -> None:
    """Makes a list, CSV or Parquet, the view ``name`` with these columns of text; empty cells are empty text."""
    if path.suffix == ".parquet":
        relation = connection.read_parquet(str(path))
    else:
        relation = connection.read_csv(str(path), header=True, all_varchar=True, na_values="\x00")
    relation.select(*(duckdb.ColumnExpression(column) for column in columns)).create_view(name, replace=True)


def pipe_view(connection: Any, name: str, path: Path, columns: Sequence[str]) -> None:
    """Makes an RRF file (no header, "|" after every field, no quotes) the view ``name`` with columns of text."""
    separators = prove_whole(path, b"|", len(columns))
    names = [*columns, *(f"_{place}" for place in range(separators + 1 - len(columns)))]
    relation = connection.read_csv(
        str(path), header=False, sep="|", quotechar="", escapechar="", auto_detect=False,
        columns=dict.fromkeys(names, "VARCHAR"),
    )  # fmt: skip
    relation.create_view(name, replace=True)


def write_tables(connection: Any, scratch: Path, tables: Mapping[str, str]) -> dict[str, int]:
    """Writes each table in its order (``tables``: name to columns of the order) as Parquet; the number of rows of each."""
    connection.execute("SET preserve_insertion_order = true")  # else row groups are written as they come
    rows = {}
    for name, order in tables.items():
        relation = connection.table(name).order(order)
        relation.write_parquet(str(scratch / f"{name}.parquet"), compression="zstd")
        rows[name] = len(connection.table(name))
    return rows
