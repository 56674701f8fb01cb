"""mtm-adapter explain SOURCE BENEFICIARY: one decision for a person to read."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from adapter.cli.options import config_of, screening_of, screening_options
from adapter.jobs import targeting
from adapter.outputs.explanation import explanation


@click.command("explain")
@screening_options
@click.argument("beneficiary")
@click.option("--json", "as_json", is_flag=True, help="Print the decision as JSON.")
def explain_command(beneficiary: str, as_json: bool, **values: Any) -> None:
    """Print the decision for one BENEFICIARY (a Patient id) with its evidence."""
    config = config_of(values)
    decision, program, notices = targeting.explain(screening_of(values), config, beneficiary)
    for notice in notices:
        click.echo(f"notice: {notice}", err=True)
    if as_json:
        click.echo(json.dumps(asdict(decision), default=str, indent=2))
    else:
        click.echo(explanation(decision, program))
