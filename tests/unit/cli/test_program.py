"""mtm-adapter program: the programs by name, and one of them in sentences or as JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from adapter.cli.program import program_group
from adapter.errors import MappingError
from adapter.targeting.description import description
from adapter.targeting.program import Program, load_program

PROGRAMS = Path(__file__).parents[3] / "mappings" / "programs"
NAMES = sorted(path.stem for path in PROGRAMS.glob("*.toml"))


@pytest.fixture(autouse=True)
def shipped(monkeypatch):
    monkeypatch.delenv("MTM_MAPPINGS", raising=False)


def run(*arguments):
    """What the command prints; a fault is raised as it is."""
    return CliRunner().invoke(program_group, arguments, catch_exceptions=False).stdout


@pytest.mark.parametrize("name", NAMES)
def test_show_prints_a_shipped_program_in_sentences(name):
    assert run("show", name).splitlines() == description(load_program(name, PROGRAMS))


@pytest.mark.parametrize("name", NAMES)
def test_show_json_prints_the_whole_program_which_can_be_read_back(name):
    printed = run("show", name, "--json")
    assert msgspec.json.decode(printed, type=Program) == load_program(name, PROGRAMS)


def test_show_takes_a_file_and_tells_what_it_changed(tmp_path):
    path = tmp_path / "acme.toml"
    path.write_text('extends = "cms-2026"\n[part_d_drugs]\nminimum = 5\n', encoding="utf-8")
    printed = " ".join(run("show", str(path)).split())
    assert "Program acme," in printed
    assert "Part D drugs: at least 5" in printed
    assert "acme.toml sets minimum; all else: 42 CFR 423.153(d)(2)(i)(B)" in printed


def test_show_of_a_program_that_breaks_a_limit_is_refused_with_the_citation(tmp_path):
    path = tmp_path / "acme.toml"
    path.write_text('extends = "cms-2026"\n[part_d_drugs]\nminimum = 9\n', encoding="utf-8")
    with pytest.raises(MappingError, match=r"42 CFR 423\.153\(d\)\(2\)\(i\)"):
        run("show", str(path))


def test_show_of_an_unknown_name_tells_the_known_ones():
    with pytest.raises(MappingError, match=r"known are: cms-2022, .*health-partners-2023"):
        run("show", "cms-1999")


def test_list_prints_name_year_standing_and_title():
    head, *rows = run("list").splitlines()
    assert head.split() == ["name", "year", "standing", "title"]
    assert [row.split()[0] for row in rows] == NAMES
    assert [row.split()[1:3] for row in rows if row.startswith("cms-2026")] == [["2026", "P+"]]


def test_list_json_holds_the_same():
    listed = json.loads(run("list", "--json"))
    assert [row["name"] for row in listed] == NAMES
    assert {row["name"]: row["standing"] for row in listed}["cms-2022"] == "U"


def test_list_tells_a_program_that_cannot_be_used_and_still_lists_the_others(tmp_path, monkeypatch):
    shutil.copytree(PROGRAMS.parent, tmp_path / "mappings")
    broken = tmp_path / "mappings" / "programs" / "broken.toml"
    broken.write_text('extends = "cms-2026"\n[drug_cost]\ntreshold = "1"\n', encoding="utf-8")
    monkeypatch.setenv("MTM_MAPPINGS", str(tmp_path / "mappings"))
    rows = {row["name"]: row for row in json.loads(run("list", "--json"))}
    assert sorted(rows) == sorted([*NAMES, "broken"])
    assert rows["broken"]["title"].startswith(
        "cannot be used: broken.toml: drug_cost: there is no key called `treshold`"
    )
    assert rows["broken"]["year"] is None
    assert "broken                -" in run("list")
