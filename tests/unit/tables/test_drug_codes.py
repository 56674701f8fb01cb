"""Every written form of a drug code to its set of ingredients, by tiny lists; what is ambiguous stays unknown."""

from __future__ import annotations

import pytest

from adapter.tables import drug_codes
from tests.unit.tables.samples import NDC, RXNORM

ATORVASTATIN, LISINOPRIL, HCTZ, METFORMIN = "83367", "29046", "5487", "6809"

LISTS = {
    "products": [
        {"rxcui": "617312", "name": "atorvastatin 10 MG Oral Tablet", "ingredient_rxcuis": ATORVASTATIN},
        {"rxcui": "617311", "name": "atorvastatin 40 MG Oral Tablet [Lipitor]", "ingredient_rxcuis": ATORVASTATIN},
        {"rxcui": "316672", "name": "atorvastatin 10 MG", "ingredient_rxcuis": ATORVASTATIN},
        {"rxcui": "823934", "name": "{21 (atorvastatin 10 MG Oral Tablet) } Pack", "ingredient_rxcuis": ATORVASTATIN},
        {"rxcui": "197885", "name": "hctz 12.5 MG / lisinopril 10 MG Oral Tablet", "ingredient_rxcuis": "5487;29046"},
        {"rxcui": "197886", "name": "lisinopril 20 MG / hctz 25 MG Oral Tablet", "ingredient_rxcuis": "29046;5487;29046"},
        {"rxcui": "999", "name": "a product of nothing", "ingredient_rxcuis": ""},
    ],
    "ingredients": [
        {"rxcui": ATORVASTATIN, "name": "atorvastatin", "ingredient_rxcuis": ATORVASTATIN},
        {"rxcui": "83366", "name": "atorvastatin calcium", "ingredient_rxcuis": ATORVASTATIN},
        {"rxcui": "214617", "name": "hctz / lisinopril", "ingredient_rxcuis": "5487;29046"},
    ],
    "brands": [
        {"bn_rxcui": "153165", "brand": "Lipitor", "ingredient_rxcuis": ATORVASTATIN, "n_ingredient_sets": "1"},
        {"bn_rxcui": "777", "brand": "Umbrella", "ingredient_rxcuis": ATORVASTATIN, "n_ingredient_sets": "2"},
    ],
    "ndc": [
        {"ndc11": "00071015523", "rxcui": "617312", "ingredient_rxcuis": ATORVASTATIN, "label_name": "Lipitor"},
        {"ndc11": "00071015540", "rxcui": "", "ingredient_rxcuis": ATORVASTATIN, "label_name": "Lipitor 90"},
        {"ndc11": "00777310502", "rxcui": "", "ingredient_rxcuis": LISINOPRIL, "label_name": "4-4-2"},
        {"ndc11": "12345067801", "rxcui": "", "ingredient_rxcuis": HCTZ, "label_name": "5-3-2"},
        {"ndc11": "12345678901", "rxcui": "", "ingredient_rxcuis": METFORMIN, "label_name": "5-4-2"},
        {"ndc11": "50242004006", "rxcui": "", "ingredient_rxcuis": METFORMIN, "label_name": "5-4-1"},
        # 1111122223: 4-4-2 reads 01111122223, 5-3-2 reads 11111022223, 5-4-1 reads 11111222203
        {"ndc11": "01111122223", "rxcui": "", "ingredient_rxcuis": LISINOPRIL, "label_name": "one reading"},
        {"ndc11": "11111022223", "rxcui": "", "ingredient_rxcuis": METFORMIN, "label_name": "another reading"},
        # 2222233334: two readings that agree
        {"ndc11": "02222233334", "rxcui": "", "ingredient_rxcuis": LISINOPRIL, "label_name": "a"},
        {"ndc11": "22222033334", "rxcui": "", "ingredient_rxcuis": LISINOPRIL, "label_name": "b"},
        # packages of one product that disagree, and one of nothing
        {"ndc11": "33333444401", "rxcui": "", "ingredient_rxcuis": LISINOPRIL, "label_name": "a"},
        {"ndc11": "33333444402", "rxcui": "", "ingredient_rxcuis": METFORMIN, "label_name": "b"},
        {"ndc11": "44444555501", "rxcui": "", "ingredient_rxcuis": "", "label_name": "nothing"},
    ],
}  # fmt: skip


def coding(system, code, part="item", display=None):
    return {"part": part, "system": system, "code": code, "display": display}


def ndc(code):
    return [coding(NDC, code)]


def rxnorm(code):
    return [coding(RXNORM, code)]


PAIR = f"{LISINOPRIL};{HCTZ}"

