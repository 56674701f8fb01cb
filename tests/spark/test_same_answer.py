"""DuckDB and Spark give the same answer: every file of a screening, and of its criteria every outcome, every figure, every fact."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from adapter.config import Config
from adapter.jobs import targeting
from adapter.jobs.targeting import Screening
from adapter.targeting.decision import Decision
from tests.population.compare import compare, told
from tests.population.write import Order, write

ROOT = Path(__file__).resolve().parents[2]
AS_OF = date(2023, 9, 30)
SIZE, SEED = 120, 7
LISTS = ("targeting", "unmapped", "rejected", "findings", "near_misses", "first_met")

# Lines that Spark's own reader would take without a word, or that no reader takes; each stands among good ones.
SPOILED = (
    b'{"resourceType":"Condition","id":"two-1"} {"resourceType":"Condition","id":"two-2"}',
    b'[{"resourceType":"Condition","id":"in-a-list"}]',
    b'{"resourceType":"Condition","id":"twice","subject":{"reference":"Patient/a"},"subject":{"reference":"Patient/b"}}',
    b'{"resourceType":"Condition","id":"cut off',
    b'{"resourceType":"Condition","id":"no-utf-8","code":{"text":"\xff"}}',
    b'{"resourceType":"Condition","id":"code-as-text","code":"E11.9"}',
    b"{'resourceType':'Condition','id':'single-quotes'}",
)


def screened(source: Path, engine: str, out: Path) -> tuple[dict[str, int], list[Decision]]:
    """Screens ``source`` into ``out``; how many resources of each type were read, and every decision with its evidence."""
    roster = source / "at-risk.csv"
    screening = Screening(str(source), AS_OF, at_risk=roster if roster.exists() else None, engine=engine)
    with targeting.screened(screening, Config()) as result:
        targeting.write_outputs(result, out)
        return dict(result.population.counts), result.decisions()


def assert_the_same(source: Path, folder: Path) -> Path:
    """Both engines screen ``source`` and every file that they write has the same content; returns Spark's folder."""
    duckdb, spark = folder / "duckdb", folder / "spark"
    assert screened(source, "duckdb", duckdb) == screened(source, "spark", spark)
    for name in LISTS:
        assert (spark / f"{name}.csv").read_text() == (duckdb / f"{name}.csv").read_text(), name
    expected, found = (pq.read_table(out / "criteria.parquet") for out in (duckdb, spark))
    assert found.schema == expected.schema
    assert found.num_rows > 0
    assert found.to_pylist() == expected.to_pylist()
    manifests = [(out / "manifest.json").read_text() for out in (duckdb, spark)]
    assert manifests[0] == manifests[1]
    return spark


@pytest.mark.usefixtures("spark")
def test_the_demo(tmp_path):
    assert_the_same(ROOT / "fixtures" / "demo", tmp_path)


@pytest.mark.usefixtures("spark")
def test_a_population_with_planted_truth_and_lines_that_cannot_be_read(tmp_path):
    source = tmp_path / "population"
    write(Order(SIZE, SEED), source)
    conditions = source / "Condition.ndjson"
    good = conditions.read_bytes().splitlines(keepends=True)
    conditions.write_bytes(good[0] + b"".join(line + b"\n" for line in SPOILED) + b"".join(good[1:]))
    spark = assert_the_same(source, tmp_path)
    assert (spark / "rejected.csv").read_text().count("Condition.ndjson") == len(SPOILED)
    wrong = compare(spark / "targeting.csv", source / "truth.csv")
    assert not wrong, told(wrong, source / "truth.csv")
