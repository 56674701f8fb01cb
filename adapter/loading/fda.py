"""The FDA NDC Directory (product.txt, package.txt) to NDCs that RxNorm lacks and to the RX/OTC mark of each NDC.

What the directory says is kept as it is (table ``directory``); the lists ``ndc`` and ``ndc_marks`` are made from it
anew whenever RxNorm is loaded or unloaded, so that the order of loading does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from adapter.errors import ConfigError
from adapter.loading import fda_sql as sql
from adapter.loading.local import COLUMNS, LoadedSet, Local, read_local
from adapter.loading.names import ingredient_words, of_substances
from adapter.loading.rxnorm_sql import NDC11
from adapter.loading.sources import backend, edges, first_row, found, opened, refusal, sha256, table_view, write_tables
from adapter.loading.store import placed, scratch_folder, write_manifest
from adapter.mappings.folder import Mappings, load_shipped

NAMES = ("product.txt", "package.txt")
PRODUCT = (
    "PRODUCTID", "PRODUCTTYPENAME", "PROPRIETARYNAME", "NONPROPRIETARYNAME", "DOSAGEFORMNAME", "ROUTENAME",
    "STARTMARKETINGDATE", "MARKETINGCATEGORYNAME", "SUBSTANCENAME",
)  # fmt: skip
PACKAGE = ("PRODUCTID", "NDCPACKAGECODE")
TITLE = "FDA NDC Directory"
MOST_STRANGE = 0.05  # of the packages may name a product that product.txt lacks
TABLES = {"directory": "ndc11", "ndc": "ndc11", "ndc_marks": "ndc11"}
NAMED = pa.schema([("substances", pa.string()), ("ids", pa.string())])


def load_ndc(mappings: Path, given: Sequence[Path], loaded: date, version: str = "") -> Local:
    """What is loaded after the directory was read (a folder, or its two files): all in place, or MappingError."""
    files = find_directory(given)
    shipped = load_shipped(mappings)
    local = read_local(mappings)
    with backend() as connection, scratch_folder(local.folder) as scratch:
        last = _directory(connection, files, scratch, loaded)
        connection.table("directory").order("ndc11").write_parquet(str(scratch / "kept.parquet"), compression="zstd")
        described = LoadedSet(
            title=TITLE,
            version=version or last,
            loaded=loaded,
            folder="",
            sources={path.name: sha256(path) for path in files.values()},
            tables={},
        )
        made = _composed(local, local.sets, shipped, scratch / "kept.parquet", described)
    return write_manifest(local, {"ndc": made})


def find_directory(given: Sequence[Path]) -> dict[str, Path]:
    """product.txt and package.txt among ``given``, a folder or files told by their header. Raises MappingError."""
    if len(given) == 1 and given[0].is_dir():
        files = found(given[0], NAMES)
    else:
        files = {name: path for path in given if path.is_file() for name in NAMES if _is(name, path)}
    missing = [name for name in NAMES if name not in files]
    if missing:
        place = ", ".join(path.name for path in given)
        raise refusal(
            place, f"the NDC Directory lacks {' and '.join(missing)}; give product.txt and package.txt of one day"
        )
    return files


def _is(name: str, path: Path) -> bool:
    header = set(_header(path))
    return ("NDCPACKAGECODE" if name == "package.txt" else "PRODUCTTYPENAME") in header


def _header(path: Path) -> list[str]:
    line = edges(path)[0].decode("utf-8-sig", errors="replace")
    return [name.strip().upper() for name in line.rstrip("\r\n").split("\t")]


def _directory(connection: Any, files: Mapping[str, Path], scratch: Path, loaded: date) -> str:
    """Makes the table ``directory``; the version: the last start of marketing that is not after ``loaded``."""
    for name, columns in (("product.txt", PRODUCT), ("package.txt", PACKAGE)):
        _tab_view(connection, name, files[name], columns, scratch)
    connection.execute(NDC11)
    packages, strange = first_row(connection, sql.STRANGE).values()
    if not packages:
        raise refusal(files["package.txt"].name, "it holds no package; fetch the directory again")
    if strange > MOST_STRANGE * packages:
        fault = f"it lacks the product of {strange} of {packages} packages; give product.txt and package.txt of one day"
        raise refusal(files["product.txt"].name, fault)
    connection.execute(sql.DIRECTORY)
    last = first_row(connection, sql.LAST_START, [f"{loaded:%Y%m%d}"])["last"]
    for name in NAMES:
        (scratch / name).unlink()
    return f"marketed by {last[:4]}-{last[4:6]}-{last[6:]}" if len(last) == 8 else "not told"


def _tab_view(connection: Any, name: str, path: Path, columns: Sequence[str], scratch: Path) -> None:
    """Makes a tab-delimited file of the FDA a view; its text may be UTF-8 or Windows-1252, its quotes are letters."""
    header = _header(path)
    missing = [column for column in columns if column not in header]
    if missing:
        raise refusal(path.name, f"the header lacks {', '.join(missing)}; give {name} as the FDA publishes it", "row 1")
    _as_utf8(path, scratch / name, len(header))
    connection.read_csv(
        str(scratch / name), header=False, sep="\t", quotechar="", escapechar="", auto_detect=False, skiprows=1,
        columns=dict.fromkeys(header, "VARCHAR"),
    ).create_view(name.removesuffix(".txt"))  # fmt: skip


def _as_utf8(path: Path, target: Path, fields: int) -> None:
    """Writes the lines in UTF-8, each with as many fields as the header; a shorter one is refused, as it was cut off."""
    with opened(path) as source, target.open("wb") as sink:
        for row, line in enumerate(source, start=1):
            try:
                text = line.decode("utf-8-sig" if row == 1 else "utf-8")
            except UnicodeDecodeError:
                text = line.decode("cp1252", errors="replace")
            text = text.rstrip("\r\n")
            if text and text.count("\t") != fields - 1:
                fault = (
                    f"the row has {text.count(chr(9)) + 1} fields where the header has {fields}; fetch the file again"
                )
                raise refusal(path.name, fault, f"row {row}")
            sink.write(f"{text}\n".encode() if text else b"")


def unload(mappings: Path, name: str) -> Local:
    """What is loaded after the set ``name`` was taken away; NDCs are made anew when RxNorm goes. Raises ConfigError."""
    local = read_local(mappings)
    if name not in local.sets:
        raise ConfigError(f"{name} is not loaded; loaded is: {', '.join(local.sets) or 'nothing'}")
    rest = {other: loaded for other, loaded in local.sets.items() if other != name}
    anew = refreshed_ndc(local, rest, load_shipped(mappings)) if name == "rxnorm" else {}
    return write_manifest(local, {**anew, name: None})


def refreshed_ndc(local: Local, sets: Mapping[str, LoadedSet], shipped: Mappings) -> dict[str, LoadedSet | None]:
    """The set "ndc" made anew over what ``sets`` hold beside it; nothing when it is not loaded."""
    if "ndc" not in sets:
        return {}
    old = sets["ndc"]
    return {"ndc": _composed(local, sets, shipped, local.folder / old.folder / "directory.parquet", old)}


def _composed(
    local: Local, sets: Mapping[str, LoadedSet], shipped: Mappings, directory: Path, described: LoadedSet
) -> LoadedSet:
    """``described`` with the tables directory, ndc and ndc_marks in place, made over RxNorm or the shipped lists."""
    lists = {key: shipped.path(key) for key in ("drugs/ndc", "drugs/ingredients", "drugs/synonyms")}
    below = {name: loaded for name, loaded in sets.items() if name == "rxnorm"}
    lists |= {key: path for key, (path, _) in Local(local.folder, below).lists().items()}
    with backend() as connection, scratch_folder(local.folder) as scratch:
        table_view(connection, "directory", directory, sql.KEPT)
        table_view(connection, "base", lists["drugs/ndc"], COLUMNS["drugs/ndc"])
        connection.from_arrow(_named(connection, lists)).create("named")
        connection.execute(sql.COMPOSED)
        counts = first_row(connection, sql.COUNTS)
        tables = write_tables(connection, scratch, TABLES)
        return placed(local, scratch, "ndc", msgspec.structs.replace(described, tables=tables, counts=counts))


def _named(connection: Any, lists: Mapping[str, Path]) -> pa.Table:
    """The ingredients of each distinct list of substances that the directory holds; those not recognized are left out."""
    table_view(connection, "ingredients", lists["drugs/ingredients"], ("name", "ingredient_rxcuis"))
    table_view(connection, "synonyms", lists["drugs/synonyms"], ("synonym", "ingredient_rxcuis"))
    words = ingredient_words(_records(connection, "ingredients"), _records(connection, "synonyms"))
    known: dict[str, str] = {}
    if "drugs/substances" in lists:
        table_view(connection, "substances", lists["drugs/substances"], ("name", "ingredient_rxcuis"))
        known = dict(connection.table("substances").fetchall())
    asked = [text for (text,) in connection.execute(sql.ASKED).fetchall()]
    rows = [{"substances": text, "ids": of_substances(text, words, known)} for text in asked]
    return pa.Table.from_pylist([row for row in rows if row["ids"]], schema=NAMED)


def _records(connection: Any, view: str) -> list[dict[str, str]]:
    relation = connection.table(view)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
