"""What the shorthand of a case of measures/cmr_completion stands for: FHIR resources as any system may hold them.

Nothing of the adapter is used but the addresses of its extensions. The persons of all cases are one population.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

BASE = "https://w3id.org/mtm-adapter/fhir/"
Resource = dict[str, Any]


def persons_of(number: int, case: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The persons of a case with their ids: ``given`` is one, ``people`` are several, each as many times as ``copies`` says."""
    told = case["people"] if "people" in case else [case["given"]]
    every = [person for person in told for _ in range(person.get("copies", 1))]
    return [(f"p{number:03d}.{place:03d}", person) for place, person in enumerate(every)]


def resources_of(number: int, case: Mapping[str, Any]) -> Iterator[Resource]:
    """All resources of a case."""
    for beneficiary, person in persons_of(number, case):
        born = person.get("born", "1948-05-17")
        yield {"resourceType": "Patient", "id": beneficiary} | ({"birthDate": born} if born else {})
        for place, plan in enumerate(person.get("enrolled", ["2023-01-01"])):
            told = plan if isinstance(plan, dict) else {"start": plan}
            yield _plan(beneficiary, place, told, case["year"])
        for place, review in enumerate(person.get("cmrs", ())):
            told = review if isinstance(review, dict) else {"on": review}
            yield from _review(beneficiary, place, told, case["year"])


def _plan(beneficiary: str, place: int, plan: Mapping[str, Any], year: int) -> Resource:
    out, status = plan.get("opt_out"), plan.get("status", "revoked" if "opt_out" in plan else "active")
    parts = {
        "contract": ("valueString", plan.get("contract", "H1234")),
        "planYear": ("valueInteger", plan.get("plan_year", year)),
        "reasonCode": ("valueCode", plan.get("reason", "01")),
        "criteriaMetOn": ("valueDate", plan.get("met", plan["start"])),
        "reEnrolledOn": ("valueDate", plan.get("re_enrolled")),
        "optOutOn": ("valueDate", out[0] if out else None),
        "optOutReason": ("valueCode", out[1] if out else None),
    }
    end = plan.get("end", out[0] if out else f"{plan.get('plan_year', year)}-12-31")
    return {
        "resourceType": "CarePlan",
        "id": f"{beneficiary}.plan{place}",
        "status": status,
        "intent": "plan",
        "subject": {"reference": f"Patient/{beneficiary}"},
        "period": {"start": plan["start"], "end": end},
        "extension": [
            {
                "url": f"{BASE}StructureDefinition/mtm-enrollment",
                "extension": [{"url": name, kind: value} for name, (kind, value) in parts.items() if value is not None],
            }
        ],
    }


def _review(beneficiary: str, place: int, review: Mapping[str, Any], year: int) -> Iterator[Resource]:
    contract, plan_year = review.get("contract", "H1234"), review.get("plan_year", year)
    parts = [{"url": "contract", "valueString": contract}, {"url": "planYear", "valueInteger": plan_year}]
    common = {
        "status": review.get("status", "completed"),
        "subject": {"reference": f"Patient/{beneficiary}"},
        "extension": [{"url": f"{BASE}StructureDefinition/mtm-service", "extension": parts}],
    }
    own = f"{beneficiary}.cmr{place}"
    when = {"performedDateTime": review["on"]} if review["on"] else {}
    yield {"resourceType": "Procedure", "id": own, "code": _service("cmr")} | common | when
    if review.get("summary", True):
        sent = review["summary"] if isinstance(review.get("summary"), str) else review["on"] or f"{year}-12-31"
        about = {"category": [_service("summary-sent")], "sent": sent, "about": [{"reference": f"Procedure/{own}"}]}
        told = {"resourceType": "Communication", "id": f"{own}.summary"} | common | {"status": "completed"}
        yield told | about


def _service(code: str) -> Resource:
    return {"coding": [{"system": f"{BASE}CodeSystem/service", "code": code}]}


def write(folder: Path, cases: list[tuple[int, dict[str, Any]]]) -> Path:
    """The folder with the resources of all ``cases`` (number, case)."""
    lines: dict[str, list[str]] = {}
    for number, case in cases:
        for resource in resources_of(number, case):
            lines.setdefault(resource["resourceType"], []).append(json.dumps(resource))
    folder.mkdir(parents=True, exist_ok=True)
    for kind, found in lines.items():
        (folder / f"{kind}.ndjson").write_text("".join(line + "\n" for line in found), encoding="utf-8")
    return folder
