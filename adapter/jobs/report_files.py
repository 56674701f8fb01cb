"""The jobs on a CMS file that is there already: read it back, check it, compare it with another, explain a row of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from adapter.errors import MappingError, ReportError
from adapter.mappings.folder import load_mappings
from adapter.outputs.files import csv_bytes, output_folder, write_all, write_whole
from adapter.reporting.checks import EDITS, check
from adapter.reporting.deviations import Deviation, read_in_form
from adapter.reporting.difference import COLUMNS as DIFFERENCES
from adapter.reporting.difference import Change, changes
from adapter.reporting.edits import load_edits
from adapter.reporting.finding import COLUMNS, Finding
from adapter.reporting.form import Layout
from adapter.reporting.frame import file_contract
from adapter.reporting.layout import load_layout
from adapter.reporting.national import load_national
from adapter.reporting.rates import RATES
from adapter.reporting.reading import read_texts
from adapter.reporting.sheet import IDENTIFYING, Sheet, in_order

LINEAGE = "lineage.parquet"


@dataclass(frozen=True)
class OpenFile:
    """A file that was read, and its layout."""

    path: Path
    sheet: Sheet
    deviations: tuple[Deviation, ...] = ()  # of the form that the layout asks for, told when the file is checked

    @property
    def layout(self) -> Layout:
        """The layout by which it was read."""
        return self.sheet.layout


def open_file(
    path: Path,
    layout: str = "",
    edits: str = "edits",
    layouts: Path | None = None,
    year: int = 0,
    strictly: bool = True,
) -> OpenFile:
    """The file at ``path``, read by ``layout`` (name or file), or by the layout that fits it; of ``year`` when that is told.

    Raises ReportError when it cannot be read, when no layout fits, or when several fit and neither its dates nor its name tell
    the year. Not ``strictly`` a file that deviates from the form is read all the same, with its deviations.
    """
    folder = load_mappings().folder
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ReportError(f"{path} cannot be read ({error.strerror}); give a file of a contract") from None
    layouts = layouts or folder / "layouts"
    rules = load_edits(edits, folder / "reporting", EDITS)
    try:
        chosen = load_layout(layout, layouts) if layout else _fitting(data, path.name, layouts, year, read_texts)
        return OpenFile(path, Sheet(read_texts(data, chosen), chosen, chosen.reporting_year, rules))
    except ReportError as error:
        if strictly:
            raise
        refused = error
    try:
        chosen = load_layout(layout, layouts) if layout else _fitting(data, path.name, layouts, year, read_in_form)
        texts, deviations = read_in_form(data, chosen)
    except ReportError:
        raise refused from None
    return OpenFile(path, Sheet(texts, chosen, chosen.reporting_year, rules), deviations)


def _fitting(data: bytes, name: str, layouts: Path, year: int, read: Callable[[bytes, Layout], Any]) -> Layout:
    """The layout by which ``read`` takes the file; of several the one of the year that most dates of enrollment are in."""
    fitting: list[Layout] = []
    refused: list[str] = []
    for path in sorted(layouts.glob("*.toml")):
        try:
            layout = load_layout(path.stem, layouts)
            read(data, layout)
        except MappingError:
            continue  # check-mappings tells it
        except ReportError as error:
            refused.append(str(error))
        else:
            fitting.append(layout)
    if not fitting:
        told = refused[0] if refused else "there are no layouts"
        raise ReportError(f"{name} fits none of the layouts: {told}")
    wanted = year or _year(data, fitting[0]) or _named_year(name, fitting)
    of_year = [layout for layout in fitting if layout.reporting_year == wanted]
    if len(of_year) == 1:
        return of_year[0]
    if len(fitting) == 1 and not year:
        return fitting[0]
    if not data:
        raise ReportError(
            f"{name} is empty and nothing tells its year; give its layout with --layout, or get the file anew"
        )
    names = ", ".join(layout.name for layout in fitting)
    raise ReportError(f"{name} can be read by several layouts ({names}); give one with --layout")


def _named_year(name: str, fitting: list[Layout]) -> int:
    """The year in the name of a file that is called as its layout says; 0 when it is called otherwise."""
    told = [layout.reporting_year for layout in fitting if file_contract(layout, name)]
    return told[0] if len(told) == 1 else 0


def _year(data: bytes, layout: Layout) -> int:
    """The year that most enrollments are in; 0 when none tells one."""
    texts, _ = read_in_form(data, layout)
    if "enrolled_on" not in texts.column_names or not texts.num_rows:
        return 0
    years = pc.value_counts(pc.utf8_slice_codeunits(texts["enrolled_on"].drop_null(), 0, 4)).to_pylist()
    best = max(years, key=lambda one: (one["counts"], one["values"]), default=None)
    return int(best["values"]) if best and best["values"].isdigit() else 0


def read_file(path: Path, layout: str, out: Path | None) -> tuple[OpenFile, bytes]:
    """The file as a table: CSV (a column for each field, as the file writes it), also written to ``out`` (.csv or .parquet)."""
    opened = open_file(path, layout)
    texts = opened.sheet.texts
    table = csv_bytes(texts.column_names, texts.to_pylist()) if out is None or out.suffix != ".parquet" else b""
    if out is not None:
        write_whole(out, table or (lambda place: pq.write_table(texts, place, compression="zstd")))
    return opened, table


def check_file(
    path: Path, layout: str, edits: str, out: Path | None, enrolled: int | None = None, last_year: Path | None = None
) -> tuple[OpenFile, tuple[Finding, ...]]:
    """All findings of the edits in a file that somebody else may have made; findings.csv in ``out``."""
    opened = open_file(path, layout, edits, strictly=False)
    last = open_file(last_year, "", edits, year=opened.sheet.year - 1) if last_year else None
    national = load_national(load_mappings().folder / "reporting" / "national.toml", frozenset(RATES))
    contract = file_contract(opened.layout, path.name)
    found = check(opened.sheet, contract, enrolled, last.sheet if last else None, national)
    findings = in_order([*_deviating(opened), *found], opened.layout)
    if out is not None:
        content = csv_bytes(COLUMNS, [vars(finding) for finding in findings])
        write_all(output_folder(out), {"findings.csv": content})
    return opened, findings


def _deviating(opened: OpenFile) -> Iterator[Finding]:
    """A finding for each deviation of the file from the form of its layout."""
    for one in opened.deviations:
        if opened.sheet.is_on(one.edit):
            yield opened.sheet.finding(one.edit, one.rule, row=one.row)


def diff_files(before: Path, after: Path, layout: str, out: Path | None) -> tuple[Change, ...]:
    """What differs between two files, by beneficiary and element; as CSV in ``out``, which then holds MBIs and values."""
    found = changes(open_file(before, layout).sheet, open_file(after, layout).sheet)
    if out is not None:
        write_whole(out, csv_bytes(DIFFERENCES, [vars(change) for change in found]))
    return found


@dataclass(frozen=True)
class Explained:
    """One cell and where it came from; ``value`` is None for what identifies a person, unless that was asked for."""

    element: str
    title: str
    value: str | None
    resources: tuple[str, ...]
    rule: str
    citation: str
    standing: str


def explain_row(path: Path, row: int, layout: str = "", identify: bool = False) -> tuple[Explained, ...]:
    """Where each cell of a row (from 1) came from, by the lineage beside the file.

    Raises ReportError when there is no lineage, when it is of another file, or no such row.
    """
    told, lineage = _beside(path)
    form = _layout_told(path, layout, told)
    texts = read_texts(path.read_bytes(), form)
    if not 1 <= row <= texts.num_rows:
        raise ReportError(f"{path.name} has {texts.num_rows:,} rows and no row {row}; give one of them")
    cells: Sequence[dict[str, Any]] = pq.read_table(lineage, filters=[("row", "==", row)]).to_pylist()
    return tuple(_explained(cell, form, texts, row, identify) for cell in cells)


def _layout_told(path: Path, layout: str, told: str) -> Layout:
    """The layout that was asked for, else the one that the manifest names."""
    layouts = load_mappings().folder / "layouts"
    if not layout and not (layouts / f"{told}.toml").is_file():
        raise ReportError(
            f"{path.name} was made by the layout {told}, a file of your own; give that file with --layout"
        )
    return load_layout(layout or told, layouts)


def _explained(cell: dict[str, Any], layout: Layout, texts: Any, row: int, identify: bool) -> Explained:
    field = layout.field(cell["field"])
    shown = identify or cell["field"] not in IDENTIFYING
    value = (texts[cell["field"]][row - 1].as_py() or "") if shown else None
    resources = tuple((cell["resources"] or "").split(";"))
    title = field.title if field else cell["field"]
    return Explained(cell["element"], title, value, resources, cell["rule"], cell["citation"], cell["standing"])


def _beside(path: Path) -> tuple[str, Path]:
    """The name of the layout of a file, and its lineage, by the manifest beside it."""
    manifest, lineage = path.parent / "manifest.json", path.parent / LINEAGE
    try:
        told, data = json.loads(manifest.read_bytes()), path.read_bytes()
    except (OSError, ValueError):
        raise ReportError(
            f"{path} is not there with its manifest.json; explain a file where report has written it"
        ) from None
    if not lineage.is_file():
        raise ReportError(f"there is no {LINEAGE} beside {path.name}; make the file anew without --no-lineage")
    if told.get("outputs", {}).get(path.name) != sha256(data).hexdigest():
        raise ReportError(f"{path.name} is not the file that the {LINEAGE} beside it is of; make it anew")
    return told["layout"]["name"], lineage
