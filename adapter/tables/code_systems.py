"""Every written form of the code systems that the code lists know, and the normal form of a code in each."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

# The URIs under which the same system was met in real data (reference/data-quirks.md 10, R4 and OID forms).
ICD10CM = (
    "http://hl7.org/fhir/sid/icd-10-cm",
    "http://hl7.org/fhir/sid/icd-10",
    "https://hl7.org/fhir/sid/icd-10-cm",
    "https://hl7.org/fhir/sid/icd-10",
    "urn:oid:2.16.840.1.113883.6.90",
    "urn:oid:2.16.840.1.113883.6.3",
)
SNOMEDCT = ("http://snomed.info/sct", "https://snomed.info/sct", "urn:oid:2.16.840.1.113883.6.96")
RXNORM = (
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "https://www.nlm.nih.gov/research/umls/rxnorm",
    "urn:oid:2.16.840.1.113883.6.88",
)
NDC = ("http://hl7.org/fhir/sid/ndc", "https://hl7.org/fhir/sid/ndc", "urn:oid:2.16.840.1.113883.6.69")


def system_name(system: ir.StringValue) -> ir.StringValue:
    """The short name icd10cm, snomedct, rxnorm or ndc of a code system URI, whatever its letter case or last slash; NULL for any other."""
    uri = system.strip().lower().re_replace("/$", "")
    return ibis.cases(
        (uri.isin(ICD10CM), "icd10cm"),
        (uri.isin(SNOMEDCT) | uri.startswith("http://snomed.info/sct/"), "snomedct"),
        (uri.isin(RXNORM), "rxnorm"),
        (uri.isin(NDC), "ndc"),
        else_=ibis.null("string"),
    )


def condition_code(system: ir.StringValue, code: ir.StringValue) -> ir.StringValue:
    """The normal form of a condition code: ICD-10-CM in capitals without dot or blanks, others without blanks around."""
    return ibis.ifelse(system == "icd10cm", code.upper().re_replace(r"[\s.]", ""), code.strip())
