"""What the shorthand ``given`` of a case stands for: FHIR resources, by the rules in README.md, nothing of the adapter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
Resource = dict[str, Any]

DRUGS: dict[str, Any] = json.loads((HERE / "drugs.json").read_text(encoding="utf-8"))["drugs"]
BLOCKS: dict[str, Any] = json.loads((HERE / "background.json").read_text(encoding="utf-8"))["blocks"]

PERSON = "p"  # the id of the person a case is about, unless the case says otherwise
TERMS = "http://terminology.hl7.org/CodeSystem/"
C4BB = "http://hl7.org/fhir/us/carin-bb/CodeSystem/"
V2 = "https://bluebutton.cms.gov/resources/variables/"
V2_CODES = "https://bluebutton.cms.gov/resources/codesystem/"
V3 = "https://bluebutton.cms.gov/fhir/CodeSystem/"
MBI = "http://hl7.org/fhir/sid/us-mbi"
AT_RISK = "https://w3id.org/mtm-adapter/fhir/CodeSystem/at-risk"
SYSTEMS = {
    "icd10cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "snomed": "http://snomed.info/sct",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ndc": "http://hl7.org/fhir/sid/ndc",
}
SUBJECT = {"reference": f"Patient/{PERSON}"}

_MARKED = re.compile(r'"\\u0000([^"]*)"')  # json writes the mark of ``_marked`` so
_REFERENCE = re.compile(r"^((?:.*/)?[A-Z][A-Za-z]+/)([A-Za-z0-9\-.]+)(/_history/.*)?$")


def resources_of(case: Mapping[str, Any]) -> list[Resource]:
    """All resources of a case: those that ``given`` stands for, then those written out."""
    written = [dict(resource) for resource in case.get("resources", ())]
    given = _with_background(case.get("given", {}))
    made: list[Resource] = []
    if not any(r.get("resourceType") == "Patient" for r in written):
        made.append(_patient(given))
    made += _coverages(case, given, written)
    for key, build in _BUILDERS.items():
        made += [build(number, _entry(item)) for number, item in enumerate(given.get(key, ()), 1)]
    return made + written


def with_suffix(value: Any, suffix: str) -> Any:
    """A resource whose own id and references carry ``suffix``, so that the persons of two cases never meet."""
    if isinstance(value, list):
        return [with_suffix(item, suffix) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _renamed(key, item, value, suffix) for key, item in value.items()}


def _renamed(key: str, item: Any, parent: Mapping[str, Any], suffix: str) -> Any:
    if key == "contained":
        return item
    if key == "id" and "resourceType" in parent and isinstance(item, str):
        return item + suffix
    if key == "reference" and isinstance(item, str):
        return _REFERENCE.sub(rf"\g<1>\g<2>{suffix}\g<3>", item)
    return with_suffix(item, suffix)


def _with_background(given: Mapping[str, Any]) -> dict[str, Any]:
    merged = {key: value for key, value in given.items() if key != "background"}
    for name in reversed(given.get("background", ())):
        for key, items in BLOCKS[name].items():
            merged[key] = [*items, *merged.get(key, ())]
    return merged


def _entry(item: Any) -> dict[str, Any]:
    """An item of a list: a name alone, or an object. ``drug`` names a line of drugs.json."""
    entry = dict(item) if isinstance(item, dict) else {"name": item}
    name = entry.get("drug", entry.get("name"))
    if name in DRUGS:
        entry = {
            **{k: v for k, v in DRUGS[name].items() if k in ("rxnorm", "ndc")},
            "display": DRUGS[name]["name"],
            **entry,
        }
    elif "drug" in entry:
        raise KeyError(f"{name} is not in drugs.json")
    return entry


def _coded(system: str, code: str, display: str = "") -> Resource:
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def _drug(entry: Mapping[str, Any], first: str, second: str) -> Resource:
    """The CodeableConcept of a drug: by the code that the resource usually has, else by the other, else as text."""
    for kind in (first, second):
        if entry.get(kind):
            return _coded(entry.get("system", SYSTEMS[kind]), entry[kind], entry.get("display", ""))
    return {"text": entry["text"]}


def _patient(given: Mapping[str, Any]) -> Resource:
    made: Resource = {
        "resourceType": "Patient",
        "id": PERSON,
        "name": [{"use": "official", "family": "Example", "given": ["Pat"]}],
        "gender": "female",
        "birthDate": given.get("born", "1948-05-17"),
    }
    if not made["birthDate"]:
        del made["birthDate"]
    if "mbi" in given:
        made["identifier"] = [{"system": MBI, "value": given["mbi"]}]
    if "died" in given:
        made["deceasedDateTime"] = given["died"]
    return made


def _coverages(case: Mapping[str, Any], given: Mapping[str, Any], written: Iterable[Resource]) -> list[Resource]:
    told = given.get("coverage")
    if told is None:
        covered = any(r.get("resourceType") == "Coverage" for r in written)
        told = "none" if covered or case.get("source_without_coverage") else "H1234-001"
    items = [] if told == "none" else told if isinstance(told, list) else [told]
    return [_coverage(n, item if isinstance(item, dict) else {"plan": item}) for n, item in enumerate(items, 1)]


def _coverage(number: int, entry: Mapping[str, Any]) -> Resource:
    period = {"start": entry.get("start", "2022-01-01")} | ({"end": entry["end"]} if "end" in entry else {})
    return {
        "resourceType": "Coverage",
        "id": f"coverage-{number}",
        "status": entry.get("status", "active"),
        "beneficiary": SUBJECT,
        "payor": [{"display": "Example Health Plan"}],
        "class": [{"type": _coded(TERMS + "coverage-class", "plan"), "value": entry["plan"]}],
        "period": period,
    }


def _condition(number: int, entry: Mapping[str, Any]) -> Resource:
    code = entry.get("code", entry.get("name"))
    system = entry.get("system", SYSTEMS["snomed" if code and code.startswith("snomed ") else "icd10cm"])
    made: Resource = {
        "resourceType": "Condition",
        "id": f"condition-{number}",
        "clinicalStatus": _coded(TERMS + "condition-clinical", entry.get("clinical", "active")),
        "verificationStatus": _coded(TERMS + "condition-ver-status", entry.get("verification", "confirmed")),
        "code": _coded(system, code.removeprefix("snomed "), entry.get("display", "")),
        "subject": SUBJECT,
    }
    if entry.get("clinical") == "none":
        del made["clinicalStatus"]
    dates = {"onset": "onsetDateTime", "recorded": "recordedDate", "abated": "abatementDateTime"}
    return made | {element: entry[key] for key, element in dates.items() if key in entry}


def _order(resource_type: str, prefix: str, number: int, entry: Mapping[str, Any]) -> Resource:
    made = {
        "resourceType": resource_type,
        "id": f"{prefix}-{number}",
        "status": entry.get("status", "completed" if prefix == "dispense" else "active"),
        "subject": SUBJECT,
        "medicationCodeableConcept": _drug(entry, "rxnorm", "ndc"),
    }
    if prefix == "request":
        made |= {"intent": entry.get("intent", "order"), "authoredOn": entry.get("date", "2023-03-01")}
    elif prefix == "dispense":
        made["whenHandedOver"] = entry.get("date", "2023-03-01")
        if "days" in entry:
            made["daysSupply"] = {"value": entry["days"]}
    else:
        start, end = entry.get("date", "2022-06-01"), entry.get("end")
        made["effectivePeriod"] = {"start": start} | ({"end": end} if end else {})
    return made


def _flag(number: int, entry: Mapping[str, Any]) -> Resource:
    period = {key: entry[key] for key in ("start", "end") if key in entry}
    return {
        "resourceType": "Flag",
        "id": f"flag-{number}",
        "status": entry.get("status", "active"),
        "code": _coded(AT_RISK, entry.get("code", "AR")),
        "subject": SUBJECT,
    } | ({"period": period} if period else {})


def _claim(number: int, entry: Mapping[str, Any]) -> Resource:
    day, shape = entry.get("date", "2023-03-01"), entry.get("shape", "carin")
    item = {"sequence": 1, "productOrService": _drug(entry, "ndc", "rxnorm"), "servicedDate": day}
    cost = entry.get("cost", "10.00")
    if cost is not None:
        item["adjudication"] = [_money(_TOTAL_COST[shape], cost)]
    made: Resource = {
        "resourceType": "ExplanationOfBenefit",
        "id": f"claim-{number}",
        "status": entry.get("status", "active"),
        "type": {"coding": _claim_type(shape, entry.get("deleted", False))},
        "use": "claim",
        "patient": SUBJECT,
        "billablePeriod": {"start": day},
        "outcome": "complete",
        "item": [item],
    }
    information = _information(shape, entry)
    return made | ({"supportingInfo": information} if information else {})


_TOTAL_COST = {
    "carin": [(C4BB + "C4BBAdjudication", "drugcost")],
    "bfd-v2": [(C4BB + "C4BBAdjudication", "drugcost"), (V2_CODES + "adjudication", V2 + "tot_rx_cst_amt")],
    "bfd-v3": [(TERMS + "adjudication", "submitted"), (V3 + "Adjudication", "TOT_RX_CST_AMT")],
}


def _money(codings: Iterable[tuple[str, str]], amount: str) -> Resource:
    listed = [{"system": system, "code": code} for system, code in codings]
    return {"category": {"coding": listed}, "amount": {"value": Money(amount), "currency": "USD"}}


class Money(str):
    """An amount that is written into JSON as a number with the digits as they stand in the case."""


def _claim_type(shape: str, deleted: bool) -> list[Resource]:
    pharmacy = {"system": TERMS + "claim-type", "code": "pharmacy"}
    if shape == "bfd-v2":
        return [{"system": V2_CODES + "eob-type", "code": "PDE"}, pharmacy]
    if shape == "bfd-v3":
        kind = {"system": V3 + "CLM-TYPE-CD", "code": "3" if deleted else "1"}
        return [pharmacy, kind, {"system": V3 + "EOB-TYPE", "code": "PDE"}]
    return [pharmacy]


def _information(shape: str, entry: Mapping[str, Any]) -> list[Resource]:
    covered = entry.get("covered", "C")
    if shape == "bfd-v2":
        told = [_variable("drug_cvrg_stus_cd", covered)]
        return told + ([_variable("adjstmt_dltn_cd", "D")] if entry.get("deleted") else [])
    if shape == "bfd-v3":
        category = _coded(V3 + "Supporting-Information", "CLM_DRUG_CVRG_STUS_CD")
        return [{"category": category, "code": _coded(V3 + "CLM-DRUG-CVRG-STUS-CD", covered)}]
    supply = _coded(C4BB + "C4BBSupportingInfoType", "dayssupply")
    return [{"category": supply, "valueQuantity": {"value": entry["days"]}}] if "days" in entry else []


def _variable(name: str, code: str) -> Resource:
    return {"category": _coded(V2_CODES + "information", V2 + name), "code": _coded(V2 + name, code)}


_BUILDERS = {
    "conditions": _condition,
    "claims": _claim,
    "dispenses": lambda n, entry: _order("MedicationDispense", "dispense", n, entry),
    "requests": lambda n, entry: _order("MedicationRequest", "request", n, entry),
    "statements": lambda n, entry: _order("MedicationStatement", "statement", n, entry),
    "flags": _flag,
}


def json_line(resource: Mapping[str, Any]) -> str:
    """One line of NDJSON; an amount keeps the digits that the case gives it."""
    text = json.dumps(_marked(resource), ensure_ascii=False, separators=(",", ":"))
    return _MARKED.sub(r"\1", text)


def _marked(value: Any) -> Any:
    if isinstance(value, Money):
        return f"\x00{value}"
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in value.items()}
    return [_marked(item) for item in value] if isinstance(value, list) else value
