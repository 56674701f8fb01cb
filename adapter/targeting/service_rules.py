"""The deadlines of the services of a plan year, as the table ``[services]`` of a program states them (``adapter/services``).

Each deadline is a table of its own with its value, its standing and its citation. This module knows their form, not their figures.
"""

from __future__ import annotations

from typing import Literal

from adapter.targeting.settings import Criterion, Strict

LONGEST_DAYS, LONGEST_MONTHS = 366, 24


class Invitation(Criterion, frozen=True):
    """The letter that tells of the enrollment goes out within ``within_days`` of it, each plan year or once."""

    within_days: int
    repeated: Literal["each_plan_year", "first_plan_year"]


class CmrOffer(Criterion, frozen=True):
    """The CMR is offered within ``within_days`` of the enrollment; carried over, ``again_within_months`` after the last offer."""

    within_days: int
    again_within_months: int


class SecondOutreach(Criterion, frozen=True):
    """An offer without an answer is repeated: from ``after_days`` on, at the latest ``within_days`` after it.

    ``way``: by another way than the first offer, or by any.
    """

    after_days: int
    within_days: int
    way: Literal["other", "any"]


class YearlyService(Criterion, frozen=True):
    """Once in the plan year, at the latest ``days_before_year_end`` before its last day."""

    days_before_year_end: int


class QuarterlyTmr(Criterion, frozen=True):
    """A TMR in each quarter: of three months since the enrollment, or of the calendar."""

    quarters: Literal["of_enrollment", "calendar"]


class Summary(Criterion, frozen=True):
    """The written summary is sent within ``within_days`` calendar days of the CMR."""

    within_days: int


class Services(Strict, frozen=True):
    """The table ``[services]``: one table for each duty toward an enrolled beneficiary."""

    invitation: Invitation
    cmr_offer: CmrOffer
    second_outreach: SecondOutreach
    cmr: YearlyService
    summary: Summary
    tmr: QuarterlyTmr
    safe_disposal: YearlyService

    @property
    def deadlines(self) -> dict[str, Criterion]:
        """The tables by their names in the file, in the order of the year."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


def service_faults(services: Services) -> list[tuple[str, str]]:
    """Values that no deadline can have: key and sentence."""
    faults = []
    for name, table in services.deadlines.items():
        for setting in table.__struct_fields__:
            value = getattr(table, setting)
            if isinstance(value, int):
                most = LONGEST_MONTHS if setting.endswith("months") else LONGEST_DAYS
                least = 0 if setting == "days_before_year_end" else 1
                if not least <= value <= most:
                    faults.append((f"services.{name}.{setting}", f"{value} is no deadline; give {least} to {most}"))
    second = services.second_outreach
    if second.within_days < second.after_days:
        faults.append(
            ("services.second_outreach.within_days", "the second outreach would be over before it begins; raise it")
        )
    return faults
