"""The NDC Directory adds NDCs that RxNorm lacks and marks each NDC as RX or OTC, in whatever order it is loaded."""

from __future__ import annotations

import pytest

from adapter.errors import MappingError
from adapter.loading.fda import load_ndc
from adapter.loading.rxnorm import load_rxnorm
from tests.unit.loading.conftest import DAY, rows


def ndc_rows(local):
    return {row["ndc11"]: row for row in rows(local.table("ndc", "ndc"))}


@pytest.fixture
def both(mappings, release, directory):
    load_rxnorm(mappings, release, DAY, alone=True)
    return load_ndc(mappings, [directory], DAY)


@pytest.mark.parametrize(
    ("ndc", "rxcui", "ingredients", "source"),
    [
        ("00071015623", "617318", "83367", "R"),  # RxNorm knows it
        ("00071015640", "617318", "83367", "F"),  # another package of a product that RxNorm knows
        ("60505025003", "", "5487;29046", "F"),  # by its substances
        ("68180098101", "", "29046", "F"),
    ],
)
def test_ndcs_that_rxnorm_lacks_are_added(both, ndc, rxcui, ingredients, source):
    row = ndc_rows(both)[ndc]
    assert (row["rxcui"], row["ingredient_rxcuis"], row["source"]) == (rxcui, ingredients, source)


@pytest.mark.parametrize("ndc", ["63323999901", "49281040005", "70000010101"])
def test_a_product_of_which_one_substance_is_not_known_is_left_out(both, ndc):
    assert ndc not in ndc_rows(both)


def test_what_is_left_out_is_counted(both):
    assert both.sets["ndc"].counts == {
        "packages": 13, "already_listed": 2, "added": 5, "without_ingredients": 6, "rx": 9, "otc": 3
    }  # fmt: skip


def test_the_label_tells_route_form_and_brand(both):
    label = ndc_rows(both)["00071015640"]["label_name"]
    assert label == "atorvastatin calcium oral tablet, film coated [Lipitor]"


def test_each_ndc_is_marked_as_rx_or_otc(both):
    marks = {row["ndc11"]: (row["rx_otc"], row["marketing_category"]) for row in rows(both.table("ndc", "ndc_marks"))}
    assert marks["70000010201"] == ("otc", "ANDA")
    assert marks["00071015623"] == ("rx", "NDA")
    assert marks["49281040005"] == ("rx", "BLA")
    assert "99999000101" not in marks  # a bulk substance is neither


def test_two_listings_of_one_package_that_differ_leave_the_mark_open(mappings, directory):
    product, package = directory / "product.txt", directory / "package.txt"
    line = next(line for line in product.read_bytes().splitlines() if line.startswith(b"70000-0101_"))
    product.write_bytes(
        product.read_bytes() + line.replace(b"OTC", b"PRESCRIPTION").replace(b"101_0", b"101_9") + b"\r\n"
    )
    line = next(line for line in package.read_bytes().splitlines() if line.startswith(b"70000-0101_"))
    package.write_bytes(package.read_bytes() + line.replace(b"101_0", b"101_9") + b"\r\n")
    local = load_ndc(mappings, [directory], DAY)
    assert "70000010101" not in {row["ndc11"] for row in rows(local.table("ndc", "ndc_marks"))}


def test_the_order_of_loading_does_not_matter(mappings, release, directory, both):
    wanted = ndc_rows(both)
    (mappings / "local" / "local.toml").unlink()
    load_ndc(mappings, [directory], DAY)
    local = load_rxnorm(mappings, release, DAY, alone=True)
    assert ndc_rows(local) == wanted


def test_without_rxnorm_the_shipped_lists_are_the_base(mappings, directory):
    local = load_ndc(mappings, [directory], DAY)
    found = ndc_rows(local)
    assert found["00143125751"]["source"] == "R"
    assert found["00071015640"]["ingredient_rxcuis"] == "83367"  # "ATORVASTATIN CALCIUM TRIHYDRATE" without its salt


def test_files_are_told_by_their_header(mappings, directory):
    (directory / "product.txt").rename(directory / "a.tsv")
    (directory / "package.txt").rename(directory / "b.tsv")
    local = load_ndc(mappings, [directory / "b.tsv", directory / "a.tsv"], DAY)
    assert local.sets["ndc"].tables["directory"] == 13


def test_the_version_is_the_last_start_of_marketing_before_the_day(mappings, directory):
    assert load_ndc(mappings, [directory], DAY).sets["ndc"].version == "marketed by 2026-02-01"
    assert load_ndc(mappings, [directory], DAY, version="2026-11-20").sets["ndc"].version == "2026-11-20"


def rid(path):
    path.unlink()


def cut(path):
    path.write_bytes(path.read_bytes()[:-30])


def other_day(path):
    path.write_bytes(path.read_bytes().replace(b"_0000", b"_9999"))


def other_header(path):
    path.write_bytes(path.read_bytes().replace(b"PRODUCTID", b"PRODUCT_ID"))


@pytest.mark.parametrize(
    ("spoil", "name", "told"),
    [
        (rid, "product.txt", "the NDC Directory lacks product.txt"),
        (rid, "package.txt", "the NDC Directory lacks package.txt"),
        (cut, "product.txt", "product.txt: row 11: the row has"),
        (other_day, "product.txt", "it lacks the product of 13 of 13 packages"),
        (other_header, "package.txt", "package.txt: row 1: the header lacks PRODUCTID"),
    ],
)
def test_half_a_directory_is_refused(mappings, directory, spoil, name, told):
    spoil(directory / name)
    with pytest.raises(MappingError) as error:
        load_ndc(mappings, [directory], DAY)
    assert told in str(error.value)
    assert not (mappings / "local" / "local.toml").exists()
