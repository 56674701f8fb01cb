"""The CMS file of one large contract: from tables in the engine to a checked file on disk, without and with lineage.

python bench/reporting.py [--people 1000000] [--lineage]

The tables are made up in SQL: an enrollment for each person, and about 6.5 services each. CPU seconds are told beside the
wall clock, since other work on the machine makes the clock slower and not the work larger.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from adapter.engines.duckdb import Engine
from adapter.jobs.contract_report import MEMORY, kept_parts, write_lineage
from adapter.mappings.folder import load_mappings
from adapter.outputs.files import csv_bytes, write_all
from adapter.population import Enrolled
from adapter.reporting.checks import EDITS
from adapter.reporting.contract_file import Checking, contract_file
from adapter.reporting.edits import load_edits
from adapter.reporting.finding import COLUMNS
from adapter.reporting.layout import load_layout
from adapter.reporting.national import load_national
from adapter.reporting.rates import RATES

LETTERS = "ACDEFGHJKM"  # of an MBI, one for each digit

PERSONS = """
CREATE TEMP TABLE persons AS SELECT
  'p' || n AS beneficiary, 'Patient/p' || n AS source, '1' AS version_id,
  (1 + n % 9) || letter(n // 9) || letter(n // 90) || (n // 900 % 10) || letter(n // 9000) || letter(n // 90000)
    || (n // 900000 % 10) || 'AA' || '00' AS mbi,
  [mbi] AS mbis, 1::BIGINT AS current_mbis, 'Family' || (n % 79999) AS family, 'Given' || (n % 8999) AS given,
  NULL::VARCHAR AS middle, (DATE '1925-01-01' + (n % 11987)::INTEGER)::VARCHAR AS birth_date,
  DATE '1925-01-01' + (n % 11987)::INTEGER AS birth_day,
  FALSE AS deceased, NULL::VARCHAR AS deceased_on, NULL::DATE AS died_by
FROM range({people}) t(n)
"""
ENROLLMENTS = """
CREATE TEMP TABLE enrollments AS SELECT
  'mtm-' || md5('e' || n) AS enrollment, 'CarePlan/mtm-' || md5('e' || n) AS source, '2' AS version_id,
  'p' || n AS beneficiary, 'H1234' AS contract, '001' AS pbp, 2023::BIGINT AS plan_year, 'p' AS program,
  CASE WHEN n % 20 = 0 THEN '02' ELSE '01' END AS reason_code, DATE '2023-01-01' + (n % 90)::INTEGER AS criteria_met_on,
  DATE '2023-01-01' + (n % 90)::INTEGER AS enrolled_on, DATE '2023-12-31' AS ends_on,
  CASE WHEN n % 25 = 0 THEN 'revoked' ELSE 'active' END AS status,
  CASE WHEN n % 25 = 0 THEN DATE '2023-11-30' END AS opted_out_on, CASE WHEN n % 25 = 0 THEN '03' END AS opt_out_reason,
  NULL::DATE AS re_enrolled_on
FROM range({people}) t(n)
"""
# kind, resource type, share of the persons as "n % a < b", day after the enrollment, about which other kind
SERVICES = (
    ("cmr_offer", "Communication", "n % 100 < 96", 20, "NULL"),
    ("cmr", "Procedure", "n % 10 < 4", 60, "NULL"),
    ("summary_sent", "Communication", "n % 10 < 4", 65, "'Procedure/mtm-' || md5('cmr' || n)"),
    ("tmr", "Procedure", "n % 100 < 97", 90, "NULL"),
    ("tmr", "Procedure", "n % 100 < 90", 150, "NULL"),
    ("tmr", "Procedure", "n % 100 < 80", 210, "NULL"),
    ("safe_disposal", "Communication", "n % 100 < 99", 66, "NULL"),
    ("recommendation", "Communication", "n % 10 < 4", 61, "NULL"),
    ("recommendation", "Communication", "n % 10 < 2", 62, "NULL"),
    ("resolution", "Communication", "n % 10 < 2", 100, "'Communication/mtm-' || md5('recommendation61' || n)"),
)
SERVICE = """
SELECT 'mtm-' || md5('{key}' || n) AS service, '{type}/mtm-' || md5('{key}' || n) AS source, '1' AS version,
  'p' || n AS beneficiary, 'H1234' AS contract, 2023::BIGINT AS plan_year, 'CarePlan/mtm-' || md5('e' || n) AS enrollment,
  '{kind}' AS kind, DATE '2023-01-01' + (n % 90 + {day})::INTEGER AS on_day,
  CASE '{kind}' WHEN 'cmr' THEN 'telephone' ELSE 'mail' END AS method, 'plan_sponsor_pharmacist' AS provider,
  CASE '{kind}' WHEN 'recommendation' THEN 'prescriber' ELSE 'beneficiary' END AS recipient,
  'N' AS cognitively_impaired, 'N' AS ltc_facility, 30::BIGINT AS minutes, 'accepted' AS answer, n % 2 = 0 AS changed,
  {about} AS about, NULL::VARCHAR AS words
FROM range({people}) t(n) WHERE {share}
"""


def tables(engine: Engine, people: int) -> Enrolled:
    """The made-up tables of ``people`` enrollees."""
    engine.backend.raw_sql(f"CREATE TEMP MACRO letter(n) AS substr('{LETTERS}', 1 + (n % 10)::INTEGER, 1)")
    engine.backend.raw_sql(PERSONS.format(people=people))
    engine.backend.raw_sql(ENROLLMENTS.format(people=people))
    parts = []
    for kind, resource_type, share, day, about in SERVICES:
        key = kind if kind in ("cmr", "summary_sent") else f"{kind}{day}"
        parts.append(
            SERVICE.format(kind=kind, type=resource_type, share=share, day=day, about=about, key=key, people=people)
        )
    engine.backend.raw_sql("CREATE TEMP TABLE services AS " + " UNION ALL ".join(parts))
    named = {name: engine.backend.table(name) for name in ("enrollments", "persons", "services")}
    return Enrolled(named["enrollments"], named["persons"], named["services"], ())


def main(people: int, lineage: bool) -> None:
    """Prints what was measured."""
    folder = load_mappings().folder
    layout = load_layout("cms-mtm-2023", folder / "layouts")
    edits = load_edits("edits", folder / "reporting", EDITS)
    checking = Checking(edits, load_national(folder / "reporting" / "national.toml", frozenset(RATES)))
    with TemporaryDirectory(prefix="mtm-bench-") as scratch, Engine(MEMORY) as engine:
        made_up = tables(engine, people)
        services = engine.number(made_up.services.count())
        before = resource.getrusage(resource.RUSAGE_SELF)
        started = time.perf_counter()
        of = kept_parts(engine, made_up, "H1234", 2023)
        made = contract_file(of, layout, checking)
        found = csv_bytes(COLUMNS, [vars(finding) for finding in made.findings])
        out = {made.name: made.data, "findings.csv": found}
        write_all(Path(scratch), out)
        size, rows, findings, order = len(made.data), made.rows, len(made.findings), made.order
        del made, out
        told(f"file, {rows:,} rows, {services:,} services, {size / 1e6:.0f} MB, {findings:,} findings", started, before)
        if lineage:
            write_all(Path(scratch), {"lineage.parquet": lambda path: write_lineage(engine, of, order, layout, path)})
            told(f"and lineage, {(Path(scratch) / 'lineage.parquet').stat().st_size / 1e6:.0f} MB", started, before)


def told(what: str, started: float, before: resource.struct_rusage) -> None:
    """One line: wall and CPU seconds since the start, and the peak of memory."""
    now = resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime + now.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"  {what}: {time.perf_counter() - started:.1f} s, {cpu:.1f} CPU s, peak {now.ru_maxrss / 1e6:.2f} GB",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--lineage", action="store_true")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, DuckDB {duckdb.__version__}, load {os.getloadavg()[0]:.1f} at the start")
    main(arguments.people, arguments.lineage)
