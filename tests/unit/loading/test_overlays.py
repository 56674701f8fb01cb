"""The nearest code that a plan flagged decides, and the FDA's mark of an NDC goes before the ingredient's."""

from __future__ import annotations

import pytest

from adapter.loading import overlays
from adapter.mappings.folder import load_mappings
from adapter.tables import drug_codes
from tests.unit.loading.conftest import DATA

SYSTEMS = {"rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm", "ndc": "http://hl7.org/fhir/sid/ndc"}
MEDICATION = {
    "medication": "string",
    "codings": "array<struct<part:int64,system:string,code:string,display:string>>",
    "label": "string",
}
LISTS = ("products", "ingredients", "ndc", "brands", "levels")
KEYS = {"name": "string", "key": "string", "maintenance": "string"}
MARKS = {"ndc11": "string", "rx_otc": "string"}


@pytest.fixture(scope="module")
def lists(engine, loaded):
    """The lists of the tiny release, and the shipped classes."""
    tables = {name: engine.table(rows := loaded[f"drugs/{name}"], dict.fromkeys(rows[0], "string")) for name in LISTS}
    mappings = load_mappings(DATA / "mappings_bad" / "base")
    return {**tables, "classes": engine.read_list(mappings.path("drugs/classes"))}


@pytest.fixture
def judged(engine, lists):
    """(maintenance, otc) of a medication with these codes, given as "rxnorm 6809", under a plan's flags and marks."""

    def judge(codes, flags=None, marks=None, levels=True):
        parts = [code.split() for code in codes]
        codings = [{"part": 0, "system": SYSTEMS[name], "code": code, "display": None} for name, code in parts]
        asked = engine.keep(engine.table([{"medication": "m", "codings": codings, "label": None}], MEDICATION))
        own = {key: table for key, table in lists.items() if levels or key != "levels"}
        if flags:
            rows = [dict(zip(KEYS, [*code.split(), flag], strict=True)) for code, flag in flags.items()]
            own["maintenance"] = engine.table(rows, KEYS)
        if marks:
            own["ndc_marks"] = engine.table([{"ndc11": ndc, "rx_otc": mark} for ndc, mark in marks.items()], MARKS)
        resolved = engine.keep(drug_codes.resolve_codes(asked, own))
        known = drug_codes.drugs(resolved, lists["classes"])
        rows = engine.records(overlays.with_own(known, overlays.own_marks(asked, resolved, own)))
        return [(row["maintenance"], row["otc"]) for row in rows]

    return judge


def test_without_lists_of_the_plan_the_shipped_flags_hold(judged):
    assert judged(["rxnorm 617318"]) == [("Y", "rx")]


LIPITOR = ["rxnorm 617318", "ndc 00071-0156-23"]


@pytest.mark.parametrize("levels", [True, False], ids=["by RxNorm's relations", "by names"])
@pytest.mark.parametrize(
    "code",
    [
        "ndc 00071015623", "rxnorm 617318", "rxnorm 617310", "rxnorm 370621", "rxnorm 367665", "rxnorm 597966",
        "rxnorm 153165", "rxnorm 83367",
    ],
)  # fmt: skip
def test_a_flag_of_any_level_holds_for_a_product(judged, code, levels):
    assert judged(LIPITOR, {code: "N"}, levels=levels)[0][0] == "N"


@pytest.mark.parametrize("levels", [True, False], ids=["by RxNorm's relations", "by names"])
@pytest.mark.parametrize(
    "code", ["rxnorm 153165", "rxnorm 617318", "rxnorm 314076", "rxnorm 372803", "ndc 00071015640"]
)
def test_a_flag_of_another_product_does_not(judged, code, levels):
    assert judged(["rxnorm 617310"], {code: "N"}, levels=levels)[0][0] == "Y"


@pytest.mark.parametrize("levels", [True, False], ids=["by RxNorm's relations", "by names"])
def test_the_nearer_code_decides(judged, levels):
    flags = {
        "ndc 00071015623": "N", "rxnorm 617318": "D", "rxnorm 617310": "N", "rxnorm 370621": "D", "rxnorm 597966": "N",
        "rxnorm 153165": "D", "rxnorm 83367": "N",
    }  # fmt: skip
    for code in list(flags):
        assert judged(LIPITOR, flags, levels=levels)[0][0] == flags.pop(code), code
        if not flags:
            break


def test_of_codes_equally_near_y_goes_before_d_before_n(judged):
    combination = ["rxnorm 197885"]
    assert judged(combination, {"rxnorm 5487": "N", "rxnorm 29046": "D"})[0][0] == "D"
    assert judged(combination, {"rxnorm 5487": "Y", "rxnorm 29046": "N"})[0][0] == "Y"
    assert judged(combination, {"rxnorm 214618": "N", "rxnorm 29046": "Y"})[0][0] == "N"


def test_the_product_of_an_ndc_has_its_flag(judged):
    assert judged(["ndc 57237000101"], {"rxnorm 757968": "Y"})[0][0] == "Y"


def test_a_retired_code_has_the_flag_of_the_code_that_took_its_place(judged):
    assert judged(["rxnorm 311570"], {"rxnorm 861007": "N"})[0][0] == "N"
    assert judged(["rxnorm 861007"], {"rxnorm 311570": "N"})[0][0] == "N"


def test_a_drug_that_no_class_knows_has_the_flag_of_the_plan(judged):
    assert judged(["rxnorm 757968"])[0][0] is None
    assert judged(["rxnorm 757968"], {"rxnorm 17128": "N"})[0][0] == "N"


def test_ten_digits_have_the_flag_of_the_ndc_that_they_are(judged):
    assert judged(["ndc 0071015623"], {"ndc 00071015623": "N"})[0][0] == "N"


@pytest.mark.parametrize(
    ("codes", "marks", "otc"),
    [
        (["ndc 00071015623"], {"00071015623": "otc"}, "otc"),
        (["ndc 0071-0156-23"], {"00071015640": "otc"}, "otc"),  # another package of the product
        (["ndc 00071015623"], {"00071015623": "rx", "00071015640": "otc"}, "rx"),
        (["ndc 00071015623"], {"00071015640": "otc", "00071015641": "rx"}, "rx"),  # they differ: the shipped one holds
        (["rxnorm 617318"], {"00071015623": "otc"}, "rx"),  # no NDC, no mark
    ],
)
def test_the_mark_of_the_ndc_goes_before_that_of_the_ingredient(judged, codes, marks, otc):
    assert judged(codes, marks=marks)[0][1] == otc
