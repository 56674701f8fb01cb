"""mtm-adapter serve: placeholder until the web part lands."""

import click


@click.command("serve")
def serve_command() -> None:
    """Serve."""
