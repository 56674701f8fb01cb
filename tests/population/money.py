"""Amounts of a claim: what stands in item.adjudication and in total, in each shape, with the drug cost and without."""

from __future__ import annotations

from typing import Any

from tests.population.templates import Template, dollars

C4BB = "http://hl7.org/fhir/us/carin-bb/CodeSystem/"
PROFILE = "http://hl7.org/fhir/us/carin-bb/StructureDefinition/C4BB-ExplanationOfBenefit-Pharmacy"
HL7 = "http://terminology.hl7.org/CodeSystem/"
V2 = "https://bluebutton.cms.gov/resources/variables/"
V2_CODES = "https://bluebutton.cms.gov/resources/codesystem/"
V3 = "https://bluebutton.cms.gov/fhir/CodeSystem/"
AB2D = "http://hl7.org/fhir/us/carin-bb/ValueSet/C4BBAdjudication"
OWN, ADJUDICATION = C4BB + "C4BBAdjudication", HL7 + "adjudication"


def part(amount: str, *codings: tuple[str, str]) -> dict[str, Any]:
    """One adjudication or total: (system, code) of its category, and the place of the amount."""
    listed = [{"system": system, "code": code} for system, code in codings]
    return {"category": {"coding": listed}, "amount": {"value": f"@{amount}@", "currency": "USD"}}


SUBMITTED = part("high", (ADJUDICATION, "submitted"))
PAID = part("paid", (OWN, "paidbypatient"))
V2_DRUGCOST = part("cost", (OWN, "drugcost"), (V2_CODES + "adjudication", V2 + "tot_rx_cst_amt"))
V3_TOTAL = part("cost", (ADJUDICATION, "submitted"), (V3 + "Adjudication", "TOT_RX_CST_AMT"))
V3_PAID = part("paid", (OWN, "paidbypatient"), (V3 + "Adjudication", "CLM_LINE_BENE_PMT_AMT"))
NO_CURRENCY = part("cost", (AB2D, "TOT_RX_CST_AMT"), (ADJUDICATION, "submitted")) | {"amount": {"value": "@cost@"}}
# What stands in item.adjudication and in total, when it tells the cost and when it does not.
ITEM_PARTS = {
    "carin": Template([SUBMITTED, part("cost", (OWN, "drugcost")), PAID, part("plan", (ADJUDICATION, "benefit"))]),
    "bfd-v2": Template(
        [
            part("plan", (ADJUDICATION, "benefit"), (V2_CODES + "adjudication", V2 + "cvrd_d_plan_pd_amt")),
            part("cost", (OWN, "coinsurance"), (V2_CODES + "adjudication", V2 + "gdc_blw_oopt_amt")),
            part("paid", (OWN, "paidbypatient"), (V2_CODES + "adjudication", V2 + "ptnt_pay_amt")),
            V2_DRUGCOST,
        ]
    ),
    "bfd-v3": Template(
        [
            part("plan", (ADJUDICATION, "benefit"), (V3 + "Adjudication", "CLM_LINE_CVRD_PD_AMT")),
            part("cost", (V3 + "Adjudication", "CLM_LINE_GRS_BLW_THRSHLD_AMT")),
            V3_PAID,
            V3_TOTAL,
        ]
    ),
    "ab2d": Template([NO_CURRENCY]),
}
TOTAL_PARTS = {
    "carin": Template([part("cost", (OWN, "drugcost")), SUBMITTED]),
    "bfd-v2": Template(
        [part("cost", (OWN, "drugcost")), part("zero", (C4BB + "C4BBPayerAdjudicationStatus", "other"))]
    ),
    "bfd-v3": Template([V3_PAID, V3_TOTAL]),
}
NO_COST = {
    "carin": Template([PAID]),
    "bfd-v2": Template([part("paid", (OWN, "paidbypatient"), (V2_CODES + "adjudication", V2 + "ptnt_pay_amt"))]),
    "bfd-v3": Template([V3_PAID]),
}
ONLY_SUBMITTED = Template([SUBMITTED])


def money(template: Template, cents: int) -> str:
    paid = cents // 10
    amounts = {"cost": cents, "paid": paid, "plan": cents - paid, "high": cents * 2 + 600_000, "zero": 0}
    return template(**{name: dollars(value) for name, value in amounts.items()})
