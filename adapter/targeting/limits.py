"""The federal limits of a program's targeting criteria, read from ``mappings/limits/cms.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from adapter.errors import Fault, MappingError

if TYPE_CHECKING:
    from adapter.targeting.program import Program


class YearLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a plan may ask for in the years ``from_year`` to ``to_year``; ranges are lowest and highest."""

    from_year: int
    to_year: int
    minimum_diseases: tuple[int, int]
    minimum_drugs: tuple[int, int]
    core_diseases: list[str]
    required_core_diseases: int
    citation: str
    standing: Literal["V", "P+", "P", "U"]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limits of all years, and the subgroups that make up a core disease."""

    title: str
    version: str
    limits: list[YearLimits]
    subgroups: dict[str, list[str]]

    def of(self, year: int) -> YearLimits | None:
        """The limits of a plan year, None before CMS had any."""
        return next((one for one in self.limits if one.from_year <= year <= one.to_year), None)


def load_limits(programs: Path) -> Limits:
    """The limits beside the folder of programs, else those that are shipped. Raises MappingError."""
    package = Path(__file__).resolve().parents[1]
    places = (programs.parent, package / "_mappings", package.parent / "mappings")
    path = next((place / "limits" / "cms.toml" for place in places if (place / "limits" / "cms.toml").is_file()), None)
    if path is None:
        raise MappingError([Fault("limits/cms.toml", "", "the federal limits are missing; put the file back")])
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Limits)
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError([Fault("limits/cms.toml", "", str(error))]) from None


def limit_faults(program: Program, limits: Limits) -> list[tuple[str, str]]:
    """Where ``program`` breaks a federal limit: key and sentence with the citation."""
    year = limits.of(program.plan_year)
    if year is None:
        return [("plan_year", f"no federal limits are known for {program.plan_year}; correct the year")]
    diseases, drugs = program.chronic_diseases.minimum, program.part_d_drugs.minimum
    faults = []
    if not year.minimum_diseases[0] <= diseases <= year.minimum_diseases[1]:
        faults.append(("chronic_diseases.minimum", _range("chronic diseases", diseases, year.minimum_diseases, year)))
    if not year.minimum_drugs[0] <= drugs <= year.minimum_drugs[1]:
        faults.append(("part_d_drugs.minimum", _range("covered Part D drugs", drugs, year.minimum_drugs, year)))
    missing = [core for core in year.core_diseases if not _covers(program, core, limits, year)]
    if len(year.core_diseases) - len(missing) < year.required_core_diseases:
        sentence = f"the core diseases {', '.join(missing)} are missing or not complete ({year.citation})"
        faults.append(("chronic_diseases.entries", sentence))
    return faults


def _range(what: str, asked: int, allowed: tuple[int, int], year: YearLimits) -> str:
    return f"a plan may require {allowed[0]} to {allowed[1]} {what}, not {asked} ({year.citation})"


def _covers(program: Program, core: str, limits: Limits, year: YearLimits) -> bool:
    """Whether the entries name the core disease, or its subgroups: all of them where every core disease is required, else one."""
    named = {disease for entry in program.chronic_diseases.entries for disease in entry.diseases}
    parts = {f"{core}/{subgroup}" for subgroup in limits.subgroups.get(core, ())}
    every = bool(parts) and parts <= named
    some = year.required_core_diseases < len(year.core_diseases) and bool(parts & named)
    return core in named or every or some
