"""mtm-adapter demo: the whole path once, on an embedded FHIR server or on one that is named."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from time import perf_counter

import click

from adapter.cli import screen as screening
from adapter.cli.demo_year import tell_plan_year
from adapter.cli.options import now
from adapter.config import Config
from adapter.errors import EXIT_OK, ConfigError, SinkError
from adapter.jobs import contract_report, demo, targeting
from adapter.jobs.writeback import Write, write_back
from adapter.outputs.explanation import explanation
from adapter.sinks import ServerSink

AS_OF = date(2023, 9, 30)
SHOWN = "mtm-demo-01"
YEAR, CONTRACT = 2023, "H1234"


@click.command("demo")
@click.option(
    "--fhir", default="", help="Base URL of a FHIR server; default an embedded one that is removed at the end."
)
@click.option(
    "--out", default="out/demo", type=click.Path(path_type=Path), show_default=True, help="Folder of the files."
)
@click.option("--clean", is_flag=True, help="Remove from --fhir what the demo wrote there, and do nothing else.")
def demo_command(fhir: str, out: Path, clean: bool) -> int:
    """Screen a synthetic plan population, write back, carry one member through the services of the year, and make the CMS file."""
    config, folder = Config(environ=dict(os.environ)), demo.demo_folder()
    if clean and not fhir:
        raise ConfigError("--clean removes what the demo wrote to a server; say which one with --fhir")
    if clean:
        with config.client(fhir) as client:
            click.echo(f"Removed {demo.clean(client, folder):,} resources from {fhir}")
        return EXIT_OK
    started = perf_counter()
    with ExitStack() as stack:
        url = fhir or stack.enter_context(demo.embedded_server())
        click.echo(f"1. FHIR server: {url}" + ("" if fhir else " (embedded sekmet-fhir, gone when the demo ends)"))
        with config.client(url) as client:
            click.echo(
                f"2. Loaded {demo.load(client, folder):,} synthetic resources ({folder.name}/README.md says who is who)"
            )
        failed = _screen(url, folder, out, config)
        if not failed:
            tell_plan_year(url, out, config)
        _report(url, out, config)
    click.echo(
        f"\nDone in {perf_counter() - started:.1f} s. Try: mtm-adapter explain fixtures/demo mtm-demo-18 --as-of {AS_OF}"
    )
    return SinkError.exit_code if failed else EXIT_OK


def _screen(url: str, folder: Path, out: Path, config: Config) -> bool:
    request = targeting.Screening(url, AS_OF, at_risk=folder / "at-risk.csv", patients=demo.PATIENTS)
    click.echo("3. Who is targeted for MTM?\n")
    with targeting.screened(request, config) as result, config.client(url) as client:
        files = targeting.write_outputs(result, out)
        report = write_back(result, ServerSink(client), Write(now(), pml=True))
        click.echo(_indented(screening.told(result, files, report, url)))
        for notice in screening.notices(result):
            click.echo(f"   {notice}")
        click.echo(f"\n4. Why, for one of them ({SHOWN}):\n")
        click.echo(_indented(explanation(result.decision(SHOWN), result.program)))
    return bool(report.failures)


def _report(url: str, out: Path, config: Config) -> None:
    made, files = contract_report.report(
        contract_report.Reporting(url, CONTRACT, YEAR, patients=demo.PATIENTS), config, out / "cms"
    )
    click.echo(f"\n6. CMS beneficiary-level file of {CONTRACT} for {YEAR}: {made.rows} rows\n")
    click.echo(f"   {files[0]}")
    for sentence in (*(f"{finding.severity}: {finding}" for finding in made.findings), *made.unverified):
        click.echo(f"   - {sentence}")


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" if line else "" for line in text.splitlines())
