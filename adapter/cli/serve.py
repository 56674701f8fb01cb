"""mtm-adapter serve SOURCE: the decisions over HTTP, for this machine only."""

from __future__ import annotations

import atexit
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import click

from adapter.cli.options import config_of, connection_options, today
from adapter.errors import EXIT_OK
from adapter.jobs import targeting
from adapter.jobs.targeting import DEFAULT_PROGRAM

RETRIES = 1  # somebody waits for the answer, unlike in a run over a population


@click.command("serve")
@click.argument("source")
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address to listen at.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen at; 0 takes a free one.",
)
@click.option("--program", default=DEFAULT_PROGRAM, show_default=True, help="Name of a program, or a .toml file.")
@click.option("--contract", default="", help="CMS contract such as H1234: only its members.")
@click.option(
    "--at-risk",
    "at_risk",
    type=click.Path(path_type=Path),
    help="At-risk beneficiaries: a roster (CSV) or MARx reply reports, a file or a folder.",
)
@connection_options
def serve_command(
    source: str, host: str, port: int, program: str, contract: str, at_risk: Path | None, **values: Any
) -> None:
    """Answer for SOURCE (base URL of a FHIR server, or a folder) at /fhir/Patient/[id]/$mtm-targeting until SIGTERM or Ctrl-C."""
    # Flask takes a fifth of a second to import, and only this command needs it.
    from adapter.web import WebSettings, create_app
    from adapter.web.server import listener, origin, serve

    config = replace(config_of(values), retries=RETRIES)
    with listener(host, port) as opened:
        settings = WebSettings(source, config, today, origin(opened), program, contract, at_risk)
        targeting.check(settings.screening(), config)
        told = f"mtm-adapter serves {source} at {settings.base_url}"
        ended = serve(create_app(settings), opened, lambda: click.echo(told))
    settings.pool.close()
    if not ended:
        end_now()


def end_now() -> NoReturn:
    """Ends the process without waiting for requests that hang on their source.

    Scratch folders go first, since they hold what was read of persons: a supervisor that loses patience would leave them.
    """
    atexit._run_exitfuncs()
    os._exit(EXIT_OK)
