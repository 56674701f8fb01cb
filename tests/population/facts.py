"""What is planted for one person: the facts that decide, and what else has to be written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from tests.population.codes import Form
from tests.population.lists import Code, Drug

THRESHOLD = 493_500  # cents; the cost must be greater
MIN_ENTRIES = 3
MIN_DRUGS = 7
SNP = "H1234-003"
PLANS = ("H1234-001", "H1234-002", "S9999-001", "S9999-003", SNP)


class Day(NamedTuple):
    """The days that decide: 1 January of the plan year and as_of."""

    first: date
    as_of: date


class Item(NamedTuple):
    """One line of a claim; cents None: without money."""

    form: Form
    cents: int | None


@dataclass
class Claim:
    """A pharmacy claim. ``void`` names why it does not count ("" = it counts)."""

    items: list[Item]
    filled: date
    money: str = "both"  # item | both | total | none | submitted
    void: str = ""
    compound: bool = False
    adjusted: bool = False
    dated_by: str = "item"  # item | period | serviced period | item, other period
    version: str = ""  # an older version that must not count: see claims.OLDER


class Use(NamedTuple):
    """An order, dispense or statement of a drug. ``void`` names why it does not count ("" = it counts)."""

    source: str  # request | dispense | statement
    form: Form
    void: str = ""
    where: str = "inline"  # inline | contained | referenced
    version: str = ""


class Diagnosis(NamedTuple):
    """A Condition. ``void`` names why it does not count ("" = it counts)."""

    codes: tuple[Code, ...]
    void: str = ""
    version: str = ""


class Cover(NamedTuple):
    """A Coverage: kind carin | carin-split | bfd-v2 | bfd-v3 | commercial | part-a | part-c; months of BFD v2: a plan or "" each."""

    kind: str
    plan: str = ""
    start: str = ""
    end: str = ""
    status: str = "active"
    months: tuple[str, ...] = ()
    year: int = 0
    version: str = ""


class RosterRow(NamedTuple):
    """A row of at-risk.csv; ``who`` is both | id | mbi | stranger."""

    status: str
    start: str
    end: str
    who: str = "both"


class FlagFact(NamedTuple):
    """A Flag: how the code is written, its status and period."""

    code: str  # own | text | other
    status: str
    start: str = ""
    end: str = ""
    version: str = ""


@dataclass
class Facts:
    """One person."""

    number: int
    id: str
    mbi: str
    shape: str  # of the claims: carin | bfd-v2 | bfd-v3
    plan: str = ""  # contract-PBP that is reported
    enrolled: bool = True
    died: str = ""  # Patient.deceasedDateTime, or "true", "false"
    undead: bool = False  # an older version of the Patient says that the person has died
    entries: set[str] = field(default_factory=set)
    drugs: list[Drug] = field(default_factory=list)  # those that count, each once
    possible: int = 0  # distinct codes that no list knows
    unlisted_taken: bool = False
    cost: tuple[str, str] = ("not_met", "0.00")
    at_risk: bool = False
    diagnoses: list[Diagnosis] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    covers: list[Cover] = field(default_factory=list)
    roster: list[RosterRow] = field(default_factory=list)
    flags: list[FlagFact] = field(default_factory=list)
    other_claims: int = 0  # professional claims
    edges: list[str] = field(default_factory=list)

    def edge(self, name: str) -> None:
        """Notes a planted edge once."""
        if name and name not in self.edges:
            self.edges.append(name)
