"""``check-mappings`` prints every fault and a closing line, or one JSON object; its exit code says if there is any."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapter.cli.check_mappings import check_mappings_command

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    """A small folder of mappings without fault."""
    base = shutil.copytree(ROOT / "tests" / "data" / "mappings_bad" / "base", tmp_path / "mappings")
    (base / "programs").mkdir()
    shutil.copy(ROOT / "mappings" / "programs" / "health-partners-2023.toml", base / "programs")
    return base


@pytest.fixture
def broken(folder):
    """The small folder with two faults in one row."""
    with (folder / "drugs" / "otc_supplements.csv").open("a") as stream:
        stream.write("aspirin,tablet\n")
    return folder


def run(*args, **env):
    return CliRunner().invoke(check_mappings_command, [str(arg) for arg in args], env=env)


def test_a_folder_without_fault_exits_with_zero(folder):
    result = run(folder)
    files = len([path for path in folder.rglob("*") if path.is_file()])
    assert (result.exit_code, result.output) == (0, f"{files} files checked, 0 faults\n")


def test_faults_are_lines_and_the_exit_code_is_that_of_mappings(broken):
    result = run(broken)
    lines = result.output.splitlines()
    assert result.exit_code == 3
    assert lines[0] == (
        "drugs/otc_supplements.csv: row 4: kind 'tablet' does not match "
        "vitamin|mineral|herbal|other_supplement|otc_drug; correct it"
    )
    assert lines[1] == "drugs/otc_supplements.csv: row 4: name 'aspirin' stands in row 2 already; remove one"
    assert lines[2].endswith(" files checked, 2 faults")
    assert len(lines) == 3


def test_json_holds_the_files_and_the_faults(broken):
    result = run(broken, "--json")
    told = json.loads(result.output)
    assert result.exit_code == 3
    assert "drugs/otc_supplements.csv" in told["files"]
    assert told["faults"][1] == {
        "file": "drugs/otc_supplements.csv",
        "place": "row 4",
        "fault": "name 'aspirin' stands in row 2 already; remove one",
    }


def test_the_folder_is_by_default_the_one_in_use(broken):
    assert run(MTM_MAPPINGS=str(broken)).exit_code == 3


def test_a_folder_that_is_not_there_is_a_fault_of_the_options(tmp_path):
    result = run(tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "does not exist" in result.output
