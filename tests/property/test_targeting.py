"""What must hold for every population: order, repetition, names and irrelevant resources change nothing, facts only add.

Each example is a whole population of random persons, so that few examples hold many cases. They are the same in every run.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.config import Config
from adapter.engines.duckdb import EnginePool
from adapter.jobs import targeting
from adapter.targeting.decision import CRITERIA
from tests.unit.tables.samples import (
    ICD10,
    NDC,
    RXNORM,
    SNOMED,
    claim,
    concept,
    condition,
    coverage,
    dispense,
    flag,
    item,
    patient,
    request,
    statement,
    status,
)

Resource = dict[str, Any]
AS_OF = date(2023, 9, 30)

few = settings(max_examples=2, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))

# ---- random persons

CONDITIONS = [
    (ICD10, "E11.9"),
    (ICD10, "I10"),
    (ICD10, "I110"),
    (SNOMED, "195967001"),
    (ICD10, "M81.0"),
    (ICD10, "Z00.0"),
    (None, "x"),
]
DRUGS = [
    (RXNORM, "617312"),
    (RXNORM, "314076"),
    (NDC, "00071015523"),
    (RXNORM, "860975"),
    (RXNORM, "1"),
    (NDC, "0071-0155-23"),
]
DAYS = ["2022-12-31", "2023-01-01", "2023-05", "2023-09-30", "2023-10-01", "2023", None]
COSTS = ["1.00", "4935.00", "4935.01", "2467.51", None]
COVERS = [
    ("H1234-001", {}),
    ("H1234-003", {}),
    ("S0001-001", {}),
    ("H1234-001", {"period": {"start": "2022-01-01", "end": "2023-06-30"}}),
]

conditions = st.builds(
    lambda code, clinical: condition("", code, clinicalStatus=status(clinical) if clinical else None),
    st.sampled_from(CONDITIONS),
    st.sampled_from([None, "active", "resolved"]),
)
orders = st.builds(
    lambda build, code, state: build("", code, status=state),
    st.sampled_from([request, statement]),
    st.sampled_from(DRUGS),
    st.sampled_from(["active", "stopped"]),
)
fills = st.builds(
    lambda code, day: dispense("", code, whenHandedOver=day), st.sampled_from(DRUGS), st.sampled_from(DAYS)
)
claims = st.builds(
    lambda code, cost, day: claim("", item(cost, code[1], day, productOrService=concept(code))),
    st.sampled_from(DRUGS),
    st.sampled_from(COSTS),
    st.sampled_from(DAYS),
)
flags = st.builds(lambda code: flag("", code=concept((None, code))), st.sampled_from(["AR", "fall"]))
covers = st.builds(lambda plan: coverage("", plan[0], **plan[1]), st.sampled_from(COVERS))
facts = st.lists(st.one_of(conditions, conditions, orders, fills, claims, flags), max_size=12)
persons = st.builds(lambda cover, others: [patient(), cover, *others], covers, facts)
populations = st.lists(persons, min_size=12, max_size=16)
seeds = st.integers(min_value=0, max_value=2**16)


def owned(resources: Iterable[Resource], key: str) -> list[Resource]:
    """The resources with ids of their own, about the person ``key``."""
    made = []
    for number, one in enumerate(resources):
        name = {"Coverage": "beneficiary", "ExplanationOfBenefit": "patient"}.get(one["resourceType"], "subject")
        about = {} if one["resourceType"] == "Patient" else {name: {"reference": f"Patient/{key}"}}
        made.append(one | {"id": key if one["resourceType"] == "Patient" else f"{key}-{number}"} | about)
    return made


def everybody(population: list[list[Resource]], key: Callable[[int], str]) -> list[Resource]:
    return [one for number, person in enumerate(population) for one in owned(person, key(number))]


def decided(resources: Iterable[Resource], pool: EnginePool | None) -> dict[str, dict[str, Any]]:
    """The row of targeting.csv of each person, by id; on an engine of its own without a pool."""
    with TemporaryDirectory() as folder:
        for one in resources:
            with (Path(folder) / f"{one['resourceType']}.ndjson").open("a", encoding="utf-8") as file:
                file.write(json.dumps(one) + "\n")
        with targeting.screened(targeting.Screening(folder, AS_OF), Config(), pool) as result:
            rows = result.engine.records(result.targeting)
    return {row.pop("beneficiary"): row for row in rows}


# Resources that bear on nobody's criteria, of types that are read and of others.
IRRELEVANT = [
    [patient(), condition("", (ICD10, "Z00.0")), {"resourceType": "Observation", "status": "final"}],
    [
        patient(),
        claim("", kind="professional"),
        claim("", item("9999.00"), status="cancelled"),
        flag(status="inactive"),
    ],
    [patient(), request(status="stopped"), {"resourceType": "Encounter", "status": "finished"}],
]


@few
@given(populations, seeds)
def test_order_repetition_names_and_irrelevant_resources_change_nothing(pool, population, seed):
    chance = random.Random(seed)
    plain = decided(everybody(population, "p{}".format), None)
    strangers = everybody(IRRELEVANT, "z{}".format)
    noise = [one for n, _ in enumerate(population) for one in owned(IRRELEVANT[n % 3][1:], f"x-{n}")]
    renamed = everybody(population, "x-{}".format) + strangers + [one | {"id": f"{one['id']}n"} for one in noise]
    mixed = renamed + chance.sample(renamed, len(renamed) // 2)
    chance.shuffle(mixed)
    found = decided(mixed, pool)
    assert {key: found[f"x-{key.removeprefix('p')}"] for key in plain} == plain


@few
@given(populations)
def test_a_person_alone_is_decided_as_within_the_population(pool, population):
    together = decided(everybody(population, "p{}".format), pool)
    for number in range(0, len(population), 4):
        key = f"p{number}"
        assert decided(owned(population[number], key), pool) == {key: together[key]}


# A fact that speaks for each criterion: a disease, a drug, dollars, a Flag, a drug of a measure.
QUALIFYING = [
    condition("", (ICD10, "E78.5")),
    request("", (RXNORM, "314076")),
    claim("", item("5000.00", "00071015523")),
    flag(),
]


@few
@given(populations)
def test_a_fact_that_qualifies_never_undoes_a_criterion(pool, population):
    before = decided(everybody(population, "p{}".format), pool)
    more = [
        person + [one for one in QUALIFYING if number % 2 or one["resourceType"] != "Flag"]
        for number, person in enumerate(population)
    ]
    after = decided(everybody(more, "p{}".format), pool)
    undone = [
        (key, name)
        for key, row in before.items()
        for name in CRITERIA
        if row[f"{name}_outcome"] == "met" and after[key][f"{name}_outcome"] != "met"
    ]
    assert undone == []
    assert all(after[key]["outcome"] == "targeted" for key, row in before.items() if row["outcome"] == "targeted")
    met = {name for row in after.values() for name in CRITERIA if row[f"{name}_outcome"] == "met"}
    assert {"drug_cost", "at_risk", "adherence_drug"} <= met
