"""A tiny release becomes the lists that the shipped ones are: same columns, same ingredients for the same codes."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from adapter.loading.rxnorm import find_release, load_rxnorm
from tests.unit.loading.conftest import DAY, rows

SHIPPED = Path(__file__).parents[3] / "mappings" / "drugs"


def shipped(name, key):
    path = next(SHIPPED.glob(f"{name}.csv*"))
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as stream:
        return {row[key]: row for row in csv.DictReader(stream)}


def by(table, key):
    return {row[key]: row for row in table}


def in_set(text):
    return set(text.split(";"))


@pytest.mark.parametrize(("name", "key"), [("ingredients", "rxcui"), ("products", "rxcui"), ("brands", "brand")])
def test_codes_have_the_ingredients_and_columns_of_the_shipped_lists(loaded, name, key):
    known = shipped(name, key)
    table = loaded[f"drugs/{name}"]
    both = [row for row in table if row[key] in known]
    assert len(both) >= 0.8 * len(table)
    assert all(list(row) == list(known[row[key]]) for row in both)
    differing = [
        row for row in both if in_set(row["ingredient_rxcuis"]) != in_set(known[row[key]]["ingredient_rxcuis"])
    ]
    assert differing == []


def test_ndcs_have_the_ingredients_of_the_shipped_list(loaded):
    known = shipped("ndc", "ndc11")
    both = [row for row in loaded["drugs/ndc"] if row["ndc11"] in known]
    assert len(both) >= 5
    assert all(in_set(row["ingredient_rxcuis"]) == in_set(known[row["ndc11"]]["ingredient_rxcuis"]) for row in both)


@pytest.mark.parametrize(
    ("code", "tty", "ingredients"),
    [
        ("861007", "SCD", "6809"),  # by its component
        ("197885", "SCD", "5487;29046"),  # two components and the combination
        ("617318", "SBD", "83367"),  # trade name of a drug
        ("617317", "SBDC", "83367"),
        ("860974", "SCDC", "6809"),  # the withdrawn and the foreign relation to lisinopril do not count
        ("372613", "SCDF", "5487;29046"),
        ("367665", "SBDF", "83367"),
        ("757968", "GPCK", "723;17128;21212"),
        ("748798", "GPCK", "4124;11636"),  # without the inert ingredients of the placebo tablets
        ("748856", "BPCK", "4124;11636"),
        ("748797", "SCD", "748794"),  # the placebo alone is what it is
    ],
)
def test_every_level_is_resolved_through_the_relations(loaded, code, tty, ingredients):
    row = by(loaded["drugs/products"], "rxcui")[code]
    assert (row["tty"], row["ingredient_rxcuis"], row["link_basis"], row["status"]) == (
        tty,
        ingredients,
        "rel",
        "current",
    )


@pytest.mark.parametrize(
    ("code", "tty", "ingredients", "unii"),
    [
        ("6809", "IN", "6809", "9100L32L2N"),
        ("235743", "PIN", "6809", "786Z46389E"),
        ("214618", "MIN", "5487;29046", ""),
    ],
)
def test_ingredients_lead_to_themselves_and_carry_their_unii(loaded, code, tty, ingredients, unii):
    row = by(loaded["drugs/ingredients"], "rxcui")[code]
    assert (row["tty"], row["ingredient_rxcuis"], row["unii"]) == (tty, ingredients, unii)


@pytest.mark.parametrize(
    ("code", "ingredients", "basis", "source"),
    [
        ("311570", "6809", "rel", "rxnorm-archive"),  # merged into a current drug
        ("153163", "83367", "name", "rxnorm-archive"),  # merged into nothing
        ("207962", "5487;29046", "name", "rxnorm-archive"),  # "merged" into itself
        ("204046", "6809", "name", "rxnorm"),  # suppressed, without relations
        ("541944", "5487;29046", "name", "rxnorm"),
    ],
)
def test_retired_and_suppressed_codes_are_kept_as_other(loaded, code, ingredients, basis, source):
    row = by(loaded["drugs/products"], "rxcui")[code]
    assert (row["ingredient_rxcuis"], row["link_basis"], row["status"], row["source"]) == (
        ingredients,
        basis,
        "other",
        source,
    )


def test_what_no_relation_and_no_name_tells_is_left_out_and_counted(mappings, release):
    local = load_rxnorm(mappings, release, DAY, alone=True)
    assert local.sets["rxnorm"].counts["without_ingredients"] == 1
    assert "99990" not in by(rows(local.table("rxnorm", "products")), "rxcui")


def test_names_of_other_term_types_do_not_replace_the_name_of_a_drug(loaded):
    assert by(loaded["drugs/products"], "rxcui")["861007"]["name"] == "metformin hydrochloride 500 MG Oral Tablet"


@pytest.mark.parametrize(
    ("ndc", "code"),
    [
        ("00185022101", "861007"),
        ("68180098002", "314076"),  # 68180-980-02
        ("00087606005", "861008"),  # 0087-6060-05
        ("00228256711", "861007"),  # 000228256711
        ("00071015623", "617318"),  # RxNorm says Lipitor, another source metformin
    ],
)
def test_ndcs_are_read_in_every_written_form(loaded, ndc, code):
    assert by(loaded["drugs/ndc"], "ndc11")[ndc]["rxcui"] == code


def test_an_ndc_that_sources_give_to_different_drugs_decides_nothing(loaded):
    assert "99999000101" not in by(loaded["drugs/ndc"], "ndc11")


def test_brands_stand_on_the_ingredients_of_their_drugs(loaded):
    row = by(loaded["drugs/brands"], "brand")["Lipitor"]
    assert row == {
        "brand": "Lipitor", "bn_rxcui": "153165", "ingredient_rxcuis": "83367", "n_products": "1", "n_ingredient_sets": "1"
    }  # fmt: skip


def test_levels_tell_what_stands_above_a_drug_nearest_first(loaded):
    above = [(row["broader"], row["rank"]) for row in loaded["drugs/levels"] if row["rxcui"] == "861008"]
    assert above == [("861007", "1"), ("372803", "2"), ("860974", "3"), ("151827", "5"), ("235743", "7"), ("6809", "8")]


def test_a_brand_of_another_drug_is_not_above_a_generic(loaded):
    assert "153165" not in [row["broader"] for row in loaded["drugs/levels"] if row["rxcui"] == "617310"]


def test_the_shipped_lists_fill_what_the_release_lacks(mappings, release):
    local = load_rxnorm(mappings, release, DAY)
    products = by(rows(local.table("rxnorm", "products")), "rxcui")
    assert (products["197770"]["status"], products["197770"]["source"]) == ("other", "R")
    assert products["197885"]["source"] == "rxnorm"
    assert by(rows(local.table("rxnorm", "ndc")), "ndc11")["00143125751"]["ingredient_rxcuis"] == "5487"
    assert by(rows(local.table("rxnorm", "brands")), "brand")["Zestoretic"]["ingredient_rxcuis"] == "5487;29046"


def test_alone_keeps_the_release_alone(mappings, release):
    local = load_rxnorm(mappings, release, DAY, alone=True)
    assert "197770" not in by(rows(local.table("rxnorm", "products")), "rxcui")


def test_the_prescribable_subset_and_packed_files_are_read_alike(mappings, release):
    full = load_rxnorm(mappings, release, DAY, alone=True)
    products = rows(full.table("rxnorm", "products"))
    (release / "rrf" / "RXNATOMARCHIVE.RRF").unlink()
    for path in list((release / "rrf").glob("*.RRF")):
        (release / "rrf" / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    local = load_rxnorm(mappings, release / "rrf", DAY, alone=True)
    assert rows(local.table("rxnorm", "products")) == [row for row in products if row["source"] == "rxnorm"]
    assert "Prescribable" in local.sets["rxnorm"].title


def test_one_direction_of_the_relations_is_enough(mappings, release, loaded):
    path = release / "rrf" / "RXNREL.RRF"
    forward = [line for line in path.read_text().splitlines() if "_of|" not in line or "consists_of" in line]
    path.write_text("\n".join(forward) + "\n")
    local = load_rxnorm(mappings, release, DAY, alone=True)
    wanted = {row["rxcui"]: row["ingredient_rxcuis"] for row in loaded["drugs/products"]}
    assert {row["rxcui"]: row["ingredient_rxcuis"] for row in rows(local.table("rxnorm", "products"))} == wanted


def test_a_drug_of_which_one_component_has_no_ingredient_is_completed_by_its_name(mappings, release):
    path = release / "rrf" / "RXNREL.RRF"
    text = "\n".join(
        line for line in path.read_text().splitlines() if not ("316047" in line and "ingredient" in line)
        and "214618" not in line and "372613" not in line
    )  # fmt: skip
    path.write_text(text + "\n")
    local = load_rxnorm(mappings, release, DAY, alone=True)
    row = by(rows(local.table("rxnorm", "products")), "rxcui")["197885"]
    assert (row["ingredient_rxcuis"], row["link_basis"]) == ("5487;29046", "rel+name")


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("rrf", "2025-10-06"),
        ("RxNorm_full_prescribe_11032025", "2025-11-03"),
        ("RxNorm_full_13452025", ""),
        ("drugs", ""),
    ],
)
def test_the_version_is_told_by_rxnsab_or_by_the_name_of_the_folder(release, name, version):
    if name != "rrf":
        (release / "rrf" / "RXNSAB.RRF").unlink()
    folder = release.rename(release.with_name(name)) if name != "rrf" else release
    assert find_release(folder).version == version
