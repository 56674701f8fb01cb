"""Builds all resources of a person but the claims: Patient, Coverage, Condition, orders, dispenses, statements, Flag."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.population.codes import condition_coding, condition_concept
from tests.population.facts import Cover, Day, Diagnosis, Facts, FlagFact, Use
from tests.population.stamps import NEWER, OLDER, Line, Stamps
from tests.population.templates import coded, compact

HL7 = "http://terminology.hl7.org/CodeSystem/"
MBI = "http://hl7.org/fhir/sid/us-mbi"
V2 = "https://bluebutton.cms.gov/resources/variables/"
V3 = "https://bluebutton.cms.gov/fhir/StructureDefinition/"
AT_RISK = "https://w3id.org/mtm-adapter/fhir/CodeSystem/at-risk"
GIVEN = ("Margaret", "Harold", "Dorothy", "Eugene", "Patricia", "Robert", "Linda", "Walter", "Ana", "Luis")
FAMILY = ("O'Brien", "Jenkins", "Kowalczyk", "McAllister", "Nguyen", "Delacroix", "Schmidt", "Núñez", "Park", "Okafor")


def versions(resource: dict[str, Any], version: str, older: dict[str, Any], stamps: Stamps) -> Iterator[Line]:
    """The resource as ``version`` says: alone, twice, or with an older version that is changed by ``older``."""

    def stamped(which: str, change: dict[str, Any]) -> str:
        meta = {"meta": {"lastUpdated": stamps.of(version, which)}}
        return compact({"resourceType": resource["resourceType"], "id": resource["id"]} | meta | resource | change)

    kind, newest = resource["resourceType"], stamped(NEWER, {})
    yield Line(kind, newest)
    if version == "duplicate":
        yield Line(kind, newest, late=True)
    elif version:
        yield Line(kind, stamped(OLDER, older), late=True)


def subject(facts: Facts, place: int) -> dict[str, str]:
    """The reference to the Patient: relative, now and then absolute or with a version."""
    plain = f"Patient/{facts.id}"
    turn = (facts.number + place) % 23
    edge = {7: "reference absolute", 15: "reference with version"}.get(turn, "")
    facts.edge(edge)
    return {"reference": {7: f"https://fhir.plan.example/r4/{plain}", 15: f"{plain}/_history/2"}.get(turn, plain)}


# Patient and Coverage


def patient(facts: Facts, stamps: Stamps) -> Iterator[Line]:
    """The Patient; some have a former MBI, some an older version that says that they have died."""
    number = facts.number
    identifiers = [{"type": coded(HL7 + "v2-0203", "MC"), "system": MBI, "value": facts.mbi}]
    if number % 11 == 3:
        old = {"system": MBI, "value": f"9ZZ9{facts.mbi[4:]}", "period": {"start": "2017-05-11", "end": "2019-07-01"}}
        identifiers = [old, identifiers[0] | {"period": {"start": "2019-07-02"}}]
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "id": facts.id,
        "identifier": identifiers,
        "name": [{"use": "official", "family": FAMILY[number // 10 % 10], "given": [GIVEN[number % 10]]}],
        "gender": "female" if number % 2 else "male",
        "birthDate": f"{1930 + number % 25}-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
    }
    if facts.died in ("true", "false"):
        resource["deceasedBoolean"] = facts.died == "true"
    elif facts.died:
        resource["deceasedDateTime"] = facts.died
    older = {"deceasedDateTime": str(stamps.day.first)}
    yield from versions(resource, "older dead" if facts.undead else "", older, stamps)


def coverages(facts: Facts, stamps: Stamps) -> Iterator[Line]:
    """The Coverages."""
    for number, cover in enumerate(facts.covers):
        other = "H1234-001" if cover.plan != "H1234-001" else "S9999-001"
        older = _coverage(facts, number, cover._replace(plan=other)) if cover.version else {}
        yield from versions(_coverage(facts, number, cover), cover.version, older, stamps)


def _coverage(facts: Facts, number: int, cover: Cover) -> dict[str, Any]:
    base = {
        "resourceType": "Coverage",
        "id": f"{facts.id}-cov-{number}",
        "status": cover.status,
        "subscriberId": f"M{facts.number:07d}",
        "beneficiary": {"reference": f"Patient/{facts.id}"},
        "relationship": coded(HL7 + "subscriber-relationship", "self"),
        "payor": [{"display": "Penn Hollow Health Plan"}],
        "period": {"start": cover.start} | ({"end": cover.end} if cover.end else {}),
    }
    return base | _dressed(cover)


def _dressed(cover: Cover) -> dict[str, Any]:
    """What tells the kind, contract and PBP of the Coverage."""
    contract, _, pbp = cover.plan.partition("-")
    if cover.kind == "carin":
        return {"type": coded(HL7 + "v3-ActCode", "HMO"), "class": [_class("plan", cover.plan)]}
    if cover.kind == "carin-split":
        return {"type": coded(HL7 + "v3-ActCode", "HMO"), "class": [_class("group", contract), _class("plan", pbp)]}
    if cover.kind == "commercial":
        return {"type": coded(HL7 + "v3-ActCode", "PPO"), "class": [_class("group", "LAKES"), _class("plan", "GOLD")]}
    if cover.kind == "bfd-v2":
        named = [_class("group", "Medicare"), _class("plan", "Part D")]
        return {"type": coded(HL7 + "v3-ActCode", "SUBSIDIZ"), "extension": _months(cover), "class": named}
    if cover.kind == "part-a":
        named = [_class("group", "Medicare"), _class("plan", "Part A")]
        return {"type": coded(HL7 + "v3-ActCode", "SUBSIDIZ"), "class": named}
    if cover.kind == "part-c":
        return {"type": coded("https://nahdo.org/sopt", "11"), "class": [_class("plan", "Part C")]}
    told = [{"url": V3 + "BENE-CNTRCT-NUM", "valueString": contract}, {"url": V3 + "BENE-PBP-NUM", "valueString": pbp}]
    segment = {"url": V3 + "CNTRCT-PBP-SGMT-NUM", "valueString": "000"}
    kind = coded("https://nahdo.org/sopt", "122", "Medicare Drug Benefit")
    return {"extension": [segment, *told], "type": kind, "class": [_class("plan", "Part D")]}


def _class(kind: str, value: str) -> dict[str, Any]:
    return {"type": coded(HL7 + "coverage-class", kind), "value": value}


def _months(cover: Cover) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    for number, plan in enumerate(cover.months, 1):
        contract, _, pbp = plan.partition("-")
        for name, value in ((f"ptdcntrct{number:02d}", contract), (f"ptdpbpid{number:02d}", pbp)):
            if value:
                told.append({"url": V2 + name, "valueCoding": {"system": V2 + name, "code": value}})
    if cover.plan.endswith("2"):  # BFD says the contracts twice: under the month, and under year and month
        contracts = [entry for entry in told if "ptdcntrct" in entry["url"]]
        told += [entry | {"url": f"{entry['url']}/{cover.year}-{int(entry['url'][-2:])}"} for entry in contracts]
    return [*told, {"url": V2 + "rfrnc_yr", "valueDate": str(cover.year)}]


# Condition


def conditions(facts: Facts, stamps: Stamps, rng: Random) -> Iterator[Line]:
    """The Conditions."""
    for number, diagnosis in enumerate(facts.diagnoses):
        written = [condition_coding(code, rng) for code in diagnosis.codes]
        if diagnosis.codes[0].entries and not diagnosis.void:
            for _, edge in written:
                facts.edge(edge)
        resource = _condition(facts, number, diagnosis, rng, stamps.day)
        resource["code"] = json.loads(condition_concept([coding for coding, _ in written]))
        clinical = "resolved" if not diagnosis.void else "active"
        older = {
            "clinicalStatus": coded(HL7 + "condition-clinical", clinical),
            "verificationStatus": coded(HL7 + "condition-ver-status", "confirmed"),
        }
        yield from versions(resource, diagnosis.version, older, stamps)


def _condition(facts: Facts, number: int, diagnosis: Diagnosis, rng: Random, day: Day) -> dict[str, Any]:
    void = diagnosis.void
    recorded = date(2021, 3, 5) + timedelta(days=rng.randint(0, 300))
    if not void and rng.random() < 0.05:
        recorded = day.as_of
    resource: dict[str, Any] = {
        "resourceType": "Condition",
        "id": f"{facts.id}-cond-{number}",
        "subject": subject(facts, number),
    }
    clinical = rng.choice(("active", "active", "active", "recurrence", "relapse", ""))
    verification = rng.choice(("confirmed", "confirmed", "provisional", "unconfirmed", "differential", ""))
    if void in ("inactive", "remission", "resolved"):
        clinical = void
    elif void in ("refuted", "entered-in-error"):
        clinical, verification = clinical if void == "refuted" else "", void
    elif void:
        recorded = day.as_of + timedelta(days=rng.randint(1, 20))
        resource["onsetDateTime"] = str(recorded) if void == "onset later" else "2015-06"
    elif rng.random() < 0.5:
        resource["onsetDateTime"] = rng.choice(("2012", "2015-06", "2019-02-14"))
    if void or rng.random() < 0.8:
        resource["recordedDate"] = f"{recorded}{rng.choice(('', '', 'T10:30:00-04:00'))}"
    if clinical:
        resource["clinicalStatus"] = coded(HL7 + "condition-clinical", clinical)
    if verification:
        resource["verificationStatus"] = coded(HL7 + "condition-ver-status", verification)
    return resource | {"category": [coded(HL7 + "condition-category", rng.choice(CATEGORIES))]}


CATEGORIES = ("problem-list-item", "encounter-diagnosis")

# Orders, dispenses, statements


def uses(facts: Facts, stamps: Stamps, rng: Random) -> Iterator[Line]:
    """Requests, dispenses and statements, and the Medications that they refer to."""
    makers = {"request": _request, "dispense": _dispense, "statement": _statement}
    for number, use in enumerate(facts.uses):
        resource, older = makers[use.source](use, rng, stamps.day)
        whose = {"id": f"{facts.id}-{use.source}-{number}", "subject": subject(facts, number)}
        named = resource | whose | _medication(facts, number, use)
        if use.where == "referenced":
            code = json.loads(use.form.json)
            medication = {"resourceType": "Medication", "id": f"{facts.id}-med-{number}", "code": code}
            yield Line("Medication", compact(medication | {"status": "active", "meta": {"lastUpdated": stamps.newer}}))
        yield from versions(named, use.version, older, stamps)


def _medication(facts: Facts, number: int, use: Use) -> dict[str, Any]:
    code = json.loads(use.form.json)
    if use.where == "contained":
        return {
            "contained": [{"resourceType": "Medication", "id": "med", "code": code}],
            "medicationReference": {"reference": "#med"},
        }
    if use.where == "referenced":
        return {"medicationReference": {"reference": f"Medication/{facts.id}-med-{number}"}}
    return {"medicationCodeableConcept": code}


def _request(use: Use, rng: Random, day: Day) -> tuple[dict[str, Any], dict[str, Any]]:
    authored = day.as_of - timedelta(days=rng.randint(0, 300))
    if use.void == "future":
        authored = day.as_of + timedelta(days=rng.randint(1, 20))
    status = "active" if use.void in ("", "future", "do not perform") else use.void
    resource: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "status": status,
        "intent": "order",
        "authoredOn": str(authored),
        "dosageInstruction": [{"text": "1 tablet daily"}],
    }
    if use.void == "do not perform":
        resource["doNotPerform"] = True
    return resource, {"status": "active" if use.void else "cancelled"}


def _dispense(use: Use, rng: Random, day: Day) -> tuple[dict[str, Any], dict[str, Any]]:
    handed = day.first + timedelta(days=rng.choice((0, rng.randint(0, (day.as_of - day.first).days))))
    if use.void == "early":
        handed = day.first - timedelta(days=rng.choice((1, 30)))
    if use.void == "late":
        handed = day.as_of + timedelta(days=rng.choice((1, 30)))
    resource = {
        "resourceType": "MedicationDispense",
        "status": "completed" if use.void in ("", "early", "late") else use.void,
        "quantity": {"value": 30},
        "daysSupply": {"value": 30, "unit": "days"},
        "whenHandedOver": rng.choice((f"{handed}", f"{handed}T10:30:00-04:00", f"{handed}T12:00:00Z")),
    }
    return resource, {"status": "completed" if use.void else "cancelled"}


def _statement(use: Use, rng: Random, day: Day) -> tuple[dict[str, Any], dict[str, Any]]:
    resource: dict[str, Any] = {
        "resourceType": "MedicationStatement",
        "status": "active" if use.void in ("", "future", "asserted later") else use.void,
        "effectivePeriod": {"start": rng.choice(("2021", "2022-04", str(day.first)))},
        "dateAsserted": str(day.as_of - timedelta(days=rng.randint(0, 100))),
    }
    if use.void == "asserted later":
        resource["dateAsserted"] = str(day.as_of + timedelta(days=rng.choice((1, 1, 20))))
    if use.void == "future":
        later = str(day.as_of + timedelta(days=rng.randint(1, 20)))
        resource |= {"effectivePeriod": {"start": later}, "dateAsserted": later}
    return resource, {"status": "active" if use.void else "completed"}


# Flag


def flags(facts: Facts, stamps: Stamps) -> Iterator[Line]:
    """The Flags."""
    for number, flag in enumerate(facts.flags):
        resource = {
            "resourceType": "Flag",
            "id": f"{facts.id}-flag-{number}",
            "status": flag.status,
            "code": _flag_code(flag),
            "subject": subject(facts, number),
        }
        period = {name: value for name, value in (("start", flag.start), ("end", flag.end)) if value}
        resource |= {"period": period} if period else {}
        yield from versions(resource, flag.version, {"status": "active"}, stamps)


def _flag_code(flag: FlagFact) -> dict[str, Any]:
    if flag.code == "text":
        return {"text": "At-Risk Beneficiary"}
    if flag.code == "own":
        return coded(AT_RISK, "AR", "At-risk beneficiary")
    return coded("http://snomed.info/sct", "129839007", "At risk for falls")
