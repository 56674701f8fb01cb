"""Options that several subcommands share, and the requests built from them."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from adapter.config import Config
from adapter.jobs.targeting import DEFAULT_PROGRAM, Screening, default_day

LONGEST_TIMEOUT = 3600.0

Command = TypeVar("Command", bound=Callable[..., Any])


def screening_options(command: Command) -> Command:
    """--program, --as-of, --contract, --at-risk, --patients, --strict and the options of the connection."""
    for option in reversed(
        (
            click.argument("source"),
            click.option(
                "--program", default=DEFAULT_PROGRAM, show_default=True, help="Name of a program, or a .toml file."
            ),
            click.option(
                "--as-of",
                "as_of",
                type=click.DateTime(["%Y-%m-%d"]),
                help="Day of the decision; default today, at the latest the end of the plan year.",
            ),
            click.option("--contract", default="", help="CMS contract such as H1234: only its members."),
            click.option(
                "--at-risk",
                "at_risk",
                type=click.Path(path_type=Path),
                help="At-risk beneficiaries: a roster (CSV) or MARx reply reports, a file or a folder.",
            ),
            click.option(
                "--patients",
                default="",
                help='Read only these persons of a server: a Patient search such as "identifier=system|".',
            ),
            click.option("--strict", is_flag=True, help="Stop at the first resource that is refused."),
        )
    ):
        command = option(command)
    return connection_options(command)


def connection_options(command: Command) -> Command:
    """How a server is reached: --xml, --timeout, --parallel. Credentials come from the environment."""
    for option in reversed(
        (
            click.option("--xml", is_flag=True, help="Speak XML with the server instead of JSON."),
            click.option(
                "--timeout",
                default=60.0,
                show_default=True,
                type=click.FloatRange(0, LONGEST_TIMEOUT, min_open=True),
                help="Seconds to wait for an answer.",
            ),
            click.option(
                "--parallel",
                default=4,
                show_default=True,
                type=click.IntRange(1, 32),
                help="Requests at once, at the most.",
            ),
        )
    ):
        command = option(command)
    return command


def config_of(values: dict[str, Any]) -> Config:
    """The Config of the connection options, taken out of ``values``, and of the environment."""
    return Config(
        timeout=values.pop("timeout"),
        max_parallel=values.pop("parallel"),
        xml=values.pop("xml"),
        environ=dict(os.environ),
    )


def screening_of(values: dict[str, Any]) -> Screening:
    """The Screening of the shared options, taken out of ``values``."""
    names = ("source", "program", "contract", "at_risk", "patients", "strict")
    given = {name: values.pop(name) for name in names}
    as_of: datetime | None = values.pop("as_of")
    day = as_of.date() if as_of else default_day(given["program"], today())
    return Screening(as_of=day, **given)


def today() -> date:
    """The current day; only the shell reads the clock."""
    return datetime.now(tz=UTC).date()


def now() -> str:
    """The current instant as FHIR writes it."""
    return datetime.now(tz=UTC).isoformat(timespec="seconds")
