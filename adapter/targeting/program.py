"""The program of a plan year: thresholds, windows and lists as data, read strictly from ``mappings/programs/*.toml``.

A program is data. This module knows its form, not its figures: an unknown key, a wrong type or a value outside its choices
stops the run with the name of the key, because a misspelled threshold must never be a default.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

import msgspec

from adapter.errors import Fault, MappingError
from adapter.mappings.extended import read_extended
from adapter.targeting.limits import limit_faults, load_limits
from adapter.targeting.service_rules import Services, service_faults
from adapter.targeting.settings import Criterion as Criterion
from adapter.targeting.settings import Standing, Strict

Window = Literal["plan_year_to_date", "trailing_12_months", "trailing_24_months"]
Method = Literal["year_to_date", "trailing_12_months", "projected", "quarter"]
DrugSource = Literal["claim", "dispense", "request", "statement"]
Unlisted = Literal["unknown", "not_counted"]
Measure = Literal["diabetes", "ras_antagonists", "statins"]

LARGEST_THRESHOLD = 10**10  # dollars, as many as a claim line may cost


class Entry(Strict, frozen=True):
    """One entry of the list of chronic diseases: counts once, however many of its diseases a beneficiary has."""

    name: str
    title: str
    diseases: list[str]


class ChronicDiseases(Criterion, frozen=True):
    """At least ``minimum`` of ``entries``. 42 CFR 423.153(d)(2)(i)(A)."""

    minimum: int
    sources: list[Literal["condition", "claim"]]
    inpatient_claims: int
    outpatient_claims: int
    claims_window: Window
    clinical_status: list[str]
    refused_verification: list[str]
    with_subgroups: list[str]
    entries: list[Entry]


class PartDDrugs(Criterion, frozen=True):
    """At least ``minimum`` covered Part D drugs. 42 CFR 423.153(d)(2)(i)(B)."""

    minimum: int
    count_by: Literal["ingredient_set", "ingredient", "product_family"]
    count: Literal["maintenance", "all"]
    depends: Literal["counted", "not_counted"]
    sources: list[DrugSource]
    window: Window
    unlisted: Unlisted


class DrugCost(Criterion, frozen=True):
    """Yearly gross cost of covered Part D drugs against ``threshold`` in US dollars. 42 CFR 423.153(d)(2)(i)(C)."""

    threshold: str
    comparator: Literal[">", ">="]
    method: Method
    unpriced: Unlisted
    orders_without_claims: Unlisted

    @property
    def dollars(self) -> Decimal:
        """The threshold with two decimals."""
        return Decimal(self.threshold).quantize(Decimal("0.01"))


class AtRisk(Criterion, frozen=True):
    """At-risk beneficiary, 42 CFR 423.100, from the plan's roster or a FHIR Flag."""

    statuses: list[str]
    flag_codes: list[str]
    flag_texts: list[str]


class AdherenceDrug(Criterion, frozen=True):
    """A drug of one of the Star adherence measures."""

    measures: list[Measure]
    refused_brands: list[str]
    unlisted: Unlisted


class Program(Strict, frozen=True):
    """The targeting criteria of one plan year, as its file states them."""

    name: str
    title: str
    version: str
    plan_year: int
    source: str
    standing: Standing
    snp_plans: list[str]
    maintenance_list: str
    chronic_diseases: ChronicDiseases
    part_d_drugs: PartDDrugs
    drug_cost: DrugCost
    at_risk: AtRisk
    adherence_drug: AdherenceDrug
    services: Services

    @property
    def criteria(self) -> dict[str, Criterion]:
        """The tables of the criteria by their names in the file."""
        names = ("chronic_diseases", "part_d_drugs", "drug_cost", "at_risk", "adherence_drug")
        return {name: getattr(self, name) for name in names}

    @property
    def first_day(self) -> date:
        """1 January of the plan year."""
        return date(self.plan_year, 1, 1)

    @property
    def last_day(self) -> date:
        """31 December of the plan year: an enrollment ends with it (42 CFR 423.153(d)(1)(iii))."""
        return date(self.plan_year, 12, 31)


def load_program(name_or_file: str, folder: Path) -> Program:
    """The program called ``name_or_file`` in ``folder``, or in the file of that path; ``extends`` is followed.

    Raises MappingError with every fault that the file has, each with file and key.
    """
    path = program_path(name_or_file, folder)
    merged = read_extended(path, "program", lambda name: program_path(name, folder), _laid_over, _beside)
    merged.setdefault("name", path.stem)
    try:
        program = msgspec.convert(merged, Program)
    except msgspec.ValidationError as error:
        raise MappingError([_fault(path, str(error))]) from None
    found = [*_value_faults(program), *limit_faults(program, load_limits(folder))]
    faults = [Fault(path.name, place, fault) for place, fault in found]
    if faults:
        raise MappingError(faults)
    return program


def program_path(name_or_file: str, folder: Path) -> Path:
    """The file of a program given by name or path. Raises MappingError when there is none."""
    given = Path(name_or_file)
    if given.suffix == ".toml" or len(given.parts) > 1:
        if given.is_file():
            return given
        raise MappingError(
            [Fault(str(given), "", "there is no such program file; give a name or an existing .toml file")]
        )
    path = folder / f"{name_or_file}.toml"
    if path.is_file():
        return path
    known = ", ".join(sorted(p.stem for p in folder.glob("*.toml"))) or "none"
    raise MappingError([Fault("programs", "", f"no program is called {name_or_file!r}; known are: {known}")])


