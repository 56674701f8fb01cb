"""mtm-adapter simulate: what it prints, the day that each program takes by itself, and its faults."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapter.cli.simulate import simulate_command
from adapter.errors import ConfigError

DEMO = Path(__file__).parents[3] / "fixtures" / "demo"
NEXT_YEAR = 'extends = "health-partners-2023"\nplan_year = 2024\n[part_d_drugs]\nminimum = 8\n'


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Two of the persons of the demo: one targeted with seven drugs, one that a Flag makes at-risk; and a line that is none."""
    folder = tmp_path_factory.mktemp("two")
    wanted = re.compile(rb"mtm-demo-0[15]\b")
    for path in DEMO.glob("*.ndjson"):
        lines = [line for line in path.read_bytes().splitlines(keepends=True) if wanted.search(line)]
        (folder / path.name).write_bytes(b"".join(lines))
    with (folder / "Condition.ndjson").open("ab") as stream:
        stream.write(b"{no json\n")
    (folder / "next.toml").write_text(NEXT_YEAR)
    return folder


def run(source, *arguments):
    programs = ("--program", "health-partners-2023", "--program", str(source / "next.toml"))
    done = CliRunner().invoke(simulate_command, [str(source), *programs, *map(str, arguments)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0
    return done


def test_the_table_shows_both_programs_and_the_moves(source, tmp_path):
    done = run(source, "--as-of", "2023-12-31", "--out", tmp_path / "out")
    assert done.stdout.startswith("A  health-partners-2023, as of 2023-12-31\nB  next, as of 2023-12-31\n")
    assert re.search(r"^Targeted +1 +0$", done.stdout, re.MULTILINE)
    assert re.search(r"^  by Core criteria +1 +0$", done.stdout, re.MULTILINE)
    moves = done.stdout.split("Moves from A (row) to B")[1].splitlines()
    assert moves[1].split() == ["Targeted", "0", "1", "0", "0"]
    assert "simulation.svg, manifest.json" in done.stdout
    assert "notice: 2023-12-31 lies outside plan year 2024" in done.stderr
    assert "refused: 1 resources or rows" in done.stderr
    assert (
        (tmp_path / "out" / "moves.csv")
        .read_text()
        .splitlines()[1]
        .startswith("mtm-demo-01,targeted,not_targeted,core,,")
    )


def test_each_program_takes_the_last_day_of_its_year_when_that_is_over(source):
    told = json.loads(run(source, "--json").stdout)
    assert [one["as_of"] for one in told["runs"]] == ["2023-12-31", "2024-12-31"]
    assert told["files"] == []
    assert told["rejected"] == 1


@pytest.mark.parametrize(("option", "value"), [("--contract", "12"), ("--at-risk", "no-such.csv")])
def test_what_a_screening_refuses_is_refused(source, option, value):
    with pytest.raises(ConfigError):
        run(source, option, value)
