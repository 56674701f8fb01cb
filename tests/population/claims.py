"""Builds the claims of a person as JSON lines, in the shapes of CARIN Blue Button 2.x, CMS BFD v2 and CMS BFD v3."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

from tests.population.codes import Form
from tests.population.facts import Claim, Facts, Item
from tests.population.money import (
    ADJUDICATION,
    C4BB,
    HL7,
    ITEM_PARTS,
    NO_COST,
    ONLY_SUBMITTED,
    PROFILE,
    TOTAL_PARTS,
    V2,
    V2_CODES,
    V3,
    money,
)
from tests.population.stamps import NEWER, OLDER, Line, Stamps
from tests.population.templates import Template, coded, compact, joined

INFO = {"system": HL7 + "claiminformationcategory", "code": "info"}
STATUS_VOIDS = ("cancelled", "entered-in-error", "draft")


# The claim around its lines, one template for each thing that its codes can say.


def _supply() -> list[dict[str, Any]]:
    kind = C4BB + "C4BBSupportingInfoType"
    return [
        {"category": coded(kind, "dayssupply"), "valueQuantity": {"value": 30}},
        {"category": coded(kind, "refillnum"), "valueQuantity": {"value": 1}},
    ]


def _claim(extra: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "ExplanationOfBenefit",
        "id": "$id$",
        "meta": {"lastUpdated": "$updated$", "profile": [PROFILE]},
        "identifier": [{"type": coded(C4BB + "C4BBIdentifierType", "uc"), "value": "$id$"}],
        "status": "$status$",
        "use": "$use$",
        "patient": {"reference": "Patient/$patient$"},
        "billablePeriod": {"start": "$filled$", "end": "$filled$"},
        "created": "$filled$",
        "insurer": {"display": "Penn Hollow Health Plan"},
        "outcome": "complete",
        "item": "@items@",
    } | extra


@cache
def _carin(void: str) -> Template:
    network = {
        "category": coded(C4BB + "C4BBAdjudicationDiscriminator", "benefitpaymentstatus"),
        "reason": coded(
            C4BB + "C4BBPayerAdjudicationStatus", "denied" if void == "denied in adjudication" else "innetwork"
        ),
    }
    paid = coded(C4BB + "C4BBPayerAdjudicationStatus", "denied" if void == "denied in payment" else "paid")
    return Template(
        _claim(
            {
                "type": coded(HL7 + "claim-type", "pharmacy"),
                "supportingInfo": _numbered(_supply()),
                "insurance": [{"focal": True, "coverage": {"reference": "Coverage/$patient$-cov-0"}}],
                "adjudication": [network],
                "payment": {"type": paid},
            }
        )
    )


def _numbered(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"sequence": number} | entry for number, entry in enumerate(entries, 1)]


def _v2_info(name: str, code: str) -> dict[str, Any]:
    category = {"coding": [INFO, {"system": V2_CODES + "information", "code": V2 + name}]}
    return {"category": category, "code": coded(V2 + name, code)}


@cache
def _v2(void: str, adjusted: bool) -> Template:
    told = [*_supply(), _v2_info("drug_cvrg_stus_cd", void[-1] if void.startswith("not covered") else "C")]
    if void == "deleted" or adjusted:
        told.append(_v2_info("adjstmt_dltn_cd", "D" if void == "deleted" else "A"))
    plan = [
        {"url": V2 + name, "valueIdentifier": {"system": V2 + name, "value": value}}
        for name, value in (("plan_cntrct_rec_id", "$contract$"), ("plan_pbp_rec_num", "$pbp$"))
    ]
    kinds = [{"system": V2_CODES + "eob-type", "code": "PDE"}, {"system": HL7 + "claim-type", "code": "pharmacy"}]
    coverage = {"extension": plan, "reference": "Coverage/$patient$-cov-0"}
    return Template(
        _claim(
            {
                "type": {"coding": kinds},
                "supportingInfo": _numbered(told),
                "insurance": [{"focal": True, "coverage": coverage}],
            }
        )
    )


def _v3_info(name: str, **value: Any) -> dict[str, Any]:
    return {"category": {"coding": [INFO, {"system": V3 + "Supporting-Information", "code": name}]}} | value


@cache
def _v3(void: str, adjusted: bool) -> Template:
    covered = void[-1] if void.startswith("not covered") else "C"
    told = [
        _v3_info("CLM_DRUG_CVRG_STUS_CD", code=coded(V3 + "CLM-DRUG-CVRG-STUS-CD", covered)),
        *_supply(),
        _v3_info("CLM_SBMTR_CNTRCT_NUM", valueString="$contract$"),
        _v3_info("CLM_SBMTR_CNTRCT_PBP_NUM", valueString="$pbp$"),
    ]
    kind = "3" if void == "deleted" else "2" if adjusted else "1"
    kinds = [
        {"system": HL7 + "claim-type", "code": "pharmacy"},
        {"system": V3 + "CLM-TYPE-CD", "code": kind},
        {"system": V3 + "EOB-TYPE", "code": "PDE"},
    ]
    return Template(
        _claim(
            {
                "type": {"coding": kinds},
                "supportingInfo": _numbered(told),
                "insurance": [{"focal": True, "coverage": {"display": "Part D"}}],
            }
        )
    )


def _template(shape: str, claim: Claim) -> Template:
    if shape == "carin":
        return _carin(claim.void)
    return _v2(claim.void, claim.adjusted) if shape == "bfd-v2" else _v3(claim.void, claim.adjusted)


# The lines of a claim

COMPOUND = compact(coded(C4BB + "C4BBCompoundLiteral", "compound", "compound"))


def _item(shape: str, number: int, item: Item, claim: Claim, ab2d: bool) -> str:
    date = "" if claim.dated_by == "period" else f',"servicedDate":"{claim.filled}"'
    if claim.dated_by == "serviced period":
        date = f',"servicedPeriod":{{"start":"{claim.filled}","end":"{claim.filled + timedelta(days=29)}"}}'
    product = f'"productOrService":{item.form.json},"quantity":{{"value":30}}'
    if claim.compound:
        product = f'"productOrService":{COMPOUND},"detail":[{{"sequence":1,{product}}}]'
    amounts = _amounts(shape, item, claim, ab2d)
    return f'{{"sequence":{number},{product}{date}' + (f',"adjudication":{amounts}}}' if amounts else "}")


def _amounts(shape: str, item: Item, claim: Claim, ab2d: bool) -> str:
    if item.cents is None:
        return money(ONLY_SUBMITTED, 50_000) if claim.money == "submitted" and shape != "bfd-v2" else ""
    if claim.money == "total":
        return money(NO_COST[shape], item.cents)
    return money(ITEM_PARTS["ab2d" if ab2d else shape], item.cents)


def _total(shape: str, claim: Claim) -> str:
    cents = [item.cents for item in claim.items if item.cents is not None]
    if claim.money == "submitted" and shape != "bfd-v2":
        return ',"total":' + money(ONLY_SUBMITTED, 50_000)
    if not cents or claim.money not in ("both", "total"):
        return ""
    return ',"total":' + money(TOTAL_PARTS[shape], sum(cents))


# The claims of a person


def claims(facts: Facts, stamps: Stamps, decoy: Form) -> Iterator[Line]:
    """The claims; older versions hold what must not count, such as the drug ``decoy``."""
    prior = [n for n, claim in enumerate(facts.claims) if claim.void == "replaced by prior"]
    successor = next((n for n, claim in enumerate(facts.claims) if not claim.void), -1)
    for number, claim in enumerate(facts.claims):
        related = _related(facts, claim, prior if number == successor else [])
        yield from _versions(facts, number, claim, related, stamps, decoy)
    if facts.other_claims:
        yield Line("ExplanationOfBenefit", _professional(facts, stamps))


def _related(facts: Facts, claim: Claim, prior: list[int]) -> str:
    found = []
    if claim.void == "replaced":
        relation = coded(C4BB + "C4BBRelatedClaimRelationshipCodes", "replacedby")
        found.append({"relationship": relation, "reference": {"value": f"{facts.id}-elsewhere"}})
    for number in prior:
        named: dict[str, Any] = {"claim": {"reference": f"ExplanationOfBenefit/{_id(facts, number)}"}}
        if number % 2:
            named = {"reference": {"value": _id(facts, number)}}
        found.append({"relationship": coded(HL7 + "ex-relatedclaimrelationship", "prior")} | named)
    return f',"related":{compact(found)}' if found else ""


def _id(facts: Facts, number: int) -> str:
    return f"{facts.id}-eob-{number}" if facts.shape == "carin" else f"pde-{facts.id}.{number}"


def _versions(facts: Facts, number: int, claim: Claim, related: str, stamps: Stamps, decoy: Form) -> Iterator[Line]:
    newest = _json(facts, number, claim, related, stamps.of(claim.version, NEWER), _status(claim))
    if facts.shape == "bfd-v3" and number % 31 == 5 and not claim.version and not claim.void and not related:
        newest = newest.replace(f'"id":"{_id(facts, number)}",', "", 1)
    yield Line("ExplanationOfBenefit", newest)
    if claim.version == "duplicate":
        yield Line("ExplanationOfBenefit", newest, late=True)
    elif claim.version or claim.void == "older valid":
        older, status = _older(claim, decoy)
        text = _json(facts, number, older, related, stamps.of(claim.version, OLDER), status)
        if claim.version == "older price under another id":  # the unique claim id stays
            text = text.replace(f'"id":"{_id(facts, number)}",', f'"id":"{_id(facts, number)}-before",', 1)
        yield Line("ExplanationOfBenefit", text, late=True)


def _status(claim: Claim) -> str:
    if claim.void in STATUS_VOIDS:
        return claim.void
    return "cancelled" if claim.void == "older valid" else "active"


def _older(claim: Claim, decoy: Form) -> tuple[Claim, str]:
    """The older version of the claim and its status."""
    items = claim.items
    if claim.version.startswith("older price"):
        items = [Item(item.form, 600_000 if item.cents is None else item.cents + 600_000) for item in items]
    if claim.version == "older drug":
        items = [Item(decoy, item.cents) for item in items]
    money = "both" if any(item.cents is not None for item in items) else claim.money
    status = "cancelled" if claim.version in ("older cancelled", "offset") else "active"
    return Claim(items, claim.filled, money, compound=claim.compound, dated_by=claim.dated_by), status


def _json(facts: Facts, number: int, claim: Claim, related: str, updated: str, status: str) -> str:
    ab2d = facts.shape == "bfd-v3" and number % 29 == 7
    items = [_item(facts.shape, place, item, claim, ab2d) for place, item in enumerate(claim.items, 1)]
    contract, _, pbp = facts.plan.partition("-")
    text = _template(facts.shape, claim)(
        id=_id(facts, number),
        updated=updated,
        status=status,
        use="predetermination" if claim.void == "predetermination" else "claim",
        patient=facts.id,
        filled=_billed(claim),
        items=joined(items),
        contract=contract or "H1234",
        pbp=pbp or "001",
    )
    return text[:-1] + _total(facts.shape, claim) + related + "}"


def _billed(claim: Claim) -> str:
    """The start of the billable period."""
    if claim.dated_by == "period":
        return f"{claim.filled}T08:30:00-05:00"
    return str(claim.filled - timedelta(days=60) if claim.dated_by == "item, other period" else claim.filled)


def _professional(facts: Facts, stamps: Stamps) -> str:
    """A claim of a physician with much money, which is none of a drug that Part D covers."""
    parts = [{"category": coded(ADJUDICATION, "submitted"), "amount": {"value": 7000, "currency": "USD"}}]
    return compact(
        {
            "resourceType": "ExplanationOfBenefit",
            "id": f"{facts.id}-prof-1",
            "meta": {"lastUpdated": stamps.newer},
            "status": "active",
            "type": coded(HL7 + "claim-type", "professional"),
            "use": "claim",
            "patient": {"reference": f"Patient/{facts.id}"},
            "billablePeriod": {"start": str(stamps.day.first), "end": str(stamps.day.first)},
            "created": str(stamps.day.first),
            "insurer": {"display": "Penn Hollow Health Plan"},
            "provider": {"display": "Old Tannery Road Clinic"},
            "outcome": "complete",
            "insurance": [{"focal": True, "coverage": {"display": "Part B"}}],
            "item": [
                {
                    "sequence": 1,
                    "productOrService": coded("https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "J0897"),
                    "servicedDate": str(stamps.day.first),
                    "adjudication": parts,
                }
            ],
            "total": parts,
        }
    )
