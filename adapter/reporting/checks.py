"""What a person must act on before the file of a contract is sent: every finding, never only the first.

CMS's own list of edits was not found; the rules here follow from the layout (``required_when``, type, values, length)
and from 42 CFR 423.153(d) (reference/cms-rules.md 5). A finding names the row and the element, never a name, an MBI or
a date.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from adapter.errors import ReportError
from adapter.reporting.form import Condition, Field, Layout
from adapter.reporting.names import each_name, is_changed, is_unwritable

Severity = Literal["error", "warning"]

# CMS, Understanding the Medicare Beneficiary Identifier: letters are never S, L, O, I, B, Z.
_LETTER = "[AC-HJKMNP-RT-Y]"
_EITHER = "[0-9AC-HJKMNP-RT-Y]"
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
REMEDIES = {
    "mbi": "correct the identifier of the system http://hl7.org/fhir/sid/us-mbi in the Patient",
    "birth_date": "give the Patient a birthDate with year, month and day",
    "first_name": "correct the name of the Patient",
    "last_name": "correct the name of the Patient",
    "enrolled_on": "correct period.start of the enrollment CarePlan",
    "criteria_met_on": "correct criteriaMetOn in the extension mtm-enrollment of the CarePlan",
    "met_criteria": "correct reasonCode in the extension mtm-enrollment of the CarePlan",
}


@dataclass(frozen=True)
class Finding:
    """One thing to act on: ``row`` counts the lines of the file from 1 and is None for the file as a whole."""

    severity: Severity
    element: str  # the letter of the element in the layout, "" for the file as a whole
    row: int | None
    rule: str
    remedy: str
    beneficiary: str | None = None  # Patient id: for the list of findings, not for a log

    def __str__(self) -> str:
        """The finding in one sentence, without the beneficiary."""
        places = [f"row {self.row}" if self.row else "", f"element {self.element}" if self.element else ""]
        place = ", ".join(part for part in places if part)
        return f"{place}: {self.rule}; {self.remedy}" if place else f"{self.rule}; {self.remedy}"


class FindingsError(ReportError):
    """The file was not made because of errors in its rows; ``findings`` holds all, the warnings too."""

    def __init__(self, message: str, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        super().__init__(message)


@dataclass(frozen=True)
class Sheet:
    """What is checked: the rows as they came, and the texts that their cells will hold."""

    rows: Any
    texts: Any
    layout: Layout
    year: int

    def findings(self, bad: Any, field: Field, severity: Severity, rule: str, remedy: str = "") -> Iterator[Finding]:
        """A finding for each row where the mask ``bad`` is true."""
        whose = self.rows["beneficiary"] if "beneficiary" in self.rows.column_names else None
        remedy = remedy or REMEDIES.get(field.name, "correct it in the source")
        for index in pc.indices_nonzero(pc.fill_null(bad, False)).to_pylist():
            yield Finding(severity, field.element, index + 1, rule, remedy, whose[index].as_py() if whose else None)


def check(rows: Any, texts: Any, layout: Layout, year: int, not_followed: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Every finding in ``rows`` (pyarrow table) and ``texts`` (see ``file.texts``), in the order of rows and elements.

    ``not_followed`` names the fields that this version does not know: one finding for the file, not one per row.
    """
    sheet = Sheet(rows, texts, layout, year)
    found = [*_not_followed(layout, not_followed), *_across_fields(sheet)]
    for field in layout.fields:
        if field.type != "filler" and field.name not in not_followed:
            found += [*_missing(sheet, field), *_malformed(sheet, field), *_too_long(sheet, field)]
    order = {field.element: number for number, field in enumerate(layout.fields)}
    return tuple(sorted(found, key=lambda finding: (finding.row or 0, order.get(finding.element, -1))))


def _not_followed(layout: Layout, names: Sequence[str]) -> Iterator[Finding]:
    letters = [field.element for field in layout.fields if field.name in names]
    if letters:
        which = f"element {letters[0]} is" if len(letters) == 1 else f"elements {', '.join(letters)} are"
        rule = f"{which} blank in every row, because this version does not follow the facts yet"
        yield Finding("warning", "", None, rule, "fill them from your own records before the file is sent to CMS")


def _missing(sheet: Sheet, field: Field) -> Iterator[Finding]:
    condition = field.condition
    if condition is not None:
        bad = pc.and_(pc.is_null(sheet.texts[field.name]), _holds(condition, sheet))
        why = "" if condition.when == "always" else f"; it is required when {_words(condition, sheet.layout)}"
        yield from sheet.findings(bad, field, "error", f"{field.title} is missing{why}")