# title -> (codings, (drug, matched_by) or None when no code resolves it)
CODES = {
    "a clinical drug (SCD)": (rxnorm("617312"), (ATORVASTATIN, "rxcui")),
    "a branded drug (SBD)": (rxnorm("617311"), (ATORVASTATIN, "rxcui")),
    "a component (SCDC)": (rxnorm("316672"), (ATORVASTATIN, "rxcui")),
    "a pack (GPCK)": (rxnorm("823934"), (ATORVASTATIN, "rxcui")),
    "an ingredient (IN)": (rxnorm(ATORVASTATIN), (ATORVASTATIN, "rxcui")),
    "a precise ingredient (PIN)": (rxnorm("83366"), (ATORVASTATIN, "rxcui")),
    "several ingredients (MIN)": (rxnorm("214617"), (PAIR, "rxcui")),
    "a brand (BN)": (rxnorm("153165"), (ATORVASTATIN, "rxcui")),
    "a brand of several drugs": (rxnorm("777"), None),
    "a combination": (rxnorm("197885"), (PAIR, "rxcui")),
    "the combination in another order": (rxnorm("197886"), (PAIR, "rxcui")),
    "RxNorm with blanks": (rxnorm(" 617312 "), (ATORVASTATIN, "rxcui")),
    "RxNorm under its OID": ([coding("urn:oid:2.16.840.1.113883.6.88", "617312")], (ATORVASTATIN, "rxcui")),
    "an unknown RxNorm code": (rxnorm("1"), None),
    "a product of nothing": (rxnorm("999"), None),
    "11 digits": (ndc("00071015523"), (ATORVASTATIN, "ndc11")),
    "5-4-2": (ndc("12345-6789-01"), (METFORMIN, "ndc11")),
    "4-4-2": (ndc("0777-3105-02"), (LISINOPRIL, "ndc11")),
    "5-3-2": (ndc("12345-678-01"), (HCTZ, "ndc11")),
    "5-4-1": (ndc("50242-0040-6"), (METFORMIN, "ndc11")),
    "with blanks and stars": (ndc(" 0777-3105-02* "), (LISINOPRIL, "ndc11")),
    "10 digits of 4-4-2": (ndc("0777310502"), (LISINOPRIL, "ndc10")),
    "10 digits of 5-3-2": (ndc("1234567801"), (HCTZ, "ndc10")),
    "10 digits of 5-4-1": (ndc("5024200406"), (METFORMIN, "ndc10")),
    "10 digits that two drugs answer to": (ndc("1111122223"), None),
    "10 digits whose readings agree": (ndc("2222233334"), (LISINOPRIL, "ndc10")),
    "another package of a known product": (ndc("00071015599"), (ATORVASTATIN, "ndc9")),
    "another package with hyphens": (ndc("0777-3105-99"), (LISINOPRIL, "ndc9")),
    "another package where the known disagree": (ndc("33333-4444-03"), None),
    "a package of nothing": (ndc("44444555501"), None),
    "10 digits are not cut to a product": (ndc("0777310599"), None),
    "9 digits": (ndc("000000000"), None),
    "12 digits": (ndc("000710155230"), None),
    "letters": (ndc("0007101552A"), None),
    "HRI and UPC forms": (ndc("0777-31-0502"), None),
    "empty": (ndc(""), None),
    "hyphens only": (ndc("--"), None),
    "no code": (ndc(None), None),
    "no system": ([coding(None, "617312")], None),
    "another system": ([coding("http://snomed.info/sct", "617312")], None),
    "RxNorm goes before NDC": (ndc("0777-3105-02") + rxnorm("617312"), (ATORVASTATIN, "rxcui")),
    "the full NDC goes before a product": (ndc("0777-3105-99") + ndc("00071015523"), (ATORVASTATIN, "ndc11")),
    "the first of two RxNorm codes": (rxnorm("617312") + rxnorm("197885"), (ATORVASTATIN, "rxcui")),
    "an unknown code before a known one": (rxnorm("1") + ndc("0777-3105-02"), (LISINOPRIL, "ndc11")),
    "nothing": ([coding(None, None)], None),
    "a compound": (
        [coding(NDC, "0777-3105-02", "0777-3105-02"), coding(NDC, "12345067801", "12345067801")],
        (PAIR, "ndc11"),
    ),
    "a compound of one drug twice": (
        [coding(NDC, "00071015523", "00071015523"), coding(NDC, "00071015540", "00071015540")],
        (ATORVASTATIN, "ndc11"),
    ),
}


def tables(engine, rows):
    return {name: engine.table(entries, dict.fromkeys(entries[0], "string")) for name, entries in rows.items()}


CODINGS = "array<struct<part: string, system: string, code: string, display: string>>"


def uses(engine, rows):
    """Uses of (codings, label) with their keys."""
    given = [{"n": n, "codings": codings, "label": label} for n, (codings, label) in enumerate(rows)]
    table = engine.table(given, {"n": "int64", "codings": CODINGS, "label": "string"})
    return engine.keep(drug_codes.with_medication(table))


@pytest.fixture(scope="module")
def resolved(engine):
    keyed = uses(engine, [(codings, None) for codings, _ in CODES.values()])
    found = drug_codes.resolve_codes(drug_codes.distinct_medications(keyed), tables(engine, LISTS))
    rows = engine.records(keyed.left_join(found, "medication"))
    assert len(rows) == len(CODES)
    by_number = {row["n"]: (row["drug"], row["matched_by"]) if row["drug"] else None for row in rows}
    return {title: by_number[n] for n, title in enumerate(CODES)}


