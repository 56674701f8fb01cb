"""The rules of mappings/problems: one TOML file per rule, read strictly.

A rule is data: which drugs, ages, conditions and thresholds, how severe, whom to contact, what to recommend, and where it is
from. What a kind of rule means stands in one small function (``duplicate`` and ``together`` in overlap.py, ``adherence`` in
adherence.py, ``use`` and ``gap`` in treatment.py, ``unfilled`` in unfilled.py).
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from adapter.errors import Fault, MappingError
from adapter.resources.detected_issue import CODES, CONTACTS

FOLDER = "problems"
INGREDIENT = re.compile(r"([1-9][0-9]{0,7}) (.+)")  # RxNorm id and name, so that a person can read and check it
WINDOW = re.compile(r"plan_year_to_date|trailing_12_months|trailing_24_months|[1-9][0-9]{0,2} days")

Kind: TypeAlias = Literal["claim", "dispense", "request", "statement"]
ANYTHING: tuple[Kind, ...] = ("claim", "dispense", "request", "statement")  # whatever says that a drug is taken


class DrugSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Drugs by class (mappings/drugs/classes.csv) or by ingredient ("4337 fentanyl"), without some, by some routes or not."""

    name: str
    classes: list[str] = []
    ingredients: list[str] = []
    without: list[str] = []
    without_routes: list[Literal["inhaled", "nasal", "ophthalmic", "topical", "oral"]] = []

    @property
    def ingredient_ids(self) -> list[str]:
        """The RxNorm ids of ``ingredients``."""
        return [one.partition(" ")[0] for one in self.ingredients]

    @property
    def without_ids(self) -> list[str]:
        """The RxNorm ids of ``without``."""
        return [one.partition(" ")[0] for one in self.without]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the member or caregiver is told, in plain words. Wording of the adapter's own, not of CMS."""

    en: str
    es: str


