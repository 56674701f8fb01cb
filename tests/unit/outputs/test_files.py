"""Files are there whole or not at all, in one order, and say the same when read back."""

from __future__ import annotations

import csv
import hashlib
import io
import json

import pytest

from adapter.errors import ConfigError
from adapter.outputs.files import (
    csv_bytes,
    json_bytes,
    output_folder,
    rejected_bytes,
    write_all,
    write_whole,
    write_with_manifest,
)
from adapter.sources.quarantine import Rejected


def rows(data):
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


CELLS = {
    "a": "a", None: "", "": "", 0: "0", 'a"b': 'a"b', "a,b": "a,b", "a\nb": "a\nb", "a\r\nb\rc": "a\nb\nc", "Ōé": "Ōé", " a ": " a ",
}  # fmt: skip


@pytest.mark.parametrize(("value", "cell"), CELLS.items())
def test_a_cell_is_read_back_as_it_was(value, cell):
    assert rows(csv_bytes(["x", "y"], [{"x": value, "y": "z"}])) == [["x", "y"], [cell, "z"]]


@pytest.mark.parametrize(
    ("row", "cells"), [({"x": "1"}, ["1", ""]), ({}, ["", ""]), ({"x": "1", "y": "2", "other": "3"}, ["1", "2"])]
)
def test_absent_cells_are_empty_and_strange_ones_left_out(row, cells):
    assert rows(csv_bytes(["x", "y"], [row]))[1] == cells


def test_no_row_is_a_header():
    assert csv_bytes(["x", "y"], []) == b"x,y\n"


def test_lines_end_as_in_every_other_file():
    assert csv_bytes(["x"], [{"x": "1"}]) == b"x\n1\n"


def test_the_refused_are_in_the_order_of_files_and_lines():
    given = [
        Rejected("b.ndjson", 2, "Patient", "p", "why"),
        Rejected("a.ndjson", 10, "Patient", "p", "why"),
        Rejected("a.ndjson", 9, "Patient", "p", "why"),
        Rejected("a.ndjson", None, "Patient", "", "why"),
    ]
    expected = [["a.ndjson", ""], ["a.ndjson", "9"], ["a.ndjson", "10"], ["b.ndjson", "2"]]
    found = rows(rejected_bytes(given))
    assert found[0] == ["file", "line", "resource_type", "resource_id", "reason"]
    assert [row[:2] for row in found[1:]] == expected
    assert rejected_bytes(reversed(given)) == rejected_bytes(given)


def test_json_keeps_the_order_of_keys_and_all_letters():
    data = json_bytes({"b": "Zoë", "a": [1]})
    assert json.loads(data) == {"b": "Zoë", "a": [1]}
    assert data.startswith(b'{\n  "b": "Zo\xc3\xab"')
    assert data.endswith(b"}\n")


# ---- whole or not at all


def test_a_file_is_written_and_nothing_beside_it(tmp_path):
    write_whole(tmp_path / "a.csv", b"new")
    write_whole(tmp_path / "a.csv", b"newer")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.csv": b"newer"}


@pytest.mark.parametrize("broken", ["replace", "fsync"])
def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch, broken):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.csv"
    path.write_bytes(b"old")
    monkeypatch.setattr("pathlib.Path.replace" if broken == "replace" else "os.fsync", full)
    with pytest.raises(ConfigError, match=r" cannot be written \(No space left on device\); free some space"):
        write_whole(path, b"new")
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"a.csv": b"old"}


def test_the_files_of_a_run_take_their_places_together(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"old")

    def fail(path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(ConfigError, match="No space left on device"):
        write_all(tmp_path, {"a.csv": b"new", "b.parquet": fail})
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"a.csv": b"old"}
    write_all(tmp_path, {"a.csv": b"new", "b.parquet": lambda path: path.write_bytes(b"whole")})
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"a.csv": b"new", "b.parquet": b"whole"}


def test_a_write_into_no_folder_is_told(tmp_path):
    with pytest.raises(ConfigError, match="cannot be written"):
        write_whole(tmp_path / "none" / "a.csv", b"new")


@pytest.mark.parametrize("name", ["new", "new/deeper", "."])
def test_an_output_folder_is_made(tmp_path, name):
    assert output_folder(tmp_path / name).is_dir()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match=r"The folder .*file/out cannot be made \(.*\); give another one with --out"):
        output_folder(tmp_path / "file" / "out")


def test_the_manifest_tells_the_hash_of_each_file(tmp_path):
    made = {"b.txt": lambda path: path.write_bytes(b"later"), "a.txt": b"now"}
    files = write_with_manifest(tmp_path, made, lambda hashes: {"told": 1, "outputs": hashes})
    assert [path.name for path in files] == ["b.txt", "a.txt", "manifest.json"]
    told = json.loads((tmp_path / "manifest.json").read_bytes())
    assert list(told["outputs"].items()) == [
        (name, hashlib.sha256(content).hexdigest()) for name, content in (("a.txt", b"now"), ("b.txt", b"later"))
    ]


def test_a_manifest_that_cannot_be_made_leaves_every_file(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"old")

    def full(path):
        raise OSError(28, "No space left on device")

    with pytest.raises(ConfigError, match="No space left"):
        write_with_manifest(tmp_path, {"a.txt": b"new", "b.txt": full}, lambda hashes: {})
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"] and (tmp_path / "a.txt").read_bytes() == b"old"
