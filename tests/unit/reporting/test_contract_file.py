"""The file of a contract from FHIR resources to bytes, against the golden case, and what stops it."""

import json
from pathlib import Path

import msgspec
import pytest

from adapter.errors import ReportError
from adapter.reporting.checks import FindingsError
from adapter.reporting.contract_file import contract_file
from adapter.reporting.file import parse
from adapter.tables import beneficiaries, mtm_events
from adapter.tables.shapes import PATIENT

# Ibis 12.0.0 calls a method of DuckDB that DuckDB 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

GOLDEN = Path(__file__).parents[2] / "golden" / "report"


@pytest.fixture
def tables(engine):
    def read(patients=GOLDEN / "Patient.ndjson", care_plans=GOLDEN / "CarePlan.ndjson"):
        persons = beneficiaries.beneficiaries(beneficiaries.patients(engine.read_ndjson([patients], PATIENT)))
        plans = mtm_events.enrollments(engine.read_ndjson([care_plans], mtm_events.SHAPE))
        return engine.keep(plans), engine.keep(persons)

    return read


def changed(path, tmp_path, change):
    """A copy of the resources in ``path``, each run through ``change``."""
    resources = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    copy = tmp_path / path.name
    copy.write_text("".join(json.dumps(change(resource)) + "\n" for resource in resources), encoding="utf-8")
    return copy


def test_the_golden_file(tables, layout):
    made = contract_file(*tables(), layout, "H1234", 2023)
    assert made.data == (GOLDEN / made.name).read_bytes()
    assert "".join(f"{f.severity}: {f}\n" for f in made.findings) == (GOLDEN / "findings.txt").read_text(
        encoding="utf-8"
    )
    assert made.rows == 5 and made.name == "MTM_H1234_2023.txt"
    assert made.unverified[0].startswith("Unverified: line end")


def test_two_runs_give_the_same_bytes_whatever_the_order_of_the_input(tables, layout, tmp_path):
    lines = (GOLDEN / "CarePlan.ndjson").read_text(encoding="utf-8").splitlines()
    turned = tmp_path / "CarePlan.ndjson"
    turned.write_text("\n".join(reversed(lines)) + "\n", encoding="utf-8")
    one, two = (contract_file(*t, layout, "H1234", 2023) for t in (tables(), tables(care_plans=turned)))
    assert one == two


def test_reading_back_gives_the_rows(tables, layout):
    rows = parse(contract_file(*tables(), layout, "H1234", 2023).data, layout)
    assert [(row["mbi"], row["met_criteria"], row["enrolled_on"], row["criteria_met_on"]) for row in rows] == [
        ("1EG4TE5MK73", "01", "20230930", "20230930"),
        ("2EG4TE5MK74", "03", "20230201", "20230201"),
        ("3EG4TE5MK75", "03", "20230930", "20230930"),
        ("4EG4TE5MK76", "01", "20230930", "20230930"),
        ("5EG4TE5MK77", "04", "20230930", ""),
    ]


def test_an_error_stops_the_file_and_tells_every_finding(tables, layout, tmp_path):
    partial = changed(GOLDEN / "Patient.ndjson", tmp_path, lambda p: p | {"birthDate": "1950", "identifier": []})
    with pytest.raises(FindingsError) as caught:
        contract_file(*tables(patients=partial), layout, "H1234", 2023)
    assert str(caught.value) == (
        "the file of H1234 for 2023 was not made because of 10 errors, the first: row 1, element B: MBI is missing; "
        "correct the identifier of the system http://hl7.org/fhir/sid/us-mbi in the Patient"
    )
    assert len([f for f in caught.value.findings if f.severity == "error"]) == 10
    assert isinstance(caught.value, ReportError) and caught.value.exit_code == 7


def test_errors_can_be_allowed(tables, layout, tmp_path):
    partial = changed(
        GOLDEN / "Patient.ndjson", tmp_path, lambda p: p | ({"birthDate": "1950"} if p["id"] == "ana" else {})
    )
    with pytest.raises(FindingsError, match="because of 1 error, the first: row 1, element E"):
        contract_file(*tables(patients=partial), layout, "H1234", 2023)
    made = contract_file(*tables(patients=partial), layout, "H1234", 2023, allow_errors=True)
    assert parse(made.data, layout)[0]["birth_date"] == ""
    assert [f.beneficiary for f in made.findings if f.severity == "error"] == ["ana"]


def test_a_contract_without_enrollees_makes_an_empty_file_and_says_so(tables, layout):
    made = contract_file(*tables(), layout, "S9999", 2023)
    assert (made.data, made.rows) == (b"", 0)
    assert "nobody was enrolled in S9999 in 2023" in str(made.findings[-1])


@pytest.mark.parametrize(
    ("contract", "year", "fault"),
    [
        ("X1", 2023, "'X1' is no CMS contract number"),
        ("H1234", 2024, "the layout cms-mtm-2023 is for 2023, not for 2024"),
    ],
)
def test_what_does_not_fit_is_refused(tables, layout, contract, year, fault):
    with pytest.raises(ReportError, match=fault):
        contract_file(*tables(), layout, contract, year)


def test_a_misspelled_field_is_refused(tables, layout):
    fields = [msgspec.structs.replace(f, name="mbii") if f.name == "mbi" else f for f in layout.fields]
    with pytest.raises(ReportError, match="has the field 'mbii', which this version cannot fill"):
        contract_file(*tables(), msgspec.structs.replace(layout, fields=fields), "H1234", 2023)