@pytest.mark.parametrize("title", CODES)
def test_a_code_names_a_set_of_ingredients_or_nothing(resolved, title):
    assert resolved[title] == CODES[title][1]


@pytest.mark.parametrize(
    ("codings", "label"),
    [
        (rxnorm("617312"), "RxNorm name"),
        (ndc("00071015523"), "the RxNorm name of its product"),
        (ndc("00071015540"), "the label, where no product is named"),
    ],
)
def test_the_label_is_the_best_name_that_the_lists_have(engine, codings, label):
    expected = {
        "RxNorm name": "atorvastatin 10 MG Oral Tablet",
        "the RxNorm name of its product": "atorvastatin 10 MG Oral Tablet",
        "the label, where no product is named": "Lipitor 90",
    }[label]
    found = drug_codes.resolve_codes(
        drug_codes.distinct_medications(uses(engine, [(codings, None)])), tables(engine, LISTS)
    )
    assert [row["label"] for row in engine.records(found)] == [expected]


def test_equal_codings_and_label_have_one_key(engine):
    first = ([coding(NDC, "1", display="a")], "x")
    others = [
        ([coding(NDC, "2", display="a")], "x"),
        ([coding(NDC, "1", display="b")], "x"),
        (first[0], "y"),
        (first[0], None),
    ]
    keys = [row["medication"] for row in engine.records(uses(engine, [first, first, *others]).order_by("n"))]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 5
    assert None not in keys


CLASSES = [
    {"ingredient_rxcui": ATORVASTATIN, "route": "", "maintenance": "Y", "otc": "rx", "supplement": "", "adherence_measure": "PDC-STA"},
]  # fmt: skip

FOUND = {"medication": "string", "drug": "string", "label": "string", "matched_by": "string"}


@pytest.mark.parametrize(
    ("label", "brand", "route"),
    [
        ("atorvastatin 40 MG Oral Tablet [Lipitor]", "Lipitor", "oral"),
        ("[Lipitor]", "Lipitor", ""),
        ("Lipitor", "", ""),
        ("", "", ""),
    ],
)
def test_a_drug_has_the_brand_in_brackets_and_the_route_of_its_form(engine, label, brand, route):
    found = engine.table([{"medication": "m", "drug": ATORVASTATIN, "label": label, "matched_by": "rxcui"}], FOUND)
    [row] = engine.records(drug_codes.drugs(found, engine.table(CLASSES, dict.fromkeys(CLASSES[0], "string"))))
    assert (row["brand"], row["route"]) == (brand, route)
    assert (row["maintenance"], row["otc"], row["supplement"], row["measures"]) == ("Y", "rx", "", ["statins"])


def test_a_drug_of_no_class_is_known_by_name_only(engine):
    found = engine.table([{"medication": "m", "drug": "1", "label": "x", "matched_by": "rxcui"}], FOUND)
    [row] = engine.records(drug_codes.drugs(found, engine.table(CLASSES, dict.fromkeys(CLASSES[0], "string"))))
    assert (row["maintenance"], row["otc"], row["measures"]) == (None, None, None)


def test_the_texts_of_a_medication_are_its_label_and_then_its_displays(engine):
    codings = [coding(NDC, "1", display="second"), coding(NDC, "2"), coding(NDC, "3", display="third")]
    keyed = uses(engine, [(codings, "first"), ([coding(None, None)], None)])
    rows = engine.records(drug_codes.texts(drug_codes.distinct_medications(keyed)).order_by("place"))
    assert [row["text"] for row in rows] == ["first", "second", "third"]


KNOWN = {"medication": "string", "maintenance": "string", "otc": "string", "supplement": "string"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("vitamin", ("N", "otc", "vitamin")),
        ("herbal", ("N", "otc", "herbal")),
        ("otc_drug", ("N", "otc", None)),
        ("", ("Y", "rx", None)),
        (None, ("Y", "rx", None)),
    ],
)
def test_a_name_of_the_otc_list_is_no_maintenance_drug(engine, kind, expected):
    drugs = engine.table([{"medication": "m", "maintenance": "Y", "otc": "rx", "supplement": None}], KNOWN)
    named = [{"medication": "m", "drug": "d", "label": "l", "matched_by": "name", "kind": kind}]
    [row] = engine.records(drug_codes.with_kind(drugs, engine.table(named, drug_codes.BY_NAME)))
    assert (row["maintenance"], row["otc"], row["supplement"]) == expected


def test_a_drug_that_was_not_named_stays_as_it_is(engine):
    drugs = engine.table([{"medication": "m", "maintenance": "Y", "otc": "rx", "supplement": None}], KNOWN)
    [row] = engine.records(drug_codes.with_kind(drugs, engine.table([], drug_codes.BY_NAME)))
    assert row == {"medication": "m", "maintenance": "Y", "otc": "rx", "supplement": None}
