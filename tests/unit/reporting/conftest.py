"""The layouts as shipped, a good row, and an engine."""

from datetime import date
from pathlib import Path

import pytest

from adapter.engine import Engine
from adapter.reporting.layout import load_layout

ROOT = Path(__file__).parents[3]
LAYOUTS = ROOT / "mappings" / "layouts"


@pytest.fixture(scope="session")
def layout():
    return load_layout("cms-mtm-2023", LAYOUTS)


@pytest.fixture(scope="module")
def engine():
    with Engine() as engine:
        yield engine


@pytest.fixture
def good_row():
    """A row without a finding, as far as this version follows the facts."""
    return {
        "beneficiary": "a",
        "contract_number": "H1234",
        "mbi": "1EG4TE5MK73",
        "first_name": "Ana",
        "last_name": "Diaz",
        "birth_date": date(1950, 1, 2),
        "met_criteria": "01",
        "enrolled_on": date(2023, 9, 30),
        "criteria_met_on": date(2023, 9, 30),
    }
