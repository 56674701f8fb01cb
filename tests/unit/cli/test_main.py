"""The command line as a whole: every command is there, and each loads only what it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from adapter.cli.main import COMMANDS, cli

MODULES = {path.stem for path in Path(sys.modules["adapter.cli.main"].__file__).parent.glob("*.py")}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_found_by_its_name_and_says_what_it_does(name):
    command = cli.get_command(click.Context(cli), name)
    assert command.name == name
    assert command.get_short_help_str()


def test_no_command_is_forgotten():
    loaded = {where.partition(".")[0] for where in COMMANDS.values()}
    helpers = {"__init__", "main", "options", "demo_year"}
    assert MODULES - loaded - helpers == set()


def test_an_unknown_command_is_none():
    assert cli.get_command(click.Context(cli), "scren") is None


def test_to_screen_no_papers_and_no_server_are_loaded():
    code = "import sys; from adapter.cli.main import cli; import click; cli.get_command(click.Context(cli), 'screen'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"typst", "flask", "fhir.resources", "jinja2"} & set(done.stdout.split()) == set()