def _holds(condition: Condition, sheet: Sheet) -> Any:
    if condition.when == "always":
        return pa.array([True] * sheet.texts.num_rows, pa.bool_())
    other = sheet.texts[condition.field]
    if condition.when == "equal":
        return pc.is_in(other, value_set=pa.array(condition.values))
    return pc.is_valid(other) if condition.when == "given" else pc.is_null(other)


def _words(condition: Condition, layout: Layout) -> str:
    other = layout.field(condition.field)
    subject = f"element {other.element} ({other.title})" if other else condition.field
    return f"{subject} is {' or '.join(condition.values) or condition.when}"


def _malformed(sheet: Sheet, field: Field) -> Iterator[Finding]:
    text = sheet.texts[field.name]
    if field.type == "date8":
        yield from sheet.findings(pc.invert(_is_day(text)), field, "error", f"{field.title} is not {FORMS['date8']}")
    elif field.type in PATTERNS:
        bad = pc.invert(pc.match_substring_regex(text, pattern=PATTERNS[field.type]))
        yield from sheet.findings(bad, field, "error", f"{field.title} is not {FORMS[field.type]}")
    elif field.codes:
        bad = pc.and_(pc.is_valid(text), pc.invert(pc.is_in(text, value_set=pa.array(field.codes))))
        yield from sheet.findings(bad, field, "error", f"{field.title} is none of {', '.join(field.codes)}")
    elif field.type == "text":
        yield from _respelled(sheet, field)


def _is_day(text: Any) -> Any:
    """True for a day of the calendar as YYYYMMDD, NULL for none."""
    day = pc.strptime(text, format="%Y%m%d", unit="s", error_is_null=True)
    same = pc.equal(pc.strftime(day, format="%Y%m%d"), text)  # strptime reads 20230229 as 1 March
    return pc.if_else(pc.is_valid(text), pc.fill_null(same, False), None)


def _respelled(sheet: Sheet, field: Field) -> Iterator[Finding]:
    column = sheet.rows[field.name].cast(pa.string())
    if not column.length():
        return
    lost = each_name(column.chunks, is_unwritable, pa.bool_())
    changed = pc.and_(each_name(column.chunks, is_changed, pa.bool_()), pc.invert(lost))
    yield from sheet.findings(lost, field, "error", f"{field.title} has a character that ASCII cannot write")
    rule = f"{field.title} is written without its accents and special letters, because the file is ASCII"
    yield from sheet.findings(changed, field, "warning", rule, "compare it with the spelling that CMS has for the MBI")


def _too_long(sheet: Sheet, field: Field) -> Iterator[Finding]:
    bad = pc.greater(pc.utf8_length(sheet.texts[field.name]), field.length)
    if field.type == "text":
        rule = f"{field.title} is cut to {field.length} characters"
        yield from sheet.findings(bad, field, "warning", rule, "compare it with the spelling that CMS has for the MBI")
    elif field.type == "count":
        yield from sheet.findings(bad, field, "error", f"{field.title} does not fit into {field.length} digits")


def _across_fields(sheet: Sheet) -> Iterator[Finding]:
    yield from _one_name(sheet)
    yield from _outside_year(sheet)
    yield from _same_mbi(sheet)


def _one_name(sheet: Sheet) -> Iterator[Finding]:
    first, last = sheet.layout.field("first_name"), sheet.layout.field("last_name")
    if first and last:
        bad = pc.and_(pc.is_null(sheet.texts["first_name"]), pc.is_valid(sheet.texts["last_name"]))
        rule = "the person has one name only: it stands in the last name, the first name is blank"
        yield from sheet.findings(bad, first, "warning", rule, "add the first name to the Patient if there is one")


def _outside_year(sheet: Sheet) -> Iterator[Finding]:
    """The enrollment of the year lies within it. 42 CFR 423.153(d)(1): enrollment is for the plan year."""
    field = sheet.layout.field("enrolled_on")
    if field:
        bad = pc.invert(pc.starts_with(sheet.texts["enrolled_on"], pattern=str(sheet.year)))
        yield from sheet.findings(bad, field, "error", f"{field.title} is not in the contract year {sheet.year}")


def _same_mbi(sheet: Sheet) -> Iterator[Finding]:
    """One row per beneficiary and contract, reference/cms-rules.md 5."""
    field = sheet.layout.field("mbi")
    if field:
        counted = pc.value_counts(sheet.texts["mbi"]).flatten()
        twice = counted[0].filter(pc.greater(counted[1], 1)).drop_null()
        bad = pc.and_(pc.is_in(sheet.texts["mbi"], value_set=twice), pc.is_valid(sheet.texts["mbi"]))
        remedy = "merge the Patients who are one person, or correct the MBI"
        yield from sheet.findings(bad, field, "error", "the same MBI stands in another row of this file", remedy)
