"""The edits across the fields of one record: what the dates, flags and counts of a beneficiary say together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from adapter.reporting.finding import Finding
from adapter.reporting.sheet import Sheet

OLDEST = 115
SERVICES = {"cmr_offered_on": "the CMR offer", "cmr_on": "the CMR", "tmr_first_on": "the first TMR"}
IN_YEAR = {
    "enrolled_on": "enrolled_outside_year",
    "criteria_met_on": "criteria_outside_year",
    "opted_out_on": "opt_out_outside_year",
}


def record_findings(sheet: Sheet) -> Iterator[Finding]:
    """Every finding across the fields of each record."""
    yield from _years(sheet)
    yield from _opt_outs(sheet)
    yield from _services(sheet)
    yield from _offers(sheet)
    yield from _summaries(sheet)
    yield from _counts(sheet)
    yield from _births(sheet)


def _before(sheet: Sheet, one: str, other: str) -> Any:
    return pc.less(sheet.day(one), sheet.day(other))


def _outside(sheet: Sheet, name: str) -> Any:
    year = sheet.year
    day = sheet.day(name)
    return pc.or_(pc.less(day, pa.scalar(date(year, 1, 1))), pc.greater(day, pa.scalar(date(year, 12, 31))))


def _days_between(sheet: Sheet, start: str, end: str) -> Any:
    return pc.subtract(sheet.day(end).cast(pa.int32()), sheet.day(start).cast(pa.int32()))


def _years(sheet: Sheet) -> Iterator[Finding]:
    for name, edit in IN_YEAR.items():
        field = sheet.layout.field(name)
        if field and sheet.has(name):
            rule = f"{field.title} is not in the contract year {sheet.year}"
            yield from sheet.found(edit, _outside(sheet, name), field, rule)


def _opt_outs(sheet: Sheet) -> Iterator[Finding]:
    field = sheet.layout.field("opted_out_on")
    if not field or not sheet.has("opted_out_on", "enrolled_on"):
        return
    early = pc.and_(_before(sheet, "opted_out_on", "enrolled_on"), pc.invert(_outside(sheet, "opted_out_on")))
    yield from sheet.found("opt_out_before_enrollment", early, field, f"{field.title} lies before the enrollment")
    if sheet.has("criteria_met_on"):
        late = pc.and_(_before(sheet, "opted_out_on", "criteria_met_on"), pc.invert(_outside(sheet, "criteria_met_on")))
        met = sheet.layout.field("criteria_met_on")
        yield from sheet.found("criteria_after_opt_out", late, met, "the targeting criteria were met after the opt-out")
    if sheet.has("opt_out_reason"):
        last = pc.equal(sheet.day("opted_out_on"), pa.scalar(date(sheet.year, 12, 31)))
        left = sheet.is_one_of("opt_out_reason", "02")
        rule = "a disenrollment (02) dated 31 December is the end of the year and no opt-out"
        yield from sheet.found("disenrolled_on_december_31", pc.and_(last, left), field, rule)


def _services(sheet: Sheet) -> Iterator[Finding]:
    """A service lies within the year and between enrollment and opt-out; of these the first breach is told."""
    for name, called in SERVICES.items():
        field = sheet.layout.field(name)
        if not field or not sheet.has(name):
            continue
        outside = _outside(sheet, name)
        rule = f"{called} is not in the contract year {sheet.year}"
        yield from sheet.found("service_outside_year", outside, field, rule)
        inside = pc.invert(outside)
        if sheet.has("enrolled_on"):
            early = pc.and_(_before(sheet, name, "enrolled_on"), inside)
            yield from sheet.found("service_before_enrollment", early, field, f"{called} lies before the enrollment")
        if sheet.has("opted_out_on"):
            late = pc.and_(_before(sheet, "opted_out_on", name), inside)
            yield from sheet.found("service_after_opt_out", late, field, f"{called} lies after the opt-out")


def _offers(sheet: Sheet) -> Iterator[Finding]:
    if sheet.has("cmr_offered", "cmr_received"):
        bad = pc.and_(sheet.is_one_of("cmr_received", "Y"), sheet.is_one_of("cmr_offered", "N"))
        rule = "a CMR was received and is told as not offered"
        yield from sheet.found("received_not_offered", bad, sheet.layout.field("cmr_offered"), rule)
    field = sheet.layout.field("cmr_offered_on")
    if field and sheet.has("cmr_offered_on", "cmr_on"):
        rule = "the first CMR offer lies after the CMR"
        yield from sheet.found("offer_after_cmr", _before(sheet, "cmr_on", "cmr_offered_on"), field, rule)
    if field and sheet.has("cmr_offered_on", "enrolled_on"):
        allowed = sheet.edits["offer_late"].days
        late = pc.greater(_days_between(sheet, "enrolled_on", "cmr_offered_on"), allowed)
        rule = f"the first CMR offer lies more than {allowed} days after the enrollment"
        yield from sheet.found("offer_late", late, field, rule)


def _summaries(sheet: Sheet) -> Iterator[Finding]:
    """The summary follows its CMR in time, also into the next year: it has no rule of the year of its own (U)."""
    field = sheet.layout.field("cmr_summary_sent_on")
    if field and sheet.has("cmr_summary_sent_on", "cmr_on"):
        days = _days_between(sheet, "cmr_on", "cmr_summary_sent_on")
        yield from sheet.found(
            "summary_before_cmr", pc.less(days, 0), field, "the written summary was sent before the CMR"
        )
        allowed = sheet.edits["summary_late"].days
        rule = f"the written summary was sent more than {allowed} days after the CMR"
        yield from sheet.found("summary_late", pc.greater(days, allowed), field, rule)
    if sheet.has("ltc_facility", "cmr_received"):
        told = pc.invert(sheet.is_one_of("ltc_facility", "U"))
        bad = pc.and_(told, sheet.is_one_of("cmr_received", "N"))
        rule = "it is told whether the beneficiary was in a long-term care facility at the CMR, and there was no CMR"
        yield from sheet.found("ltc_without_cmr", bad, sheet.layout.field("ltc_facility"), rule)


def _counts(sheet: Sheet) -> Iterator[Finding]:
    if sheet.has("recommendations", "therapy_changes"):
        more = pc.greater(sheet.number("therapy_changes"), sheet.number("recommendations"))
        rule = "more changes to drug therapy than recommendations"
        yield from sheet.found("changes_above_recommendations", more, sheet.layout.field("therapy_changes"), rule)
    if sheet.has("tmr_count", "tmr_first_on"):
        end = pa.array([date(sheet.year, 12, 31)] * sheet.count, pa.date32())
        if sheet.has("opted_out_on"):
            end = pc.coalesce(sheet.day("opted_out_on"), end)
        days = pc.add(pc.subtract(end.cast(pa.int32()), sheet.day("tmr_first_on").cast(pa.int32())), 1)
        # A first TMR after the opt-out is told by its own edit.
        more = pc.and_(pc.greater(sheet.number("tmr_count"), days), pc.greater(days, 0))
        rule = "more TMRs than days between the first TMR and the end"
        yield from sheet.found("tmr_count_impossible", more, sheet.layout.field("tmr_count"), rule)


def _births(sheet: Sheet) -> Iterator[Finding]:
    field = sheet.layout.field("birth_date")
    if not field or not sheet.has("birth_date"):
        return
    if sheet.has("enrolled_on"):
        late = _before(sheet, "enrolled_on", "birth_date")
        yield from sheet.found("born_after_enrollment", late, field, "the beneficiary was born after the enrollment")
    old = pc.less(sheet.day("birth_date"), pa.scalar(date(sheet.year - OLDEST, 1, 1)))
    yield from sheet.found("age_unlikely", old, field, f"the beneficiary is older than {OLDEST} years")
