"""criteria.parquet: every criterion once with all its facts, in one order, however they are cut into batches."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from adapter.engines import duckdb as engines
from adapter.outputs import criteria_file
from adapter.outputs.criteria_file import write_criteria
from adapter.targeting.evaluate import with_evidence

CRITERIA = dict.fromkeys(("beneficiary", "criterion", "outcome", "observed", "required"), "string")
EVIDENCE = dict.fromkeys(("beneficiary", "criterion", "item", "fact", "source"), "string")


def tables(engine, facts_of):
    criteria, evidence = [], []
    for person, facts in facts_of.items():
        for criterion in ("drug_cost", "at_risk"):
            criteria.append(
                {
                    "beneficiary": person,
                    "criterion": criterion,
                    "outcome": "met",
                    "observed": str(facts),
                    "required": "1",
                }
            )
        for number in reversed(range(facts)):
            fact = {"item": "priced", "fact": f"$1.{number:02}", "source": f"ExplanationOfBenefit/é{number}"}
            evidence.append({"beneficiary": person, "criterion": "drug_cost"} | fact)
    return engine.table(criteria, CRITERIA), engine.table(evidence, EVIDENCE)


@pytest.mark.parametrize(("rows", "batch"), [(1, 1), (3, 2), (2, 2048), (5000, 3)])
@pytest.mark.parametrize(
    "facts_of",
    [{}, {"p1": 0}, {"p2": 3, "p1": 0}, {"b": 1, "a": 7, "c": 0, "d": 40, "é": 2}],
    ids=lambda facts: str(len(facts)),
)
def test_the_file_holds_what_a_grouping_gives(engine, tmp_path, monkeypatch, rows, batch, facts_of):
    monkeypatch.setattr(criteria_file, "ROWS", rows)
    monkeypatch.setattr(engines, "BATCH", batch)
    criteria, evidence = tables(engine, facts_of)
    write_criteria(engine, criteria, evidence, tmp_path / "criteria.parquet")
    grouped = with_evidence(criteria, evidence).order_by("beneficiary", "criterion")
    assert pq.read_table(tmp_path / "criteria.parquet").to_pylist() == engine.records(grouped)


def test_two_runs_give_the_same_bytes(engine, tmp_path):
    criteria, evidence = tables(engine, {"b": 4, "a": 2})
    for name in ("one", "two"):
        write_criteria(engine, criteria, evidence, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_evidence_can_be_read_by_name(engine, tmp_path):
    write_criteria(engine, *tables(engine, {"a": 1}), tmp_path / "criteria.parquet")
    told = pq.read_table(tmp_path / "criteria.parquet").to_pylist()
    assert [row["evidence"] for row in told] == [
        [],
        [{"item": "priced", "fact": "$1.00", "source": "ExplanationOfBenefit/é0"}],
    ]
