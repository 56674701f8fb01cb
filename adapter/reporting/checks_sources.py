"""The edits against the source: what stands in the resources and cannot stand in the file, so that no fact is lost unseen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from adapter.reporting import provided
from adapter.reporting.checks_files import total_findings
from adapter.reporting.enrolled import of_contract
from adapter.reporting.finding import Finding
from adapter.reporting.records import Parts
from adapter.reporting.sheet import Sheet
from adapter.tables.columns import latest

WHY = {
    "no_day": "has no day",
    "not_enrolled": "is of a beneficiary who was not enrolled in the contract in the year",
    "before": "lies before the enrollment or the year",
    "after": "lies after the end of the enrollment, the opt-out or the year",
    "no_cmr": "is of no CMR that is known",
}
PERSONS = {  # edit: what a person's row says
    "no_patient": ("the source holds no such Patient", "mbi"),
    "died_before_enrollment": ("the beneficiary died before the enrollment", "enrolled_on"),
    "death_without_opt_out": ("the beneficiary died, and no opt-out is told", "opted_out_on"),
    "revoked_without_opt_out": ("the enrollment is revoked, and no day of an opt-out is told", "opted_out_on"),
    "several_mbis": ("several Medicare Beneficiary Identifiers are current", "mbi"),
    "earlier_mbi": ("an earlier MBI of the beneficiary is the MBI of another row", "mbi"),
    "enrollments_overlap": ("two enrollments in the contract overlap", "enrolled_on"),
    "enrolled_elsewhere": ("the beneficiary is enrolled in another contract on the same days", "enrolled_on"),
}


def source_findings(sheet: Sheet, of: Parts) -> Iterator[Finding]:
    """Every finding on resources; ``sheet`` holds the records that were made of them."""
    enrollments = of.enrollments
    told = _read(of, provided.left_out(of.services, of.year))
    rows = _places(sheet, told)
    for one, row in zip(told, rows, strict=True):
        edit = "summary_without_cmr" if one["why"] == "no_cmr" else "service_not_counted"
        if sheet.is_on(edit):
            rule = f"a {provided.KINDS[one['kind']]} {WHY[one['why']]} and does not count"
            yield sheet.finding(edit, rule, None, row, whose=one["beneficiary"])
    for edit, whom in _persons(of).items():
        if sheet.is_on(edit):
            rule, name = PERSONS[edit]
            people = _read(of, whom.select("beneficiary").distinct().order_by("beneficiary"))
            for one, row in zip(people, _places(sheet, people), strict=True):
                yield sheet.finding(edit, rule, sheet.layout.field(name), row, whose=one["beneficiary"])
    control = enrollments.filter((enrollments.contract == of.contract) & (enrollments.plan_year == of.year))
    enrolled = _read(of, control.agg(n=control.beneficiary.nunique()))[0]["n"]
    yield from total_findings(sheet, enrolled, f"the CarePlans of plan year {of.year}")


def _read(of: Parts, table: ir.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = of.read(table).to_pylist()
    return rows


def _places(sheet: Sheet, told: list[dict[str, Any]]) -> list[int | None]:
    """The row of each beneficiary, None for one who is not in the file."""
    if not told:
        return []
    whose = sheet.rows["beneficiary"]
    known = pa.chunked_array(whose.chunks, pa.string()).combine_chunks()
    places = pc.index_in(pa.array([one["beneficiary"] for one in told], pa.string()), value_set=known)
    return [None if place is None else place + 1 for place in places.to_pylist()]


def _persons(of: Parts) -> dict[str, ir.Table]:
    """The beneficiaries whom each edit concerns."""
    rows = of.enrollees.left_join(of.persons.rename(_of="beneficiary"), [("beneficiary", "_of")])
    died = rows.deceased.fill_null(False)
    before = died & (latest(rows.deceased_on) < rows.enrolled_on).fill_null(False)
    in_year = rows.died_by.isnull() | (rows.died_by <= date(of.year, 12, 31))
    return {
        "no_patient": rows.filter(rows._of.isnull()),
        "died_before_enrollment": rows.filter(before),
        "death_without_opt_out": rows.filter(died & ~before & in_year & rows.opted_out_on.isnull()),
        "revoked_without_opt_out": rows.filter(rows.unexplained),
        "several_mbis": rows.filter(rows.current_mbis > 1),
        "earlier_mbi": _earlier(rows),
        "enrollments_overlap": _overlapping(of_contract(of.enrollments, of.contract, of.year)),
        "enrolled_elsewhere": _elsewhere(of),
    }


def _earlier(rows: ir.Table) -> ir.Table:
    some = rows.filter(rows.mbis.length() > 1).select("beneficiary", "mbi", earlier=lambda t: t.mbis.unnest())
    others = rows.select(_other="beneficiary", _mbi="mbi")
    pairs = some.inner_join(others, [("earlier", "_mbi")])
    return pairs.filter((pairs.earlier != pairs.mbi) & (pairs.beneficiary != pairs._other))


# Each of these compares a pair's columns after the join: in a table joined with itself Ibis mistakes one side for the other.
def _overlapping(own: ir.Table) -> ir.Table:
    several = own.group_by("beneficiary").agg(n=own.count()).filter(lambda t: t.n > 1)
    one = own.semi_join(several, "beneficiary").select("beneficiary", "source", "enrolled_on", ends=_end)
    other = one.select(_beneficiary="beneficiary", _source="source", _from="enrolled_on", _to="ends")
    pairs = one.inner_join(other, [("beneficiary", "_beneficiary")])
    at_once = (pairs.enrolled_on <= pairs._to) & (pairs._from <= pairs.ends)
    return pairs.filter((pairs.source < pairs._source) & at_once)


def _elsewhere(of: Parts) -> ir.Table:
    """Those with an enrollment of another contract that overlaps their days in this one."""
    other = of.enrollments.filter(of.enrollments.contract != of.contract)
    other = other.mutate(_ends=ibis.coalesce(other.ends_on, ibis.date(other.plan_year.cast("int32"), 12, 31)))
    other = other.select(_beneficiary="beneficiary", _from="enrolled_on", _to=_end)
    pairs = of.enrollees.inner_join(other, [("beneficiary", "_beneficiary")])
    return pairs.filter((pairs.first_day <= pairs._to) & (pairs._from <= pairs.last_day))


def _end(rows: ir.Table) -> ir.DateValue:
    return ibis.least(rows._ends, ibis.coalesce(rows.opted_out_on, rows._ends))
