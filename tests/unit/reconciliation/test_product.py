"""Drug names of RxNorm, of FDA's labels and of people, taken apart: the same strength has one key however it is written."""

from __future__ import annotations

import itertools

import pytest

from adapter.reconciliation.product import Product, best, product

NAMES = {
    "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet [Glucophage]": Product(
        "metformin hydrochloride", "Glucophage", "500 mg", "extended release tablet", "500 mg"
    ),
    "amlodipine 5 MG / benazepril hydrochloride 10 MG Oral Capsule": Product(
        "amlodipine / benazepril hydrochloride", "", "5 mg / 10 mg", "capsule", "5 mg / 10 mg"
    ),
    "3 ML insulin glargine 100 UNT/ML Pen Injector [Lantus]": Product(
        "insulin glargine", "Lantus", "100 units/mL", "pen injector", "100 units/ml"
    ),
    "100 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler": Product(
        "albuterol", "", "0.09 mg/puff", "metered dose inhaler", "0.09 mg/actuat"
    ),
    "Tylenol (acetaminophen) 325mg tablets": Product("acetaminophen", "Tylenol", "325 mg", "tablets", "325 mg"),
    "hydrocodone-acetaminophen 5-325 mg": Product(
        "hydrocodone-acetaminophen", "", "5 mg / 325 mg", "", "5 mg / 325 mg"
    ),
    "levothyroxine sodium 0.05 MG Oral Tablet": Product(
        "levothyroxine sodium", "", "0.05 mg (50 mcg)", "tablet", "0.05 mg"
    ),
    "amoxicillin 250 mg/5 mL suspension": Product("amoxicillin", "", "50 mg/mL", "suspension", "50 mg/ml"),
    "diclofenac sodium 0.01 MG/MG Topical Gel": Product(
        "diclofenac sodium", "", "0.01 mg/mg", "topical gel", "0.01 mg/mg"
    ),
    "vitamin D3 1,000 units softgel": Product("vitamin D3", "", "1000 units", "softgel", "1000 units"),
    "fish oil": Product("fish oil"),
    "[Lipitor]": Product("", "Lipitor"),
    "Losartan Potassium (Losartan Potassium)": Product("Losartan Potassium"),
    "Hydrocortisone and Acetic Acid (Hydrocortisone and Acetic Ac": Product("Hydrocortisone and Acetic Acid"),
    "Cozaar (losartan potassium)": Product("losartan potassium", "Cozaar"),
    "": Product(),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_taken_apart(name):
    assert product(name) == NAMES[name]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("levothyroxine 50 mcg tab", "levothyroxine sodium 0.05 MG Oral Tablet"),
        ("metformin 1 g tablet", "metformin 1000 MG Oral Tablet"),
        ("aspirin 81.0 mg", "aspirin 81 MG Oral Tablet"),
        ("insulin 100 IU/mL", "insulin 100 UNT/ML Injection"),
        ("amoxicillin 250 mg per tablet / clavulanate 125 mg", "clavulanate 125 mg / amoxicillin 250 mg"),
    ],
)
def test_one_strength_has_one_key(one, other):
    assert product(one).key == product(other).key != ""


@pytest.mark.parametrize(
    ("one", "other"), [("a 5 mg", "a 50 mg"), ("a 5 mg", "a 5 mcg"), ("a 5 mg", "a 5 mg/mL"), ("a 5 %", "a 5 mg")]
)
def test_other_strengths_have_other_keys(one, other):
    assert product(one).key != product(other).key


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("metformin 500 MG Oral Tablet", "tablet"),
        ("metformin 500 MG Extended Release Oral Tablet", "slow tablet"),
        ("diltiazem CD 180 mg cap", "capsule"),
        ("amoxicillin 50 MG/ML Oral Suspension", "liquid"),
        ("albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", ""),
    ],
)
def test_the_shape_of_a_form_tells_tablets_from_slow_ones(name, shape):
    assert product(name).shape == shape


def test_several_products_make_one_in_any_order():
    told = [
        product("atorvastatin 20 MG Oral Tablet"),
        product("Lipitor 20 mg"),
        product("[Lipitor]"),
        product("atorvastatin"),
    ]
    made = {best(order) for order in itertools.permutations(told)}
    assert made == {Product("atorvastatin", "Lipitor", "20 mg", "tablet", "20 mg")}


def test_nothing_makes_nothing():
    assert best([]) == Product()
