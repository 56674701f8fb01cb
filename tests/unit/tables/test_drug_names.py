"""Drug names as people and RxNorm write them; whole words only, and what is not recognized stays unknown."""

from __future__ import annotations

import pytest

from adapter.tables.drug_names import Named, lexicon, named

WORDS = lexicon(
    {
        "ingredients": [
            {"name": "metformin", "ingredient_rxcuis": "6809"},
            {"name": "Atorvastatin", "ingredient_rxcuis": "83367"},
            {"name": "lisinopril", "ingredient_rxcuis": "29046"},
            {"name": "hydrochlorothiazide", "ingredient_rxcuis": "5487"},
            {"name": "hydrocodone", "ingredient_rxcuis": "5489"},
            {"name": "acetaminophen", "ingredient_rxcuis": "161"},
            {"name": "potassium chloride", "ingredient_rxcuis": "8591"},
            {"name": "sodium", "ingredient_rxcuis": "9853"},
            {"name": "nothing", "ingredient_rxcuis": ""},
        ],
        "synonyms": [
            {"synonym": "acetylsalicylic acid", "ingredient_rxcuis": "1191"},
            {"synonym": "HCTZ", "ingredient_rxcuis": "5487"},
        ],
        "brands": [
            {"brand": "Lipitor", "ingredient_rxcuis": "83367", "n_ingredient_sets": "1"},
            {"brand": "Zestoretic", "ingredient_rxcuis": "29046;5487", "n_ingredient_sets": "1"},
            {"brand": "Tylenol", "ingredient_rxcuis": "161", "n_ingredient_sets": "3"},
        ],
        "otc_supplements": [{"name": "Fish Oil", "kind": "other_supplement"}, {"name": "tylenol", "kind": "otc_drug"},
                            {"name": "multivitamin", "kind": "vitamin"}],
    }
)  # fmt: skip

PAIR = "29046;5487"

NAMES = {
    "metformin": "6809",
    "Metformin": "6809",
    "  METFORMIN  ": "6809",
    "metformin hydrochloride 500 MG Oral Tablet": "6809",
    "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet [Glucophage]": "6809",
    "Metformin HCl 500mg": "6809",
    "metformin 1,000 mg tablets": "6809",
    "metformin ER": "6809",
    "0.5 ML 24 HR metformin": "6809",
    "Osmotic 24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet": "6809",
    "20/80 Release 24 HR metformin 500 MG Extended Release Oral Capsule": "6809",
    "90 DAY metformin 0.1 MG/HR System": "6809",
    "{21 (lisinopril 10 MG Oral Tablet) / 7 (inert ingredients 1 MG Oral Tablet) } Pack": "29046",
    "{2 (0.5 ML) (lisinopril 10 MG/ML Injection) / 1 (hydrochlorothiazide 5 MG Oral Tablet) } Pack [Any]": PAIR,
    "atorvastatin calcium": "83367",
    "potassium chloride 10 MEQ Extended Release Oral Tablet": "8591",
    "hydrochlorothiazide 12.5 MG / lisinopril 10 MG Oral Tablet": PAIR,
    "lisinopril 10 MG / hydrochlorothiazide 12.5 MG Oral Tablet [Zestoretic]": PAIR,
    "lisinopril / HCTZ": PAIR,
    "lisinopril + HCTZ": PAIR,
    "lisinopril-HCTZ": PAIR,
    "lisinopril-HCTZ 20 MG / 25 MG": PAIR,
    "lisinopril/hydrochlorothiazide": PAIR,
    "lisinopril and hydrochlorothiazide": PAIR,
    "hydrocodone and acetaminophen": "161;5489",
    "lisinopril, HCTZ, and metformin": "29046;5487;6809",
    "acetylsalicylic acid 81 MG": "1191",
    "Lipitor": "83367",
    "Lipitor 40 MG": "83367",
    "unknown stuff 40 MG [Lipitor]": "83367",
    "Zestoretic": PAIR,
}


@pytest.mark.parametrize("text", NAMES)
def test_a_name_is_its_set_of_ingredients(text):
    assert named(text, WORDS) == Named(NAMES[text], text, "")


KINDS = {
    "Fish oil": ("name:fish oil", "other_supplement"),
    "fish oil 1000 MG softgels": ("name:fish oil", "other_supplement"),
    "Multivitamins": ("name:multivitamin", "vitamin"),
    "Tylenol": ("name:tylenol", "otc_drug"),  # a brand of several drugs is none of them
}


@pytest.mark.parametrize("text", KINDS)
def test_a_supplement_is_known_by_its_name(text):
    drug, kind = KINDS[text]
    assert named(text, WORDS) == Named(drug, text, kind)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "40 MG",
        "[]",
        "/",
        "tablet",
        "metforminium",
        "premetformin",
        "not metformin",
        "nothing",
        "lisinopril / unknown",
        "lisinopril / unknown 10 MG Oral Tablet",
        "unknown / lisinopril",
        "lisinopril-unknown",
        "unknown and metformin",
        "hydrochloride",
        "Tylenolol",
        "fish",
    ],
)
def test_what_is_not_recognized_as_a_whole_stays_unknown(text):
    assert named(text, WORDS) is None
