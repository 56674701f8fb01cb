"""Half a release is refused in one sentence, and what was loaded before stays as it was to the byte."""

from __future__ import annotations

import gzip

import pytest

from adapter.errors import ConfigError, MappingError
from adapter.loading.fda import load_ndc, unload
from adapter.loading.local import read_local
from adapter.loading.rxnorm import load_rxnorm
from tests.unit.loading.conftest import DAY, tree


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def emptied(path):
    path.write_bytes(b"")


def halved(path):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 8]))


def broken_within(path):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"1|cut\n", *lines[1:]]))


def not_utf8(path):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[1].replace(b"RXNORM", b"\xff\xfe"), *lines[2:]]))


def packed_cut(path):
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes())[:-30])
    path.unlink()


def other_format(path):
    path.write_bytes(b"a,b,c\n1,2,3\n")


FAULTS = [
    (lambda path: path.unlink(), name, "the release lacks " + name) for name in ("RXNCONSO.RRF", "RXNREL.RRF", "RXNSAT.RRF")
] + [
    (cut, "RXNCONSO.RRF", "RXNCONSO.RRF: the last line is cut off"),
    (cut, "RXNATOMARCHIVE.RRF", "RXNATOMARCHIVE.RRF: the last line is cut off"),
    (emptied, "RXNSAT.RRF", "RXNSAT.RRF: the file is empty"),
    (halved, "RXNREL.RRF", "RXNREL.RRF: it leads from"),
    (broken_within, "RXNREL.RRF", "RXNREL.RRF: row 2: the line has 2 fields where the format has 17"),
    (not_utf8, "RXNCONSO.RRF", "RXNCONSO.RRF: row 2: the line is not UTF-8"),
    (packed_cut, "RXNSAT.RRF", "RXNSAT.RRF.gz: the file is damaged"),
    (other_format, "RXNCONSO.RRF", "RXNCONSO.RRF: row 1: the line has 1 fields where the format has 18"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "name", "told"), FAULTS)
def test_half_a_release_is_refused_and_nothing_changes(mappings, release, spoil, name, told):
    load_rxnorm(mappings, release, DAY, alone=True)
    before = tree(mappings)
    spoil(release / "rrf" / name)
    with pytest.raises(MappingError) as error:
        load_rxnorm(mappings, release, DAY)
    assert told in str(error.value)
    assert "\n" not in str(error.value)
    assert tree(mappings) == before


def test_the_same_release_loaded_again_gives_the_same_bytes(mappings, release):
    load_rxnorm(mappings, release, DAY)
    before = tree(mappings)
    load_rxnorm(mappings, release, DAY)
    assert tree(mappings) == before


def test_another_release_takes_the_place_of_the_first(mappings, release):
    first = load_rxnorm(mappings, release, DAY).sets["rxnorm"].folder
    second = load_rxnorm(mappings, release, DAY, version="2025-10-06 b", alone=True).sets["rxnorm"]
    assert (second.version, second.folder != first) == ("2025-10-06 b", True)
    assert sorted(path.name for path in (mappings / "local").iterdir()) == sorted(["local.toml", second.folder])


def test_a_set_that_is_unloaded_is_gone(mappings, release):
    load_rxnorm(mappings, release, DAY)
    unload(mappings, "rxnorm")
    assert read_local(mappings).sets == {}
    assert [path.name for path in (mappings / "local").iterdir()] == ["local.toml"]


def test_what_is_not_loaded_cannot_be_unloaded(mappings):
    with pytest.raises(ConfigError, match="ndc is not loaded; loaded is: nothing"):
        unload(mappings, "ndc")


def test_ndcs_are_made_anew_when_rxnorm_goes(mappings, release, directory):
    load_rxnorm(mappings, release, DAY, alone=True)
    with_rxnorm = load_ndc(mappings, [directory], DAY).sets["ndc"].tables["ndc"]
    without = unload(mappings, "rxnorm").sets["ndc"]
    assert without.tables["ndc"] != with_rxnorm
    assert read_local(mappings).table("ndc", "ndc").is_file()


@pytest.mark.parametrize("text", ["[rxnorm", '[rxnorm]\ntitle = "x"\n', "[rxnorm]\ntitel = 1\n"])
def test_a_manifest_that_cannot_be_read_is_told(mappings, text):
    (mappings / "local").mkdir()
    (mappings / "local" / "local.toml").write_text(text)
    with pytest.raises(MappingError, match="the manifest cannot be read"):
        read_local(mappings)


def test_a_table_that_is_gone_is_told(mappings, release):
    local = load_rxnorm(mappings, release, DAY)
    local.table("rxnorm", "brands").unlink()
    with pytest.raises(MappingError, match=r"local.toml: rxnorm: the table brands.parquet is gone; load rxnorm again"):
        read_local(mappings)


def test_a_folder_that_cannot_be_written_is_told(mappings, release):
    (mappings / "local").write_text("a file is in the way")
    with pytest.raises(ConfigError, match="cannot be written"):
        load_rxnorm(mappings, release, DAY)
