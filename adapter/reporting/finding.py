"""A finding of the edits: what a person must act on, or should know, before the file of a contract is sent.

A finding names the row and the element, never a name, an MBI or a birth date: it may be shown on a console.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from adapter.errors import ReportError

Severity = Literal["error", "warning", "notice"]
ORDER: tuple[Severity, ...] = ("error", "warning", "notice")
COLUMNS = ("severity", "edit", "element", "row", "beneficiary", "value", "rule", "remedy", "citation", "standing")


@dataclass(frozen=True)
class Finding:
    """One thing to act on: ``row`` counts the records of the file from 1 and is None for the file as a whole."""

    severity: Severity
    edit: str  # the name of the edit in mappings/reporting/edits.toml
    element: str  # the letter of the element in the layout, "" for the record or file as a whole
    row: int | None
    rule: str
    remedy: str
    beneficiary: str | None = None  # Patient id: for the list of findings, not for a log
    value: str | None = None  # the cell, of elements that identify nobody; for the list of findings
    citation: str = ""
    standing: str = ""

    def __str__(self) -> str:
        """The finding in one sentence, without beneficiary and value."""
        places = [f"row {self.row}" if self.row else "", f"element {self.element}" if self.element else ""]
        place = ", ".join(part for part in places if part)
        return f"{place}: {self.rule}; {self.remedy}" if place else f"{self.rule}; {self.remedy}"


class FindingsError(ReportError):
    """The file was not made because of errors in its rows; ``findings`` holds all, the warnings and notices too."""

    def __init__(self, message: str, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        super().__init__(message)
