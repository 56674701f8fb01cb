"""Claims and orders as one table; a drug that no list knows keeps a key of its own."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapter.tables import claims, drug_codes, drug_uses, orders
from tests.unit.tables.samples import NDC, RXNORM, claim, concept, item, medication, request

RESOLVED = {
    "medication": "string", "drug": "string", "label": "string", "matched_by": "string", "brand": "string", "route": "string",
    "maintenance": "string", "otc": "string", "supplement": "string", "measures": "array<string>",
}  # fmt: skip


@pytest.fixture(scope="module")
def used(engine, read):
    """The uses of some claims and requests, none of which a list knows."""

    def of(claimed, ordered, known=()):
        explained = engine.keep(claims.explanations(read("ExplanationOfBenefit", claimed)))
        asked = orders.orders(
            orders.requests(read("MedicationRequest", ordered)), orders.medications(read("Medication", known))
        )
        return engine.keep(drug_codes.with_medication(drug_uses.uses(claims.claims(explained), asked)))

    return of


# title -> (request, (drug, name))
UNKNOWN = {
    "a code": ({"medicationCodeableConcept": concept((RXNORM, "1"), text="Pill")}, ("code:rxnorm|1", "Pill")),
    "a code of no system": ({"medicationCodeableConcept": concept((None, "1"))}, ("code:|1", "code:|1")),
    "a display": (
        {"medicationCodeableConcept": {"coding": [{"system": NDC, "code": "1", "display": "D"}]}},
        ("code:ndc|1", "D"),
    ),
    "the second coding has the code": (
        {"medicationCodeableConcept": concept((None, None), (NDC, "2"))},
        ("code:ndc|2", "code:ndc|2"),
    ),
    "an NDC with hyphens": (
        {"medicationCodeableConcept": concept((NDC, "0777-3105-02"), text="D")},
        ("code:ndc|00777310502", "D"),
    ),
    "an NDC of 11 digits": (
        {"medicationCodeableConcept": concept((NDC, "00777310502"), text="D")},
        ("code:ndc|00777310502", "D"),
    ),
    "a code with blanks": ({"medicationCodeableConcept": concept((RXNORM, " 1 "), text="D")}, ("code:rxnorm|1", "D")),
    "a code of another system": (
        {"medicationCodeableConcept": concept(("http://x", "1"), text="D")},
        ("code:http://x|1", "D"),
    ),
    "a text": ({"medicationCodeableConcept": {"text": "Pill"}}, ("text:Pill", "Pill")),
    "a missing Medication": (
        {"medicationReference": {"reference": "Medication/x"}},
        ("reference:Medication/x", "reference:Medication/x"),
    ),
    "nothing at all": ({"medicationCodeableConcept": {"coding": [{"system": NDC}]}}, ("none", "none")),
}


@pytest.fixture(scope="module")
def unlisted(engine, used):
    keyed = used([], [request(f"r{n}", **elements) for n, (elements, _) in enumerate(UNKNOWN.values())])
    rows = engine.records(drug_uses.drug_uses(keyed, engine.table([], RESOLVED)))
    found = {row["source"]: row for row in rows}
    return {title: found[f"MedicationRequest/r{n}"] for n, title in enumerate(UNKNOWN)}


@pytest.mark.parametrize("title", UNKNOWN)
def test_an_unlisted_drug_has_a_key_and_a_name_of_its_own(unlisted, title):
    row = unlisted[title]
    assert (row["drug"], row["name"]) == UNKNOWN[title][1]
    assert (row["listed"], row["supplement"], row["brand"], row["route"]) == (False, "", "", "")


def test_a_claim_and_an_order_of_one_drug_share_its_key(engine, used):
    keyed = used([claim("e1", item("5.00", "0777-3105-02"))], [request("r1", (NDC, "0777-3105-02"))])
    keys = {row["medication"] for row in engine.records(keyed)}
    assert len(keys) == 1
    resolved = {
        "medication": keys.pop(), "drug": "4493", "label": "fluoxetine", "matched_by": "ndc11", "brand": "", "route": "oral",
        "maintenance": "Y", "otc": "rx", "supplement": "", "measures": [],
    }  # fmt: skip
    rows = engine.records(drug_uses.drug_uses(keyed, engine.table([resolved], RESOLVED)).order_by("kind"))
    assert [(row["kind"], row["drug"], row["listed"], row["name"], row["cost"]) for row in rows] == [
        ("claim", "4493", True, "fluoxetine", Decimal("5.00")),
        ("request", "4493", True, "fluoxetine", None),
    ]


def test_the_text_of_a_referenced_medication_names_it(engine, used):
    known = [medication("m1", code={"text": "Fish oil"})]
    keyed = used([], [request("r1", medicationReference={"reference": "Medication/m1"})], known)
    [row] = engine.records(drug_uses.drug_uses(keyed, engine.table([], RESOLVED)))
    assert (row["drug"], row["name"], row["missing"]) == ("text:Fish oil", "Fish oil", None)
