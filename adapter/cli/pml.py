"""mtm-adapter pml SOURCE BENEFICIARY: the Personal Medication List before a review, for a pharmacist to read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from adapter.cli.options import config_of, connection_options, today
from adapter.errors import ConfigError
from adapter.jobs import reconciling
from adapter.outputs.reconciled_text import as_form, as_json, as_text


@click.command("pml")
@click.argument("source")
@click.argument("beneficiary")
@click.option("--as-of", "as_of", type=click.DateTime(["%Y-%m-%d"]), help="Day of the list; default today.")
@click.option("--spanish", is_flag=True, help="Tell how each drug is used in Spanish.")
@click.option("--json", "json_wanted", is_flag=True, help="Print the list as JSON.")
@click.option(
    "--form", "form_wanted", is_flag=True, help="Print it as the form of a review, to be filled in (docs/review.md)."
)
@connection_options
def pml_command(
    source: str,
    beneficiary: str,
    as_of: datetime | None,
    spanish: bool,
    json_wanted: bool,
    form_wanted: bool,
    **values: Any,
) -> None:
    """Put the drugs of one BENEFICIARY (a Patient id) together from all records at SOURCE. Writes nothing."""
    if json_wanted and form_wanted:
        raise ConfigError("Give either --json or --form, not both")
    day = as_of.date() if as_of else today()
    made = reconciling.reconcile(source, beneficiary, day, config_of(values))
    for notice in made.notices:
        click.echo(f"notice: {notice}", err=True)
    for rejected in made.rejected:
        click.echo(f"refused: {rejected.sentence}", err=True)
    if form_wanted:
        click.echo(as_form(made.pml, spanish))
    else:
        click.echo(as_json(made.pml) if json_wanted else as_text(made.pml, spanish))
