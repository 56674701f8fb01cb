"""Every URI under which a code system was met, and the normal form of a code."""

from __future__ import annotations

import pytest

from adapter.tables import code_systems

SYSTEMS = {
    "http://hl7.org/fhir/sid/icd-10-cm": "icd10cm",
    "http://hl7.org/fhir/sid/icd-10": "icd10cm",  # data-quirks.md 10: 1,954 of 2,065 codes
    "https://hl7.org/fhir/sid/icd-10-cm": "icd10cm",
    "https://hl7.org/fhir/sid/icd-10": "icd10cm",
    "urn:oid:2.16.840.1.113883.6.90": "icd10cm",
    "urn:oid:2.16.840.1.113883.6.3": "icd10cm",
    " http://hl7.org/fhir/sid/icd-10-cm ": "icd10cm",
    "HTTP://hl7.org/FHIR/sid/ICD-10-CM/": "icd10cm",
    "URN:OID:2.16.840.1.113883.6.90": "icd10cm",
    "http://hl7.org/fhir/sid/icd-9-cm": None,
    "http://hl7.org/fhir/sid/icd-10-cm/2023": None,
    "http://snomed.info/sct": "snomedct",
    "https://snomed.info/sct": "snomedct",
    "urn:oid:2.16.840.1.113883.6.96": "snomedct",
    "http://snomed.info/sct/731000124108": "snomedct",
    "http://snomed.info/sctid": None,
    "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm",
    "https://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm",
    "urn:oid:2.16.840.1.113883.6.88": "rxnorm",
    "http://www.nlm.nih.gov/research/umls/RxNorm/": "rxnorm",
    "http://hl7.org/fhir/sid/ndc": "ndc",
    "https://hl7.org/fhir/sid/ndc": "ndc",
    "urn:oid:2.16.840.1.113883.6.69": "ndc",
    "http://www.whocc.no/atc": None,
    "icd10cm": None,
    "": None,
    "  ": None,
    None: None,
}

CODES = {
    ("icd10cm", "E11.9"): "E119",
    ("icd10cm", "E119"): "E119",
    ("icd10cm", "e11.9"): "E119",
    ("icd10cm", " E11.9 "): "E119",
    ("icd10cm", "E 11.9"): "E119",
    ("icd10cm", "E11.9."): "E119",
    ("icd10cm", ""): "",
    ("icd10cm", None): None,
    ("snomedct", " 44054006 "): "44054006",
    ("snomedct", "44054006"): "44054006",
    ("snomedct", ""): "",
    ("snomedct", None): None,
    (None, " a.b "): "a.b",
    (None, None): None,
}


@pytest.fixture(scope="module")
def names(engine):
    table = engine.table([{"uri": uri} for uri in SYSTEMS], {"uri": "string"})
    rows = engine.records(table.mutate(name=code_systems.system_name(table.uri)))
    return {row["uri"]: row["name"] for row in rows}


@pytest.fixture(scope="module")
def keys(engine):
    rows = [{"system": system, "code": code} for system, code in CODES]
    table = engine.table(rows, {"system": "string", "code": "string"})
    rows = engine.records(table.mutate(key=code_systems.condition_code(table.system, table.code)))
    return {(row["system"], row["code"]): row["key"] for row in rows}


@pytest.mark.parametrize("uri", SYSTEMS)
def test_a_code_system_has_one_name_under_all_its_uris(names, uri):
    assert names[uri] == SYSTEMS[uri]


@pytest.mark.parametrize(("system", "code"), CODES)
def test_a_condition_code_has_one_normal_form(keys, system, code):
    assert keys[system, code] == CODES[system, code]