def _laid_over(base: dict[str, Any], own: dict[str, Any], path: Path) -> dict[str, Any]:
    """``base`` with the keys of ``own``, which is a program of its own: its name is its own file's."""
    named = {"name": path.stem, **own}
    return _overlay(base, _owned(base, named, path.name))


def _owned(base: dict[str, Any], own: dict[str, Any], file: str) -> dict[str, Any]:
    """``own``, and in each table that it changes without a standing, the changed settings as its choice.

    No citation of ``base`` vouches for what another file changed.
    """
    result = dict(own)
    if "standing" not in own:
        result |= {"standing": "U", "source": own.get("source", f"{file}, which extends: {base.get('source')}")}
    for name, table in own.items():
        under = base.get(name)
        if name == "services" and isinstance(table, dict) and isinstance(under, dict):
            result[name] = {key: _vouched(under.get(key), deadline, file) for key, deadline in table.items()}
        else:
            result[name] = _vouched(under, table, file) if isinstance(table, dict) else table
    return result


def _vouched(under: Any, table: Any, file: str) -> Any:
    """``table`` with what it changes of ``under`` as its own choice, unless it tells a standing itself."""
    if isinstance(table, dict) and isinstance(under, dict) and "standing" not in table:
        return table | _own_choice(under, table, file)
    return table


def _own_choice(base: dict[str, Any], table: dict[str, Any], file: str) -> dict[str, Any]:
    changed = [key for key in table if key not in ("source", "chosen")]
    source = f"{file} sets {', '.join(changed)}; all else: {base.get('source')}"
    chosen = table.get("chosen", base.get("chosen"))
    if not isinstance(chosen, list):
        return {"source": table.get("source", source)}
    return {"source": table.get("source", source), "chosen": list(dict.fromkeys([*chosen, *changed]))}


def _beside(own: dict[str, Any], path: Path) -> dict[str, Any]:
    """``own`` with the maintenance list that it names, relative to its file, as a path."""
    named = own.get("maintenance_list")
    return own | {"maintenance_list": str(path.parent / named)} if isinstance(named, str) and named else own


def _overlay(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """``base`` with the keys of ``own``: tables are merged key by key, everything else is replaced."""
    result = dict(base)
    for key, value in own.items():
        under = result.get(key)
        result[key] = _overlay(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return result


def _fault(path: Path, message: str) -> Fault:
    what, _, place = message.partition(" - at ")
    if "unknown field" in what:
        what = what.replace("Object contains unknown field", "there is no key called") + "; correct its spelling"
    return Fault(path.name, place.strip("`").removeprefix("$").removeprefix("."), what)


def _value_faults(program: Program) -> list[tuple[str, str]]:
    faults = [("drug_cost.threshold", fault) for fault in _amount_faults(program.drug_cost.threshold)]
    faults += [
        ("snp_plans", f"{plan!r} is no contract-PBP; write it like H1234-003")
        for plan in program.snp_plans
        if not is_plan(plan)
    ]
    read = {"chronic_diseases": program.chronic_diseases.sources, "part_d_drugs": program.part_d_drugs.sources}
    faults += [
        (f"{name}.sources", "no source is named; name at least one") for name, sources in read.items() if not sources
    ]
    names = [entry.name for entry in program.chronic_diseases.entries]
    faults += [
        ("chronic_diseases.entries", f"the entry {name!r} stands twice")
        for name in sorted(set(names))
        if names.count(name) > 1
    ]
    faults += service_faults(program.services)
    tables = program.criteria | {f"services.{name}": table for name, table in program.services.deadlines.items()}
    return faults + [fault for name, table in tables.items() for fault in _chosen_faults(name, table)]


def _amount_faults(text: str) -> list[str]:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return [f'{text!r} is no amount; write dollars such as "4935.00"']
    if not amount.is_finite() or amount < 0:
        return ["the threshold must be zero or more dollars"]
    if amount >= LARGEST_THRESHOLD or amount != round(amount, 2):
        return [f'{text!r} is no amount in dollars and cents; write it like "4935.00"']
    return []


def _chosen_faults(name: str, table: Criterion) -> list[tuple[str, str]]:
    settings = [field for field in table.__struct_fields__ if field not in Criterion.__struct_fields__]
    known = ", ".join(settings)
    return [
        (f"{name}.chosen", f"{one!r} is no setting of this table; known are: {known}")
        for one in table.chosen
        if one not in settings
    ]


def is_plan(text: str) -> bool:
    """Whether ``text`` is a contract-PBP such as H1234-003."""
    contract, dash, pbp = text.partition("-")
    return bool(dash) and is_contract(contract) and len(pbp) == 3 and pbp.isdigit()


def is_contract(text: str) -> bool:
    """Whether ``text`` is a CMS contract number such as H1234 (H, S, R or E and four digits)."""
    return len(text) == 5 and text[0] in "HSRE" and text[1:].isdigit()
