"""The measures of mappings/measures: one TOML file per measure, read strictly, each setting with its standing and source.

What a setting means stands in the function that uses it (``cmr_completion.py``, ``pdc.py``, ``care_status.py``); its figure
stands in the file, so that a plan that holds the specification of the year corrects data and no code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from adapter.errors import Fault, MappingError
from adapter.tables.drug_list import MEASURES
from adapter.targeting.settings import Standing, Strict

FOLDER = "measures"
CMR, CARE = "cmr_completion", "care_status"
STATUSES = ("hospice", "esrd")  # what care_status.toml tells how to recognize
EXCLUDING_DRUGS = ("insulin", "sacubitril")  # by their claims; see ``pdc.EXCLUDING``
REASONS = ("01", "02", "03", "04")


class Fact(Strict, frozen=True):
    """Base of the settings: where the value comes from, with the standing of that source."""

    standing: Standing
    source: str


class Whole(Fact, frozen=True):
    """A whole number: years, days, percent or beneficiaries."""

    value: int


class Choice(Fact, frozen=True):
    """Whether something counts."""

    value: bool


class Names(Fact, frozen=True):
    """A list of names or codes."""

    value: list[str]


class Measure(Strict, frozen=True):
    """What every measure says. ``display_years``: measurement years in which CMS shows it and does not rate it."""

    title: str
    version: str
    first_year: int
    last_year: int
    display_years: list[int]
    note: str  # what the measure as computed here does not do
    youngest: Whole  # years of age on the first day of the year
    least_denominator: Whole  # beneficiaries; below it no rate is told
    exclusions: Names  # "hospice", "esrd", and for PDC the drugs of ``EXCLUDING_DRUGS``


class CmrCompletion(Measure, tag_field="kind", tag="cmr_completion", frozen=True):
    """MTM Program Completion Rate for CMR."""

    reasons: Names  # of met criteria, 01 to 04, as in the CMS file
    least_days: Whole  # of enrollment in the program in the year
    fewer_days_with_cmr: Choice  # whether who was enrolled for fewer days counts when a CMR was received
    opt_out_day: Choice  # whether the day of opt-out is a day of enrollment
    cmr_on_opt_out_day: Choice  # whether a CMR on that day counts
    written_summary: Choice  # whether a CMR counts only with a written summary


class Pdc(Measure, tag_field="kind", tag="pdc", frozen=True):
    """Proportion of days covered in one class of drugs."""

    drugs: Literal["diabetes", "ras_antagonists", "statins"]
    threshold: Whole  # percent of days covered, from which on a beneficiary is adherent
    fewest_fills: Whole  # on different days
    latest_start: Whole  # days from the first fill to the end of the treatment period
    refused_brands: Names  # brands of an ingredient of the class that are for another use


class Marx(Fact, frozen=True):
    """How a MARx reply report tells a status: values of its indicator, reply codes that set and that end it."""

    values: list[str]
    set_by: list[str]
    ended_by: list[str]


class Hospice(Strict, frozen=True):
    """Where FHIR tells that a person is in hospice."""

    claim_types: Names  # "end of the system|code" of ExplanationOfBenefit.type
    bill_types: Names  # beginnings of the type of bill, without leading zeros
    condition_codes: Names  # SNOMED CT codes of Conditions
    flag_codes: Names
    flag_texts: Names
    marx: Marx


class Esrd(Strict, frozen=True):
    """Where FHIR tells that a person has end-stage renal disease."""

    disease: Names  # names in mappings/conditions
    coverage_extensions: Names  # URLs of the Medicare status on a Coverage
    coverage_codes: Names
    marx: Marx


class CareStatus(Strict, tag_field="kind", tag="care_status", frozen=True):
    """How hospice and end-stage renal disease are recognized."""

    title: str
    version: str
    note: str
    hospice: Hospice
    esrd: Esrd


@dataclass(frozen=True)
class Settings:
    """All files of the folder, by the names of the measures in the order in which they are told."""

    measures: Mapping[str, CmrCompletion | Pdc]
    care: CareStatus

    @property
    def cmr(self) -> CmrCompletion:
        """The settings of the CMR completion rate."""
        return next(one for one in self.measures.values() if isinstance(one, CmrCompletion))

    def of_year(self, year: int) -> Settings:
        """The same settings for measurement ``year``. Raises MappingError for each measure whose file is not for it."""
        faults = [
            Fault(
                f"{FOLDER}/{name}.toml",
                "last_year",
                f"the measure is for {one.first_year} to {one.last_year}, not {year}; extend it once its specification is read",
            )
            for name, one in self.measures.items()
            if not one.first_year <= year <= one.last_year
        ]
        if faults:
            raise MappingError(faults)
        return self


def load_settings(mappings: Path) -> Settings:
    """The settings in ``mappings``/measures. Raises MappingError with every fault of all files."""
    read, faults = _read(mappings / FOLDER)
    measures = {name: one for name, one in read.items() if isinstance(one, CmrCompletion | Pdc)}
    care = read.get(CARE)
    names = [CMR, *(f"pdc_{drugs}" for drugs in MEASURES.values())]
    missing = [name for name in [*names, CARE] if not (mappings / FOLDER / f"{name}.toml").is_file()]
    faults += [
        Fault(f"{FOLDER}/{name}.toml", "", "there is no such file; copy it from the adapter") for name in missing
    ]
    if faults or not isinstance(care, CareStatus):
        raise MappingError(faults)
    return Settings({name: measures[name] for name in names}, care)


def settings_faults(mappings: Path, diseases: Collection[str]) -> list[Fault]:
    """Every fault of the files in ``mappings``/measures, with diseases that no condition list knows; none without the folder."""
    read, faults = _read(mappings / FOLDER)
    care = read.get(CARE)
    if isinstance(care, CareStatus) and diseases:
        unknown = [one for one in care.esrd.disease.value if one not in diseases]
        known = ", ".join(sorted(diseases))
        fault = "{!r} is no disease in mappings/conditions; known are: {}"
        faults += [Fault(f"{FOLDER}/{CARE}.toml", "esrd.disease", fault.format(one, known)) for one in unknown]
    return faults


def _read(folder: Path) -> tuple[dict[str, CmrCompletion | Pdc | CareStatus], list[Fault]]:
    read: dict[str, CmrCompletion | Pdc | CareStatus] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            read[path.stem] = _one(path)
        except MappingError as error:
            faults += error.faults
    return read, faults


def _one(path: Path) -> CmrCompletion | Pdc | CareStatus:
    place = f"{FOLDER}/{path.name}"
    try:
        made: CmrCompletion | Pdc | CareStatus = msgspec.convert(
            tomllib.loads(path.read_text(encoding="utf-8")), CmrCompletion | Pdc | CareStatus
        )
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError([Fault(place, "", f"this is not valid TOML: {error}")]) from None
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        key = where.strip("`").removeprefix("$").removeprefix(".")
        raise MappingError([Fault(place, key, f"{what}; correct the file")]) from None
    faults = [Fault(place, key, fault) for key, fault in [*_name_faults(path.stem, made), *_value_faults(made)]]
    if faults:
        raise MappingError(faults)
    return made


def _name_faults(name: str, one: CmrCompletion | Pdc | CareStatus) -> Iterator[tuple[str, str]]:
    wanted = {CmrCompletion: CMR, CareStatus: CARE}.get(type(one)) or f"pdc_{one.drugs}"  # type: ignore[union-attr]
    if name != wanted:
        yield "kind", f"a file of this kind is called {wanted}.toml; rename it or correct its kind"


def _value_faults(one: CmrCompletion | Pdc | CareStatus) -> Iterator[tuple[str, str]]:
    for key, fact in facts(one):
        if not fact.source.strip():
            yield f"{key}.source", "this must not be empty; say where the value comes from"
    if isinstance(one, CareStatus):
        yield from _care_faults(one)
        return
    if one.last_year < one.first_year:
        yield "last_year", "the last year lies before the first; correct one of them"
    yield from _outside("youngest", one.youngest, 0, 120)
    yield from _outside("least_denominator", one.least_denominator, 1, 10**9)
    if isinstance(one, CmrCompletion):
        yield from _outside("least_days", one.least_days, 0, 366)
        yield from _unknown("reasons", one.reasons, REASONS)
        yield from _unknown("exclusions", one.exclusions, STATUSES)
    else:
        yield from _outside("threshold", one.threshold, 1, 100)
        yield from _outside("fewest_fills", one.fewest_fills, 1, 366)
        yield from _outside("latest_start", one.latest_start, 0, 365)
        yield from _unknown("exclusions", one.exclusions, (*STATUSES, *EXCLUDING_DRUGS))


def _care_faults(care: CareStatus) -> Iterator[tuple[str, str]]:
    for one in care.hospice.claim_types.value:
        if "|" not in one.strip("|"):
            yield (
                "hospice.claim_types",
                f"{one!r} is no claim type; write the end of its system and its code: eob-type|HOSPICE",
            )
    for status in STATUSES:
        marx: Marx = getattr(care, status).marx
        for key, width in (("values", 1), ("set_by", 3), ("ended_by", 3)):
            wrong = [value for value in getattr(marx, key) if len(value) != width]
            if wrong:
                yield f"{status}.marx.{key}", f"{wrong[0]!r} does not fill its {width} bytes; correct it"


def _outside(key: str, setting: Whole, least: int, most: int) -> Iterator[tuple[str, str]]:
    if not least <= setting.value <= most:
        yield f"{key}.value", f"{setting.value} is not between {least} and {most}; correct it"


def _unknown(key: str, setting: Names, known: Collection[str]) -> Iterator[tuple[str, str]]:
    for one in setting.value:
        if one not in known:
            yield f"{key}.value", f"{one!r} is not known here; known are: {', '.join(known)}"


def facts(one: msgspec.Struct, under: str = "") -> Iterator[tuple[str, Fact]]:
    """The settings of a file with their keys, those in its tables too."""
    for field in one.__struct_fields__:
        value = getattr(one, field)
        if isinstance(value, Fact):
            yield f"{under}{field}", value
        elif isinstance(value, msgspec.Struct):
            yield from facts(value, f"{under}{field}.")


def reservations(name: str, one: CmrCompletion | Pdc | CareStatus) -> list[str]:
    """What of a file is not read in an official text: one sentence for each standing that occurs; none when all is."""
    told = []
    for standing in ("P+", "P", "U"):
        keys = [key for key, fact in facts(one) if fact.standing == standing]
        if keys:
            told.append(f"{name}: {_STANDINGS[standing]} ({standing}): {', '.join(keys)}")
    return told


_STANDINGS = {
    "P+": "read in two secondary texts that do not depend on each other, not in an official one",
    "P": "read in one secondary text, not in an official one",
    "U": "not verified",
}
