"""What the lists say of a set of ingredients: maintenance, prescription, measures; by the route where it matters."""

from __future__ import annotations

import pytest

from adapter.tables import drug_list

SETS = {"b;a": "a;b", "a;b": "a;b", "a;a": "a", "a": "a", "": "", ";": "", "a;": "a", None: None}


@pytest.mark.parametrize("joined", SETS)
def test_a_set_of_ingredients_has_one_form(engine, joined):
    table = engine.table([{"joined": joined}], {"joined": "string"})
    assert engine.records(table.select(found=drug_list.ingredient_set(table.joined))) == [{"found": SETS[joined]}]


ROUTES = {
    "metformin hydrochloride 500 MG Oral Tablet": "oral",
    "24 HR metformin 500 MG Extended Release Oral Tablet": "oral",
    "fluticasone 0.05 MG/ACTUAT Metered Dose Nasal Spray": "nasal",
    "timolol 5 MG/ML Ophthalmic Solution": "ophthalmic",
    "60 ACTUAT fluticasone 0.1 MG/ACTUAT Dry Powder Inhaler": "inhaled",
    "albuterol 0.09 MG/ACTUAT Metered Dose Inhaler": "inhaled",
    "albuterol 0.83 MG/ML Inhalation Solution": "inhaled",
    "triamcinolone 1 MG/ML Topical Cream": "topical",
    "lidocaine 0.05 MG/MG Medicated Patch": "topical",
    "lidocaine 0.05 MG/MG Topical Ointment": "topical",
    "Aspirin 81 MG Chewable Tablet": "oral",
    "LISINOPRIL TABLET": "oral",
    "insulin glargine 100 UNT/ML Injectable Solution": "",
    "Nasalcrom": "",
    "": "",
    None: "",
}


@pytest.fixture(scope="module")
def routes(engine):
    table = engine.table([{"label": label} for label in ROUTES], {"label": "string"})
    return {row["label"]: row["route"] for row in engine.records(table.mutate(route=drug_list.route(table.label)))}


@pytest.mark.parametrize("label", ROUTES)
def test_the_route_is_the_one_of_the_dose_form(routes, label):
    assert routes[label] == ROUTES[label]


COLUMNS = ("ingredient_rxcui", "route", "maintenance", "otc", "supplement", "adherence_measure")
CLASSES = [
    ("metformin", "", "Y", "rx", "", "PDC-DR"),
    ("insulin", "", "Y", "rx", "", "PDC-DR-EXCL"),
    ("valsartan", "", "Y", "rx", "", "PDC-RASA"),
    ("sacubitril", "", "Y", "rx", "", "PDC-RASA-EXCL"),
    ("amlodipine", "", "Y", "rx", "", ""),
    ("atorvastatin", "", "Y", "rx", "", "PDC-STA"),
    ("ibuprofen", "", "N", "both", "", ""),
    ("famotidine", "", "D", "both", "", ""),
    ("aspirin", "", "N", "otc", "", ""),
    ("vitamin d", "", "N", "otc", "vitamin", ""),
    ("calcium", "", "N", "otc", "mineral", ""),
    ("timolol", "", "Y", "rx", "", ""),
    ("timolol", "ophthalmic", "N", "rx", "", ""),
    ("fluticasone", "nasal", "D", "both", "", ""),
    ("fluticasone", "inhaled", "Y", "rx", "", ""),
]

# (drug, route) -> (maintenance, otc, supplement, measures)
TRAITS = {
    ("metformin", "oral"): ("Y", "rx", "", ["diabetes"]),
    ("insulin", ""): ("Y", "rx", "", []),
    ("insulin;metformin", ""): ("Y", "rx", "", []),  # the measure excludes insulins
    ("valsartan", "oral"): ("Y", "rx", "", ["ras_antagonists"]),
    ("sacubitril;valsartan", "oral"): ("Y", "rx", "", []),  # sacubitril/valsartan is excluded
    ("amlodipine;valsartan", "oral"): ("Y", "rx", "", ["ras_antagonists"]),
    ("atorvastatin;valsartan", ""): ("Y", "rx", "", ["ras_antagonists", "statins"]),
    ("metformin;sacubitril", ""): ("Y", "rx", "", ["diabetes"]),  # the exclusion of one measure leaves the others
    ("famotidine;ibuprofen", "oral"): ("D", "both", "", []),
    ("amlodipine;aspirin", "oral"): ("Y", "rx", "", []),
    ("aspirin", "oral"): ("N", "otc", "", []),
    ("vitamin d", "oral"): ("N", "otc", "vitamin", []),
    ("calcium;vitamin d", "oral"): ("N", "otc", "vitamin", []),
    ("aspirin;calcium", "oral"): ("N", "otc", "", []),  # a supplement only when every part is one
    ("timolol", "oral"): ("Y", "rx", "", []),
    ("timolol", ""): ("Y", "rx", "", []),
    ("timolol", "ophthalmic"): ("N", "rx", "", []),
    ("fluticasone", "nasal"): ("D", "both", "", []),
    ("fluticasone", "inhaled"): ("Y", "rx", "", []),
    ("fluticasone", "topical"): ("Y", "rx", "", []),  # no row of that route: the rows of the others together
}


@pytest.fixture(scope="module")
def traits(engine):
    wanted = engine.table(
        [{"drug": drug, "route": route} for drug, route in TRAITS], {"drug": "string", "route": "string"}
    )
    classes = engine.table([dict(zip(COLUMNS, row, strict=True)) for row in CLASSES], dict.fromkeys(COLUMNS, "string"))
    return {
        (row["drug"], row["route"]): (row["maintenance"], row["otc"], row["supplement"], row["measures"])
        for row in engine.records(drug_list.traits(wanted, classes))
    }


@pytest.mark.parametrize(("drug", "given"), TRAITS)
def test_a_drug_is_what_its_ingredients_make_of_it(traits, drug, given):
    assert traits[drug, given] == TRAITS[drug, given]


def test_a_drug_without_a_class_has_no_traits(engine):
    wanted = engine.table([{"drug": "unknown", "route": ""}], {"drug": "string", "route": "string"})
    classes = engine.table([dict(zip(COLUMNS, CLASSES[0], strict=True))], dict.fromkeys(COLUMNS, "string"))
    assert engine.records(drug_list.traits(wanted, classes)) == []
