"""The layouts as shipped, a good row, and an engine."""

from datetime import date
from pathlib import Path

import pytest

from adapter.engines.duckdb import Engine
from adapter.reporting.layout import load_layout
from adapter.reporting.records import parts, records

from .planted import BENEFICIARY, ENROLLMENT, SERVICE, person

ROOT = Path(__file__).parents[3]
LAYOUTS = ROOT / "mappings" / "layouts"
LISTS = ROOT / "mappings" / "reporting"


@pytest.fixture(scope="session")
def layout():
    return load_layout("cms-mtm-2023", LAYOUTS)


@pytest.fixture(scope="module")
def engine():
    with Engine() as engine:
        yield engine


@pytest.fixture
def rows(engine):
    """The records of planted enrollments, persons and services."""

    def run(enrollments, services=(), persons=None, contract="H1234", year=2023):
        persons = [person()] if persons is None else persons
        tables = (
            engine.table(enrollments, ENROLLMENT), engine.table(persons, BENEFICIARY), engine.table(services, SERVICE),
        )  # fmt: skip
        return engine.records(records(parts(*tables, contract, year)))

    return run


@pytest.fixture
def good_row():
    """A row without a finding: enrolled, offered, reviewed, followed."""
    return {
        "beneficiary": "a",
        "contract_number": "H1234",
        "mbi": "1EG4TE5MK73",
        "first_name": "Ana",
        "last_name": "Diaz",
        "birth_date": date(1950, 1, 2),
        "met_criteria": "01",
        "cognitively_impaired": "N",
        "ltc_facility": "N",
        "enrolled_on": date(2023, 2, 1),
        "criteria_met_on": date(2023, 2, 1),
        "opted_out_on": None,
        "opt_out_reason": None,
        "cmr_offered": "Y",
        "cmr_offered_on": date(2023, 2, 10),
        "cmr_offer_recipient": "beneficiary",
        "cmr_received": "Y",
        "cmr_on": date(2023, 3, 1),
        "cmr_summary_sent_on": date(2023, 3, 5),
        "cmr_method": "telephone",
        "cmr_provider": "plan_sponsor_pharmacist",
        "cmr_recipient": "beneficiary",
        "tmr_count": 3,
        "tmr_first_on": date(2023, 4, 1),
        "recommendations": 2,
        "therapy_changes": 1,
        "safe_disposal": "Y",
    }
