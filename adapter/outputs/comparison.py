"""A screening against an earlier one: who is newly targeted, what changed, and since when the criteria are met.

The earlier run is the folder that ``screen --out`` wrote: its manifest, targeting.csv and first_met.csv are the memory. Enrollment
itself is remembered by FHIR: who no longer meets the criteria stays enrolled to the end of the plan year (42 CFR 423.153(d)(1)(iii)).
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from adapter.errors import ConfigError
from adapter.targeting.decision import CRITERIA
from adapter.targeting.program import Program

CHANGE_COLUMNS = ("beneficiary", "change", "criterion", "before", "after")
CHANGES = (
    "newly_targeted", "no_longer_meeting", "changed_criterion", "changed_doors", "changed_reason", "changed_contract", "joined", "left",
)  # fmt: skip
FIRST_MET = {"beneficiary": "string", "contract": "string", "door": "string", "met_on": "date", "reason_code": "string"}
_COMPARED = ("beneficiary", "contract", "outcome", "doors", "reason_code", *(f"{name}_outcome" for name in CRITERIA))
BEFORE = dict.fromkeys(_COMPARED, "string")
CMS_DOORS = ("core", "at_risk")  # the plan's own door has no date in the CMS file


@dataclass(frozen=True)
class EarlierRun:
    """What an earlier screening of the same plan year and contract found."""

    as_of: date
    program: str
    version: str
    targeting: Sequence[Mapping[str, Any]]
    first_met: Sequence[Mapping[str, Any]]

    def notices(self, program: Program) -> list[str]:
        """What a person should know before reading the differences."""
        if (self.program, self.version) == (program.name, program.version):
            return []
        return [
            f"the earlier run was by the program {self.program} version {self.version}, this one is by {program.name} "
            f"version {program.version}; a change may come from the program rather than from the beneficiary"
        ]


def read_run(folder: Path, program: Program, contract: str, as_of: date) -> EarlierRun:
    """The earlier run in ``folder``. Raises ConfigError when it is damaged, later than ``as_of``, or of another year or contract."""
    manifest = _manifest(folder)
    try:
        day, made_by = date.fromisoformat(manifest["as_of"]), manifest["program"]
        year, counts, met = int(made_by["plan_year"]), dict(manifest["outcomes"]), int(manifest["first_met"])
        theirs, name, version = str(manifest["contract"]), str(made_by["name"]), str(made_by["version"])
    except (KeyError, TypeError, ValueError):
        raise _damaged(folder, "manifest.json is not that of a screening") from None
    if year != program.plan_year:
        raise ConfigError(
            f"The run in {folder} is of plan year {year}, not {program.plan_year}; a new plan year starts anew, without --since-run"
        )
    if theirs != contract:
        raise ConfigError(
            f"The run in {folder} is of {_of_contract(theirs)}, this one of {_of_contract(contract)}; give the same --contract"
        )
    if day > as_of:
        raise ConfigError(
            f"The run in {folder} is of {day}, later than {as_of}; give an earlier run or a later --as-of"
        )
    targeting = _rows(folder, "targeting.csv", BEFORE)
    first_met = _first_met(folder)
    if Counter(row["outcome"] for row in targeting) != Counter(counts) or len(first_met) != met:
        raise _damaged(folder, "its files do not have the rows that manifest.json counts")
    return EarlierRun(day, name, version, targeting, first_met)


def _of_contract(contract: str) -> str:
    return f"contract {contract}" if contract else "all contracts"


def _damaged(folder: Path, why: str) -> ConfigError:
    return ConfigError(
        f"The folder {folder} is no whole earlier run ({why}); give the --out folder of a screening, or run it again"
    )


def _manifest(folder: Path) -> Any:
    try:
        return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except OSError:
        raise _damaged(folder, "manifest.json cannot be read") from None
    except ValueError:
        raise _damaged(folder, "manifest.json is not JSON") from None


def _rows(folder: Path, name: str, columns: Iterable[str]) -> list[dict[str, str]]:
    """The rows of a CSV file, only these columns. Raises ConfigError unless every row is whole and names another beneficiary or door."""
    try:
        with (folder / name).open(encoding="utf-8", newline="") as stream:
            found = list(csv.DictReader(stream, strict=True))
        rows = [{column: row[column] for column in columns} for row in found]
    except OSError:
        raise _damaged(folder, f"{name} cannot be read") from None
    except (KeyError, ValueError, csv.Error):
        raise _damaged(folder, f"{name} is not as a screening writes it") from None
    keys = {(row["beneficiary"], row.get("contract") if "door" in row else "", row.get("door")) for row in rows}
    if len(keys) != len(rows) or any(value is None for row in rows for value in row.values()):
        raise _damaged(folder, f"{name} is not as a screening writes it")
    return rows


def _first_met(folder: Path) -> list[dict[str, Any]]:
    try:
        return [
            row | {"met_on": date.fromisoformat(row["met_on"])} for row in _rows(folder, "first_met.csv", FIRST_MET)
        ]
    except ValueError:
        raise _damaged(folder, "first_met.csv holds no date") from None


def changes(before: ir.Table, after: ir.Table) -> ir.Table:
    """One row per change of a beneficiary: beneficiary, change, criterion ("" when it is not about one), before, after. Sorted.

    ``before`` (the columns of BEFORE) and ``after`` are tables of ``evaluate.targeting``. Who is not in a population, or in it without
    Part D, is no part of it; before and after are then "" or not_enrolled. Criteria are compared for those who were in it both times,
    doors and reason for those who were targeted both times.
    """
    joined = before.outer_join(after.select(*BEFORE), "beneficiary", rname="{name}_now")
    rows = joined.mutate(
        beneficiary=ibis.coalesce(joined.beneficiary, joined.beneficiary_now),
        outcome=ibis.coalesce(joined.outcome, ""),
        outcome_now=ibis.coalesce(joined.outcome_now, ""),
    )
    was, is_now, outside = rows.outcome, rows.outcome_now, ["", "not_enrolled"]
    stayed, still = ~was.isin(outside) & ~is_now.isin(outside), (was == "targeted") & (is_now == "targeted")
    found = [
        _change(rows, (is_now == "targeted") & (was != "targeted"), "newly_targeted", "outcome"),
        _change(rows, (was == "targeted") & is_now.isin(["not_targeted", "unknown"]), "no_longer_meeting", "outcome"),
        _change(rows, was.isin(outside) & (is_now != was) & (is_now != ""), "joined", "outcome"),
        _change(rows, is_now.isin(outside) & (is_now != was) & (was != ""), "left", "outcome"),
        _change(rows, stayed & (rows.contract != rows.contract_now), "changed_contract", "contract"),
        _change(rows, still & (rows.doors != rows.doors_now), "changed_doors", "doors"),
        _change(rows, still & (rows.reason_code != rows.reason_code_now), "changed_reason", "reason_code"),
    ]
    for name in CRITERIA:
        column = f"{name}_outcome"
        found.append(_change(rows, stayed & (rows[column] != rows[f"{column}_now"]), "changed_criterion", column, name))
    return ibis.union(*found).order_by(*CHANGE_COLUMNS)


def _change(rows: ir.Table, when: ir.BooleanValue, change: str, column: str, criterion: str = "") -> ir.Table:
    return rows.filter(when).select(
        "beneficiary",
        change=ibis.literal(change),
        criterion=ibis.literal(criterion),
        before=rows[column],
        after=rows[f"{column}_now"],
    )


def counted(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many beneficiaries each kind of change concerns, in the order of CHANGES, the kinds that did not occur too."""
    numbers = Counter(change for _, change in {(row["beneficiary"], row["change"]) for row in rows})
    return {change: numbers[change] for change in CHANGES}


