"""The lists are found, loaded without their rows, and identified by version and hash."""

from __future__ import annotations

import csv
import gzip
import hashlib
import shutil
import struct
from datetime import date
from pathlib import Path

import pytest

from adapter.errors import ConfigError, MappingError
from adapter.mappings.folder import load_mappings, mappings_folder

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "mappings"
BASE = ROOT / "tests" / "data" / "mappings_bad" / "base"
KEYS = {
    "conditions/icd10cm", "conditions/snomedct", "conditions/value_sets", "drugs/ingredients", "drugs/products",
    "drugs/ndc", "drugs/classes", "drugs/brands", "drugs/synonyms", "drugs/otc_supplements",
}  # fmt: skip


@pytest.fixture
def base(tmp_path):
    """A small folder of lists without fault."""
    return shutil.copytree(BASE, tmp_path / "mappings")


def rows_of(key):
    path = load_mappings(SHIPPED).path(key)
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_the_shipped_lists_are_loaded():
    assert set(load_mappings(SHIPPED).files) == KEYS


def test_loading_twice_gives_equal_values():
    first, second = load_mappings(SHIPPED), load_mappings(SHIPPED)
    assert first == second
    assert first.hashes() == second.hashes()
    assert first.versions() == second.versions()


def test_a_list_says_what_it_is_and_how_long_it_holds(base):
    file = load_mappings(base).files["drugs/ndc"]
    assert (file.name, file.path) == ("drugs/ndc.csv", base / "drugs" / "ndc.csv")
    assert (file.version, file.standing) == ("2023.1", "U")
    assert (file.effective_from, file.effective_to) == (date(2023, 1, 1), None)
    assert (file.columns[0], file.key_columns, file.patterns["ndc11"]) == ("ndc11", ("ndc11",), "[0-9]{11}")


def test_a_period_may_be_written_as_day_of_toml_and_may_end(base):
    sources = base / "drugs" / "sources.toml"
    text = sources.read_text().replace('effective_from = "2023-01-01"', "effective_from = 2023-01-01")
    sources.write_text(text.replace('effective_to = ""', 'effective_to = "2023-12-31"'))
    file = load_mappings(base).files["drugs/ndc"]
    assert (file.effective_from, file.effective_to) == (date(2023, 1, 1), date(2023, 12, 31))


def test_hashes_are_those_of_the_bytes_and_versions_of_the_sources(base):
    mappings = load_mappings(base)
    assert set(mappings.hashes()) == set(mappings.versions()) == KEYS
    bytes_of_brands = (base / "drugs" / "brands.csv").read_bytes()
    assert mappings.hashes()["drugs/brands"] == hashlib.sha256(bytes_of_brands).hexdigest()
    assert set(mappings.versions().values()) == {"2023.1"}


def test_hashes_cannot_be_changed_from_outside(base):
    mappings = load_mappings(base)
    mappings.hashes().clear()
    assert len(mappings.hashes()) == len(KEYS)


def test_the_snomed_list_may_be_left_out(base):
    (base / "conditions" / "snomedct.csv").unlink()
    mappings = load_mappings(base)
    assert not mappings.has("conditions/snomedct")
    assert mappings.has("conditions/icd10cm")
    with pytest.raises(MappingError, match="conditions/snomedct: the mappings hold no such list; known are: "):
        mappings.path("conditions/snomedct")


def test_no_other_list_may_be_left_out(base):
    for name in ("brands", "ndc"):
        (base / "drugs" / f"{name}.csv").unlink()
    with pytest.raises(MappingError) as raised:
        load_mappings(base)
    assert [fault.file for fault in raised.value.faults] == ["drugs/ndc.csv", "drugs/brands.csv"]


def test_rows_are_not_read_in_loading(base):
    with (base / "drugs" / "brands.csv").open("a") as stream:
        stream.write("one cell\n")
    assert load_mappings(base).has("drugs/brands")


def test_the_folder_is_that_of_the_environment(monkeypatch, base):
    monkeypatch.setenv("MTM_MAPPINGS", str(base))
    assert mappings_folder() == base
    assert load_mappings().folder == base


def test_a_folder_of_the_environment_that_is_not_there_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("MTM_MAPPINGS", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="MTM_MAPPINGS names no folder"):
        mappings_folder()


def test_the_folder_is_else_packaged_else_beside_the_package(monkeypatch, tmp_path):
    monkeypatch.delenv("MTM_MAPPINGS", raising=False)
    monkeypatch.setattr("adapter.mappings.folder.__file__", str(tmp_path / "adapter" / "mappings" / "folder.py"))
    with pytest.raises(ConfigError, match="no mappings beside it"):
        mappings_folder()
    (tmp_path / "mappings").mkdir()
    assert mappings_folder() == (tmp_path / "mappings").resolve()
    (tmp_path / "adapter" / "_mappings").mkdir(parents=True)
    assert mappings_folder() == (tmp_path / "adapter" / "_mappings").resolve()


def test_no_shipped_file_is_above_five_megabytes():
    assert all(path.stat().st_size < 5_000_000 for path in SHIPPED.rglob("*") if path.is_file())


def test_the_packed_list_holds_no_time_of_packing():
    with (SHIPPED / "drugs" / "ndc.csv.gz").open("rb") as stream:
        head = stream.read(10)
    assert struct.unpack("<I", head[4:8]) == (0,)
    assert head[3] == 0  # no name of a file either


@pytest.mark.parametrize("code", ["I11.0", "I13.0", "I13.2"])
def test_hypertensive_heart_disease_with_failure_proves_two_diseases(code):
    diseases = {row["disease"] for row in rows_of("conditions/icd10cm") if row["code"] == code}
    assert diseases == {"chf", "hypertension"}


def test_the_star_measures_have_the_ingredients_that_the_readme_tells():
    measures = [row["adherence_measure"] for row in rows_of("drugs/classes")]
    counts = {name: measures.count(name) for name in set(measures) - {""}}
    assert counts == {"PDC-STA": 7, "PDC-RASA": 19, "PDC-RASA-EXCL": 1, "PDC-DR": 28, "PDC-DR-EXCL": 38}
