"""The edits of each field by itself: given when it must be, blank when it must be, of its form, within its length."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from adapter.reporting.finding import Finding
from adapter.reporting.form import Condition, Field, Layout
from adapter.reporting.names import each_name, is_changed, is_unwritable
from adapter.reporting.sheet import Sheet

# CMS, Understanding the Medicare Beneficiary Identifier: letters are never S, L, O, I, B, Z.
_LETTER = "[AC-HJKMNP-RT-Y]"
_EITHER = "[0-9AC-HJKMNP-RT-Y]"
_STRANGE = r"^ |[\x00-\x1f\x7f]"
PATTERNS = {
    "mbi": f"^[1-9]{_LETTER}{_EITHER}[0-9]{_LETTER}{_EITHER}[0-9]{_LETTER}{_LETTER}[0-9][0-9]$",
    "contract": "^[HSRE][0-9]{4}$",
    "count": "^[0-9]+$",
}
FORMS = {
    "mbi": "an MBI of 11 characters",
    "contract": "a contract number such as H1234",
    "count": "a whole number",
    "date8": "a day as YYYYMMDD",
}
REMEDIES = {  # where the fact of a field stands in the source
    "mbi": "correct the identifier of the system http://hl7.org/fhir/sid/us-mbi in the Patient",
    "birth_date": "give the Patient a birthDate with year, month and day",
    "first_name": "correct the name of the Patient",
    "last_name": "correct the name of the Patient",
    "enrolled_on": "correct period.start of the enrollment CarePlan",
    "criteria_met_on": "correct criteriaMetOn in the extension mtm-enrollment of the CarePlan",
    "met_criteria": "correct reasonCode in the extension mtm-enrollment of the CarePlan",
    "opted_out_on": "correct optOutOn in the extension mtm-enrollment of the CarePlan",
    "opt_out_reason": "correct optOutReason in the extension mtm-enrollment of the CarePlan",
    "cmr_offered_on": "correct the day of the CMR offer or of the CMR",
    "cmr_offer_recipient": "record to whom the CMR was offered",
    "cmr_on": "correct the day of the CMR",
    "cmr_summary_sent_on": "correct the day on which the written summary was sent",
    "cmr_method": "record how the CMR was delivered",
    "cmr_provider": "record who performed the CMR",
    "cmr_recipient": "record who received the CMR",
    "tmr_first_on": "correct the day of the first TMR",
}


def field_findings(sheet: Sheet) -> Iterator[Finding]:
    """Every finding of every field by itself."""
    for field in sheet.layout.fields:
        if field.type != "filler":
            yield from _missing(sheet, field)
            yield from _not_allowed(sheet, field)
            yield from _malformed(sheet, field)
            yield from _too_long(sheet, field)
    yield from _one_name(sheet)


def _missing(sheet: Sheet, field: Field) -> Iterator[Finding]:
    condition = field.condition
    if condition is not None:
        bad = pc.and_(pc.is_null(sheet.texts[field.name]), sheet.holds(condition))
        why = "" if condition.when == "always" else f"; it is required when {words(condition, sheet.layout)}"
        yield from sheet.found("missing", bad, field, f"{field.title} is missing{why}", REMEDIES.get(field.name, ""))


def _not_allowed(sheet: Sheet, field: Field) -> Iterator[Finding]:
    permission = field.permission
    if permission is None or permission.when != "always":
        bad = pc.and_(pc.is_valid(sheet.texts[field.name]), pc.invert(sheet.holds(permission)))
        when = f"only when {words(permission, sheet.layout)}" if permission else "never"
        yield from sheet.found("not_allowed", bad, field, f"{field.title} is given, and may be {when}")


def words(condition: Condition, layout: Layout) -> str:
    """A condition in words: "element M (Offered the annual CMR) is Y"."""
    other = layout.field(condition.field)
    subject = f"element {other.element} ({other.title})" if other else condition.field
    if condition.when == "above":
        return f"{subject} is above {condition.least}"
    return f"{subject} is {' or '.join(condition.values) or condition.when}"


def _malformed(sheet: Sheet, field: Field) -> Iterator[Finding]:
    text, remedy = sheet.texts[field.name], REMEDIES.get(field.name, "")
    if field.type == "date8":
        bad = pc.and_(pc.is_valid(text), pc.is_null(sheet.day(field.name)))
        yield from sheet.found("bad_date", bad, field, f"{field.title} is not {FORMS['date8']}", remedy)
    elif field.type in PATTERNS:
        bad = pc.invert(pc.match_substring_regex(text, pattern=PATTERNS[field.type]))
        yield from sheet.found(f"bad_{field.type}", bad, field, f"{field.title} is not {FORMS[field.type]}")
        if field.type == "count" and field.fill == "0" and sheet.rows is None:
            short = pc.and_(pc.invert(bad), pc.less(pc.utf8_length(text), field.length))
            yield from sheet.found(
                "bad_count", short, field, f"{field.title} is not filled with zeros to {field.length} digits"
            )
    elif field.codes:
        bad = pc.and_(pc.is_valid(text), pc.invert(pc.is_in(text, value_set=pa.array(field.codes))))
        yield from sheet.found("bad_code", bad, field, f"{field.title} is none of {', '.join(field.codes)}")
    elif field.type == "text":
        strange = pc.match_substring_regex(text, pattern=_STRANGE)
        rule = f"{field.title} begins with a blank or holds a character that cannot be printed"
        yield from sheet.found("bad_text", strange, field, rule)
        if sheet.rows is not None:
            yield from _respelled(sheet, field)


def _respelled(sheet: Sheet, field: Field) -> Iterator[Finding]:
    """Of a file that the adapter makes: what its encoding does to a name."""
    column, encoding = sheet.rows[field.name].cast(pa.string()), sheet.layout.file.encoding.value
    if not len(column):
        return
    lost = each_name(column.chunks, lambda name: is_unwritable(name, encoding), pa.bool_())
    changed = each_name(column.chunks, lambda name: is_changed(name, encoding), pa.bool_())
    called = encoding.upper() if encoding == "ascii" else encoding
    yield from sheet.found("name_unwritable", lost, field, f"{field.title} has a character that {called} cannot write")
    rule = f"{field.title} is written without its accents and special letters, because the file is {called}"
    yield from sheet.found("name_respelled", pc.and_(changed, pc.invert(lost)), field, rule)


def _too_long(sheet: Sheet, field: Field) -> Iterator[Finding]:
    text = sheet.texts[field.name]
    if field.type == "text":
        bad = pc.greater(pc.utf8_length(text), field.length)
        yield from sheet.found("name_cut", bad, field, f"{field.title} is cut to {field.length} characters")
    elif field.type == "count":
        bad = pc.greater_equal(sheet.number(field.name), 10**field.length)
        yield from sheet.found("count_too_large", bad, field, f"{field.title} does not fit into {field.length} digits")


def _one_name(sheet: Sheet) -> Iterator[Finding]:
    if sheet.has("first_name", "last_name"):
        bad = pc.and_(pc.is_null(sheet.texts["first_name"]), pc.is_valid(sheet.texts["last_name"]))
        rule = "the person has one name only: it stands in the last name, the first name is blank"
        yield from sheet.found("single_name", bad, sheet.layout.field("first_name"), rule)
