"""The plan's own list of maintenance drugs, CSV with the columns code_system, code and maintenance.

Read as real exports are (byte-order mark, semicolons, blanks, other columns beside these), but a row that cannot be
understood is never skipped: every fault of the file is told.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa

from adapter.errors import Fault, MappingError
from adapter.loading.local import LoadedSet, Local, read_local
from adapter.loading.sources import backend, sha256, table_view, write_tables
from adapter.loading.store import placed, scratch_folder, write_manifest
from adapter.mappings.folder import load_mappings
from adapter.tables.code_systems import NDC, RXNORM

COLUMNS = ("code_system", "code", "maintenance")
FLAGS = ("Y", "N", "D")
SYSTEMS = {"rxnorm": "rxnorm", "rxcui": "rxnorm", "ndc": "ndc", "ndc11": "ndc"}
SYSTEMS |= dict.fromkeys(RXNORM, "rxnorm") | dict.fromkeys(NDC, "ndc")

Row = dict[str, str]  # name ("rxnorm" or "ndc"), key (RxCUI, or NDC with 11 digits), maintenance (Y, N, D)
Known = Callable[[Collection[str]], set[str]]  # which of these NDCs with 11 digits the drug list holds


def maintenance_rows(path: Path, known: Known | None = None) -> list[Row]:
    """The rows of the list, each code once. Raises MappingError with every fault of the file."""
    rows, faults = read_maintenance(path, known)
    if faults:
        raise MappingError(faults)
    return rows


def read_maintenance(path: Path, known: Known | None = None) -> tuple[list[Row], list[Fault]]:
    """The rows of the list (name, key, maintenance), sorted, each code once, and every fault with its row (1: header).

    An NDC may be written with 11 digits or with hyphens; with 10 digits only when ``known`` holds exactly one of its readings.
    """
    cells, faults = _cells(path)
    ten = {form for _, row in cells for form in _readings(row["code"])}
    listed = known(ten) if known and ten else set()
    flags: dict[tuple[str, str], tuple[str, int]] = {}
    for number, row in cells:
        name, key, fault = _code(row, listed)
        flag = row["maintenance"].upper()
        fault = fault or ("" if flag in FLAGS else f"maintenance {row['maintenance']!r} is none of Y, N and D")
        first, line = flags.setdefault((name, key), (flag, number)) if not fault else (flag, number)
        if first != flag:
            fault = f"{name} {key} is {flag} here and {first} in row {line}; keep one of them"
        if fault:
            faults.append(Fault(path.name, f"row {number}", fault))
    return [{"name": name, "key": key, "maintenance": flags[name, key][0]} for name, key in sorted(flags)], faults


def _cells(path: Path) -> tuple[list[tuple[int, Row]], list[Fault]]:
    """The three cells of each row that holds anything, with the number of the row in the file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return [], [Fault(path.name, "", "the list is not UTF-8; save it as CSV UTF-8")]
    except OSError as error:
        return [], [Fault(path.name, "", f"the list cannot be read ({error.strerror}); name an existing CSV file")]
    header = text.partition("\n")[0]
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=";" if header.count(";") > header.count(",") else ","
    )
    names = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        fault = f"the header lacks {', '.join(missing)}; it must hold {','.join(COLUMNS)}"
        return [], [Fault(path.name, "row 1", fault)]
    rows = [(reader.line_num, {column: (row[names[column]] or "").strip() for column in COLUMNS}) for row in reader]
    if not any(any(row.values()) for _, row in rows):
        return [], [Fault(path.name, "", "the list holds no row; give at least one code")]
    return [(number, row) for number, row in rows if any(row.values())], []


def _code(row: Mapping[str, str], listed: Collection[str]) -> tuple[str, str, str]:
    """(name, key, fault) of the code of a row; a fault leaves the key empty."""
    name = SYSTEMS.get(row["code_system"].lower(), "")
    if not name:
        return "", "", f"code_system {row['code_system']!r} is neither rxnorm nor ndc"
    if name == "rxnorm":
        good = re.fullmatch(r"[1-9][0-9]{0,7}", row["code"]) is not None
        return name, row["code"] if good else "", "" if good else f"code {row['code']!r} is no RxNorm code (RXCUI)"
    return name, *_ndc(row["code"], listed)


def _ndc(code: str, listed: Collection[str]) -> tuple[str, str]:
    """(NDC with 11 digits, fault)."""
    if key := ndc11(code):
        return key, ""
    readings = _readings(code)
    if not readings:
        return "", f"code {code!r} is no NDC; write its 11 digits, or 10 digits with two hyphens"
    hits = sorted(form for form in readings if form in listed)
    if len(hits) == 1:
        return hits[0], ""
    told = f"may be {' or '.join(hits)}" if hits else "can be read in three ways"
    return "", f"code {code!r} has 10 digits and {told}; write it with 11 digits or with hyphens"


def ndc11(written: str) -> str:
    """The NDC with 11 digits (5-4-2) of 11 digits or of three parts with hyphens; "" when it cannot be read."""
    code = re.sub(r"[\s*]", "", written)
    if re.fullmatch(r"[0-9]{11}", code):
        return code
    if not re.fullmatch(r"[0-9]{4,5}-[0-9]{3,4}-[0-9]{1,2}", code):
        return ""
    labeler, product, package = code.split("-")
    return labeler.zfill(5) + product.zfill(4) + package.zfill(2)


def _readings(written: str) -> tuple[str, ...]:
    """The three NDCs that 10 digits without hyphens may be; none for another text."""
    code = re.sub(r"[\s*]", "", written)
    if not re.fullmatch(r"[0-9]{10}", code):
        return ()
    return (f"0{code}", f"{code[:5]}0{code[5:]}", f"{code[:9]}0{code[9:]}")


def load_maintenance(mappings: Path, path: Path, loaded: date, version: str = "") -> Local:
    """What is loaded after the list was read: in place of an earlier one, or MappingError and nothing changed."""
    local = read_local(mappings)
    ndc = load_mappings(mappings).path("drugs/ndc")
    rows = maintenance_rows(path, lambda asked: known_ndcs(ndc, asked))
    kept = pa.Table.from_pylist(rows, schema=pa.schema([(column, pa.string()) for column in rows[0]]))
    with backend() as connection, scratch_folder(local.folder) as scratch:
        connection.from_arrow(kept).create("maintenance")
        made = LoadedSet(
            title="Maintenance drugs of the plan",
            version=version or "not told",
            loaded=loaded,
            folder="",
            sources={path.name: sha256(path)},
            tables=write_tables(connection, scratch, {"maintenance": "name, key"}),
            counts={flag: sum(row["maintenance"] == flag for row in rows) for flag in FLAGS},
        )
        made = placed(local, scratch, "maintenance", made)
    return write_manifest(local, {"maintenance": made})


def known_ndcs(path: Path, asked: Collection[str]) -> set[str]:
    """Which of the NDCs with 11 digits the list drugs/ndc at ``path`` holds."""
    with backend() as connection:
        table_view(connection, "ndc", path, ("ndc11",))
        found = connection.execute("SELECT DISTINCT ndc11 FROM ndc WHERE ndc11 IN (SELECT unnest(?))", [sorted(asked)])
        return {ndc for (ndc,) in found.fetchall()}
