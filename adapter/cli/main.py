"""mtm-adapter: the command and the one place where an expected fault becomes a sentence and an exit code."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

import click

from adapter import __version__
from adapter.errors import EXIT_OK, AdapterError

# A run makes many objects that live to its end (modules, expressions): looking for garbage among them took a tenth of its time.
FEW_COLLECTIONS = (200_000, 50, 50)

# In the order of the work. A command is loaded when it is asked for: each loads only what it needs.
COMMANDS = {
    "screen": "screen.screen_command",
    "explain": "explain.explain_command",
    "simulate": "simulate.simulate_command",
    "worklist": "worklist.worklist_command",
    "record": "record.record_group",
    "pml": "pml.pml_command",
    "review": "review.review_command",
    "tmr": "tmr.tmr_command",
    "documents": "documents.documents_group",
    "report": "report.report_command",
    "measures": "measures.measures_command",
    "audit": "audit.audit_command",
    "serve": "serve.serve_command",
    "program": "program.program_group",
    "layout": "layout.layout_group",
    "mappings": "mappings.mappings_group",
    "check-mappings": "check_mappings.check_mappings_command",
    "demo": "demo.demo_command",
}


class Commands(click.Group):
    """The subcommands, each loaded from its module when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(".")
        found = getattr(import_module(f"adapter.cli.{module}"), name)
        return found if isinstance(found, click.Command) else None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mtm-adapter")
def cli() -> None:
    """The open MTM adapter: who is targeted for Medication Therapy Management, from any FHIR R4 server."""


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
    gc.set_threshold(*FEW_COLLECTIONS)
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
