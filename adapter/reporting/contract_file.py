"""The CMS file of one contract and year: records, checks and bytes in one value. Writing it is left to the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis.expr.types as ir

from adapter.errors import ReportError
from adapter.reporting import file
from adapter.reporting.checks import Finding, FindingsError, check
from adapter.reporting.form import Layout
from adapter.reporting.notice import notices
from adapter.reporting.records import parts, records
from adapter.targeting.program import is_contract


@dataclass(frozen=True)
class ContractFile:
    """The file of one contract, ready to be written, with what a person must know about it."""

    name: str
    data: bytes
    rows: int
    findings: tuple[Finding, ...]
    unverified: tuple[str, ...]  # sentences: what the file rests on that is not verified


def contract_file(
    enrollments: ir.Table,
    beneficiaries: ir.Table,
    services: ir.Table,
    layout: Layout,
    contract: str,
    year: int,
    allow_errors: bool = False,
) -> ContractFile:
    """The file of ``contract`` for ``year``: one record per beneficiary enrolled at any time of the year.

    42 CFR 423.514(a), Part D Reporting Requirements (CMS-10185). The same tables give the same bytes. Raises
    FindingsError (a ReportError) with all findings when one of them is an error, unless ``allow_errors``.
    """
    _must_fit(layout, contract, year)
    rows = file.as_table(records(parts(enrollments, beneficiaries, services, contract, year)).to_pyarrow(), layout)
    texts = file.texts(rows, layout)
    findings = check(rows, texts, layout, year)
    if not rows.num_rows:
        findings += (_nobody(contract, year),)
    if not allow_errors:
        _must_pass(findings, contract, year)
    data = file.joined(texts, layout)
    return ContractFile(file.file_name(layout, contract, year), data, rows.num_rows, findings, notices(layout))


def _must_fit(layout: Layout, contract: str, year: int) -> None:
    if not is_contract(contract):
        raise ReportError(f"{contract!r} is no CMS contract number; give H, S, R or E and four digits, such as H1234")
    if layout.reporting_year != year:
        raise ReportError(
            f"the layout {layout.name} is for {layout.reporting_year}, not for {year}; give the layout of that year"
        )


def _nobody(contract: str, year: int) -> Finding:
    rule = f"nobody was enrolled in {contract} in {year}: the file is empty"
    return Finding("warning", "", None, rule, "check the contract, the year and the source of the CarePlans")


def _must_pass(findings: Sequence[Finding], contract: str, year: int) -> None:
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        message = f"the file of {contract} for {year} was not made because of {count}, the first: {errors[0]}"
        raise FindingsError(message, tuple(findings))
