"""The file of a contract from FHIR resources to bytes, against the golden case, and what stops it."""

import json
from pathlib import Path

import msgspec
import pytest

from adapter.errors import ReportError
from adapter.reporting.checks import EDITS
from adapter.reporting.contract_file import Checking, contract_file
from adapter.reporting.edits import load_edits
from adapter.reporting.finding import FindingsError
from adapter.reporting.reading import parse
from adapter.reporting.records import parts
from adapter.tables import beneficiaries, mtm_events, mtm_services
from adapter.tables.shapes import COMMUNICATION, PATIENT, PROCEDURE

from .conftest import LISTS

# Ibis 12.0.0 calls a method of DuckDB that DuckDB 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

GOLDEN = Path(__file__).parents[2] / "golden" / "report"
CHECKING = Checking(load_edits("edits", LISTS, EDITS))


@pytest.fixture
def made(engine, layout):
    """The file of the golden case, with other resources where they are given."""

    def of(contract="H1234", year=2023, layout=layout, allow_errors=False, **others):
        def raw(kind, shape):
            return engine.read_ndjson([others.get(kind, GOLDEN / f"{kind}.ndjson")], shape)

        persons = engine.keep(beneficiaries.beneficiaries(beneficiaries.patients(raw("Patient", PATIENT))))
        plans = engine.keep(mtm_events.enrollments(raw("CarePlan", mtm_events.SHAPE)))
        done = engine.keep(mtm_services.services(raw("Procedure", PROCEDURE), raw("Communication", COMMUNICATION)))
        checking = Checking(CHECKING.edits, allow_errors=allow_errors)
        return contract_file(parts(plans, persons, done, contract, year), layout, checking)

    return of


def changed(kind, tmp_path, change):
    """A copy of the golden resources of a type, each run through ``change``."""
    path = GOLDEN / f"{kind}.ndjson"
    resources = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    copy = tmp_path / path.name
    copy.write_text("".join(json.dumps(change(resource)) + "\n" for resource in resources), encoding="utf-8")
    return copy


def test_the_golden_file(made):
    found = made()
    assert found.data == (GOLDEN / found.name).read_bytes()
    assert "".join(f"{f.severity}: {f}\n" for f in found.findings) == (GOLDEN / "findings.txt").read_text(
        encoding="utf-8"
    )
    assert found.rows == 6 and found.name == "MTM_H1234_2023.txt"
    assert found.unverified[0].startswith("Unverified: line end")
    codes = {(one.element, one.code): (one.meaning, one.count) for one in found.codes}
    assert codes["F", "03"] == ("both", 2) and codes["M", "N"] == ("no", 2) and codes["L", ""] == ("blank", 4)
    assert ("L", "03") not in codes and codes["S", "02"] == ("telephone", 1)
    assert {name: rate.count for name, rate in found.rates.items()} == {
        "met_criteria": 5, "offered": 4, "received": 2, "tmr": 2, "recommended": 1, "changed": 1, "safe_disposal": 2, "opted_out": 2,
    }  # fmt: skip


def test_two_runs_give_the_same_bytes_whatever_the_order_of_the_input(made, tmp_path):
    others = {}
    for kind in ("CarePlan", "Procedure", "Communication"):
        lines = (GOLDEN / f"{kind}.ndjson").read_text(encoding="utf-8").splitlines()
        others[kind] = tmp_path / f"{kind}.ndjson"
        others[kind].write_text("\n".join(reversed(lines)) + "\n", encoding="utf-8")
    assert made() == made(**others)


def test_reading_back_gives_the_rows(made, layout):
    rows = parse(made().data, layout)
    names = (
        "mbi",
        "met_criteria",
        "enrolled_on",
        "cmr_offered",
        "cmr_received",
        "cmr_method",
        "tmr_count",
        "opt_out_reason",
    )
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("1EG4TE5MK73", "01", "20230930", "Y", "Y", "02", "002", ""),
        ("2EG4TE5MK74", "03", "20230201", "Y", "Y", "01", "001", ""),
        ("3EG4TE5MK75", "03", "20230930", "Y", "N", "", "000", ""),
        ("4EG4TE5MK76", "01", "20230930", "N", "N", "", "000", ""),
        ("5EG4TE5MK77", "04", "20230930", "N", "N", "", "000", "01"),
        ("6EG4TE5MK78", "01", "20230301", "Y", "N", "", "000", "02"),
    ]


def test_the_other_contract_has_its_own_facts_only(made, layout):
    [row] = parse(made("H5678").data, layout)
    assert (row["mbi"], row["cmr_offered"], row["tmr_count"], row["tmr_first_on"]) == (
        "6EG4TE5MK78",
        "N",
        "001",
        "20231015",
    )


def test_an_error_stops_the_file_and_tells_every_finding(made, tmp_path):
    partial = changed("Patient", tmp_path, lambda p: p | {"birthDate": "1950", "identifier": []})
    with pytest.raises(FindingsError) as caught:
        made(Patient=partial)
    assert str(caught.value) == (
        "the file of H1234 for 2023 was not made because of 12 errors, the first: row 1, element B: MBI is missing; "
        "correct the identifier of the system http://hl7.org/fhir/sid/us-mbi in the Patient"
    )
    assert len([f for f in caught.value.findings if f.severity == "error"]) == 12
    assert isinstance(caught.value, ReportError) and caught.value.exit_code == 7


def test_errors_can_be_allowed(made, layout, tmp_path):
    partial = changed("Patient", tmp_path, lambda p: p | ({"birthDate": "1950"} if p["id"] == "ana" else {}))
    with pytest.raises(FindingsError, match="because of 1 error, the first: row 1, element E"):
        made(Patient=partial)
    found = made(Patient=partial, allow_errors=True)
    assert parse(found.data, layout)[0]["birth_date"] == ""
    assert [f.beneficiary for f in found.findings if f.severity == "error"] == ["ana"]


def test_a_contract_without_enrollees_makes_an_empty_file_and_says_so(made):
    found = made("S9999")
    assert (found.data, found.rows) == (b"", 0)
    assert "nobody was enrolled in S9999 in 2023" in str(found.findings[-1])


@pytest.mark.parametrize(
    ("contract", "year", "fault"),
    [
        ("X1", 2023, "'X1' is no CMS contract number"),
        ("H1234", 2024, "the layout cms-mtm-2023 is for 2023, not for 2024"),
    ],
)
def test_what_does_not_fit_is_refused(made, contract, year, fault):
    with pytest.raises(ReportError, match=fault):
        made(contract, year)


def test_a_misspelled_field_is_refused(made, layout):
    fields = [msgspec.structs.replace(f, name="mbii") if f.name == "mbi" else f for f in layout.fields]
    with pytest.raises(ReportError, match="has the field 'mbii', which this version cannot fill"):
        made(layout=msgspec.structs.replace(layout, fields=fields))
