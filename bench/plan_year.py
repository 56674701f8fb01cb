"""The plan year over tables: the worklist of many enrollees, with what was done for them so far. Nothing here is a test.

python bench/plan_year.py [--people 100000] [--only worklist]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import date

from adapter.engines.duckdb import Engine
from adapter.mappings.folder import load_mappings
from adapter.services.due import due
from adapter.services.lives import lives
from adapter.services.proposals import proposals
from adapter.targeting.program import load_program

AS_OF = date(2023, 9, 30)
ENROLLMENTS = """
CREATE TEMP TABLE bench_enrollments AS
SELECT 'CarePlan/mtm-' || n AS source, 'p' || n AS beneficiary, 'H1234' AS contract, CAST(2023 AS BIGINT) AS plan_year,
    CASE WHEN n % 20 = 0 THEN 'revoked' ELSE 'active' END AS status,
    DATE '2023-01-01' + CAST(n % 240 AS INTEGER) AS enrolled_on, DATE '2023-12-31' AS ends_on,
    CASE WHEN n % 20 = 0 THEN DATE '2023-09-01' END AS opted_out_on, CASE WHEN n % 20 = 0 THEN '03' END AS opt_out_reason,
    CAST(NULL AS DATE) AS re_enrolled_on
FROM range({people}) r(n)
"""
# Invitation, two offers, CMR, summary, two TMRs, safe disposal: fewer the later the enrollment.
SERVICES = """
CREATE TEMP TABLE bench_services AS
SELECT CASE WHEN kind IN ('cmr', 'tmr') THEN 'Procedure' ELSE 'Communication' END || '/mtm-' || substr(e.source, 14) || '-' || place
    AS source, e.beneficiary, e.contract, e.plan_year, kind, e.enrolled_on + after AS on_day,
    CASE WHEN place = 2 THEN 'telephone' ELSE 'mail' END AS method, CASE WHEN place = 2 THEN 'accepted' END AS answer,
    CASE WHEN kind = 'summary_sent' THEN 'Procedure/mtm-' || substr(e.source, 14) || '-3' END AS about
FROM bench_enrollments e, (VALUES ('invitation', 0, 5), ('cmr_offer', 1, 10), ('cmr_offer', 2, 25), ('cmr', 3, 40),
    ('summary_sent', 4, 50), ('tmr', 5, 60), ('tmr', 6, 150), ('safe_disposal', 7, 51)) s(kind, place, after)
WHERE hash(e.source, place) % 10 < 8
"""
PERSONS = """
CREATE TEMP TABLE bench_persons AS
SELECT beneficiary, 'Patient/' || beneficiary AS source, hash(beneficiary) % 500 = 0 AS deceased,
    CASE WHEN hash(beneficiary) % 500 = 0 THEN '2023-09-10' END AS deceased_on,
    CASE WHEN hash(beneficiary) % 500 = 0 THEN DATE '2023-09-10' END AS died_by
FROM bench_enrollments
"""
COVERAGES = """
CREATE TEMP TABLE bench_coverages AS
SELECT beneficiary, 'Coverage/' || beneficiary AS source, true AS part_d, contract, '001' AS pbp, DATE '2022-01-01' AS starts,
    CASE WHEN hash(beneficiary) % 300 = 1 THEN DATE '2023-08-31' END AS ends, 'active' AS status
FROM bench_enrollments
"""


def timed(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def worklist(people: int = 100_000) -> None:
    """Every duty of ``people`` enrollees and the proposed opt-outs, against one plain aggregate of the same services."""
    program = load_program("health-partners-2023", load_mappings().folder / "programs")
    with Engine() as engine:
        for sql in (ENROLLMENTS.format(people=people), SERVICES, PERSONS, COVERAGES):
            engine.backend.raw_sql(sql)
        enrolled, services, persons, coverages = (
            engine.backend.table(f"bench_{name}") for name in ("enrollments", "services", "persons", "coverages")
        )
        count = engine.number(services.count())
        plain = timed(
            lambda: engine.backend.raw_sql(
                "CREATE TEMP TABLE plain AS SELECT beneficiary, contract, plan_year, kind, min(on_day), count(*) n"
                " FROM bench_services JOIN bench_enrollments USING (beneficiary, contract, plan_year) GROUP BY ALL"
            )
        )
        whole = timed(lambda: engine.keep(due(enrolled, services, program, AS_OF), "due"))
        proposed = timed(
            lambda: engine.keep(proposals(lives(enrolled, services, AS_OF), persons, coverages, AS_OF), "proposals")
        )
        rows = engine.number(engine.backend.table("due_1").count())
    print(f"worklist over tables: {people:,} enrollees, {count:,} services, {rows:,} duties")
    print(f"  baseline, the services joined and counted by kind: {plain:.2f} s")
    print(f"  every duty with status and reason:                 {whole:.2f} s = {whole / plain:.1f} times")
    print(f"  proposed opt-outs:                                 {proposed:.2f} s = {proposed / plain:.1f} times")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--only", choices=("worklist",))
    arguments = parser.parse_args()
    worklist(arguments.people)
