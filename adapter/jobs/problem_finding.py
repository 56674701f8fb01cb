"""A Targeted Medication Review by rule: the problems of everybody enrolled, on a day, by the rules of mappings/problems.

The TMR itself is recorded by ``record tmr``; this job only finds what a pharmacist should look at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from adapter.config import Config
from adapter.errors import ConfigError, UnknownBeneficiary
from adapter.jobs.targeting import Screened, Screening, for_one, screened
from adapter.measures.pdc import EXCLUSIONS, Covered, Period, pdc
from adapter.outputs.files import csv_bytes, output_folder, write_all
from adapter.population import own_enrollments
from adapter.problems.find import FOUND, Data, problems
from adapter.problems.rules import Rule, Rules, conditions_of, load_rules
from adapter.problems.taken import taken
from adapter.resources.detected_issue import SEVERITIES, Problem
from adapter.sources.quarantine import Rejected
from adapter.tables.drug_list import class_rows
from adapter.targeting.criteria import ENTRY_ROWS, chronic_diseases
from adapter.targeting.program import Program

# What the measure of PDC excludes and the source can tell; hospice it cannot.
EXCLUDED_DISEASES = ("esrd",)
COLUMNS = (
    "beneficiary", "contract", "rule", "title", "severity", "contact", "drugs", "fact", "recommendation", "standing", "sources",
)  # fmt: skip
SCOPE = {"beneficiary": "string", "contract": "string"}


@dataclass(frozen=True)
class Hit:
    """One row of ``find.problems``: a problem of a beneficiary, or one that the data leave undecided."""

    beneficiary: str
    contract: str
    rule: str
    certain: bool
    ingredients: tuple[str, ...]
    names: tuple[str, ...]
    fact: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Review:
    """What was found. ``persons``: who was reviewed, each with the contract; ``who``: enrolled, targeted, or one."""

    program: Program
    as_of: date
    rules: Rules
    who: str
    persons: Mapping[str, str]
    found: tuple[Hit, ...]
    undecided: tuple[Hit, ...]
    rejected: tuple[Rejected, ...]
    notices: tuple[str, ...]
    writable: frozenset[str] = frozenset()  # the persons whose problems may be written: enrolled, or targeted

    def counts(self) -> dict[str, tuple[int, int]]:
        """How many problems each rule found, and how many beneficiaries it could not decide, the worst severity first."""
        found = Counter(hit.rule for hit in self.found)
        open_ones = Counter(rule for rule, _ in {(hit.rule, hit.beneficiary) for hit in self.undecided})
        order = sorted(self.rules, key=lambda name: (SEVERITIES.index(self.rules[name].severity), name))
        return {name: (found[name], open_ones[name]) for name in order}


def last_day_of_quarter(written: str) -> date:
    """The last day of a quarter such as 2023Q3. Raises ConfigError for anything else."""
    year, _, quarter = written.upper().partition("Q")
    if not (len(year) == 4 and year.isdigit() and quarter in ("1", "2", "3", "4")):
        raise ConfigError(f"{written!r} is no quarter; write it like 2023Q3")
    month = int(quarter) * 3
    return date(int(year) + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def review(screening: Screening, config: Config, beneficiary: str = "") -> Review:
    """The problems of everybody enrolled on the day, of everybody targeted when nobody is enrolled, or of one beneficiary.

    Raises UnknownBeneficiary when the source does not hold that Patient, MappingError for a faulty rule, and what
    ``jobs.screened`` raises.
    """
    asked = for_one(screening, beneficiary) if beneficiary else screening
    with screened(asked, config) as result:
        rules = load_rules(result.mappings.folder)
        who, persons = _scope(result)
        writable = frozenset(persons)
        notices = list(result.notices)
        if beneficiary:
            who, persons, said = _only(result, beneficiary, who, persons)
            notices += said
        elif who == "targeted":
            notices.append("nobody is enrolled in this plan year yet, so the targeted are reviewed")
        data = _data(result, rules, persons)
        hits = [hit for name, rule in rules.items() for hit in _hits(result, name, rule, data, persons)]
        return Review(
            result.program, result.question.as_of, rules, who, persons,
            tuple(hit for hit in hits if hit.certain), tuple(hit for hit in hits if not hit.certain),
            result.rejected, tuple(notices), writable,
        )  # fmt: skip


def _scope(result: Screened) -> tuple[str, dict[str, str]]:
    """Who is reviewed: the enrolled on the day with the contract that enrolled them, else the targeted."""
    as_of, plans = result.question.as_of, own_enrollments(result.engine, result.snapshot)
    begun = (plans.enrolled_on <= as_of).fill_null(True) & (plans.ends_on >= as_of).fill_null(True)
    current = plans.filter(
        (plans.plan_year == result.program.plan_year) & plans.status.isin(["active", "completed"]) & begun
    )
    if result.question.contract:
        current = current.filter(current.contract == result.question.contract)
    rows = result.engine.records(current.select("beneficiary", "contract").order_by("beneficiary", "contract"))
    if rows:
        return "enrolled", {row["beneficiary"]: row["contract"] for row in reversed(rows)}
    chosen = result.targeting.filter(result.targeting.outcome == "targeted")
    targeted = result.engine.records(chosen.select("beneficiary", "contract").order_by("beneficiary"))
    return "targeted", {row["beneficiary"]: row["contract"] for row in targeted}


def _only(
    result: Screened, beneficiary: str, who: str, persons: Mapping[str, str]
) -> tuple[str, dict[str, str], list[str]]:
    """The scope of one beneficiary, and a notice when that one is neither enrolled nor targeted."""
    if beneficiary in persons:
        return f"one, {who}", {beneficiary: persons[beneficiary]}, []
    row = result.engine.rows(result.targeting, beneficiary=beneficiary)
    if not row:
        raise UnknownBeneficiary
    said = "the beneficiary is not enrolled on this day" if who == "enrolled" else "the beneficiary is not targeted"
    return "one", {beneficiary: row[0]["contract"] or ""}, [f"{said}; the problems are only shown"]


def _data(result: Screened, rules: Rules, persons: Mapping[str, str]) -> Data:
    """The tables that the rules read, of the persons reviewed."""
    engine, as_of, tables = result.engine, result.question.as_of, result.population.tables
    scope = engine.table([{"beneficiary": one, "contract": of} for one, of in sorted(persons.items())], SCOPE, "scope")
    uses = engine.keep(partial(_of, tables.drug_uses, scope), "reviewed_uses")
    people = engine.keep(partial(_of, tables.beneficiaries, scope), "reviewed_persons")
    classes = engine.read_list(result.mappings.path("drugs/classes"))
    diseases = engine.keep(_diseases(result, rules, scope), "reviewed_diseases")
    covered = Covered(
        uses=uses,
        classed=engine.keep(partial(_classed, uses, classes), "reviewed_classes"),
        persons=people,
        exclusions=engine.keep(partial(_exclusions, diseases), "reviewed_exclusions"),
        refused_brands=tuple(result.program.adherence_drug.refused_brands),
    )
    return Data(
        uses=uses,
        taken=engine.keep(partial(taken, uses, classes), "reviewed_taken"),
        covered=engine.keep(partial(pdc, covered, Period(date(as_of.year, 1, 1), as_of)), "reviewed_pdc"),
        diseases=diseases,
        persons=people,
        as_of=as_of,
    )


def _of(rows: ir.Table, scope: ir.Table) -> ir.Table:
    return rows.semi_join(scope, "beneficiary")


def _classed(uses: ir.Table, classes: ir.Table) -> ir.Table:
    return class_rows(uses.filter(uses.listed).select("drug", "route").distinct(), classes)


def _exclusions(diseases: ir.Table) -> ir.Table:
    excluded = diseases.filter(diseases.disease.isin(EXCLUDED_DISEASES))
    return excluded.select("beneficiary", measure=ibis.literal(""), reason=excluded.disease).select(*EXCLUSIONS)


def _diseases(result: Screened, rules: Rules, scope: ir.Table) -> ir.Table:
    """Which of the conditions that the rules name each person has, as the program proves them: beneficiary, disease, fact, source."""
    named = sorted({*EXCLUDED_DISEASES, *(one for rule in rules.values() for one in conditions_of(rule))})
    rows = [{"entry": one, "disease": one.partition("/")[0], "only_subgroup": one.partition("/")[2]} for one in named]
    entries = result.engine.table(rows, ENTRY_ROWS, "problem_entries")
    tables, rule = result.population.tables, result.program.chronic_diseases
    found = chronic_diseases(tables.conditions, tables.diagnoses, entries, rule, result.question.as_of).evidence
    mine = found.semi_join(scope, "beneficiary")
    return mine.select("beneficiary", "fact", "source", disease=mine.item).distinct()


def _hits(result: Screened, name: str, rule: Rule, data: Data, persons: Mapping[str, str]) -> list[Hit]:
    return [
        Hit(
            beneficiary=row["beneficiary"],
            contract=persons[row["beneficiary"]],
            rule=name,
            certain=row["outcome"] == FOUND,
            ingredients=tuple(row["ingredients"]),
            names=tuple(row["names"]),
            fact=row["fact"],
            sources=tuple(row["sources"]),
        )
        for row in result.engine.records(partial(problems, name, rule, data))
    ]


def problem_of(hit: Hit, rules: Rules) -> Problem:
    """The problem as the resources tell it."""
    rule = rules[hit.rule]
    drugs = f" ({'; '.join(hit.names)})" if hit.names else ""
    return Problem(
        title=rule.title,
        detail=f"{rule.title}{drugs}: {hit.fact}.",
        severity=rule.severity,
        rule=hit.rule,
        code=rule.code,
        drugs=hit.ingredients,
        contacts=tuple(rule.contacts),
        recommendation=rule.recommendation,
        standing=rule.standing,
        sources=hit.sources,
    )


def rows_of(hits: Sequence[Hit], rules: Rules) -> list[dict[str, Any]]:
    """The rows of problems.csv and undecided.csv, by beneficiary, severity and rule."""
    order = sorted(
        hits, key=lambda hit: (hit.beneficiary, SEVERITIES.index(rules[hit.rule].severity), hit.rule, hit.names)
    )
    return [
        {
            "beneficiary": hit.beneficiary,
            "contract": hit.contract,
            "rule": hit.rule,
            "title": rules[hit.rule].title,
            "severity": rules[hit.rule].severity,
            "contact": ";".join(rules[hit.rule].contacts),
            "drugs": "; ".join(hit.names),
            "fact": hit.fact,
            "recommendation": rules[hit.rule].recommendation,
            "standing": rules[hit.rule].standing,
            "sources": ";".join(hit.sources),
        }
        for hit in order
    ]


def write_files(found: Review, folder: Path) -> list[Path]:
    """Writes problems.csv and undecided.csv into ``folder``, both whole or none."""
    output_folder(folder)
    files = {
        "problems.csv": csv_bytes(COLUMNS, rows_of(found.found, found.rules)),
        "undecided.csv": csv_bytes(COLUMNS, rows_of(found.undecided, found.rules)),
    }
    write_all(folder, files)
    return [folder / name for name in files]


def of_quarter(screening: Screening, quarter: str) -> Screening:
    """The same screening on the last day of ``quarter``."""
    return replace(screening, as_of=last_day_of_quarter(quarter))
