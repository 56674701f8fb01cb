"""Lines that cannot be read: which, why, and the rest in a clean file. No content of a line ever stands in a reason."""

from __future__ import annotations

import gzip

import pytest

from adapter.errors import SourceError
from adapter.sources.quarantine import Rejected, fault_of_line, head_of, located, numbered_lines, sift

GOOD = b'{"resourceType":"Condition","id":"c1","code":{"text":"Secret Name"}}'

NOT_JSON = "the line is not JSON"
WRONG = "the element {} has the wrong JSON type"

# title -> (line, reason without what the JSON reader adds in parentheses)
LINES = {
    "good": (GOOD, None),
    "null elements": (b'{"resourceType":"Condition","id":null,"code":null,"subject":{"reference":null}}', None),
    "elements that no rule reads": (
        b'{"resourceType":"Condition","note":[{"text":"x"}],"_onset":{"extension":[]}}',
        None,
    ),
    "number where text is read": (b'{"id":5,"onsetDateTime":2023}', None),
    "empty object": (b"{}", None),
    "cut off": (b'{"resourceType":"Condition","id":"Secret', NOT_JSON),
    "not JSON": (b"Secret Name", NOT_JSON),
    "two objects": (b'{}{"id":"Secret"}', NOT_JSON),
    "no UTF-8": (b'{"id":"Secret \xff"}', NOT_JSON),
    "a list": (b'["Secret"]', WRONG.format("resource")),
    "a text": (b'"Secret Name"', WRONG.format("resource")),
    "code as text": (b'{"id":"c1","code":"Secret Name"}', WRONG.format("code")),
    "coding as object": (b'{"code":{"coding":{"code":"Secret"}}}', WRONG.format("code.coding")),
    "code as object, deep": (b'{"code":{"coding":[{},{"code":{"Secret":1}}]}}', WRONG.format("code.coding[1].code")),
    "key twice": (b'{"id":"Secret","id":"Secret"}', "the element id stands twice in one object"),
    "key twice, deep": (b'{"code":{"text":"Secret","text":""}}', "the element text stands twice in one object"),
}


@pytest.mark.parametrize("title", LINES)
def test_a_line_is_good_or_has_one_reason(title):
    line, expected = LINES[title]
    reason = fault_of_line(line, "Condition")
    assert (reason.partition(" (")[0] if reason else None) == expected


@pytest.mark.parametrize("title", LINES)
def test_no_reason_tells_what_the_line_holds(title):
    assert "Secret" not in (fault_of_line(LINES[title][0], "Condition") or "")


def test_a_type_that_is_not_read_needs_only_be_an_object():
    assert fault_of_line(b'{"code":"x"}', "Observation") is None
    assert fault_of_line(b"[]", "Observation") is not None


HEADS = {
    b'{"resourceType":"Patient","id":"a"}': ("Patient", "a"),
    b'{"id":"a"}': ("", "a"),
    b'{"resourceType":"Patient"}': ("Patient", ""),
    b'{"resourceType":null,"id":null}': ("", ""),
    b'{"resourceType":5,"id":7}': ("5", "7"),
    b"{": ("", ""),
    b"[]": ("", ""),
    b"": ("", ""),
    b'{"id":"\xff"}': ("", ""),
}


@pytest.mark.parametrize("line", HEADS)
def test_the_head_of_a_line_is_read_as_far_as_it_can_be(line):
    assert head_of(line) == HEADS[line]


# ---- files


def test_lines_are_numbered_as_an_editor_numbers_them(tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"\xef\xbb\xbf{}\r\n\r\n  \n{}\n\n{}")
    assert [(number, line.strip()) for number, line in numbered_lines(path)] == [(1, b"{}"), (4, b"{}"), (6, b"{}")]


def test_a_packed_file_is_read_like_a_plain_one(tmp_path):
    path = tmp_path / "a.ndjson.gz"
    path.write_bytes(gzip.compress(b"{}\n\n{}\n"))
    assert [number for number, _ in numbered_lines(path)] == [1, 3]


@pytest.mark.parametrize("damage", [lambda z: z[:-12], lambda z: z[:9] + b"\x00\xff" + z[11:], lambda z: b"plain text"])
def test_a_damaged_packed_file_is_told_by_its_name(tmp_path, damage):
    path = tmp_path / "a.ndjson.gz"
    path.write_bytes(damage(gzip.compress(GOOD * 100)))
    with pytest.raises(SourceError, match=r"^a\.ndjson\.gz is a damaged gzip file; export it again$"):
        list(numbered_lines(path))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "scratch").mkdir()
    return tmp_path


