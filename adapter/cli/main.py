"""mtm-adapter: the command and the one place where an expected fault becomes a sentence and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from adapter import __version__
from adapter.cli.audit import audit_command
from adapter.cli.check_mappings import check_mappings_command
from adapter.cli.demo import demo_command
from adapter.cli.documents import documents_group
from adapter.cli.explain import explain_command
from adapter.cli.layout import layout_group
from adapter.cli.mappings import mappings_group
from adapter.cli.measures import measures_command
from adapter.cli.pml import pml_command
from adapter.cli.program import program_group
from adapter.cli.record import record_group
from adapter.cli.report import report_command
from adapter.cli.review import review_command
from adapter.cli.screen import screen_command
from adapter.cli.serve import serve_command
from adapter.cli.simulate import simulate_command
from adapter.cli.tmr import tmr_command
from adapter.cli.worklist import worklist_command
from adapter.errors import EXIT_OK, AdapterError

COMMANDS = (
    screen_command,
    explain_command,
    simulate_command,
    pml_command,
    review_command,
    tmr_command,
    worklist_command,
    record_group,
    report_command,
    measures_command,
    audit_command,
    documents_group,
    serve_command,
    program_group,
    layout_group,
    mappings_group,
    check_mappings_command,
    demo_command,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mtm-adapter")
def cli() -> None:
    """The open MTM adapter: who is targeted for Medication Therapy Management, from any FHIR R4 server."""


for command in COMMANDS:
    cli.add_command(command)


def told(run: Callable[[], Any]) -> int:
    """The exit code of ``run``; an expected fault is told in one sentence on standard error, without a traceback."""
    try:
        code = run()
    except AdapterError as error:
        click.echo(f"mtm-adapter: {error}", err=True)
        return error.exit_code
    return code if isinstance(code, int) else EXIT_OK


@wraps(cli)
def main() -> None:
    """Runs the command line and exits with its code (README, "Exit codes")."""
    sys.exit(told(_run))


def _run() -> int:
    try:
        return cli.main(standalone_mode=False) or EXIT_OK
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        click.echo("mtm-adapter: interrupted; nothing is half-written", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code


if __name__ == "__main__":
    main()
