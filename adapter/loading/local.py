"""What a plan has loaded: the manifest ``mappings/local/local.toml`` and the tables that it names.

The manifest is the truth: a folder of tables counts only when the manifest names it, and it is written last. This
module only reads; ``adapter.loading.store`` writes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from adapter.errors import Fault, MappingError

FOLDER = "local"
MANIFEST = "local.toml"
SETS = ("rxnorm", "ndc", "maintenance")  # a later one wins where two give the same list (drugs/ndc)

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "drugs/ingredients": ("rxcui", "tty", "name", "ingredient_rxcuis", "unii", "source"),
    "drugs/products": ("rxcui", "tty", "name", "ingredient_rxcuis", "link_basis", "status", "source"),
    "drugs/brands": ("brand", "bn_rxcui", "ingredient_rxcuis", "n_products", "n_ingredient_sets"),
    "drugs/ndc": ("ndc11", "rxcui", "ingredient_rxcuis", "label_name", "source"),
    # Lists that exist only when they are loaded:
    "drugs/levels": ("rxcui", "broader", "rank"),
    "drugs/substances": ("name", "rxcui", "unii", "ingredient_rxcuis"),
    "drugs/ndc_marks": ("ndc11", "rx_otc", "marketing_category"),
    "drugs/maintenance": ("name", "key", "maintenance"),
}
EXTRA = ("drugs/levels", "drugs/substances", "drugs/ndc_marks", "drugs/maintenance")


class LoadedSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One loaded set: what it is, from which files (SHA-256 by name), its tables (rows by name) and what was counted."""

    title: str
    version: str
    loaded: date
    folder: str
    sources: dict[str, str]
    tables: dict[str, int]
    counts: dict[str, int] = {}


@dataclass(frozen=True)
class Local:
    """The sets that are loaded beside one folder of mappings, in the order of ``SETS``."""

    folder: Path
    sets: Mapping[str, LoadedSet]

    def table(self, name: str, table: str) -> Path:
        """The Parquet file of a table of a loaded set."""
        return self.folder / self.sets[name].folder / f"{table}.parquet"

    def lists(self) -> dict[str, tuple[Path, LoadedSet]]:
        """The file of each loaded list by its key ("drugs/products"), with the set it belongs to."""
        return {
            f"drugs/{table}": (self.table(name, table), loaded)
            for name, loaded in self.sets.items()
            for table in loaded.tables
            if f"drugs/{table}" in COLUMNS
        }


def read_local(mappings: Path) -> Local:
    """What is loaded beside the folder ``mappings``; nothing when there is no manifest. Raises MappingError."""
    folder = mappings / FOLDER
    place = f"{FOLDER}/{MANIFEST}"
    try:
        text = (folder / MANIFEST).read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Local(folder, {})
    try:
        sets = msgspec.convert(tomllib.loads(text), dict[str, LoadedSet])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        fault = f"the manifest cannot be read ({error}); remove the folder {FOLDER} and load the lists again"
        raise MappingError([Fault(place, "", fault)]) from None
    local = Local(folder, {name: sets[name] for name in SETS if name in sets})
    faults = _missing(local)
    if faults:
        raise MappingError(faults)
    return local


def _missing(local: Local) -> list[Fault]:
    return [
        Fault(f"{FOLDER}/{MANIFEST}", name, f"the table {table}.parquet is gone; load {name} again or unload it")
        for name, loaded in local.sets.items()
        for table in loaded.tables
        if not local.table(name, table).is_file()
    ]
