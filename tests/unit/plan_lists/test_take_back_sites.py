"""Take-back sites of a plan by beneficiary and ZIP code."""

from __future__ import annotations

import pytest

from adapter.documents.view import Member, Site
from adapter.errors import ConfigError
from adapter.plan_lists.take_back_sites import NO_SITES, read_sites

HEADER = "beneficiary,zip,name,address,phone,hours\n"


@pytest.fixture
def read(tmp_path):
    def of(text):
        path = tmp_path / "sites.csv"
        path.write_bytes(text.encode())
        return read_sites(path)

    return of


def test_those_of_the_beneficiary_go_before_those_of_the_zip_code(read):
    sites = read(
        HEADER + "p1,,One,1 Street,,\n,62701,Two,2 Street,555-0102,always\n,62701,Two,2 Street,555-0102,always\n"
    )
    assert sites.near(Member("p1", "A", zip_code="62701")) == (Site("One", "1 Street"),)
    assert sites.near(Member("p2", "B", zip_code="62701")) == (Site("Two", "2 Street", "555-0102", "always"),)
    assert sites.near(Member("p2", "B", zip_code="62702")) == sites.near(Member("p3", "C")) == ()
    assert NO_SITES.near(Member("p1", "A")) == ()


def test_columns_in_any_order_and_a_byte_order_mark(read):
    sites = read('\ufeffzip,name,address,phone,hours,beneficiary\r\n62701,"A, B",1 Street,,,\r\n')
    assert sites.near(Member("x", "X", zip_code="62701")) == (Site("A, B", "1 Street"),)


def test_every_fault_with_its_row(read):
    rows = (
        ",6270,One,1 Street,,",
        "p1,62701,One,1 Street,,",
        "p1,,,,,",
        "p1,,One,1 Street, Town,555,always",
        ",,One,1 Street,,",
        "p1,,One,1 Street,,",
    )
    with pytest.raises(ConfigError) as raised:
        read(HEADER + "\n".join(rows))
    assert str(raised.value).splitlines() == [
        "sites.csv: row 2: it names no beneficiary and no ZIP code of five digits; fill in one of them",
        "sites.csv: row 3: it names a beneficiary and a ZIP code; keep one of them",
        "sites.csv: row 4: name and address is empty; fill it in",
        "sites.csv: row 5: it has more cells than the 6 of the header; quote a cell that holds a comma",
        "sites.csv: row 6: it names no beneficiary and no ZIP code of five digits; fill in one of them",
    ]


@pytest.mark.parametrize("text", ["", "zip,name\n", HEADER.replace("hours", "hours,more")])
def test_another_header_is_refused(read, text):
    with pytest.raises(
        ConfigError, match="the header must name the columns beneficiary, zip, name, address, phone, hours"
    ):
        read(text)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read as UTF-8"):
        read_sites(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("é".encode("latin-1"))
    with pytest.raises(ConfigError, match="cannot be read as UTF-8"):
        read_sites(tmp_path / "latin.csv")
