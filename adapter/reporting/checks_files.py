"""The edits across files: the total against the enrollment, this year against last year's file and the national figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from adapter.reporting.finding import Finding
from adapter.reporting.national import National
from adapter.reporting.rates import rates
from adapter.reporting.sheet import Sheet


def total_findings(sheet: Sheet, enrolled: int, counted: str) -> Iterator[Finding]:
    """A finding when the file has not one row for each of the ``enrolled``; ``counted`` says who counted them."""
    if sheet.count != enrolled and sheet.is_on("enrollment_total"):
        rule = f"the file has {sheet.count:,} rows, and {enrolled:,} beneficiaries were enrolled by {counted}"
        yield sheet.finding("enrollment_total", rule)


def activity_findings(sheet: Sheet) -> Iterator[Finding]:
    """A finding when nobody at all had any service."""
    names = ("offered", "received", "tmr", "recommended", "safe_disposal")
    told = [rate for name, rate in rates(sheet).items() if name in names]
    if sheet.count and told and not any(rate.count for rate in told) and sheet.is_on("no_services"):
        yield sheet.finding("no_services", "no service is told of anybody in this file")


def national_findings(sheet: Sheet, national: National) -> Iterator[Finding]:
    """A notice for each rate that is far from the latest national figure."""
    outliers = sheet.edits.outliers
    if sheet.count < outliers.fewest or not sheet.is_on("national_rate"):
        return
    for name, rate in rates(sheet).items():
        figure = national.latest(name)
        if figure and rate.share is not None and abs(rate.share - figure.share) > outliers.national_distance:
            rule = f"{rate.title}: {percent(rate.share)}, and {percent(figure.share)} nationally in {figure.year}"
            yield sheet.finding("national_rate", rule)


def last_year_findings(sheet: Sheet, last: Sheet) -> Iterator[Finding]:
    """What is far from last year's file, and who is told otherwise than in it."""
    yield from _totals(sheet, last)
    yield from _rates(sheet, last)
    yield from _persons(sheet, last)


def _totals(sheet: Sheet, last: Sheet) -> Iterator[Finding]:
    enough = max(sheet.count, last.count) >= sheet.edits.outliers.fewest
    change = abs(sheet.count - last.count)
    if enough and change > sheet.edits.outliers.total_change * last.count and sheet.is_on("last_year_total"):
        rule = f"{sheet.count:,} beneficiaries, and {last.count:,} in {last.year}"
        yield sheet.finding("last_year_total", rule)


def _rates(sheet: Sheet, last: Sheet) -> Iterator[Finding]:
    outliers, before = sheet.edits.outliers, rates(last)
    if min(sheet.count, last.count) < outliers.fewest or not sheet.is_on("last_year_rate"):
        return
    for name, rate in rates(sheet).items():
        old = before.get(name)
        if (
            old
            and old.share is not None
            and rate.share is not None
            and abs(rate.share - old.share) > outliers.rate_change
        ):
            rule = f"{rate.title}: {percent(rate.share)}, and {percent(old.share)} in {last.year}"
            yield sheet.finding("last_year_rate", rule)


def _persons(sheet: Sheet, last: Sheet) -> Iterator[Finding]:
    needed = ("mbi", "first_name", "last_name", "birth_date")
    if not sheet.has(*needed) or not last.has(*needed):
        return
    same_mbi = _looked_up(sheet.texts["mbi"], last.texts["mbi"], last.texts["birth_date"])
    born = sheet.texts["birth_date"]
    rule = f"the birth date is another one than in the file of {last.year} under the same MBI"
    yield from sheet.found("birth_date_changed", pc.not_equal(born, same_mbi), sheet.layout.field("birth_date"), rule)
    old_mbi = _looked_up(_person(sheet), _person(last), last.texts["mbi"])
    changed = pc.and_(
        pc.not_equal(sheet.texts["mbi"], old_mbi), pc.invert(pc.is_in(sheet.texts["mbi"], value_set=last.texts["mbi"]))
    )
    rule = f"the MBI is another one than in the file of {last.year} under the same name and birth date"
    yield from sheet.found("mbi_changed", changed, sheet.layout.field("mbi"), rule)


def _looked_up(keys: Any, known: Any, values: Any) -> Any:
    """For each of ``keys`` the value beside the first equal one of ``known``; NULL when there is none."""
    known = pa.chunked_array(known.chunks).combine_chunks() if len(known) else pa.array([], pa.string())
    places = pc.index_in(keys, value_set=known, skip_nulls=True)
    return values.take(places) if len(known) else pa.nulls(len(keys), pa.string())


def _person(sheet: Sheet) -> Any:
    parts = (sheet.texts["last_name"], pc.fill_null(sheet.texts["first_name"], ""), sheet.texts["birth_date"])
    return pc.utf8_upper(pc.binary_join_element_wise(*parts, "|"))


def percent(share: float) -> str:
    """A share as a percentage with one decimal."""
    return f"{share * 100:.1f} %"
