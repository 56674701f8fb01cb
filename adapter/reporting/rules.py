"""Which rule fills which element of the record, where the rule comes from, and on which resources a cell rests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adapter.reporting.form import Standing


@dataclass(frozen=True)
class Rule:
    """How a column of the records is filled; ``evidence`` names columns of ``records.evidence``, all of them or the first.

    A cell whose evidence is empty rests on the enrollment: nothing was found among the services of its days.
    """

    text: str
    citation: str
    standing: Standing
    evidence: tuple[str, ...]
    first_only: bool = False  # the first column of the evidence that is there


_LAYOUT = "CY2019 record layout as secondary texts give it"
_PRACTICE = "how elements are filled in practice (plan and vendor texts)"
_PERSON = ("patient",)
_ENROLLED = ("enrollments",)
_INITIAL = "of the initial CMR: the first between enrollment and end with a standardized written summary"

RULES: Mapping[str, Rule] = {
    "contract_number": Rule("the contract of the enrollment", "one file per contract", "V", _ENROLLED),
    "mbi": Rule(
        "the current MBI of the Patient: not old or historic, its period open, else the one that ended last", _LAYOUT, "P+", _PERSON
    ),
    "mbi_history": Rule("all other MBIs of the Patient", "own reading", "U", _PERSON),
    "first_name": Rule(
        "the first given name of the official name whose period is open; blank with one name only", _LAYOUT, "P+", _PERSON
    ),
    "middle_initial": Rule("the first letter of the second given name", "CY2018 record layout", "P+", _PERSON),
    "last_name": Rule("the family name of the official name, or the only name", _LAYOUT, "P+", _PERSON),
    "birth_date": Rule("the birthDate of the Patient, when it is a whole day", _LAYOUT, "P+", _PERSON),
    "met_criteria": Rule(
        "the reasons of all enrollments of the year together: 01 and 02 make 03, 04 only alone",
        "Part D Reporting Requirements from CY2022; that reasons add up is own reading (U)", "V", _ENROLLED,
    ),
    "enrolled_on": Rule("the earliest enrollment of the year in this contract", _PRACTICE, "P", _ENROLLED),
    "criteria_met_on": Rule("the earliest day on which the criteria were met in this contract", _LAYOUT, "V", _ENROLLED),
    "opted_out_on": Rule(
        "the opt-out of the last enrollment; a disenrollment (02) on 31 December is none", _PRACTICE, "P", ("last",)
    ),
    "opt_out_reason": Rule(
        "the reason of the opt-out of the last enrollment: 01 death, 02 disenrollment, 03 request, 99 other", _LAYOUT, "P", ("last",)
    ),
    "cognitively_impaired": Rule(
        f"what was recorded {_INITIAL}; when nothing is told there at the first offer; else U", _LAYOUT, "P+", ("impaired", "offer"),
        first_only=True,
    ),
    "ltc_facility": Rule(f"what was recorded {_INITIAL}; U when no CMR", _LAYOUT, "P+", ("cmr",)),
    "cmr_offered": Rule(
        "Y when a CMR was offered between enrollment and end; a CMR delivered is also an offer, an undeliverable one is none",
        _PRACTICE, "P", ("offer",),
    ),
    "cmr_offered_on": Rule("the day of the first offer", _PRACTICE, "P", ("offer",)),
    "cmr_offer_recipient": Rule("the recipient of the first offer", _LAYOUT, "P", ("offer",)),
    "cmr_received": Rule(
        "Y when a CMR between enrollment and end has a standardized written summary; a summary that came back counts as sent",
        _PRACTICE, "P", ("cmr", "summary"),
    ),
    "cmr_on": Rule(f"the day {_INITIAL}", _PRACTICE, "P", ("cmr",)),
    "cmr_summary_sent_on": Rule("the day of the first summary of that CMR", _LAYOUT, "P", ("summary",)),
    "cmr_method": Rule(f"the delivery method {_INITIAL}", _PRACTICE, "P", ("cmr",)),
    "cmr_provider": Rule(f"the provider {_INITIAL}", _PRACTICE, "P", ("cmr",)),
    "cmr_recipient": Rule(f"the recipient {_INITIAL}", _PRACTICE, "P", ("cmr",)),
    "tmr_count": Rule("the number of distinct dates of TMRs between enrollment and end", _LAYOUT, "P+", ("tmrs",)),
    "tmr_first_on": Rule("the first date of a TMR between enrollment and end", _LAYOUT, "P", ("tmrs",)),
    "recommendations": Rule(
        "the recommendations to prescribers between enrollment and end, each problem and action once", _PRACTICE, "P", ("recommended",)
    ),
    "therapy_changes": Rule(
        "the recommendations that count and whose resolution changed the drug therapy", _LAYOUT, "P+", ("resolved",)
    ),
    "safe_disposal": Rule(
        "Y when information on safe disposal was sent between enrollment and end", "42 CFR 422.111(j), from 2022", "U", ("disposals",)
    ),
}  # fmt: skip
