"""The plan's list of maintenance drugs: every written form of a code, and every fault of a file at once."""

from __future__ import annotations

import pytest

from adapter.errors import MappingError
from adapter.loading.maintenance import load_maintenance, maintenance_rows, read_maintenance
from tests.unit.loading.conftest import DAY, rows

HEADER = "code_system,code,maintenance\n"


@pytest.fixture
def listed(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "maintenance.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_codes_come_in_their_normal_form_sorted_and_once(listed):
    path = listed(HEADER + "rxnorm,6809,Y\nndc,0071-0156-23,n\nNDC,71234-567-8,D\nRxNorm, 6809 ,Y\n\n,,\n")
    assert maintenance_rows(path) == [
        {"name": "ndc", "key": "00071015623", "maintenance": "N"},
        {"name": "ndc", "key": "71234056708", "maintenance": "D"},
        {"name": "rxnorm", "key": "6809", "maintenance": "Y"},
    ]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("00071015623", "00071015623"),
        ("00071-0156-23", "00071015623"),
        ("0071-0156-23", "00071015623"),
        ("68180-980-01", "68180098001"),
        ("68180-0980-1", "68180098001"),
        ("0007-10156-23", ""),
        ("71015623", ""),
        ("6.8180980001E10", ""),
        ("", ""),
    ],
)
def test_ndcs_in_every_written_form(listed, written, key):
    rows_read, faults = read_maintenance(listed(HEADER + f"ndc,{written},Y\n"))
    assert [row["key"] for row in rows_read] == ([key] if key else [])
    assert len(faults) == (0 if key else 1)


def test_ten_digits_are_read_only_when_the_drug_list_knows_one_of_the_readings(listed):
    path = listed(HEADER + "ndc,0071015623,Y\n")
    known = {"00071015623", "00710156209"}
    assert maintenance_rows(path, lambda asked: known & set(asked))[0]["key"] == "00071015623"
    with pytest.raises(MappingError, match="has 10 digits and can be read in three ways; write it with 11 digits"):
        maintenance_rows(path)
    with pytest.raises(MappingError, match="has 10 digits and may be 00071015623 or 00710015623"):
        maintenance_rows(path, lambda asked: {"00071015623", "00710015623"})


def test_real_exports_are_read(listed):
    path = listed("\ufeffName;Code_System;Code;Maintenance\r\nmetformin;RXNORM;6809;y\r\n")
    assert maintenance_rows(path) == [{"name": "rxnorm", "key": "6809", "maintenance": "Y"}]
    uri = "http://www.nlm.nih.gov/research/umls/rxnorm"
    assert maintenance_rows(listed(HEADER + f"{uri},6809,Y\n"))[0]["name"] == "rxnorm"


def test_every_fault_is_told_at_once_with_its_row(listed):
    path = listed(
        HEADER + "rxnorm,6809,Y\ngpi,27250050,Y\nrxnorm,metformin,Y\nrxnorm,29046,X\nndc,123,Y\nrxnorm,6809,N\n"
    )
    with pytest.raises(MappingError) as error:
        maintenance_rows(path)
    assert [str(fault) for fault in error.value.faults] == [
        "maintenance.csv: row 3: code_system 'gpi' is neither rxnorm nor ndc",
        "maintenance.csv: row 4: code 'metformin' is no RxNorm code (RXCUI)",
        "maintenance.csv: row 5: maintenance 'X' is none of Y, N and D",
        "maintenance.csv: row 6: code '123' is no NDC; write its 11 digits, or 10 digits with two hyphens",
        "maintenance.csv: row 7: rxnorm 6809 is N here and Y in row 2; keep one of them",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "row 1: the header lacks code_system, code, maintenance"),
        ("code,maintenance\n6809,Y\n", "row 1: the header lacks code_system"),
        (HEADER, "the list holds no row"),
        (HEADER + "rxnorm,6809\n", "row 2: maintenance '' is none of Y, N and D"),
    ],
)
def test_a_file_that_is_no_list_is_refused(listed, text, told):
    with pytest.raises(MappingError) as error:
        maintenance_rows(listed(text))
    assert told in str(error.value)


def test_a_file_that_cannot_be_read_is_refused(listed, tmp_path):
    assert "is not UTF-8" in str(read_maintenance(listed(HEADER + "rxnorm,6809,é\n", "latin-1"))[1][0])
    assert "cannot be read" in str(read_maintenance(tmp_path / "none.csv")[1][0])


def test_a_list_is_loaded_whole_or_not_at_all(mappings, listed):
    local = load_maintenance(mappings, listed(HEADER + "rxnorm,6809,Y\nndc,0143127001,N\n"), DAY, "2026 Q4")
    assert rows(local.table("maintenance", "maintenance")) == [
        {"name": "ndc", "key": "00143127001", "maintenance": "N"},  # one reading is in the drug list
        {"name": "rxnorm", "key": "6809", "maintenance": "Y"},
    ]
    assert local.sets["maintenance"].counts == {"Y": 1, "N": 1, "D": 0}
    with pytest.raises(MappingError):
        load_maintenance(mappings, listed(HEADER + "rxnorm,x,Y\n"), DAY)
    assert local.table("maintenance", "maintenance").is_file()