def test_sifting_keeps_the_good_lines_and_tells_the_others(folder):
    first, second = folder / "Condition.ndjson", folder / "Condition.1.ndjson.gz"
    first.write_bytes(GOOD + b"\n" + b'{"id":"c2","code":"x"}\n' + b"\n" + GOOD)
    second.write_bytes(gzip.compress(b"oops\n" + GOOD + b"\n"))
    clean, rejected = sift([first, second], "Condition", folder / "scratch")
    assert [path.read_bytes() for path in clean] == [GOOD + b"\n" + GOOD + b"\n", GOOD + b"\n"]
    assert [(one.file, one.line, one.resource_type, one.resource_id) for one in rejected] == [
        ("Condition.ndjson", 2, "Condition", "c2"),
        ("Condition.1.ndjson.gz", 1, "Condition", ""),
    ]
    assert clean[0].parent == folder / "scratch"


# ---- places of faulty resources


def lines(folder, *ids):
    path = folder / "Condition.ndjson"
    path.write_text("".join("oops\n" if one == "!" else f'{{"id":"{one}"}}\n' if one else "{}\n" for one in ids))
    return [path]


def faults(*rows):
    return [{"id": key, "fault": fault} for key, fault in rows]


@pytest.mark.parametrize(
    ("ids", "rows", "expected"),
    [
        (["a", "b"], [("b", "x")], [(2, "b", "x")]),
        (["a", "b"], [], []),
        (["a", "a"], [("a", "x")], [(1, "a", "x"), (2, "a", "x")]),
        (["a", "a"], [("a", "x"), ("a", "x")], [(1, "a", "x"), (2, "a", "x")]),
        (["", "a", ""], [(None, "x"), (None, "x")], [(1, "", "x"), (3, "", "x")]),
        (["!", "a"], [("a", "x")], [(2, "a", "x")]),
        (["!", ""], [(None, "x")], [(2, "", "x")]),
        (["a"], [("no-id-5", "x")], [(None, "no-id-5", "x")]),
        (["a"], [("a", "x"), ("a", "y")], [(1, "a", "x"), (1, "a", "y")]),
    ],
    ids=["one", "none", "twice", "twice, both faulty", "without id", "after a bad line", "no id after a bad line",
         "named by content", "two reasons"],
)  # fmt: skip
def test_a_faulty_resource_is_told_with_its_line(folder, ids, rows, expected):
    found = located(lines(folder, *ids), "Condition", faults(*rows))
    assert [(one.line, one.resource_id, one.reason) for one in found] == expected


@pytest.mark.parametrize(
    ("rejected", "sentence"),
    [
        (Rejected("a.ndjson", 3, "Patient", "secret", "why"), "a.ndjson line 3: why"),
        (Rejected("http://h/fhir/Patient", None, "Patient", "secret", "why"), "http://h/fhir/Patient: why"),
    ],
)
def test_the_sentence_names_the_place_and_not_the_person(rejected, sentence):
    assert rejected.sentence == sentence


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"<html><body>Login</body></html>", "the line is HTML or XML and not JSON"),
        (b'{"resourceType":"Condition","a":' + b"[" * 9000 + b"]" * 9000 + b"}", "the line is nested too deeply"),
    ],
    ids=["a page", "a deep line"],
)
def test_a_line_of_another_kind_is_told_as_what_it_is(tmp_path, line, reason):
    assert fault_of_line(line, "Condition") == reason
    (tmp_path / "Condition.ndjson").write_bytes(line + b"\n")
    rows = [{"id": "", "fault": "the Condition has no id"}]  # looking for it elsewhere passes over such a line
    assert located([tmp_path / "Condition.ndjson"], "Condition", rows)[0].line is None
    assert head_of(line) == ("", "")


@pytest.mark.parametrize(
    ("told", "good"),
    [("true", True), ("null", True), ("1", True), ('"true"', True), ('"NO"', True), ('"Secret"', False), ('""', False), ("[]", False)],
)  # fmt: skip
def test_what_no_engine_reads_as_true_or_false_is_refused(told, good):
    reason = fault_of_line(b'{"deceasedBoolean":' + told.encode() + b"}", "Patient")
    assert (reason is None) == good
    assert "Secret" not in (reason or "")
