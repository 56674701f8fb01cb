"""What a person must act on before the file of a contract is sent: every finding, never only the first.

CMS's own list of edits was not found; the rules follow from the layout (``required_when``, ``only_when``, type, values,
length), from 42 CFR 423.153(d) and from practice (reference/cms-rules.md 5). Severity, citation, standing and remedy of
each stand in ``mappings/reporting/edits.toml``.
"""

from __future__ import annotations

from adapter.reporting.checks_across import record_findings
from adapter.reporting.checks_fields import field_findings
from adapter.reporting.checks_files import activity_findings, last_year_findings, national_findings, total_findings
from adapter.reporting.checks_rows import row_findings
from adapter.reporting.deviations import EDITS as FORM_EDITS
from adapter.reporting.finding import Finding
from adapter.reporting.national import National
from adapter.reporting.sheet import Sheet, in_order

EDITS = frozenset({
    *FORM_EDITS, "missing", "not_allowed", "bad_date", "bad_mbi", "bad_contract", "bad_count", "bad_code", "count_too_large", "name_cut",
    "name_respelled", "name_unwritable", "single_name", "bad_text",
    "enrolled_outside_year", "criteria_outside_year", "criteria_after_opt_out", "opt_out_outside_year",
    "opt_out_before_enrollment", "disenrolled_on_december_31", "service_outside_year", "service_before_enrollment",
    "service_after_opt_out", "offer_after_cmr", "received_not_offered", "offer_late", "summary_before_cmr", "summary_late",
    "ltc_without_cmr", "changes_above_recommendations", "tmr_count_impossible", "born_after_enrollment", "age_unlikely",
    "same_mbi", "same_person", "contract_differs",
    "file_empty", "no_services", "enrollment_total", "last_year_total", "last_year_rate", "national_rate", "mbi_changed",
    "birth_date_changed",
    "service_not_counted", "summary_without_cmr", "no_patient", "died_before_enrollment", "death_without_opt_out",
    "revoked_without_opt_out", "enrollments_overlap", "enrolled_elsewhere", "several_mbis", "earlier_mbi",
})  # fmt: skip


def check(
    sheet: Sheet,
    contract: str = "",
    enrolled: int | None = None,
    last_year: Sheet | None = None,
    national: National | None = None,
) -> tuple[Finding, ...]:
    """Every finding in a file, in the order of rows and elements.

    ``contract`` is the one that the file is of, ``enrolled`` how many beneficiaries the plan says were enrolled, ``last_year``
    the file of the year before.
    """
    found = [*field_findings(sheet), *record_findings(sheet), *row_findings(sheet, contract), *activity_findings(sheet)]
    if enrolled is not None:
        found += total_findings(sheet, enrolled, "the count that was given")
    if last_year is not None:
        found += last_year_findings(sheet, last_year)
    if national is not None:
        found += national_findings(sheet, national)
    return in_order(found, sheet.layout)
