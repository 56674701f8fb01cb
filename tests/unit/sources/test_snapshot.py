"""A folder as a snapshot, whatever its files are: by type, numbered, packed, mixed, or Bundles."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest

from adapter.errors import SourceError
from adapter.sources.snapshot import Snapshot, from_folder

PATIENT = {"resourceType": "Patient", "id": "p1"}
CONDITION = {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}}


@pytest.fixture
def folder(tmp_path):
    source, scratch = tmp_path / "source", tmp_path / "scratch"
    source.mkdir()
    scratch.mkdir()

    def write(**files):
        for name, content in files.items():
            path = source / name.replace("__", ".")
            data = (
                content
                if isinstance(content, bytes)
                else lines(*content)
                if isinstance(content, list)
                else json.dumps(content).encode()
            )
            path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return from_folder(source, scratch)

    return write


def lines(*resources):
    return b"".join(json.dumps(one).encode() + b"\n" for one in resources)


def held(snapshot, kind):
    """The resources of a type, in the order of files and lines."""
    found = []
    for path in snapshot.paths(kind):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found += [json.loads(line.removeprefix(b"\xef\xbb\xbf")) for line in data.splitlines() if line.strip()]
    return found


def refused(snapshot):
    return [(one.file, one.line, one.resource_type, one.resource_id, one.reason) for one in snapshot.rejected]


# ---- files by type


@pytest.mark.parametrize(
    "name", ["Patient__ndjson", "Patient__000__ndjson", "Patient__000__ndjson__gz", "Patient__ndjson__gz"]
)
def test_a_file_named_by_its_type_is_read_where_it_lies(folder, name):
    snapshot = folder(**{name: [PATIENT]})
    [path] = snapshot.paths("Patient")
    assert path.name == name.replace("__", ".")
    assert (snapshot.rejected, snapshot.remote, snapshot.paths("Condition")) == ((), False, ())


def test_the_parts_of_a_type_are_read_in_the_order_of_their_names(folder):
    parts = {f"Patient__{n}__ndjson": [PATIENT | {"id": str(n)}] for n in (2, 0, 1)}
    assert [one["id"] for one in held(folder(**parts), "Patient")] == ["0", "1", "2"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + lines(PATIENT),
        b"\n\n" + lines(PATIENT),
        b"\xef\xbb\xbf" + lines(PATIENT).replace(b"\n", b"\r\n") + b"\r\n",
    ],
    ids=["byte-order mark", "blank lines", "mark, blank line and CR LF"],
)
def test_marks_and_blank_lines_do_no_harm(folder, content):
    snapshot = folder(Patient__ndjson=content)
    assert held(snapshot, "Patient") == [PATIENT]
    assert snapshot.rejected == ()


def test_a_first_line_that_is_no_json_leaves_the_type_to_the_name(folder):
    snapshot = folder(Patient__ndjson=b"oops\n" + lines(PATIENT))
    assert [path.name for path in snapshot.paths("Patient")] == ["Patient.ndjson"]


def test_other_files_are_not_read(folder):
    snapshot = folder(
        Patient__ndjson=[PATIENT], README__md=b"Patient", Condition__csv=b"a,b\n", Condition__ndjson__bak=b"x"
    )
    assert set(snapshot.files) == {"Patient"}


# ---- mixed files and Bundles


def bundle(*resources, **urls):
    entries = [{"resource": one} | ({"fullUrl": urls[one["resourceType"]]} if urls else {}) for one in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


MIXED = {
    "a Bundle": {"all__json": bundle(PATIENT, CONDITION)},
    "a packed Bundle": {"all__json__gz": bundle(PATIENT, CONDITION)},
    "a Bundle with a mark": {"all__json": b"\xef\xbb\xbf" + json.dumps(bundle(PATIENT, CONDITION), indent=2).encode()},
    "a Bundle on a line": {"all__ndjson": [bundle(PATIENT, CONDITION)]},
    "a Bundle on a line of a file of another name": {"Patient__ndjson": [bundle(PATIENT, CONDITION)]},
    "two Bundles": {"1__json": bundle(PATIENT), "2__json": bundle(CONDITION)},
    "single resources": {"1__json": PATIENT, "2__json": CONDITION},
    "several types in one file": {"all__ndjson": [PATIENT, CONDITION]},
    "several types, packed": {"all__ndjson__gz": [PATIENT, CONDITION]},
    "a name that lies": {"Condition__ndjson": [PATIENT], "Patient__ndjson": [CONDITION]},  # data-quirks.md 8
    "a Bundle beside a file by type": {"Patient__ndjson": [PATIENT], "all__json": bundle(CONDITION)},
    "a Bundle in a Bundle": {"all__json": bundle(bundle(PATIENT), CONDITION)},
    "answers of a transaction": {
        "all__json": {
            "resourceType": "Bundle",
            "entry": [
                {"resource": PATIENT},
                {"response": {"status": "201"}},
                {"request": {"method": "DELETE"}},
                {"resource": CONDITION},
            ],
        }
    },
}


@pytest.mark.parametrize("title", MIXED)
def test_mixed_files_are_sorted_by_type(folder, title):
    snapshot = folder(**MIXED[title])
    assert (held(snapshot, "Patient"), held(snapshot, "Condition")) == ([PATIENT], [CONDITION])
    assert snapshot.rejected == ()


def test_references_by_urn_become_type_and_id(folder):
    patient = {"resourceType": "Patient"}
    about = CONDITION | {
        "subject": {"reference": "urn:uuid:1-a"},
        "evidence": [{"detail": [{"reference": "urn:uuid:2"}]}],
    }
    snapshot = folder(all__json=bundle(patient, about, Patient="urn:uuid:1-a", Condition="urn:uuid:2"))
    assert held(snapshot, "Patient") == [{"resourceType": "Patient", "id": "1-a"}]
    [found] = held(snapshot, "Condition")
    assert found["subject"] == {"reference": "Patient/1-a"}
    assert found["evidence"] == [{"detail": [{"reference": "Condition/c1"}]}]


def test_a_conditional_reference_stays_as_it_is(folder):
    about = CONDITION | {"recorder": {"reference": "Practitioner?identifier=x|1"}}  # data-quirks.md 11
    snapshot = folder(all__json=bundle(PATIENT, about, Patient="urn:uuid:1", Condition="urn:uuid:2"))
    assert held(snapshot, "Condition") == [about]


def test_money_keeps_its_digits_when_it_is_sorted(folder):
    snapshot = folder(all__ndjson=lines(PATIENT) + b'{"resourceType":"Claim","total":{"value":1.10}}\n')
    [path] = snapshot.paths("Claim")
    assert b"1.10" in path.read_bytes()


# ---- what is refused


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"oops\n", (1, "", "", "this is not JSON")),
        (lines(PATIENT) + b'{"resourceType"\n', (2, "", "", "this is not JSON")),
        (b"[1]\n", (1, "", "", "this is not a FHIR resource but a JSON list or value")),
        (b"5\n", (1, "", "", "this is not a FHIR resource but a JSON list or value")),
        (lines({"id": "a"}), (1, "", "a", "there is no resourceType")),
        (lines({"resourceType": None}), (1, "", "", "there is no resourceType")),
        (lines({"resourceType": 5}), (1, "5", "", "there is no resourceType")),
        (lines({"resourceType": ""}), (1, "", "", " is no FHIR R4 resource type")),
        (lines({"resourceType": "Patiant", "id": "a"}), (1, "Patiant", "a", "Patiant is no FHIR R4 resource type")),
        (lines({"resourceType": "MedicationOrder"}), (1, "MedicationOrder", "", "MedicationOrder is no FHIR R4 resource type")),
    ],
)  # fmt: skip
def test_what_is_no_resource_is_refused_with_file_and_line(folder, content, expected):
    snapshot = folder(Patient__ndjson=[PATIENT], other__ndjson=content)
    assert refused(snapshot) == [("other.ndjson", *expected)]


@pytest.mark.parametrize("entry", [None, {}, {"fullUrl": "x"}, {"resource": None}, {"resource": "<html>"}, "x"])
def test_an_entry_without_its_resource_is_refused(folder, entry):
    snapshot = folder(all__json={"resourceType": "Bundle", "entry": [{"resource": PATIENT}, entry]})
    assert refused(snapshot) == [("all.json", None, "", "", "an entry of the Bundle holds no resource")]


def test_entries_that_are_no_list_are_refused(folder):
    snapshot = folder(Patient__ndjson=[PATIENT], all__ndjson=[{"resourceType": "Bundle", "entry": {"a": 1}}])
    assert refused(snapshot) == [("all.ndjson", 1, "", "", "the entry of the Bundle is no list")]


# ---- what says of itself that it is not all there is


def test_a_page_of_a_search_with_further_pages_is_told(folder):
    paged = bundle(PATIENT) | {"link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]}
    snapshot = folder(first__json=paged, all__ndjson=[paged], last__json=bundle(CONDITION) | {"link": None})
    assert snapshot.notices == (
        "all.ndjson line 1 is one page of a search with further pages; see that all of them are in the folder",
        "first.json is one page of a search with further pages; see that all of them are in the folder",
    )


@pytest.mark.parametrize(("severity", "told"), [("fatal", True), ("error", True), ("warning", False)])
@pytest.mark.parametrize("name", ["OperationOutcome__ndjson", "errors__ndjson"])
def test_the_errors_of_an_export_are_told(folder, severity, told, name):
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "diagnostics": "no Condition"}]}
    snapshot = folder(Patient__ndjson=[PATIENT], **{name: lines(outcome, outcome)})
    assert len(snapshot.notices) == told
    if told:
        assert snapshot.notices[0].startswith("OperationOutcome.ndjson tells 2 errors of the server that exported")


def test_a_folder_within_the_folder_is_told_and_not_read(folder, tmp_path):
    inner = tmp_path / "source" / "part2"
    inner.mkdir()
    (inner / "Condition.ndjson").write_bytes(lines(CONDITION))
    (tmp_path / "source" / "Flag.ndjson").mkdir()  # named like a file of data
    snapshot = folder(Patient__ndjson=[PATIENT])
    assert set(snapshot.files) == {"Patient"}
    assert snapshot.notices == tuple(
        f"the folder {name} within source is not read; give NDJSON in one folder" for name in ("Flag.ndjson", "part2")
    )


def test_a_file_that_cannot_be_opened_is_told(folder, tmp_path):
    (tmp_path / "source" / "Condition.ndjson").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SourceError, match=r"Condition\.ndjson cannot be read \(No such file or directory\)"):
        folder(Patient__ndjson=[PATIENT])


def test_a_json_file_that_is_none_is_refused_without_a_line(folder):
    snapshot = folder(Patient__ndjson=[PATIENT], other__json=b'{"resourceType"')
    assert refused(snapshot) == [("other.json", None, "", "", "this is not JSON")]


def test_a_type_that_is_known_and_not_read_is_no_fault(folder):
    snapshot = folder(Patient__ndjson=[PATIENT], other__json={"resourceType": "Observation", "id": "o"})
    assert refused(snapshot) == []


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"Condition__ndjson": [CONDITION]},
        {"Patient__ndjson": b""},
        {"Patient__ndjson": b"\n \n"},
        {"Patient__ndjson__gz": b""},
        {"all__json": bundle()},
        {"all__json": {"resourceType": "Bundle"}},
    ],
    ids=["nothing", "another type", "an empty file", "blank lines", "an empty packed file", "no entry", "no entries"],
)
def test_a_folder_without_a_patient_is_no_source(folder, files):
    with pytest.raises(
        SourceError, match=r"holds no Patient; export Patient\.ndjson or a Bundle with Patients into it"
    ):
        folder(**files)


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_a_folder_that_is_not_there_is_told(tmp_path, name):
    (tmp_path / "file").write_text("x")
    with pytest.raises(SourceError, match=f"There is no folder .*{name}; give a folder of NDJSON by resource type"):
        from_folder(tmp_path / name, tmp_path)


@pytest.mark.parametrize("name", ["Patient__ndjson__gz", "all__ndjson__gz", "all__json__gz"])
def test_a_damaged_packed_file_is_told(folder, tmp_path, name):
    (tmp_path / "source" / name.replace("__", ".")).write_bytes(b"\x1f\x8b\x08damaged")
    with pytest.raises(SourceError, match="is a damaged gzip file; export it again"):
        folder(Condition__ndjson=[CONDITION], mixed__ndjson=[PATIENT])


# ---- hashes and places


def test_the_hashes_are_those_of_the_files_as_given(folder, tmp_path):
    snapshot = folder(Patient__ndjson=[PATIENT], Condition__000__ndjson__gz=[CONDITION], all__json=bundle(CONDITION))
    expected = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "source").iterdir()}
    assert snapshot.hashes.result() == expected
    assert len(expected) == 3


def told(snapshot, kind, *rows):
    found = snapshot.located(kind, [{"id": key, "fault": "why"} for key in rows])
    return [(one.file, one.line, one.resource_id) for one in found]


def test_a_faulty_resource_is_told_where_it_was_given(folder):
    snapshot = folder(
        Patient__ndjson=[PATIENT],
        Condition__ndjson=[CONDITION],
        all__ndjson=[PATIENT, CONDITION | {"id": "c2"}],
        one__json=bundle(CONDITION | {"id": "c3"}),
    )
    assert told(snapshot, "Condition", "c1") == [("Condition.ndjson", 1, "c1")]
    assert told(snapshot, "Condition", "c2") == [("all.ndjson", 2, "c2")]
    assert told(snapshot, "Condition", "c3") == [("one.json", None, "c3")]


@pytest.mark.parametrize("key", ["p1", None])
def test_on_a_server_the_place_is_the_type_and_never_the_person(tmp_path, key):
    snapshot = Snapshot("http://host/fhir", {}, tmp_path, remote=True)
    [one] = snapshot.located("Patient", [{"id": key, "fault": "why"}])
    assert (one.file, one.line, one.resource_id) == ("http://host/fhir/Patient", None, key or "")
    assert one.sentence == "http://host/fhir/Patient: why"