class Ages(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ages that a rule is for, both counted, on the day of the review or on 1 January of its year."""

    youngest: int = 0
    oldest: int | None = None
    on: Literal["day", "year_start"] = "day"


class Common(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every rule says. ``basis``: what kind of evidence it rests on; ``standing`` of the source as in mappings/README.md."""

    title: str
    severity: Literal["high", "moderate", "low"]
    contacts: list[Literal["member", "caregiver", "pharmacist", "prescriber"]]
    recommendation: str  # for professionals
    basis: Literal["boxed_warning", "label", "guideline", "measure", "program", "pharmacology"]
    source: str
    standing: Literal["V", "P+", "P", "U"]
    member_text: Words | None = None  # required when the member or the caregiver may be contacted
    code: str = ""  # of detected_issue.CODES
    note: str = ""  # what the rule cannot see
    ages: Ages | None = None


class Duplicate(Common, tag_field="kind", tag="duplicate", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Two different ingredients of one group are taken on the same days, at least ``days`` of them."""

    groups: list[DrugSet]
    days: int
    window: str
    minimum_fills: int = 1
    sources: tuple[Kind, ...] = ANYTHING


class Together(Common, tag_field="kind", tag="together", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Drugs of two of the ``groups`` are taken on the same days, at least ``days`` of them."""

    groups: list[DrugSet]
    days: int
    window: str
    minimum_fills: int = 1
    sources: tuple[Kind, ...] = ANYTHING


class Adherence(Common, tag_field="kind", tag="adherence", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The proportion of days covered in the class of a Star measure is below ``threshold`` percent in the year so far."""

    measure: Literal["diabetes", "ras_antagonists", "statins"]
    threshold: int


class Use(Common, tag_field="kind", tag="use", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A drug of ``drugs`` is taken; with ``conditions`` only by those who have one of them."""

    drugs: DrugSet
    window: str
    minimum_fills: int = 1
    conditions: list[str] = []
    sources: tuple[Kind, ...] = ANYTHING


class Gap(Common, tag_field="kind", tag="gap", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of ``conditions`` or enough fills of ``drugs`` is there (both, when both are given), and nothing of ``lacking``."""

    lacking: DrugSet
    window: str
    drugs: DrugSet | None = None
    minimum_fills: int = 1
    conditions: list[str] = []
    unless_conditions: list[str] = []  # who has one of these is not asked
    sources: tuple[Kind, ...] = ANYTHING  # of ``drugs``; whatever says that a drug of ``lacking`` is taken counts


class Unfilled(Common, tag_field="kind", tag="unfilled", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A prescription drug was ordered ``from_days`` to ``to_days`` days ago and never claimed or dispensed."""

    from_days: int
    to_days: int | None = None


Rule: TypeAlias = Duplicate | Together | Adherence | Use | Gap | Unfilled
Rules: TypeAlias = "dict[str, Rule]"  # by name, the stem of the file, in alphabetical order


def load_rules(mappings: Path) -> Rules:
    """The rules of ``mappings``/problems. Raises MappingError with the faults of all files, or when there is no rule."""
    paths = sorted((mappings / FOLDER).glob("*.toml"))
    faults: list[Fault] = []
    rules: Rules = {}
    for path in paths:
        try:
            rules[path.stem] = read_rule(path)
        except MappingError as error:
            faults += error.faults
    if not paths:
        faults.append(
            Fault(FOLDER, "", "there is no rule; put the folder back or name a folder of mappings that has one")
        )
    if faults:
        raise MappingError(faults)
    return rules


def read_rule(path: Path) -> Rule:
    """One rule. Raises MappingError with what is wrong with its form and values; drugs and diseases are not looked up."""
    try:
        rule: Rule = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Rule)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError([Fault(f"{FOLDER}/{path.name}", "", f"this is not valid TOML: {error}")]) from None
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        where = place.strip("`").removeprefix("$").removeprefix(".")
        raise MappingError([Fault(f"{FOLDER}/{path.name}", where, f"{what}; correct the rule")]) from None
    faults = [Fault(f"{FOLDER}/{path.name}", key, fault) for key, fault in _value_faults(rule)]
    if faults:
        raise MappingError(faults)
    return rule


def drug_sets(rule: Rule) -> dict[str, DrugSet]:
    """The sets of drugs that a rule names, by their key."""
    if isinstance(rule, Duplicate | Together):
        return {f"groups.{group.name}": group for group in rule.groups}
    if isinstance(rule, Use):
        return {"drugs": rule.drugs}
    if isinstance(rule, Gap):
        return {"lacking": rule.lacking} | ({"drugs": rule.drugs} if rule.drugs else {})
    return {}


def conditions_of(rule: Rule) -> list[str]:
    """The diseases ("chf") and subgroups ("respiratory/asthma") that a rule names."""
    unless = rule.unless_conditions if isinstance(rule, Gap) else []
    return [*rule.conditions, *unless] if isinstance(rule, Use | Gap) else []


def _value_faults(rule: Rule) -> list[tuple[str, str]]:
    faults = [
        (key, "this must not be empty; fill it in")
        for key in ("title", "recommendation", "source")
        if not getattr(rule, key)
    ]
    if not rule.contacts:
        faults.append(("contacts", f"name whom to contact: {', '.join(CONTACTS)}"))
    if rule.code and rule.code not in CODES:
        faults.append(("code", f"{rule.code!r} is no code of a problem; known are: {', '.join(CODES)}"))
    if {"member", "caregiver"} & set(rule.contacts) and rule.member_text is None:
        faults.append(("member_text", "who may contact the member needs words in English and Spanish; add them"))
    if isinstance(rule, Duplicate | Together | Use | Gap):
        faults += _window_faults(rule)
    if isinstance(rule, Together) and len(rule.groups) < 2:
        faults.append(("groups", "two groups can be taken together; name both"))
    if isinstance(rule, Gap) and not (rule.drugs or rule.conditions):
        faults.append(("conditions", "a gap needs a condition or drugs that ask for treatment; name one"))
    if isinstance(rule, Unfilled) and rule.to_days is not None and rule.to_days < rule.from_days:
        faults.append(("to_days", "the last day lies before the first; correct one of the two"))
    return faults + [fault for key, drugs in drug_sets(rule).items() for fault in _drug_faults(key, drugs)]


def _window_faults(rule: Duplicate | Together | Use | Gap) -> list[tuple[str, str]]:
    faults = []
    if not WINDOW.fullmatch(rule.window):
        faults.append(
            ("window", f"{rule.window!r} is no window; write plan_year_to_date, trailing_12_months or 90 days")
        )
    if rule.minimum_fills < 1:
        faults.append(("minimum_fills", "at least one fill is asked for; write a number from 1 on"))
    if isinstance(rule, Duplicate | Together) and rule.days < 1:
        faults.append(("days", "the drugs overlap on at least one day; write a number from 1 on"))
    return faults


def _drug_faults(key: str, drugs: DrugSet) -> list[tuple[str, str]]:
    faults = [] if drugs.classes or drugs.ingredients else [(key, "the set holds no drug; name classes or ingredients")]
    for name in (*drugs.ingredients, *drugs.without):
        if not INGREDIENT.fullmatch(name):
            faults.append((key, f"{name!r} is no ingredient; write its RxNorm id and name, such as 4337 fentanyl"))
    return faults
