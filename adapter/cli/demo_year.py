"""The plan year of one member in the demo: invited, offered, reviewed, written to, with the paper that goes out and what is due next."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from adapter.cli.options import now
from adapter.config import Config
from adapter.jobs import demo, papers, recording, reviewing
from adapter.jobs.recording import Place
from adapter.jobs.worklist import Asking, worklist
from adapter.resources.service_events import Service

MEMBER, CONTRACT, YEAR = "mtm-demo-17", "H1234", 2023
TODAY = date(2023, 10, 31)
INVITED, OFFERED, HELD, SENT = date(2023, 10, 2), date(2023, 10, 5), date(2023, 10, 12), date(2023, 10, 18)


def tell_plan_year(url: str, out: Path, config: Config) -> None:
    """Carries the member from the invitation to the written summary, and prints each step."""
    click.echo(f"\n5. A plan year: {MEMBER} is invited, offered a CMR, reviewed by telephone, and written to\n")
    _record(url, config, Service("invitation", MEMBER, CONTRACT, YEAR, "", INVITED, method="mail"))
    _record(
        url, config, Service("cmr_offer", MEMBER, CONTRACT, YEAR, "", OFFERED, method="telephone", answer="accepted")
    )
    form = demo.fixtures("review") / "review.json"
    samples = demo.fixtures("documents")
    asked = reviewing.Reviewing(
        url, MEMBER, form, TODAY, now(), plan=samples / "plan.toml", letter_day=SENT, sites=samples / "sites.csv"
    )
    made = reviewing.review(asked, config)
    click.echo(f"   {HELD}  CMR: {made.count('created')} resources written, {made.count('changed')} changed")
    _print(url, out, config)
    _record(url, config, Service("summary_sent", MEMBER, CONTRACT, YEAR, "", SENT, method="mail"))
    _record(url, config, Service("safe_disposal", MEMBER, CONTRACT, YEAR, "", SENT, method="mail"))
    due = worklist(Asking(url, TODAY, contract=CONTRACT, patients=demo.PATIENTS), config)
    counts = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in due.counts.items())
    click.echo(f"   {TODAY}  worklist of {CONTRACT}: {counts}")


def _record(url: str, config: Config, service: Service) -> None:
    made = recording.record_service(Place(url, MEMBER, TODAY, now()), service, config)
    words = service.kind.replace("_", " ").replace("cmr", "CMR")
    click.echo(f"   {made.day}  {words}: {made.reference} ({made.what})")


def _print(url: str, out: Path, config: Config) -> None:
    samples = demo.fixtures("documents")
    printing = papers.Printing(
        kind="summary",
        language="en",
        plan=samples / "plan.toml",
        sites=samples / "sites.csv",
        out=out / "papers",
        on=SENT,
    )
    printed = papers.from_source(printing, url, config, MEMBER)
    for path in (*printed.made, *printed.kept):
        click.echo(f"   {SENT}  {path} (cover letter, Recommended To-Do List, Medication List)")
