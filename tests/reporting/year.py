"""The plan year of many beneficiaries as FHIR resources, with the cells that the file must hold of each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from adapter.resources.care_plan import ENROLLMENT_EXTENSION
from adapter.resources.enrollment_life import opted_out, re_enrolled
from adapter.resources.ids import identifier, resource_id, tag
from adapter.resources.service_events import Service, reference_of, service_event
from tests.reporting.truth import LAST, Event, Stay, stays

YEAR = 2023
LETTERS = "ACDEFGHJKM"
NAMES = (  # family, given; as the file writes them: last, first
    ("O'Brien", "Mary Ann", "O'Brien", "Mary Ann"),
    ("Smith-Jones", "Al", "Smith-Jones", "Al"),
    ("Núñez", "José", "Nunez", "Jose"),
    ("Wolfeschlegelsteinhausenbergerdorff", "Hubert", "Wolfeschlegelsteinhausenberger", "Hubert"),
    ("Nguyen", "Thi", "Nguyen", "Thi"),
)
SHORT = ("Suharto", "", "Suharto", "")  # one name only


def mbi_of(number: int) -> str:
    """An MBI of the published pattern, another one for each number below nine million."""
    letter = [LETTERS[number // 9 // 10**place % 10] for place in range(4)]
    return (
        f"{1 + number % 9}{letter[0]}{letter[1]}{number // 90000 % 10}{letter[2]}{letter[3]}{number // 900000 % 10}AA00"
    )


def year(size: int, seed: int) -> tuple[dict[str, list[dict[str, Any]]], list[dict[str, str]]]:
    """The resources of ``size`` beneficiaries by type, and the rows of the truth."""
    resources: dict[str, list[dict[str, Any]]] = {
        kind: [] for kind in ("Patient", "CarePlan", "Procedure", "Communication")
    }
    truth: list[dict[str, str]] = []
    for number in range(size):
        random = Random(f"{seed}-{number}")
        person, cells = _person(random, number)
        for stay in stays(random):
            if stay.opt_out and stay.opt_out[1] == "01" and not stay.back_on:
                person["deceasedDateTime"] = stay.opt_out[0].isoformat()
            truth.append({"contract_number": stay.contract, **cells, **stay.cells})
            for made in _resources(random, person["id"], stay):
                resources[made["resourceType"]].append(made)
        resources["Patient"].append(person)
    return resources, sorted(truth, key=lambda row: (row["contract_number"], row["mbi"]))


def _person(random: Random, number: int) -> tuple[dict[str, Any], dict[str, str]]:
    family, given, last, first = SHORT if random.random() < 0.02 else random.choice(NAMES)
    suffix = f" {chr(65 + number % 26)}{chr(65 + number // 26 % 26)}" if len(family) < 20 else ""
    born = random.choice([date(1952, 2, 29), date(1930, 1, 1) + timedelta(days=random.randint(0, 9000))])
    mbi = mbi_of(number)
    name = {"use": "official", "family": family + suffix, **({"given": [given]} if given else {})}
    identifiers = [{"system": "http://hl7.org/fhir/sid/us-mbi", "value": mbi}]
    person = {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": identifiers,
        "name": [name],
        "birthDate": born.isoformat(),
    }
    return person, {"mbi": mbi, "first_name": first, "last_name": last + suffix, "birth_date": born.strftime("%Y%m%d")}


def _resources(random: Random, who: str, stay: Stay) -> Iterator[dict[str, Any]]:
    plan = _care_plan(who, stay)
    yield plan
    named: dict[str, str] = {}
    for event in sorted(stay.events, key=lambda one: bool(one.about)):  # what others are about goes first
        service = _service(who, stay, event, named, f"CarePlan/{plan['id']}")
        if event.name:
            named[event.name] = reference_of(service)
        made = service_event(service)
        made["meta"] |= {"versionId": "3", "lastUpdated": "2023-12-31T10:00:00Z"}
        yield made
        if random.random() < 0.05:  # an older version that told something else
            yield {
                **made,
                "status": "entered-in-error",
                "meta": {**made["meta"], "versionId": "2", "lastUpdated": "2023-12-30T10:00:00Z"},
            }
    if random.random() < 0.05:
        withdrawn = service_event(
            Service("tmr", who, stay.contract, YEAR, f"CarePlan/{plan['id']}", stay.start - timedelta(days=400))
        )
        yield {**withdrawn, "performedDateTime": stay.start.isoformat(), "status": "entered-in-error"}


def _service(who: str, stay: Stay, event: Event, named: dict[str, str], plan: str) -> Service:
    told: dict[str, Any] = dict(event.told)
    about = named[event.about] if event.about else ""
    return Service(event.kind, who, stay.contract, YEAR, plan, event.on, about=about, **told)  # type: ignore[arg-type]


def _care_plan(who: str, stay: Stay) -> dict[str, Any]:
    own = resource_id("enrollment", stay.contract, who, YEAR)
    parts: list[dict[str, Any]] = [
        {"url": "contract", "valueString": stay.contract},
        {"url": "planYear", "valueInteger": YEAR},
        {"url": "reasonCode", "valueCode": stay.reason},
    ]
    parts += [{"url": "criteriaMetOn", "valueDate": stay.met_on.isoformat()}] if stay.met_on else []
    plan: dict[str, Any] = {
        "resourceType": "CarePlan",
        "id": own,
        "meta": {"tag": [tag("enrollment")]},
        "identifier": [identifier(own)],
        "extension": [{"url": ENROLLMENT_EXTENSION, "extension": parts}],
        "status": "active",
        "intent": "plan",
        "subject": {"reference": f"Patient/{who}"},
        "period": {"start": stay.start.isoformat(), "end": LAST.isoformat()},
    }
    if stay.opt_out:
        plan = opted_out(plan, *stay.opt_out)
    return re_enrolled(plan, stay.back_on, LAST) if stay.back_on else plan


def write(folder: Path, size: int, seed: int) -> list[dict[str, str]]:
    """Writes the NDJSON files and truth.csv into ``folder``; returns the truth."""
    folder.mkdir(parents=True, exist_ok=True)
    resources, truth = year(size, seed)
    for kind, made in resources.items():
        (folder / f"{kind}.ndjson").write_text("".join(json.dumps(one) + "\n" for one in made), encoding="utf-8")
    text = io.StringIO()
    writer = csv.DictWriter(text, sorted(truth[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(truth)
    (folder / "truth.csv").write_text(text.getvalue(), encoding="utf-8")
    return truth
