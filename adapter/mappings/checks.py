"""Every fault of a folder of mappings: its lists row by row, its programs, the federal limits, its layouts and rules.

For people who edit the lists, before they are used. Loading (``adapter.mappings.folder``) does not read the rows.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapter.documents.texts import load_texts
from adapter.errors import Fault, MappingError
from adapter.mappings.folder import BOM, MappingFile, read_mappings
from adapter.mappings.lists import open_list
from adapter.mappings.origins import LISTS, SOURCES
from adapter.mappings.problem_checks import Known, problem_faults
from adapter.measures.settings import settings_faults
from adapter.plan_lists.marx_layout import FILE, marx_layout_faults
from adapter.reporting.checks import EDITS
from adapter.reporting.edits import load_edits
from adapter.reporting.layout import load_layout
from adapter.reporting.national import load_national
from adapter.reporting.rates import RATES
from adapter.targeting.limits import Limits, YearLimits, load_limits
from adapter.targeting.program import ChronicDiseases, load_program

Columns = Mapping[str, Sequence[str]]  # the cells of a list by column, all of one length
Diseases = Mapping[str, Mapping[str, bool]]  # disease -> subgroup -> whether any of its codes is on by default
LIMITS = "limits/cms.toml"


@dataclass(frozen=True)
class Rows:
    """The rows of a list that have as many cells as its header: their numbers in the file, their cells by column."""

    file: MappingFile
    numbers: tuple[int, ...]
    columns: Columns

    def faults(self, column: str, wrong: Callable[[str], bool], fault: str) -> list[Fault]:
        """One fault for each cell of ``column`` that is ``wrong``; each value is judged once."""
        cells = self.columns.get(column, ())
        bad = {cell for cell in set(cells) if wrong(cell)}
        found = [(number, cell) for number, cell in zip(self.numbers, cells, strict=True) if cell in bad] if bad else []
        return [Fault(self.file.name, f"row {number}", f"{column} {cell!r} {fault}") for number, cell in found]


def check_mappings(folder: Path) -> list[Fault]:
    """Every fault of ``folder``, each once: sources, headers, rows, references, limits, programs (once these are sound), layouts, rules."""
    mappings, faults = read_mappings(folder)
    lists: dict[str, Rows] = {}
    for key, file in mappings.files.items():
        lists[key], found = read_rows(file)
        faults += found + row_faults(lists[key])
    faults += [fault for rows in lists.values() for fault in reference_faults(rows, lists)]
    diseases = known_diseases(lists)
    wrong_limits = limits_faults(folder, diseases)
    faults += wrong_limits or program_faults(folder / "programs", diseases)
    faults += layout_faults(folder / "layouts")
    faults += marx_layout_faults(folder)
    faults += reporting_faults(folder / "reporting")
    faults += text_faults(folder / "documents")
    faults += problem_faults(folder, _known(lists, diseases))
    faults += settings_faults(folder, diseases)
    return list(dict.fromkeys(faults))


def _known(lists: Mapping[str, Rows], diseases: Diseases) -> Known:
    """What the lists know of drugs and diseases."""

    def cells(key: str, column: str) -> Sequence[str]:
        return lists[key].columns.get(column, ()) if key in lists else ()

    names = dict(zip(cells("drugs/ingredients", "rxcui"), cells("drugs/ingredients", "name"), strict=True))
    return Known(set(cells("drugs/classes", "drug_class")), names, diseases)


def checked_files(folder: Path) -> list[str]:
    """The files that ``check_mappings`` proves, relative to ``folder``: sources, lists, programs, limits, layouts and rules."""
    mappings, _ = read_mappings(folder)
    sources = [f"{group}/{SOURCES}" for group in LISTS if (folder / group / SOURCES).is_file()]
    others = [
        _name(path)
        for group in ("programs", "limits", "layouts", "reporting", "problems", "measures", "documents")
        for path in _tomls(folder / group)
    ]
    marx = [FILE] if (folder / FILE).is_file() else []
    return sorted([*sources, *(file.name for file in mappings.files.values()), *others, *marx])


def read_rows(file: MappingFile) -> tuple[Rows, list[Fault]]:
    """The rows of a list (row 1 is the header), and the faults of its encoding, line ends, quotes and row lengths."""
    try:
        with open_list(file.path) as stream:
            data = stream.read()
        faults = _line_end_faults(file, data)
        table = list(csv.reader(io.StringIO(data.decode("utf-8").removeprefix(BOM), newline=""), strict=True))
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        return _no_rows(file), [Fault(file.name, f"row {row}", "the row is not UTF-8; save the file as UTF-8")]
    except csv.Error as error:
        fault = f"the quotes do not pair ({error}); write a quote within a cell twice"
        return _no_rows(file), [*faults, Fault(file.name, "", fault)]
    except (OSError, EOFError, zlib.error) as error:
        return _no_rows(file), [Fault(file.name, "", f"the file cannot be unpacked ({error}); pack it again with gzip")]
    return _rows(file, table, faults)


def _rows(file: MappingFile, table: list[list[str]], faults: list[Fault]) -> tuple[Rows, list[Fault]]:
    header = table[0] if table else []
    remedy = f"the header has {len(header)}; quote a cell that holds a comma"
    uneven = {number: len(row) for number, row in enumerate(table, start=1) if len(row) != len(header)}
    faults = faults + [Fault(file.name, f"row {row}", f"the row has {n} cells, {remedy}") for row, n in uneven.items()]
    numbers = tuple(number for number in range(2, len(table) + 1) if number not in uneven)
    even = [table[number - 1] for number in numbers]
    return Rows(file, numbers, {name: [row[at] for row in even] for at, name in enumerate(header)}), faults


def _no_rows(file: MappingFile) -> Rows:
    return Rows(file, (), {})


def _line_end_faults(file: MappingFile, data: bytes) -> list[Fault]:
    """One fault at the first carriage return, and one when the last line does not end."""
    faults = []
    if b"\r" in data:
        row = data[: data.index(b"\r")].count(b"\n") + 1
        faults.append(Fault(file.name, f"row {row}", "the row holds a carriage return (CRLF); save the file with LF"))
    if not data.endswith(b"\n"):
        faults.append(Fault(file.name, "", "the last line does not end; end it with LF"))
    return faults


def row_faults(rows: Rows) -> list[Fault]:
    """The cells with blanks around them or against their pattern, and the keys that stand twice."""
    faults: list[Fault] = []
    for column in rows.columns:
        faults += rows.faults(column, _is_padded, "has blanks around it; remove them")
    for column, pattern in rows.file.patterns.items():
        faults += rows.faults(column, _against(pattern), f"does not match {pattern}; correct it")
    return faults + _key_faults(rows)


def _is_padded(cell: str) -> bool:
    return cell != cell.strip()


def _against(pattern: str) -> Callable[[str], bool]:
    """Whether a whole cell does not match ``pattern``."""
    fullmatch = re.compile(pattern).fullmatch
    return lambda cell: fullmatch(cell) is None


def _key_faults(rows: Rows) -> list[Fault]:
    columns = [rows.columns[name] for name in rows.file.key_columns if name in rows.columns]
    keys = list(zip(*columns, strict=True))
    if len(columns) < len(rows.file.key_columns) or len(set(keys)) == len(keys):
        return []
    faults = []
    first: dict[tuple[str, ...], int] = {}
    for number, key in zip(rows.numbers, keys, strict=True):
        if first.setdefault(key, number) != number:
            name = f"{' + '.join(rows.file.key_columns)} {' + '.join(key)!r}"
            fault = f"{name} stands in row {first[key]} already; remove one"
            faults.append(Fault(rows.file.name, f"row {number}", fault))
    return faults


def reference_faults(rows: Rows, lists: Mapping[str, Rows]) -> list[Fault]:
    """The cells with an id that the list they refer to does not hold. A list that was not read is not blamed again."""
    faults: list[Fault] = []
    for column, target in rows.file.references.items():
        key, _, target_column = target.partition(":")
        if key in lists and target_column in lists[key].columns:
            unknown = f"names what is not in {lists[key].file.name}, column {target_column}; correct it or add it there"
            faults += rows.faults(column, _outside(lists[key].columns[target_column]), unknown)
    return faults


def _outside(known: Iterable[str]) -> Callable[[str], bool]:
    """Whether a cell, its ids joined by ";", holds an id that is not ``known``; an empty cell holds none."""
    ids = {"", *known}
    return lambda cell: not ids.issuperset(cell.split(";"))


def known_diseases(lists: Mapping[str, Rows]) -> Diseases:
    """The diseases of the condition lists and which subgroups are on; empty when the ICD-10-CM list was not read."""
    diseases: dict[str, dict[str, bool]] = {}
    read = [lists[key] for key in ("conditions/icd10cm", "conditions/snomedct") if key in lists]
    for rows in read if "conditions/icd10cm" in lists else ():
        cells = [rows.columns.get(name, ()) for name in ("disease", "subgroup", "default")]
        for disease, subgroup, default in zip(*cells, strict=False):
            subgroups = diseases.setdefault(disease, {})
            subgroups[subgroup] = subgroups.get(subgroup, False) or default == "Y"
    return diseases


def program_faults(folder: Path, diseases: Diseases) -> list[Fault]:
    """The faults of every program in ``folder``, with the diseases that it names and no condition list knows."""
    faults: list[Fault] = [] if _tomls(folder) else [Fault(folder.name, "", "there is no program; add a .toml file")]
    for path in _tomls(folder):
        try:
            rule = load_program(path.stem, folder).chronic_diseases
        except MappingError as error:
            faults += [_placed(fault, path) for fault in error.faults]
        else:
            named = disease_faults(rule, diseases) if diseases else []
            faults += [Fault(_name(path), f"chronic_diseases.{place}", fault) for place, fault in named]
    return faults


def disease_faults(rule: ChronicDiseases, diseases: Diseases) -> list[tuple[str, str]]:
    """The names of diseases and subgroups that prove nothing, as (key, fault): unknown ones, and those switched off."""
    faults = []
    for entry in rule.entries:
        found = [(name, _entry_fault(name, diseases, rule.with_subgroups)) for name in entry.diseases]
        faults += [(f"entries.{entry.name}", f"{name!r} {fault}") for name, fault in found if fault]
    for name in rule.with_subgroups:
        fault = _unknown(name, diseases) if "/" in name else "is no subgroup; write it like chf/cardiomyopathy"
        faults += [("with_subgroups", f"{name!r} {fault}")] if fault else []
    return faults


def _entry_fault(name: str, diseases: Diseases, switched_on: Sequence[str]) -> str:
    disease, slash, subgroup = name.partition("/")
    fault = _unknown(name, diseases)
    if fault or not slash or diseases[disease][subgroup] or name in switched_on:
        return fault
    return "is off in the lists (default = N) and would never count; name it in with_subgroups too"


def _unknown(name: str, diseases: Diseases) -> str:
    disease, slash, subgroup = name.partition("/")
    if disease not in diseases:
        return f"is no disease in mappings/conditions; known are: {', '.join(sorted(diseases))}"
    if slash and subgroup not in diseases[disease]:
        return f"is no subgroup of {disease}; known are: {', '.join(sorted(diseases[disease]))}"
    return ""


def limits_faults(folder: Path, diseases: Diseases) -> list[Fault]:
    """The faults of the federal limits of ``folder``; without any the shipped ones hold, which are not its fault."""
    if not (folder / LIMITS).is_file():
        return []
    try:
        limits = load_limits(folder / "programs")
    except MappingError as error:
        return list(error.faults)
    found = [fault for year in limits.limits for fault in _year_faults(year)]
    found += _gap_faults(limits) + (_core_faults(limits, diseases) if diseases else [])
    return [Fault(LIMITS, place, fault) for place, fault in found]


def _year_faults(year: YearLimits) -> list[tuple[str, str]]:
    """What is no period, no range, or more than there is."""
    core, place = len(set(year.core_diseases)), f"limits.{year.from_year}"
    wrong = {
        "to_year": year.to_year < year.from_year,
        "minimum_diseases": not 1 <= year.minimum_diseases[0] <= year.minimum_diseases[1],
        "minimum_drugs": not 1 <= year.minimum_drugs[0] <= year.minimum_drugs[1],
        "core_diseases": core < len(year.core_diseases),
        "required_core_diseases": not 0 <= year.required_core_diseases <= core,
    }
    return [(f"{place}.{key}", _WRONG[key]) for key, is_wrong in wrong.items() if is_wrong]


_WRONG = {
    "to_year": "the period ends before it begins; correct one of the years",
    "minimum_diseases": "this is no range; write the lowest and then the highest, from 1 on",
    "minimum_drugs": "this is no range; write the lowest and then the highest, from 1 on",
    "core_diseases": "a core disease stands twice; remove one",
    "required_core_diseases": "there are not as many core diseases; correct the number",
}


def _gap_faults(limits: Limits) -> list[tuple[str, str]]:
    """The periods that do not begin in the year after the one before."""
    years = sorted(limits.limits, key=lambda year: year.from_year)
    fault = "the period before ends with {}; begin with the year after it"
    return [
        (f"limits.{after.from_year}.from_year", fault.format(before.to_year))
        for before, after in itertools.pairwise(years)
        if after.from_year != before.to_year + 1
    ]


def _core_faults(limits: Limits, diseases: Diseases) -> list[tuple[str, str]]:
    """The core diseases and subgroups that no condition list knows."""
    core = {f"limits.{year.from_year}.core_diseases": year.core_diseases for year in limits.limits}
    parts = {
        f"subgroups.{name}": [f"{name}/{one}" for one in subgroups] for name, subgroups in limits.subgroups.items()
    }
    named = [(place, name) for place, names in (core | parts).items() for name in names]
    return [(place, f"{name!r} {fault}") for place, name in named if (fault := _unknown(name, diseases))]


def reporting_faults(folder: Path) -> list[Fault]:
    """The faults of the edits and of the national figures in ``folder``, as their own loaders find them; none without it."""
    faults: list[Fault] = []
    loaders: list[Callable[[], object]] = [
        lambda: load_edits("edits", folder, EDITS),
        lambda: load_national(folder / "national.toml", frozenset(RATES)),
    ]
    for load in loaders if folder.is_dir() else []:
        try:
            load()
        except MappingError as error:
            faults += error.faults
    return faults


def layout_faults(folder: Path) -> list[Fault]:
    """The faults of every record layout in ``folder``, as its own loader finds them."""
    faults: list[Fault] = []
    for path in _tomls(folder):
        try:
            load_layout(path.stem, folder)
        except MappingError as error:
            faults += [_placed(fault, path) for fault in error.faults]
    return faults


def text_faults(folder: Path) -> list[Fault]:
    """The faults of the texts of the papers in ``folder``, as their own loader finds them."""
    faults: list[Fault] = []
    for path in _tomls(folder):
        try:
            load_texts(path.stem, folder)
        except MappingError as error:
            faults += [fault if "/" in fault.file else _placed(fault, path) for fault in error.faults]
    return faults


def _placed(fault: Fault, path: Path) -> Fault:
    """``fault`` with its file relative to the mappings; one that names only the folder is of the base of ``path``."""
    if fault.file == path.parent.name:
        return Fault(_name(path), "extends", fault.fault)
    return Fault(f"{path.parent.name}/{Path(fault.file).name}", fault.place, fault.fault)


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _tomls(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml"))
