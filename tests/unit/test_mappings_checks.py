"""Broken folders of mappings tell exactly their faults, all at once; the shipped one has none."""

from __future__ import annotations

import gzip
import shutil
import time
from pathlib import Path

import pytest

from adapter.errors import MappingError
from adapter.mappings.checks import check_mappings, checked_files
from adapter.mappings.folder import load_mappings

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "mappings"
BAD = ROOT / "tests" / "data" / "mappings_bad"
CASES = sorted(path.parent.name for path in BAD.glob("*/faults.txt"))
# What loading refuses too; the other faults lie in rows, programs and layouts, which it does not read.
NOT_LOADED = {
    "columns_reordered", "left_over_list", "misspelled_key", "misspelled_list", "missing_list", "missing_sources",
    "several", "twice", "wrong_header", "wrong_rules", "wrong_type",
}  # fmt: skip
ABOUT = shutil.ignore_patterns("faults.txt", "removed.txt")  # files of a case that are no mappings


@pytest.fixture
def base(tmp_path):
    """A small folder of mappings without fault, to be broken."""
    folder = tmp_path / "mappings"
    shutil.copytree(BAD / "base", folder)
    (folder / "programs").mkdir()
    shutil.copy(SHIPPED / "programs" / "health-partners-2023.toml", folder / "programs")
    return folder


@pytest.fixture
def broken(base):
    """A function of a case's name: the folder of that case."""

    def build(case):
        shutil.copytree(BAD / case, base, dirs_exist_ok=True, ignore=ABOUT)
        removed = BAD / case / "removed.txt"
        for name in removed.read_text().split() if removed.is_file() else ():
            (base / name).unlink()
        return base

    return build


def told(folder):
    return [str(fault) for fault in check_mappings(folder)]


def test_the_shipped_mappings_have_no_fault():
    assert told(SHIPPED) == []


def test_the_shipped_mappings_are_checked_in_a_few_seconds():
    begin = time.process_time()
    check_mappings(SHIPPED)
    assert time.process_time() - begin < 10  # 1.3 s on two cores; the margin is for slow machines


def test_the_base_of_the_cases_has_no_fault(base):
    assert told(base) == []


@pytest.mark.parametrize("case", CASES)
def test_each_broken_folder_tells_all_its_faults(broken, case):
    assert told(broken(case)) == (BAD / case / "faults.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("case", CASES)
def test_loading_refuses_faults_of_form_and_reads_no_rows(broken, case):
    folder = broken(case)
    if case not in NOT_LOADED:
        assert load_mappings(folder).folder == folder
        return
    with pytest.raises(MappingError) as raised:
        load_mappings(folder)
    assert {str(fault) for fault in raised.value.faults} <= set(told(folder))


def test_a_byte_order_mark_is_told_and_nothing_else(base):
    file = base / "conditions" / "icd10cm.csv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    fault = "conditions/icd10cm.csv: row 1: the file begins with a byte-order mark; save it as UTF-8 without one"
    assert told(base) == [fault]
    with pytest.raises(MappingError, match="byte-order mark"):
        load_mappings(base)


def test_windows_line_ends_are_told_once_with_their_first_row(base):
    file = base / "drugs" / "brands.csv"
    first, rest = file.read_bytes().split(b"\n", 1)
    file.write_bytes(first + b"\n" + rest.replace(b"\n", b"\r\n"))
    assert told(base) == ["drugs/brands.csv: row 2: the row holds a carriage return (CRLF); save the file with LF"]


def test_a_last_line_without_end_is_told(base):
    file = base / "drugs" / "brands.csv"
    file.write_bytes(file.read_bytes().removesuffix(b"\n"))
    assert told(base) == ["drugs/brands.csv: the last line does not end; end it with LF"]


def test_text_that_is_not_utf8_is_told_with_its_row(base):
    file = base / "drugs" / "otc_supplements.csv"
    file.write_bytes(file.read_bytes() + "maté,herbal\n".encode("latin-1"))
    assert told(base) == ["drugs/otc_supplements.csv: row 4: the row is not UTF-8; save the file as UTF-8"]


def test_an_empty_list_is_told(base):
    (base / "drugs" / "otc_supplements.csv").write_bytes(b"")
    assert told(base) == [
        "drugs/otc_supplements.csv: row 1: the header lacks 'name', 'kind'; write name,kind",
        "drugs/otc_supplements.csv: the last line does not end; end it with LF",
    ]


@pytest.mark.parametrize("keep", [20, -20])
def test_a_packed_list_that_is_cut_is_told(base, keep):
    plain = base / "drugs" / "ndc.csv"
    packed = gzip.compress(plain.read_bytes() * 100)
    plain.with_suffix(".csv.gz").write_bytes(packed[:keep])
    plain.unlink()
    faults = told(base)
    assert faults
    assert all(fault.startswith("drugs/ndc.csv.gz: ") for fault in faults)


def test_a_packed_list_is_checked_like_a_plain_one(base):
    plain = base / "drugs" / "ndc.csv"
    plain.with_suffix(".csv.gz").write_bytes(gzip.compress(plain.read_bytes().replace(b"00143125751", b"143125751")))
    plain.unlink()
    assert told(base) == ["drugs/ndc.csv.gz: row 2: ndc11 '143125751' does not match [0-9]{11}; correct it"]


def test_sources_that_are_no_toml_are_told(base):
    (base / "drugs" / "sources.toml").write_bytes(b"[ndc\n")
    faults = told(base)
    assert len(faults) == 1
    assert faults[0].startswith("drugs/sources.toml: this is not valid TOML: ")


def test_a_list_described_by_no_table_is_told(base):
    sources = base / "drugs" / "sources.toml"
    sources.write_text("ndc = 1\n")
    fault = "this must be a table of its own; write its name in brackets above its keys"
    assert f"drugs/sources.toml: ndc: {fault}" in told(base)


def test_without_condition_lists_the_diseases_of_programs_are_not_blamed(base):
    shutil.rmtree(base / "conditions")
    fault = "there is no such file; add it with a table for each list of the folder"
    assert told(base) == [f"conditions/sources.toml: {fault}"]


def test_the_checked_files_are_sources_lists_programs_and_layouts(base):
    (base / "conditions" / "snomedct.csv").unlink()
    files = checked_files(base)
    assert "conditions/snomedct.csv" not in files
    assert {"conditions/sources.toml", "drugs/ndc.csv", "programs/health-partners-2023.toml"} <= set(files)
    assert files == sorted(files)


def test_the_texts_of_the_papers_are_checked(base):
    shutil.copytree(Path(__file__).parents[2] / "mappings" / "documents", base / "documents")
    assert told(base) == []
    assert {"documents/en.toml", "documents/es.toml"} <= set(checked_files(base))
    path = base / "documents" / "es.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("sign_off =", "sing_off ="), encoding="utf-8")
    assert told(base) == [
        "documents/es.toml: sign_off: the text is missing; add it",
        "documents/es.toml: sing_off: no paper uses such a text; correct its name",
    ]
