"""The code lists of mappings/ as the generator sees them: read with the csv module, sorted into pools to draw from.

Only unambiguous entries are used: an ingredient whose rows agree, a product whose link to its ingredients is complete.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"
MEASURES = ("PDC-DR", "PDC-STA", "PDC-RASA")
WEIGHT_BRANDS = ("Wegovy", "Saxenda", "Zepbound")
ENTRIES = {
    ("bone_arthritis", ""): "bone_disease",
    ("chf", ""): "chronic_heart_failure",
    ("diabetes", ""): "diabetes",
    ("dyslipidemia", ""): "dyslipidemia",
    ("hypertension", ""): "hypertension",
    ("respiratory", "asthma"): "asthma",
    ("respiratory", "copd"): "copd",
}
ENTRY_NAMES = tuple(sorted(ENTRIES.values()))
IRRELEVANT = (
    ("icd", "Z00.00", "Encounter for general adult medical examination without abnormal findings"),
    ("icd", "R73.03", "Prediabetes"),
    ("icd", "K21.9", "Gastro-esophageal reflux disease without esophagitis"),
    ("icd", "N40.0", "Benign prostatic hyperplasia without lower urinary tract symptoms"),
    ("icd", "I25.10", "Atherosclerotic heart disease of native coronary artery without angina pectoris"),
    ("icd", "R03.0", "Elevated blood-pressure reading, without diagnosis of hypertension"),
    ("sct", "15777000", "Prediabetes"),
    ("sct", "22298006", "Myocardial infarction"),
)
MAX_NDCS = 12


class Code(NamedTuple):
    """A condition code: kind is icd or sct."""

    kind: str
    code: str
    display: str
    entries: frozenset[str]
    subgroup: str = ""
    billable: bool = True


class Product(NamedTuple):
    """A RxNorm product."""

    rxcui: str
    tty: str
    name: str


@dataclass
class Drug:
    """One set of ingredients, which counts as one drug."""

    key: str
    name: str
    measures: frozenset[str]
    products: list[Product] = field(default_factory=list)
    ndcs: list[str] = field(default_factory=list)
    levels: list[Product] = field(default_factory=list)  # ingredient, precise ingredient, combination, brand name

    @property
    def ingredients(self) -> list[str]:
        """The RxCUIs of the ingredients."""
        return self.key.split(";")

    @property
    def adherent(self) -> bool:
        """Whether the drug is one of a Star adherence measure: an ingredient of a measure and none that excludes."""
        return bool(self.measures & set(MEASURES)) and not any(m.endswith("EXCL") for m in self.measures)


@dataclass
class Pools:
    """What the draw takes from; every list is sorted, so equal lists give equal populations."""

    conditions: dict[str, list[Code]]  # entry -> codes that prove this entry alone
    doubles: list[Code]  # codes that prove two entries
    no_entry: list[Code]  # listed or not, codes that prove none of the seven entries
    neutral: list[Drug]  # maintenance drugs with one ingredient, outside the adherence measures
    combos: list[Drug]  # maintenance combinations outside the measures
    statins: list[Drug]
    ras: list[Drug]
    diabetes: list[Drug]
    measure_combos: list[Drug]  # combinations with an ingredient of a measure and no exclusion
    insulins: list[Drug]
    excluded_combos: list[Drug]  # ingredient of a measure beside one that excludes
    weight: list[Drug]  # the brands for weight loss, with their own codes only
    depends: list[Drug]
    acute: list[Drug]
    otc: list[Drug]
    both_maintenance: list[Drug]
    both_other: list[Drug]
    classless: list[Drug]  # ingredients without a class
    ndcs: dict[str, str]  # NDC-11 -> ingredient set
    rxcuis: frozenset[str]  # every RxNorm code of the lists

    def by_key(self) -> dict[str, Drug]:
        """The single-ingredient maintenance drugs by ingredient."""
        singles = self.neutral + self.statins + self.ras + self.diabetes + self.insulins
        return {drug.key: drug for drug in singles}


def load(folder: Path = MAPPINGS) -> Pools:
    """The pools from the lists of ``folder``."""
    conditions, doubles, no_entry = _conditions(folder)
    classes = _classes(folder)
    drugs, weight = _drugs(folder, classes)
    ndcs = _ndcs(folder, drugs, weight)
    rxcuis = frozenset(p.rxcui for d in [*drugs.values(), *weight] for p in d.products + d.levels) | _all_rxcuis(folder)
    usable = [d for _, d in sorted(drugs.items()) if d.ndcs and d.products]
    singles = [d for d in usable if ";" not in d.key]
    several = [d for d in usable if ";" in d.key]
    kept = {d.key for d in _all_of(singles, classes, maintenance="Y", otc="rx", supplement="")}
    maintenance = [d for d in singles if d.key in kept]
    combinations = [d for d in several if all(_is(classes, i, "Y", "rx") for i in d.ingredients)]
    return Pools(
        conditions=conditions,
        doubles=doubles,
        no_entry=no_entry,
        neutral=[d for d in maintenance if not d.measures],
        combos=[d for d in combinations if not d.measures],
        statins=[d for d in maintenance if d.measures == {"PDC-STA"}],
        ras=[d for d in maintenance if d.measures == {"PDC-RASA"}],
        diabetes=[d for d in maintenance if d.measures == {"PDC-DR"}],
        measure_combos=[d for d in combinations if d.adherent],
        insulins=[d for d in maintenance if d.measures == {"PDC-DR-EXCL"}],
        excluded_combos=[d for d in combinations if d.measures & set(MEASURES) and not d.adherent],
        weight=[d for d in weight if d.products],
        depends=_all_of(singles, classes, maintenance="D", otc="rx"),
        acute=_all_of(singles, classes, maintenance="N", otc="rx"),
        otc=_all_of(singles, classes, otc="otc"),
        both_maintenance=_all_of(singles, classes, maintenance="Y", otc="both"),
        both_other=[d for d in _all_of(singles, classes, otc="both") if not _any(classes, d.key, "maintenance", "Y")],
        classless=[d for d in singles if d.key not in classes],
        ndcs=ndcs,
        rxcuis=rxcuis,
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    packed = path.with_suffix(path.suffix + ".gz")
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    else:
        with gzip.open(packed, "rt", encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


# Conditions


def _conditions(folder: Path) -> tuple[dict[str, list[Code]], list[Code], list[Code]]:
    listed: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for kind, name in (("icd", "icd10cm"), ("sct", "snomedct")):
        for row in _rows(folder / "conditions" / f"{name}.csv"):
            listed[kind, row["code"]].append(row)
    single: dict[str, list[Code]] = defaultdict(list)
    doubles: list[Code] = []
    none = [Code(kind, code, text, frozenset()) for kind, code, text in IRRELEVANT]
    for (kind, code), rows in sorted(listed.items()):
        made = Code(kind, code, rows[0]["display"], _entries(rows), rows[0]["subgroup"], rows[0].get("billable") != "N")
        if len(made.entries) == 1:
            single[next(iter(made.entries))].append(made)
        else:
            (doubles if made.entries else none).append(made)
    if unwanted := {(kind, code) for kind, code, _ in IRRELEVANT} & set(listed):
        raise SystemExit(f"codes that were meant to be irrelevant are listed now: {sorted(unwanted)}")
    return dict(single), doubles, none


def _entries(rows: list[dict[str, str]]) -> frozenset[str]:
    found = set()
    for row in rows:
        if row["default"] == "Y":
            entry = ENTRIES.get((row["disease"], "")) or ENTRIES.get((row["disease"], row["subgroup"]))
            found |= {entry} if entry else set()
    return frozenset(found)


# Drugs


def _classes(folder: Path) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _rows(folder / "drugs" / "classes.csv"):
        found[row["ingredient_rxcui"]].append(row)
    return dict(found)


def _is(classes: dict[str, list[dict[str, str]]], key: str, maintenance: str, otc: str) -> bool:
    rows = classes.get(key, [])
    return bool(rows) and all(r["maintenance"] == maintenance and r["otc"] == otc for r in rows)


def _any(classes: dict[str, list[dict[str, str]]], key: str, column: str, value: str) -> bool:
    return any(row[column] == value for row in classes.get(key, []))


def _all_of(drugs: list[Drug], classes: dict[str, list[dict[str, str]]], **wanted: str) -> list[Drug]:
    """The drugs all of whose class rows say what is wanted."""
    return [
        drug
        for drug in drugs
        if drug.key in classes
        and all(row[column] == value for row in classes[drug.key] for column, value in wanted.items())
    ]


def _drugs(folder: Path, classes: dict[str, list[dict[str, str]]]) -> tuple[dict[str, Drug], list[Drug]]:
    """The drugs by set of ingredients, and the brands for weight loss."""
    drugs: dict[str, Drug] = {}
    weight: dict[str, Drug] = {}
    names = {row["rxcui"]: row for row in _rows(folder / "drugs" / "ingredients.csv")}
    for row in _rows(folder / "drugs" / "products.csv"):
        if row["link_basis"] == "partial":
            continue
        key = row["ingredient_rxcuis"]
        brand = next((b for b in WEIGHT_BRANDS if f"[{b}]" in row["name"]), "")
        group, place = (weight, brand) if brand else (drugs, key)
        if place not in group:
            # A brand for weight loss is no adherence drug, whatever its ingredient.
            group[place] = Drug(key, _name(key, names), frozenset() if brand else _measures(key, classes))
        group[place].products.append(Product(row["rxcui"], row["tty"], row["name"]))
    _add_levels(folder, drugs, names)
    return drugs, [drug for _, drug in sorted(weight.items())]


def _name(key: str, names: dict[str, dict[str, str]]) -> str:
    return " / ".join(names[i]["name"] for i in key.split(";"))


def _measures(key: str, classes: dict[str, list[dict[str, str]]]) -> frozenset[str]:
    rows = [row for i in key.split(";") for row in classes.get(i, [])]
    return frozenset(row["adherence_measure"] for row in rows if row["adherence_measure"])


def _add_levels(folder: Path, drugs: dict[str, Drug], names: dict[str, dict[str, str]]) -> None:
    for row in names.values():
        if drug := drugs.get(row["ingredient_rxcuis"]):
            drug.levels.append(Product(row["rxcui"], row["tty"], row["name"]))
    for row in _rows(folder / "drugs" / "brands.csv"):
        drug = drugs.get(row["ingredient_rxcuis"])
        if drug and row["n_ingredient_sets"] == "1" and row["bn_rxcui"] and row["brand"] not in WEIGHT_BRANDS:
            drug.levels.append(Product(row["bn_rxcui"].split(";")[0], "BN", row["brand"]))


def _ndcs(folder: Path, drugs: dict[str, Drug], weight: list[Drug]) -> dict[str, str]:
    found = {}
    brands = {p.rxcui: drug for drug in weight for p in drug.products}
    for row in _rows(folder / "drugs" / "ndc.csv"):
        ndc, key = row["ndc11"], row["ingredient_rxcuis"]
        found[ndc] = key
        drug = brands.get(row["rxcui"]) or drugs.get(key)
        suspect = any(b.lower() in row["label_name"].lower() for b in WEIGHT_BRANDS)
        if drug and len(drug.ndcs) < MAX_NDCS and not suspect:
            drug.ndcs.append(ndc)
    return found


def _all_rxcuis(folder: Path) -> frozenset[str]:
    lists = [_rows(folder / "drugs" / f"{name}.csv") for name in ("products", "ingredients")]
    brands = {part for row in _rows(folder / "drugs" / "brands.csv") for part in row["bn_rxcui"].split(";")}
    return frozenset(row["rxcui"] for rows in lists for row in rows) | brands
