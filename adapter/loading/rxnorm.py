"""An RxNorm release to the lists ingredients, products, brands, ndc, levels and substances of ``mappings/local/``.

The full release and the Current Prescribable Content have one format; only the full release tells of retired codes.
The order of the steps stands here, what each step does in ``rxnorm_sql``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from adapter.loading import rxnorm_sql as sql
from adapter.loading.fda import refreshed_ndc
from adapter.loading.local import COLUMNS as LIST_COLUMNS
from adapter.loading.local import LoadedSet, Local, read_local
from adapter.loading.names import ingredient_words, joined, of_product
from adapter.loading.rxnorm_format import (
    BACKWARD,
    COLUMNS,
    FORWARD,
    OPTIONAL,
    REQUIRED,
    TERM_TYPES,
    release_folder,
    told_version,
)
from adapter.loading.sources import (
    backend,
    first_row,
    found,
    opened,
    pipe_view,
    refusal,
    sha256,
    table_view,
    write_tables,
)
from adapter.loading.store import placed, scratch_folder, write_manifest
from adapter.mappings.folder import Mappings, load_shipped
from adapter.tables.drug_names import Lexicon

TABLES = {
    "ingredients": "CAST(rxcui AS INTEGER)",
    "products": "CAST(rxcui AS INTEGER)",
    "brands": "brand, ingredient_rxcuis",
    "ndc": "ndc11",
    "levels": "CAST(rxcui AS INTEGER), rank, CAST(broader AS INTEGER)",
    "substances": "name",
}
SHIPPED = ("ingredients", "products", "brands", "ndc")
BATCH = 10_000
MOST_UNRELATED = 0.25  # of the current drugs; in a whole release every one has its ingredients
NAMED = pa.schema([("id", pa.int32()), ("ids", pa.string()), ("basis", pa.string())])


@dataclass(frozen=True)
class Release:
    """The files of one release and its version ("" when nothing tells it)."""

    files: Mapping[str, Path]
    version: str


def find_release(folder: Path) -> Release:
    """The release in ``folder`` or its ``rrf``. Raises MappingError when a required file is not there."""
    place = release_folder(folder)
    files = found(place, (*REQUIRED, *OPTIONAL))
    missing = [name for name in REQUIRED if name not in files]
    if missing:
        fault = f"the release lacks {' and '.join(missing)}; name the folder that holds {', '.join(REQUIRED)}"
        raise refusal(str(folder), fault)
    return Release(files, told_version(_lines(files.get("RXNSAB.RRF")), place))


def _lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    with opened(path) as stream:
        return stream.read().decode("utf-8", errors="replace").splitlines()


def load_rxnorm(mappings: Path, folder: Path, loaded: date, version: str = "", alone: bool = False) -> Local:
    """What is loaded after the release in ``folder`` was read: all of it in place, or MappingError and nothing changed.

    ``version`` goes before what the files tell. The shipped lists fill codes that the release lacks, unless ``alone``.
    """
    release = find_release(folder)
    shipped = load_shipped(mappings)
    local = read_local(mappings)
    with backend() as connection, scratch_folder(local.folder) as scratch:
        counts = _lists(connection, release, shipped, alone)
        tables = write_tables(connection, scratch, TABLES)
        kind = "full release" if "RXNATOMARCHIVE.RRF" in release.files else "Current Prescribable Content"
        made = LoadedSet(
            title=f"NLM RxNorm, {kind}{'' if alone else ', filled from the shipped lists'}",
            version=version or release.version or "not told",
            loaded=loaded,
            folder="",
            sources={path.name: sha256(path) for path in release.files.values()},
            tables=tables,
            counts=counts,
        )
        made = placed(local, scratch, "rxnorm", made)
    return write_manifest(local, {"rxnorm": made, **refreshed_ndc(local, {**local.sets, "rxnorm": made}, shipped)})


def _lists(connection: Any, release: Release, shipped: Mappings, alone: bool) -> dict[str, int]:
    """Makes the tables of ``TABLES`` in the connection; what was counted on the way."""
    _open(connection, release)
    connection.execute(sql.CONCEPTS)
    for step in (sql.RETIRED, sql.MERGED) if "RXNATOMARCHIVE.RRF" in release.files else (sql.NOTHING_MERGED,):
        connection.execute(step)
    for step in (sql.LINKS, sql.REACHED, sql.SETS, sql.ATTRIBUTES):
        connection.execute(step)
    _name(connection, shipped)
    connection.execute(sql.RESOLVED)
    counts = first_row(connection, sql.COUNTS)
    _prove(counts)
    for step in (sql.SUBSTANCES, sql.INGREDIENTS, sql.PRODUCTS, sql.BRANDS, sql.NDC, sql.LEVELS):
        connection.execute(step)
    connection.execute("CREATE VIEW substances AS SELECT * FROM release_substances")
    for name in () if alone else SHIPPED:
        table_view(connection, f"shipped_{name}", shipped.path(f"drugs/{name}"), LIST_COLUMNS[f"drugs/{name}"])
    connection.execute(sql.ALONE if alone else sql.FILLED)
    return counts


def _open(connection: Any, release: Release) -> None:
    for name, columns in COLUMNS.items():
        if name in release.files:
            pipe_view(connection, name.removesuffix(".RRF").lower(), release.files[name], columns)
    connection.execute(sql.NDC11)
    connection.execute("CREATE TEMP TABLE term_types (tty VARCHAR, kind VARCHAR, rank INTEGER)")
    connection.executemany("INSERT INTO term_types VALUES (?, ?, ?)", [(tty, *of) for tty, of in TERM_TYPES.items()])
    connection.execute("CREATE TEMP TABLE relations (rela VARCHAR, forward BOOLEAN)")
    rows = [(name, names is FORWARD) for names in (FORWARD, BACKWARD) for name in names]
    connection.executemany("INSERT INTO relations VALUES (?, ?)", rows)


def _name(connection: Any, shipped: Mappings) -> None:
    """Makes the table ``named``: the drugs that the relations leave open, by their names."""
    words = _words(connection, shipped)
    rows = [row for batch in _batches(connection.execute(sql.UNTOLD)) for row in _told(batch, words)]
    connection.from_arrow(pa.Table.from_pylist(rows, schema=NAMED)).create("named")


def _batches(result: Any) -> Iterator[list[tuple[int, str, str]]]:
    while batch := result.fetchmany(BATCH):
        yield batch


def _told(batch: list[tuple[int, str, str]], words: Lexicon) -> Iterator[dict[str, Any]]:
    for drug, name, related in batch:
        ids = of_product(name, words)
        if ids:
            yield {"id": drug, "ids": joined((ids, related)), "basis": "rel+name" if related else "name"}
        elif related:
            yield {"id": drug, "ids": related, "basis": "partial"}


def _words(connection: Any, shipped: Mappings) -> Lexicon:
    """The names of the release's ingredients (a current one before a retired one of its name) and the shipped synonyms."""
    query = "SELECT name, ids FROM sets JOIN concepts USING (id) WHERE kind = 'ingredient' ORDER BY live, rank, id DESC"
    names = [{"name": name, "ingredient_rxcuis": ids} for name, ids in connection.execute(query).fetchall()]
    table_view(connection, "synonyms", shipped.path("drugs/synonyms"), ("synonym", "ingredient_rxcuis"))
    known = {row["ingredient_rxcuis"] for row in names}
    other = connection.table("synonyms").fetchall()
    spelled = [{"synonym": synonym, "ingredient_rxcuis": ids} for synonym, ids in other if ids in known]
    return ingredient_words(names, spelled)


def _prove(counts: Mapping[str, int]) -> None:
    """Refuses what cannot be a whole release; a cut file is mostly seen earlier, by its last line."""
    if not counts["current_drugs"]:
        raise refusal("RXNCONSO.RRF", "it holds no current drug of RxNorm (SAB=RXNORM); fetch the release again")
    if counts["unrelated"] > MOST_UNRELATED * counts["current_drugs"]:
        what = f"it leads from {counts['unrelated']} of {counts['current_drugs']} current drugs to no ingredient"
        raise refusal("RXNREL.RRF", f"{what}, so it is only a part or of another release; fetch the release again")
    if not counts["ndc_rows"]:
        raise refusal("RXNSAT.RRF", "it holds no NDC, so it is only a part; fetch the release again")
