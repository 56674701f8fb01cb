"""The deadlines of a program as sentences with their citation."""

from __future__ import annotations

import msgspec
import pytest

from adapter.targeting.program import load_program
from adapter.targeting.service_words import DUTY_TITLES, citation, rules
from tests.conftest import PROGRAMS


@pytest.mark.parametrize("name", sorted(path.stem for path in PROGRAMS.glob("*.toml")))
def test_every_program_states_each_deadline_with_standing_and_citation(name):
    services = load_program(name, PROGRAMS).services
    assert list(services.deadlines) == list(DUTY_TITLES) == list(rules(services))
    assert all("CFR" in table.source or "CMS" in table.source for table in services.deadlines.values())


def test_the_figures_are_those_of_the_reference(program_2023):
    services = program_2023.services  # reference/cms-rules.md 3
    assert (services.cmr_offer.within_days, services.cmr_offer.again_within_months) == (60, 12)
    assert (services.cmr_offer.standing, services.second_outreach.standing) == ("P+", "P")
    assert (services.summary.within_days, services.summary.standing) == (14, "V")


def test_a_citation_ends_with_its_standing(program_2023):
    assert citation(program_2023.services.summary).startswith("42 CFR 423.153(d)(1)(vii)(B)")
    assert citation(program_2023.services.cmr_offer).endswith("(not regulation) (P+)")


def test_one_day_and_a_date_before_the_end_of_the_year(program_2023):
    services = msgspec.structs.replace(
        program_2023.services,
        invitation=msgspec.structs.replace(program_2023.services.invitation, within_days=1),
        cmr=msgspec.structs.replace(program_2023.services.cmr, days_before_year_end=30),
    )
    told = rules(services)
    assert "within 1 day of the enrollment" in told["invitation"]
    assert "once in the plan year, at the latest 30 days before its end" in told["cmr"]
