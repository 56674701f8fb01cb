"""Names of files of papers, and the manifest: what it holds is kept, what was cut off is made again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapter.errors import ConfigError
from adapter.outputs.paper_files import MANIFEST, Manifest, file_name, sheet


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("mtm-demo-01", "pml-es-mtm-demo-01"),
        ("A.b-9", "pml-es-A.b-9"),
        ("../../etc/passwd", "pml-es-0afdf4b8b92ad71a2bdf8a6dcd6a6e0f"),
        ("", "pml-es-e3b0c44298fc1c149afbf4c8996fb924"),
    ],
)
def test_a_name_holds_an_id_or_its_hash(key, name):
    made = file_name("pml", "es", False, key)
    assert made == name if key != "../../etc/passwd" else "/" not in made and ".." not in made


def test_large_print_is_in_the_name():
    assert file_name("pml", "en", True, "p1") == "pml-en-large-p1"


def made(folder, name="a.pdf", of="content", content=b"12345"):
    one = sheet(folder / name, of, lambda: content)
    one.path.write_bytes(content)
    return one


def test_a_file_that_stands_there_whole_is_held(tmp_path):
    manifest = Manifest.read(tmp_path)
    one = made(tmp_path)
    assert not manifest.holds(one)
    manifest.note(one, b"12345", "p1", "pml")
    manifest.close()
    again = Manifest.read(tmp_path)
    assert again.holds(one)
    assert not again.holds(sheet(one.path, "other content", one.make))
    one.path.write_bytes(b"123")
    assert not again.holds(one)
    one.path.unlink()
    assert not again.holds(one)


def test_the_last_entry_of_a_file_counts(tmp_path):
    manifest = Manifest.read(tmp_path)
    old, new = made(tmp_path, of="old"), made(tmp_path, of="new")
    manifest.note(old, b"12345", "p1", "pml")
    manifest.note(new, b"12345", "p1", "pml")
    manifest.close()
    assert Manifest.read(tmp_path).holds(new)
    assert not Manifest.read(tmp_path).holds(old)


def test_a_line_that_was_cut_off_is_dropped_and_the_next_one_stands_alone(tmp_path):
    manifest = Manifest.read(tmp_path)
    one = made(tmp_path)
    manifest.note(one, b"12345", "p1", "pml")
    manifest.close()
    path = tmp_path / MANIFEST
    path.write_bytes(path.read_bytes() + b'{"file": "b.pd')
    again = Manifest.read(tmp_path)
    assert again.holds(one)
    again.note(made(tmp_path, "c.pdf"), b"12345", "p2", "pml")
    again.close()
    lines = path.read_bytes().splitlines()
    assert len(lines) == 3
    assert json.loads(lines[2])["file"] == "c.pdf"
    assert set(json.loads(lines[0])) == {
        "file",
        "beneficiary",
        "kind",
        "content",
        "bytes",
        "sha256",
        "characters_not_shown",
        "not_shown",
    }


def test_a_manifest_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / MANIFEST).mkdir()
    with pytest.raises(ConfigError, match=r"manifest\.ndjson cannot be written \(Is a directory\); free some space"):
        Manifest.read(tmp_path).note(made(tmp_path), b"12345", "p1", "pml")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_disk_that_is_full_is_told(tmp_path):
    (tmp_path / MANIFEST).symlink_to("/dev/full")
    manifest = Manifest.read(tmp_path)
    with pytest.raises(ConfigError, match=r"manifest\.ndjson cannot be written \(No space left on device\)"):
        manifest.note(made(tmp_path), b"12345", "p1", "pml")
    manifest.close()
