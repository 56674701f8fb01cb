"""How many summaries (letter, to-do list, list of 12 drugs) a second and core: python bench/documents.py [--members 300].

The baseline of the same run is the bare compiler: equal pages from data that are ready, nothing composed and nothing written.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from adapter.config import Config
from adapter.documents import form
from adapter.documents.desk import Desk
from adapter.documents.papers import COMPOSERS
from adapter.documents.plan import load_plan
from adapter.documents.texts import load_texts
from adapter.documents.view import Facts
from adapter.fhir.json import dump_line
from adapter.jobs import papers
from adapter.outputs.press import Press
from adapter.resources.ids import Kind, Resource, tag
from adapter.resources.service_events import Service, service_event

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "fixtures" / "documents"
ON = date(2026, 3, 11)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall seconds, and seconds of all cores (of this process and of those that it started and that ended), of one call."""
    wall, cores = time.perf_counter(), sum(os.times()[:4])
    work()
    return time.perf_counter() - wall, sum(os.times()[:4]) - cores


def members(number: int) -> list[Facts]:
    """The example member again and again, each time with another name, other drugs and other topics."""
    facts = replace(form.facts((EXAMPLES / "member.json").read_bytes(), "member.json"), sites=())
    made = []
    for n in range(number):
        drugs = tuple(replace(drug, name=f"{drug.name} ({n})", how=f"{drug.how} {n}") for drug in facts.drugs or ())
        topics = tuple(replace(one, topic=f"{one.topic} {n}") for one in facts.topics or ())
        member = replace(facts.member, key=f"m{n}", name=f"{facts.member.name} {n}")
        made.append(replace(facts, member=member, drugs=drugs, topics=topics))
    return made


def resources(facts: Facts) -> list[Resource]:
    """What a review of the member leaves behind in FHIR."""
    key = facts.member.key
    subject = {"subject": {"reference": f"Patient/{key}"}}

    def own(kind: Kind, resource_type: str, own_id: str, **elements: object) -> Resource:
        return {"resourceType": resource_type, "id": own_id, "meta": {"tag": [tag(kind)]}, **subject, **elements}

    statements = [
        own(
            "reviewed-statement", "MedicationStatement", f"s{n}-{key}", status="active",
            medicationCodeableConcept={"text": drug.name}, dosage=[{"text": drug.how}], reasonCode=[{"text": drug.why}],
        )
        for n, drug in enumerate(facts.drugs or ())
    ]  # fmt: skip
    entries = [{"item": {"reference": f"MedicationStatement/{one['id']}"}} for one in statements]
    activity = [
        {"detail": {"status": "not-started", "code": {"text": topic.topic}, "description": action}}
        for topic in facts.topics or ()
        for action in topic.actions
    ]
    return [
        {"resourceType": "Patient", "id": key, "name": [{"text": facts.member.name}], "birthDate": "1950-03-14"},
        own("enrollment", "CarePlan", f"e-{key}", status="active", period={"start": "2026-02-01"}),
        service_event(Service("cmr", key, "H1234", 2026, f"CarePlan/e-{key}", date(2026, 3, 2))),
        own("reviewed-list", "List", f"l-{key}", status="current", date="2026-03-02", entry=entries),
        own("action-plan", "CarePlan", f"a-{key}", status="active", created="2026-03-02", activity=activity),
        *statements,
    ]


def write(folder: Path, facts: list[Facts]) -> None:
    folder.mkdir()
    for one in facts:
        for resource in resources(one):
            with (folder / f"{resource['resourceType']}.ndjson").open("ab") as file:
                file.write(dump_line(resource))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=300)
    number = parser.parse_args().members
    facts = members(number)
    plan = load_plan(EXAMPLES / "plan.toml")
    desk = Desk(plan, load_texts("en", ROOT / "mappings" / "documents"), ON)
    with Press(plan.logo) as press:
        data = [press.data(COMPOSERS["summary"](one, desk), False)[0] for one in facts]

    def compiled(apart: bool) -> None:
        with Press(plan.logo) as press:
            if apart:
                press.set_apart()
            for one in data:
                press.pdf(one, ON)

    composing = timed(lambda: [COMPOSERS["summary"](one, desk) for one in facts])
    print(f"summaries of 12 drugs, {number:,} members, {os.cpu_count()} cores")
    for apart in (False, True):
        bare = timed(lambda apart=apart: compiled(apart))
        how = "a process apart on one core" if apart else "one paper over all cores"
        print(
            f"  baseline, the compiler alone, {how}: {number / bare[1]:.1f} a second of a core, {number / bare[0]:.1f} a second"
        )
    print(f"  composing alone: {number / composing[1]:,.0f} a second of a core")
    with TemporaryDirectory(prefix="mtm-bench-") as scratch:
        write(Path(scratch) / "in", facts)
        for workers in (1, os.cpu_count() or 1):
            out = Path(scratch) / f"out{workers}"
            printing = papers.Printing("summary", EXAMPLES / "plan.toml", out, ON, "en", workers=workers)
            whole = timed(lambda printing=printing: papers.batch(printing, f"{scratch}/in", Config()))
            made = sum(1 for _ in out.glob("*.pdf"))
            again = timed(lambda printing=printing: papers.batch(printing, f"{scratch}/in", Config()))
            print(
                f"  documents summary --batch, {workers} at once: {made / whole[1]:.1f} a second of a core,"
                f" {made / whole[0]:.1f} a second; resumed: {made / again[0]:,.0f} a second"
            )


if __name__ == "__main__":
    main()
