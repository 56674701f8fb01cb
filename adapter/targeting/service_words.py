"""The deadlines of a program in plain sentences, as ``program show`` tells them and as each duty cites them."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.targeting.service_rules import Services
from adapter.targeting.settings import Criterion

DUTY_TITLES: Mapping[str, str] = {
    "invitation": "Invitation letter",
    "cmr_offer": "Offer of the CMR",
    "second_outreach": "Second outreach",
    "cmr": "Comprehensive Medication Review (CMR)",
    "summary": "Written summary",
    "tmr": "Targeted Medication Review (TMR)",
    "safe_disposal": "Safe-disposal information",
}
_WAYS = {"other": "by another way than the first", "any": "by any way"}
_QUARTERS = {
    "of_enrollment": "in each three months since the enrollment, the last cut off by the end of the plan year",
    "calendar": "in each quarter of the calendar in which the beneficiary is enrolled",
}
_REPEATED = {
    "each_plan_year": "in each plan year of enrollment",
    "first_plan_year": "in the first plan year only; the carried over get none",
}


def rules(services: Services) -> dict[str, str]:
    """One sentence for each duty, by its name: what must be done until when."""
    offer, second = services.cmr_offer, services.second_outreach
    return {
        "invitation": f"The letter goes out within {_days(services.invitation.within_days)} of the enrollment,"
        f" {_REPEATED[services.invitation.repeated]}.",
        "cmr_offer": f"The CMR is offered within {_days(offer.within_days)} of the enrollment; to a beneficiary who is carried over"
        f" from the year before, within {offer.again_within_months} months of the last offer. An offer that came back as"
        " undeliverable is none.",
        "second_outreach": f"An offer without an answer after {_days(second.after_days)} is repeated {_WAYS[second.way]}, within"
        f" {_days(second.within_days)} of the first.",
        "cmr": f"A CMR is held once in the plan year{_before(services.cmr.days_before_year_end)}, unless it is declined. Declining it"
        " is not opting out of the program.",
        "summary": f"The written summary is sent within {services.summary.within_days} calendar days of the CMR; after a TMR none is"
        " required.",
        "tmr": f"A TMR is held {_QUARTERS[services.tmr.quarters]}, for every enrollee, also for those who decline the CMR.",
        "safe_disposal": "Information on the safe disposal of drugs is given once in the plan"
        f" year{_before(services.safe_disposal.days_before_year_end)}, in a CMR, a TMR or another mailing.",
    }


def citation(deadline: Criterion) -> str:
    """Source and standing of a deadline, for the end of a sentence."""
    return f"{deadline.source} ({deadline.standing})"


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _before(count: int) -> str:
    return f", at the latest {_days(count)} before its end" if count else ""
