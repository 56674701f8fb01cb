"""A loaded list stands in place of the shipped one, versions and hashes tell so, and the commands tell what they did."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapter.cli.mappings import mappings_group
from adapter.errors import MappingError
from adapter.mappings.checks import check_mappings
from adapter.mappings.folder import load_mappings, load_shipped

DATA = Path(__file__).parents[1] / "data"
RELEASE = DATA / "rxnorm" / "RxNorm_full_10062025"


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(DATA / "mappings_bad" / "base", tmp_path / "mappings")


@pytest.fixture
def run(folder):
    def invoke(*args):
        words = [str(word) for word in args]
        return CliRunner().invoke(mappings_group, words, env={"MTM_MAPPINGS": str(folder)}, catch_exceptions=False)

    return invoke


@pytest.fixture
def maintenance(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("code_system,code,maintenance\nrxnorm,6809,Y\n")
    return path


def test_without_a_load_the_shipped_lists_hold(folder, run):
    mappings = load_mappings(folder)
    assert mappings == load_shipped(folder)
    assert not mappings.has("drugs/maintenance")
    assert run("status").output == "nothing is loaded; the shipped lists hold\n"


def test_a_loaded_list_stands_in_place_of_the_shipped_one(folder, run, maintenance):
    shipped = load_shipped(folder)
    for args in (
        ("load-rxnorm", RELEASE),
        ("load-ndc", DATA / "fda_ndc"),
        ("load-maintenance", maintenance, "--version", "Q4"),
    ):
        assert run(*args).exit_code == 0
    mappings = load_mappings(folder)
    changed = {key for key, file in mappings.files.items() if file != shipped.files.get(key)}
    assert changed == {
        "drugs/ingredients", "drugs/products", "drugs/brands", "drugs/ndc",
        "drugs/levels", "drugs/substances", "drugs/ndc_marks", "drugs/maintenance",
    }  # fmt: skip
    assert all(mappings.path(key).suffix == ".parquet" for key in changed)
    assert mappings.path("drugs/ndc").parent.name.startswith("ndc-")
    assert mappings.path("drugs/classes") == shipped.path("drugs/classes")


def test_versions_and_hashes_tell_what_is_loaded(folder, run):
    before = load_mappings(folder)
    run("load-rxnorm", RELEASE)
    mappings = load_mappings(folder)
    assert mappings.versions()["drugs/products"].startswith("2025-10-06, loaded 2")
    path = mappings.path("drugs/products")
    assert mappings.hashes()["drugs/products"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert mappings.hashes()["drugs/products"] != before.hashes()["drugs/products"]
    assert mappings.files["drugs/products"].source.startswith("NLM RxNorm, full release")


def test_status_tells_files_version_day_and_rows(run):
    run("load-rxnorm", RELEASE, "--alone")
    lines = run("status").output.splitlines()
    assert lines[0].startswith("rxnorm: NLM RxNorm, full release, version 2025-10-06, loaded 2")
    assert lines[1].startswith("  rows: ingredients 13, products 37, brands 3, ndc 12")
    told = json.loads(run("status", "--json").output)
    digest = hashlib.sha256((RELEASE / "rrf" / "RXNREL.RRF").read_bytes()).hexdigest()
    assert told["rxnorm"]["sources"]["RXNREL.RRF"] == digest
    assert told["rxnorm"]["tables"]["products"] == 37


def test_unload_gives_the_shipped_lists_back(folder, run):
    run("load-rxnorm", RELEASE)
    assert run("unload", "rxnorm").output == "rxnorm is unloaded; the shipped lists hold again\n"
    assert load_mappings(folder) == load_shipped(folder)


def test_a_refused_load_is_one_sentence_and_changes_nothing(folder, run, tmp_path):
    with pytest.raises(MappingError, match=r"lacks RXNCONSO\.RRF and RXNREL\.RRF and RXNSAT\.RRF"):
        run("load-rxnorm", tmp_path)
    assert not (folder / "local").exists()


def test_the_check_of_the_shipped_lists_is_not_disturbed(folder, run):
    before = check_mappings(folder)
    run("load-rxnorm", RELEASE)
    assert check_mappings(folder) == before
