"""Names are a set of ingredients only when every part of them is recognized."""

from __future__ import annotations

import pytest

from adapter.loading.names import ingredient_words, of_product, of_substances

NAMES = {"metformin": "6809", "lisinopril": "29046", "hydrochlorothiazide": "5487", "estrogens, conjugated": "4099"}
WORDS = ingredient_words(
    [{"name": name, "ingredient_rxcuis": ids} for name, ids in NAMES.items()]
    + [{"name": "conjugated iron", "ingredient_rxcuis": "1"}],
    [{"synonym": "hctz", "ingredient_rxcuis": "5487"}],
)


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet [Glucophage]", "6809"),
        ("Hydrochlorothiazide 12.5 MG / Lisinopril 10 MG Oral Tablet", "5487;29046"),
        (
            "{7 (lisinopril 10 MG Oral Tablet) / 2 (metformin hydrochloride 500 MG Oral Tablet) } Pack [Duo]",
            "6809;29046",
        ),
        ("metformin 500 MG / unobtainium 5 MG Oral Tablet", ""),
        ("unobtainium 5 MG Oral Tablet [Metformin]", ""),
    ],
)
def test_names_of_rxnorm(name, ids):
    assert of_product(name, WORDS) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("METFORMIN HYDROCHLORIDE", "6809"),
        ("LISINOPRIL; HYDROCHLOROTHIAZIDE", "5487;29046"),
        ("METFORMIN; NOVELSTATIN", ""),
        ("LINDANE 3", "7"),
        ("IRON, CONJUGATED", "1"),
        ("", ""),
    ],
)
def test_substances_of_the_fda(text, ids):
    assert of_substances(text, WORDS, {"LINDANE 3": "7"}) == ids
