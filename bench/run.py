"""make bench: speed and memory as ratios against a named baseline measured in the same run. Nothing here is a test.

python bench/run.py [--megabytes 2000] [--people 100000] [--only screen|targeting|one]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from make_claims import write

from adapter.config import Config
from adapter.engines.duckdb import Engine, EnginePool, column_type
from adapter.jobs import targeting as jobs
from adapter.mappings.folder import load_mappings
from adapter.tables.shapes import SHAPES
from adapter.targeting.evaluate import Question, Tables, criterion_rows, evidence_rows, membership, targeting
from adapter.targeting.program import load_program

DEMO = Path(__file__).resolve().parent.parent / "fixtures" / "demo"
AS_OF = date(2023, 9, 30)


def timed(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def projection(folder: Path) -> None:
    """The baseline of ``screen``: the elements that the adapter reads, projected by DuckDB into tables, and nothing else."""
    connection = duckdb.connect()
    for kind, shape in SHAPES.items():
        path = folder / f"{kind}.ndjson"
        if path.exists():
            columns = ", ".join(f"'{name}': '{column_type(of)}'" for name, of in shape.items())
            source = f"read_json('{path}', columns = {{{columns}}}, format = 'newline_delimited')"
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {kind} AS SELECT * FROM {source}")
    connection.close()


def screen(megabytes: int) -> None:
    """A folder of NDJSON through the command line, against the bare projection of the same files."""
    with TemporaryDirectory(prefix="mtm-bench-") as scratch:
        folder = Path(scratch) / "in"
        copies = write(folder, megabytes)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e9
        command = [sys.executable, "-m", "adapter.cli.main", "screen", str(folder), "--out", f"{scratch}/out"]
        environment = {**os.environ, "MTM_ADAPTER_CACHE": f"{scratch}/cache"}

        def run(days: int) -> None:
            subprocess.run(
                [*command, "--as-of", (AS_OF - timedelta(days=days)).isoformat()],
                check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip

        first = timed(
            partial(run, 0)
        )  # writes all SQL, and leaves it for later runs; a later day writes that of its day only
        pairs = [(timed(lambda: projection(folder)), timed(partial(run, days))) for days in (1, 2, 3)]
        bare, whole = sorted(pairs, key=lambda pair: pair[1] / pair[0])[1]  # the median
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"screen a folder: {size:.2f} GB, {54 * copies:,} beneficiaries")
    print(f"  the first run ever, which writes the SQL: {first:.2f} s = {first / bare:.2f} times")
    print(f"  baseline, DuckDB projection of the same elements into tables: {bare:.2f} s")
    print(
        f"  mtm-adapter screen --out, whole process, on another day:      {whole:.2f} s = {whole / bare:.2f} times; peak {peak:.2f} GB"
    )


FILLS = """
CREATE TEMP TABLE grown AS
SELECT u.* REPLACE (u.beneficiary || '-' || n AS beneficiary, u.source || '-' || n || '-' || m AS source)
FROM {uses} u, range({copies}) a(n), range({fills}) b(m) WHERE u.kind = 'claim' OR m = 0
"""


def grown_tables(engine: Engine, tables: Tables, people: int) -> tuple[Tables, int]:
    """The tables of the demo multiplied to about ``people`` beneficiaries with some 50 fills each."""
    copies = max(1, people // 54)
    connection = engine.backend
    connection.raw_sql(FILLS.format(uses=tables.drug_uses.get_name(), copies=copies, fills=6))
    grown = {}
    for name in ("beneficiaries", "coverages", "conditions", "diagnoses", "at_risk"):
        table = getattr(tables, name)
        sql = f"CREATE TEMP TABLE grown_{name} AS SELECT t.* REPLACE (t.beneficiary || '-' || n AS beneficiary) "
        connection.raw_sql(sql + f"FROM {table.get_name()} t, range({copies}) a(n)")
        grown[name] = connection.table(f"grown_{name}")
    uses = connection.table("grown")
    return Tables(drug_uses=uses, entries=tables.entries, **grown), engine.number(uses.count())


def target(people: int) -> None:
    """Full targeting over tables, against a plain DuckDB aggregate over the same tables."""
    program = load_program("health-partners-2023", load_mappings().folder / "programs")
    with jobs.screened(jobs.Screening(str(DEMO), AS_OF), Config()) as small:
        engine = small.engine
        engine.backend.raw_sql("SET memory_limit = '8GB'")
        tables, fills = grown_tables(engine, small.population.tables, people)
        question = Question(program, AS_OF)
        baseline = """
            SELECT u.beneficiary, count(DISTINCT drug), sum(cost), count(DISTINCT c.disease), list(DISTINCT source ORDER BY source)
            FROM grown u LEFT JOIN (SELECT beneficiary, min(disease) disease FROM grown_conditions GROUP BY 1) c USING (beneficiary)
            GROUP BY u.beneficiary
        """
        plain = timed(lambda: engine.backend.raw_sql(f"CREATE OR REPLACE TEMP TABLE plain AS {baseline}"))

        members = engine.keep(membership(tables, question), "members")

        def full() -> None:
            again = engine.keep(membership(tables, question), "members")
            rows = engine.keep(criterion_rows(tables, question, again), "criteria")
            engine.keep(targeting(again, rows, program), "targeting")

        whole = timed(full)
        proven = timed(lambda: engine.keep(evidence_rows(tables, question, members), "evidence"))
    print(f"targeting over tables: {54 * max(1, people // 54):,} beneficiaries, {fills:,} fills and orders")
    print(f"  baseline, one DuckDB aggregate with the sources as a list: {plain:.2f} s")
    print(f"  membership, five criteria, doors:                          {whole:.2f} s = {whole / plain:.2f} times")
    print(f"  every fact that they rest on, when it is asked for:        {proven:.2f} s = {proven / plain:.2f} times")


def one(times: int = 40) -> None:
    """One beneficiary, asked for on a warm process."""
    request = jobs.Screening(str(DEMO), AS_OF)
    pool = EnginePool()
    spent = [timed(lambda: jobs.explain(request, Config(), "mtm-demo-01", pool)) for _ in range(times)][1:]
    pool.close()
    spent.sort()
    print(f"one beneficiary of the demo folder on a warm process, {times} times:")
    print(f"  p50 {statistics.median(spent) * 1000:.0f} ms, p95 {spent[int(times * 0.95) - 1] * 1000:.0f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--only", choices=("screen", "targeting", "one"))
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, DuckDB {duckdb.__version__}, load {os.getloadavg()[0]:.1f} at the start")
    for name, run in {
        "screen": lambda: screen(arguments.megabytes),
        "targeting": lambda: target(arguments.people),
        "one": one,
    }.items():
        if arguments.only in (None, name):
            run()
