"""A small folder of mappings, a tiny RxNorm release and a tiny NDC Directory that each test may change."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from adapter.loading.rxnorm import load_rxnorm

DATA = Path(__file__).parents[2] / "data"
DAY = date(2026, 11, 24)


@pytest.fixture
def mappings(tmp_path):
    return shutil.copytree(DATA / "mappings_bad" / "base", tmp_path / "mappings")


@pytest.fixture
def release(tmp_path):
    return shutil.copytree(DATA / "rxnorm" / "RxNorm_full_10062025", tmp_path / "RxNorm_full_10062025")


@pytest.fixture
def directory(tmp_path):
    return shutil.copytree(DATA / "fda_ndc", tmp_path / "fda_ndc")


@pytest.fixture(scope="session")
def loaded(tmp_path_factory):
    """The tables of the whole release, read with nothing from the shipped lists."""
    folder = shutil.copytree(DATA / "mappings_bad" / "base", tmp_path_factory.mktemp("loaded") / "mappings")
    local = load_rxnorm(folder, DATA / "rxnorm" / "RxNorm_full_10062025", DAY, alone=True)
    return {key: rows(path) for key, (path, _) in local.lists().items()}


def rows(path):
    """The rows of a Parquet file as dictionaries, in their order."""
    relation = duckdb.connect().read_parquet(str(path))
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def tree(folder):
    """Every file below a folder with its bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
