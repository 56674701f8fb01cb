"""The files of code lists: CSV, gzipped CSV, or Parquet when a plan loaded them. Every cell is a text."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq


def open_list(path: Path) -> BinaryIO:
    """The bytes of a list, unpacked when it is gzipped."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def list_columns(path: Path) -> list[str]:
    """The names of the columns, from the header or the schema."""
    if path.suffix == ".parquet":
        return list(pq.read_schema(path).names)
    with _text(path) as lines:
        return next(csv.reader(lines), [])


def list_rows(path: Path) -> list[dict[str, str]]:
    """The rows, for lookups in process."""
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    with _text(path) as lines:
        return list(csv.DictReader(lines))


def list_arrow(path: Path) -> pa.Table:
    """The rows as an Arrow table of strings; empty cells are empty strings."""
    if path.suffix == ".parquet":
        return pq.read_table(path)
    types = dict.fromkeys(list_columns(path), pa.string())
    with open_list(path) as stream:
        return pyarrow.csv.read_csv(
            stream,
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=False),
        )


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    with open_list(path) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        yield text
