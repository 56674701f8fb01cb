"""The format of an RxNorm release: its files, their columns, its term types and relations, and how its version is told.

RxNorm Technical Documentation, section 12 (RRF files). Lines end in "|", so that the last field is always empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

REQUIRED = ("RXNCONSO.RRF", "RXNREL.RRF", "RXNSAT.RRF")
OPTIONAL = ("RXNATOMARCHIVE.RRF", "RXNSAB.RRF")

CONSO = (
    "RXCUI", "LAT", "TS", "LUI", "STT", "SUI", "ISPREF", "RXAUI", "SAUI", "SCUI", "SDUI", "SAB", "TTY", "CODE", "STR",
    "SRL", "SUPPRESS", "CVF",
)  # fmt: skip
REL = (
    "RXCUI1", "RXAUI1", "STYPE1", "REL", "RXCUI2", "RXAUI2", "STYPE2", "RELA", "RUI", "SRUI", "SAB", "SL", "DIR", "RG",
    "SUPPRESS", "CVF",
)  # fmt: skip
SAT = ("RXCUI", "LUI", "SUI", "RXAUI", "STYPE", "CODE", "ATUI", "SATUI", "ATN", "SAB", "ATV", "SUPPRESS", "CVF")
ATOM_ARCHIVE = (
    "RXAUI", "AUI", "STR", "ARCHIVE_TIMESTAMP", "CREATED_TIMESTAMP", "UPDATED_TIMESTAMP", "CODE", "IS_BRAND", "LAT",
    "LAST_RELEASED", "SAUI", "VSAB", "RXCUI", "SAB", "TTY", "MERGED_TO_RXCUI",
)  # fmt: skip
COLUMNS = {"RXNCONSO.RRF": CONSO, "RXNREL.RRF": REL, "RXNSAT.RRF": SAT, "RXNATOMARCHIVE.RRF": ATOM_ARCHIVE}

# Term type: what a concept is ("ingredient", "product", "brand") and how near it is to what is dispensed. A flag on a
# nearer level goes before one on a farther level (drugs/levels).
TERM_TYPES = {
    "SCD": ("product", 1), "SBD": ("product", 1), "GPCK": ("product", 1), "BPCK": ("product", 1),
    "SCDF": ("product", 2), "SBDF": ("product", 2), "SCDFP": ("product", 2), "SBDFP": ("product", 2),
    "SCDC": ("product", 3), "SBDC": ("product", 3),
    "SCDG": ("product", 4), "SBDG": ("product", 4), "SCDGP": ("product", 4),
    "BN": ("brand", 5), "MIN": ("ingredient", 6), "PIN": ("ingredient", 7), "IN": ("ingredient", 8),
}  # fmt: skip

# A row of RXNREL reads "RXCUI2 RELA RXCUI1". FORWARD: RXCUI2 is the whole and RXCUI1 what it is made of or a form of;
# BACKWARD are the inverses of the same facts. A release holds both; one of them is enough.
FORWARD = (
    "has_ingredient", "has_ingredients", "has_precise_ingredient", "consists_of", "contains", "tradename_of",
    "form_of", "has_part", "isa", "quantified_form_of",
)  # fmt: skip
BACKWARD = (
    "ingredient_of", "ingredients_of", "precise_ingredient_of", "constitutes", "contained_in", "has_tradename",
    "has_form", "part_of", "inverse_isa", "has_quantified_form",
)  # fmt: skip


def release_folder(folder: Path) -> Path:
    """Where the RRF files lie: the folder itself or its ``rrf``."""
    return next((path for path in sorted(folder.iterdir()) if path.is_dir() and path.name.lower() == "rrf"), folder)


def told_version(sab_lines: Iterable[str], folder: Path) -> str:
    """The day of the release, "2025-10-06": from RXNSAB, else from the names of the folder and its files, else ""."""
    for line in sab_lines:
        fields = line.split("|")
        own = len(fields) > 6 and fields[3] == "RXNORM"
        if own and (day := _day(fields[6], r"_(?P<y>\d\d)(?P<m>\d\d)(?P<d>\d\d)[A-Z]?$")):
            return day
    home = folder.parent if folder.name.lower() == "rrf" else folder
    names = [home.resolve().name, *sorted(path.name for path in home.iterdir())]
    days = (_day(name, r"_(?P<m>\d\d)(?P<d>\d\d)20(?P<y>\d\d)\b") for name in names)
    return next(filter(None, days), "")


def _day(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        return ""
    try:
        return date(2000 + int(match["y"]), int(match["m"]), int(match["d"])).isoformat()
    except ValueError:
        return ""