def first_met(targeting: ir.Table, earlier: ir.Table, as_of: date, program: Program) -> ir.Table:
    """One row per beneficiary, contract and door: the day on which a screening of the plan year first found it open, and the CMS
    reason code of that day. Sorted. A screening outside the plan year adds no day."""
    within = ibis.literal(program.first_day <= as_of <= program.last_day)
    targeted = targeting.filter((targeting.outcome == "targeted") & within)
    now = targeted.select(
        "beneficiary", "contract",
        door=targeted.doors.split(";").unnest(), met_on=ibis.literal(as_of), reason_code=targeted.reason_code,
    )  # fmt: skip
    every = now.mutate(again=ibis.literal(0)).union(earlier.select(*FIRST_MET).mutate(again=ibis.literal(1)))
    first = ibis.row_number().over(group_by=["beneficiary", "contract", "door"], order_by=[every.met_on, every.again])
    kept = every.mutate(_n=first)
    return kept.filter(kept._n == 0).select(*FIRST_MET).order_by("beneficiary", "contract", "door")


def criteria_met_on(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], date]:
    """The earliest day of a CMS door by beneficiary and contract, from the rows of ``first_met``."""
    days: dict[tuple[str, str], date] = {}
    for row in rows:
        if row["door"] in CMS_DOORS:
            key = (row["beneficiary"], row["contract"])
            days[key] = min(row["met_on"], days.get(key, row["met_on"]))
    return days
