"""The CMS file of one contract and year: records, checks and bytes in one value. Writing it is left to the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapter.errors import ReportError
from adapter.reporting import file
from adapter.reporting.checks import check
from adapter.reporting.checks_sources import source_findings
from adapter.reporting.edits import Edits
from adapter.reporting.finding import Finding, FindingsError
from adapter.reporting.form import Layout
from adapter.reporting.national import National
from adapter.reporting.notice import notices
from adapter.reporting.rates import CodeCount, Rate, code_counts, rates
from adapter.reporting.records import Parts, records
from adapter.reporting.sheet import Sheet, in_order
from adapter.targeting.program import is_contract


@dataclass(frozen=True)
class Checking:
    """By what a file is checked beside its layout."""

    edits: Edits
    national: National | None = None
    last_year: Sheet | None = None
    enrolled: int | None = None  # how many the plan says were enrolled
    allow_errors: bool = False


@dataclass(frozen=True)
class ContractFile:
    """The file of one contract, ready to be written, with what a person must know about it."""

    name: str
    data: bytes
    rows: int
    findings: tuple[Finding, ...]
    rates: dict[str, Rate]
    codes: tuple[CodeCount, ...]
    unverified: tuple[str, ...]  # sentences: what the file rests on that is not verified
    order: Any  # the Patient id of each row, a pyarrow array


def contract_file(of: Parts, layout: Layout, checking: Checking) -> ContractFile:
    """The file of a contract and year: one record per beneficiary enrolled at any time of the year.

    42 CFR 423.514(a), Part D Reporting Requirements (CMS-10185). The same tables give the same bytes. Raises
    FindingsError (a ReportError) with all findings when one of them is an error, unless ``checking.allow_errors``.
    """
    _must_fit(layout, of.contract, of.year)
    rows = file.as_table(of.read(records(of)), layout)
    texts = file.texts(rows, layout)
    # Only names are compared with what became of them; a large contract has no room for every fact twice.
    rows = rows.select(["beneficiary", *(field.name for field in layout.fields if field.type == "text")])
    sheet = Sheet(texts, layout, of.year, checking.edits, rows)
    found = [
        *check(sheet, of.contract, checking.enrolled, checking.last_year, checking.national),
        *source_findings(sheet, of),
    ]
    findings = in_order(found, layout)
    if not checking.allow_errors:
        _must_pass(findings, of.contract, of.year)
    data = file.joined(texts, layout, of.contract)
    name = file.file_name(layout, of.contract, of.year)
    order = rows["beneficiary"].combine_chunks()
    return ContractFile(name, data, rows.num_rows, findings, rates(sheet), code_counts(sheet), notices(layout), order)


def _must_fit(layout: Layout, contract: str, year: int) -> None:
    if not is_contract(contract):
        raise ReportError(f"{contract!r} is no CMS contract number; give H, S, R or E and four digits, such as H1234")
    if layout.reporting_year != year:
        raise ReportError(
            f"the layout {layout.name} is for {layout.reporting_year}, not for {year}; give the layout of that year"
        )


def _must_pass(findings: Sequence[Finding], contract: str, year: int) -> None:
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        message = f"the file of {contract} for {year} was not made because of {count}, the first: {errors[0]}"
        raise FindingsError(message, tuple(findings))
