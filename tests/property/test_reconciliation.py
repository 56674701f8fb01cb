"""The Personal Medication List is the same in whatever order the records come, and however often one of them is given."""

from __future__ import annotations

import json
import random
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.config import Config
from adapter.engines.duckdb import EnginePool
from adapter.jobs.reconciling import reconcile
from adapter.reconciliation.dosage import use
from adapter.reconciliation.pml import PersonalMedicationList
from tests.unit.reconciliation.builders import of, pair
from tests.unit.tables.samples import NDC, RXNORM, claim, dispense, item, patient, request, statement

AS_OF = date(2023, 9, 30)
few = settings(max_examples=4, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
many = settings(max_examples=150, derandomize=True, deadline=None, database=None)

NAMES = [
    "atorvastatin 20 MG Oral Tablet",
    "atorvastatin 40 MG Oral Tablet [Lipitor]",
    "atorvastatin",
    "Lipitor 20mg",
    "atorvastatin 20 MG",
]
DAYS = ["2023-01-05", "2023-06-01", "2023-08-15", "2023-09-30", ""]
TEXTS = ["1 tablet daily", "Take one tablet every day", "2 tabs BID", ""]
DOCTORS = ["Helen Park, MD", "H. Park", "Samuel Adeyemi", ""]


@st.composite
def records(draw: st.DrawFn) -> list[Any]:
    """Mentions of one drug or of two, of every kind, that agree or contradict each other."""
    made = []
    for number in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["request", "statement", "dispense", "claim"]))
        text = draw(st.sampled_from(TEXTS))
        status = draw(st.sampled_from(["active", "active", "stopped", "completed", "on-hold"]))
        elements: dict[str, Any] = {"status": "completed" if kind == "dispense" else status}
        elements["dosage" if kind == "statement" else "dosageInstruction"] = [{"text": text}] if text else []
        elements["requester"] = {"display": draw(st.sampled_from(DOCTORS))}
        elements["reasonCode"] = [{"text": draw(st.sampled_from(["cholesterol", "Cholesterol", "heart"]))}]
        drug = draw(st.sampled_from(["83367", "83367", "6809"]))
        made.append(
            pair(kind, f"x{number}", draw(st.sampled_from(NAMES)), draw(st.sampled_from(DAYS)), drug, **elements)
        )
    return made


@many
@given(records(), st.randoms(use_true_random=False))
def test_the_order_and_repetition_of_mentions_make_no_difference(
    given_records: list[Any], chance: random.Random
) -> None:
    again = [*given_records, *chance.choices(given_records, k=len(given_records))]
    chance.shuffle(again)
    assert of(*again) == of(*given_records)


@many
@given(records())
def test_no_record_is_lost_and_none_stands_in_two_lines(given_records: list[Any]) -> None:
    made = of(*given_records)
    told = [source for line in made.entries for source in line.sources]
    assert sorted(told) == sorted({row["source"] for row, _ in given_records})
    assert {key for question in made.questions for key in question.entries} <= {line.key for line in made.entries}
    assert {source for question in made.questions for source in question.sources} <= set(told)


def _population(chance: random.Random) -> list[dict[str, Any]]:
    codes = [(RXNORM, "617310"), (RXNORM, "617312"), (NDC, "00071015623"), (RXNORM, "860975"), (RXNORM, "1")]
    made: list[dict[str, Any]] = []
    for number in range(12):
        code, state = chance.choice(codes), chance.choice(["active", "stopped"])
        day = chance.choice(["2023-02-01", "2023-08-01"])
        made.append(
            chance.choice([
                request(f"r{number}", code, status=state, authoredOn=day, dosageInstruction=[{"text": chance.choice(TEXTS) or "daily"}]),
                statement(f"s{number}", code, status=state, dateAsserted=day),
                dispense(f"d{number}", code, whenHandedOver=day),
                claim(f"e{number}", item("1.00", code="00071015623", filled=day)),
            ])
        )  # fmt: skip
    return made


def _listed(resources: list[dict[str, Any]], pool: EnginePool) -> PersonalMedicationList:
    with TemporaryDirectory() as name:
        for one in [patient(), *resources]:
            with (Path(name) / f"{one['resourceType']}.ndjson").open("a", encoding="utf-8") as file:
                file.write(json.dumps(one) + "\n")
        return reconcile(name, "p1", AS_OF, Config(), pool).pml


@few
@given(st.integers(0, 10_000))
def test_the_order_and_repetition_of_resources_make_no_difference(pool: EnginePool, seed: int) -> None:
    chance = random.Random(seed)
    resources = _population(chance)
    again = resources + chance.choices(resources, k=6)
    chance.shuffle(again)
    assert _listed(again, pool) == _listed(resources, pool)


@many
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "text": st.sampled_from(["1 tab po bid", "  ", "daily"]),
            "timing": st.fixed_dictionaries(
                {}, optional={"code": st.fixed_dictionaries({"text": st.sampled_from(["BID", "q8h", "often"])})}
            ),
            "route": st.fixed_dictionaries({"text": st.sampled_from(["oral", "eye", "somehow"])}),
            "asNeededBoolean": st.booleans(),
            "doseAndRate": st.just([{"doseQuantity": {"value": 1.5, "unit": "tablet"}}]),
        },
    )
)
def test_a_sentence_is_one_line_that_ends_with_a_period_or_nothing(dosage: dict[str, Any]) -> None:
    for language in ("en", "es"):
        told = use([dosage], language).text
        assert told == " ".join(told.split())
        assert told == "" or told.endswith(".")
