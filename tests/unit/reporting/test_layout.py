"""Layouts as data: the shipped ones hold together, and every fault of another is told at once with its key."""

import re

import pytest

from adapter.errors import MappingError
from adapter.reporting.form import Condition, parse_condition
from adapter.reporting.layout import layout_for_year, load_layout, unverified
from adapter.reporting.rules import RULES
from adapter.resources.service_codes import PROVIDER_TYPES, RECIPIENTS, REVIEW_METHODS

from .conftest import LAYOUTS

SHIPPED = sorted(path.stem for path in LAYOUTS.glob("*.toml"))

SMALL = """
title = "Small"
version = "1"
reporting_year = 2023
record_length = 19
source = "made up"
standing = "U"
[file]
kind = { value = "fixed_width", standing = "V" }
line_end = { value = "\\n", standing = "V" }
encoding = { value = "ascii", standing = "V" }
header = { value = "none", standing = "V" }
trailer = { value = "none", standing = "V" }
name = { value = "{contract}-{year}.txt", standing = "V" }
"""
FIELD = """
[[fields]]
element = "{element}"
name = "{name}"
title = "T"
start = {start}
end = {end}
length = {length}
type = "{type}"
standing = "V"
position_standing = "V"
citation = "made up"
{more}
"""


def field(element="A", name="mbi", start=1, length=11, kind="mbi", end=None, more=""):
    return FIELD.format(
        element=element, name=name, start=start, end=end or start + length - 1, length=length, type=kind, more=more
    )


def framed(header="none", trailer="none"):
    text = SMALL.replace('header = { value = "none"', f'header = {{ value = "{header}"')
    return text.replace('trailer = { value = "none"', f'trailer = {{ value = "{trailer}"') + MBI + BIRTH


DELIMITED = SMALL.replace("fixed_width", "delimited") + 'delimiter = { value = "|", standing = "V" }\n'
MBI = field()
BIRTH = field("B", "birth_date", 12, 8, "date8")


@pytest.fixture
def faults(tmp_path):
    def read(text, name="small"):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        with pytest.raises(MappingError) as caught:
            load_layout(name, tmp_path)
        return [str(fault) for fault in caught.value.faults]

    return read


def test_every_year_from_2022_to_2026_is_shipped():
    assert [f"cms-mtm-{year}" for year in range(2022, 2027)] == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_layout_covers_its_record_and_cites_every_field(name):
    layout = load_layout(name, LAYOUTS)
    assert name.endswith(str(layout.reporting_year)) and str(layout.reporting_year) in layout.title
    assert sum(field.length for field in layout.fields) == layout.record_length
    assert all(field.citation and field.title and field.rule for field in layout.fields)


@pytest.mark.parametrize("name", SHIPPED)
def test_no_shipped_field_is_unknown_to_the_records(name):
    assert {field.name for field in load_layout(name, LAYOUTS).fields} <= set(RULES)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_word_of_the_services_has_a_code(name):
    layout = load_layout(name, LAYOUTS)
    recipients = set(RECIPIENTS)
    assert set(layout.field("cmr_method").write) == set(REVIEW_METHODS)
    assert set(layout.field("cmr_provider").write) == set(PROVIDER_TYPES)
    assert set(layout.field("cmr_recipient").write) == set(layout.field("cmr_offer_recipient").write) == recipients


def test_the_positions_are_those_of_2019_moved_by_the_wider_reason(layout):
    places = {field.element: (field.start, field.end) for field in layout.fields}
    assert places["B"] == (6, 17) and places["E"] == (78, 85)  # reference/cms-rules.md 5, CY2019
    assert places["F"] == (86, 87)
    assert places["J"] == (97 + 1, 104 + 1) and places["Y"] == (162 + 1, 163 + 1)


def test_what_changed_since_2019_is_unverified(layout):
    letters = [field.element for field in unverified(layout)]
    assert letters == [field.element for field in layout.fields if field.element >= "F"]


def test_the_layout_of_a_year(tmp_path):
    assert layout_for_year(2025, LAYOUTS).field("criteria_met_on").standing == "V"
    with pytest.raises(MappingError, match=r"no layout is called 'cms-mtm-2019'; known are: cms-mtm-2022"):
        layout_for_year(2019, LAYOUTS)


def test_a_layout_file_by_path(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(SMALL + BIRTH + MBI, encoding="utf-8")
    layout = load_layout(str(path), LAYOUTS)
    assert [field.name for field in layout.fields] == ["mbi", "birth_date"]  # in the order of their positions
    assert layout.name == "own" and layout.field("nothing") is None
    with pytest.raises(MappingError, match="there is no such layout file"):
        load_layout(str(tmp_path / "none.toml"), LAYOUTS)


def test_a_plan_corrects_single_keys(tmp_path):
    own = 'extends = "cms-mtm-2023"\nversion = "memo"\n[file]\nline_end = { value = "\\n", standing = "V" }\n'
    own += '[[fields]]\nname = "mbi"\nstanding = "V"\nposition_standing = "V"\n'
    (tmp_path / "own.toml").write_text(own, encoding="utf-8")
    layout, base = load_layout(str(tmp_path / "own.toml"), LAYOUTS), layout_for_year(2023, LAYOUTS)
    assert layout.version == "memo" and layout.file.line_end.value == "\n" and layout.file.name == base.file.name
    assert layout.field("mbi").standing == "V" and layout.field("mbi").start == base.field("mbi").start
    assert len(layout.fields) == len(base.fields)


def test_every_fault_is_told_at_once(faults):
    text = SMALL.replace("record_length = 19", "record_length = 30")
    text += field(start=1, length=11, more='required_when = "nothing given"')
    text += field("A", "mbi", 10, 8, "date8", end=19)
    text += field("C", "late", 25, 2, "code")
    assert faults(text) == [
        "small.toml: fields: the name 'mbi' stands twice; give each field its own",
        "small.toml: fields: the element 'A' stands twice; give each field its own",
        "small.toml: fields.mbi: it starts at 10 and overlaps the field before it, which ends at 11",
        "small.toml: fields.late: bytes 20 to 24 before it belong to no field; add a field of type filler",
        "small.toml: record_length: 30 bytes, but the last field ends at 26; correct one of them",
        "small.toml: fields.mbi: required_when names 'nothing', and the layout has no such field",
        "small.toml: fields.mbi: positions 10 to 19 are not 8 bytes; correct start, end or length",
        "small.toml: fields.late: a field of type code needs values, and no other type may have them",
    ]


def test_every_unreadable_key_is_told_at_once(faults):
    text = SMALL.replace('version = "1"', 'verison = "1"') + MBI.replace('"mbi"\nstanding', '"mib"\nstanding')
    found = faults(text + BIRTH.replace("start = 12", 'start = "12"'))
    assert found[0] == "small.toml: there is no key called `verison`; correct its spelling"
    assert found[1].startswith("small.toml: fields.mbi.type: Invalid enum value 'mib'")
    assert found[2].startswith("small.toml: fields.birth_date.start: Expected `int`")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (SMALL + MBI + BIRTH + "x = 1", "fields.birth_date: there is no key called `x`"),
        ("title = ", "this is not valid TOML"),
        ("fields = 3", "fields: write each field as a table"),
        ("fields = [3]", "fields.1: Expected `object`"),
        (SMALL, "fields: the layout has no field"),
        ('extends = "small"', "extend each other in a circle"),
        ("extends = 3", "must be a string"),
        (SMALL.replace("fixed_width", "binary") + MBI + BIRTH, "file.kind: 'binary' cannot be written by this version"),
        (SMALL.replace("ascii", "utf-8") + MBI + BIRTH, "file.encoding: utf-8 has letters of several bytes"),
        (SMALL.replace("ascii", "ebcdic") + MBI + BIRTH, "file.encoding: 'ebcdic' cannot be written"),
        (framed(header="names"), "file.header: only the header of a delimited file may be the names"),
        (framed(trailer="T{rows}"), "file.trailer: {rows} is not known; use {contract}, {year}, {count} or {count:8}"),
        (framed(trailer="T{year:4}"), "file.trailer: {year:4} is not known"),
        (framed(trailer=" "), "file.trailer: the line must be printable ASCII"),
        (framed(header="{contract}{year}{count:11}"), "file.header: the line may have 20 bytes, more than the record"),
        (
            DELIMITED + field(more="column = 1") + field("B", "x", 12, 8, "date8", more="column = 3"),
            "the columns must be 1 to 2",
        ),
        (DELIMITED + field(end=0, start=0) + field("B", "x", 0, 8, "date8"), "the order of the fields is not told"),
        (DELIMITED.replace("|", "/") + MBI + BIRTH, "file.delimiter: '/' cannot be written by this version"),
        (
            SMALL + MBI + BIRTH + 'only_when = "x given"',
            "fields.birth_date: only_when names 'x', and the layout has no such field",
        ),
        (
            SMALL + MBI + BIRTH + 'only_when = "mbi > 0"',
            "only_when asks whether mbi is above a number, and it is no count",
        ),
        (
            SMALL
            + MBI
            + field("B", "x", 12, 8, "code", more='values = { "1" = "a" }\nwrite = { "a" = "1", "b" = "1" }'),
            "write gives '1' for 2 facts; a file could not be read back",
        ),
        (SMALL.replace("{year}", "{month}") + MBI + BIRTH, "file.name: {month} is not known in a file name"),
        (SMALL.replace("{contract}", "all") + MBI + BIRTH, "file.name: the name must hold {contract}"),
        (SMALL.replace("{contract}", "../{contract}") + MBI + BIRTH, "and no folder"),
        (SMALL + MBI + field("B", "birth_date", 12, 6, "date8"), "a field of type date8 has 8 bytes, not 6"),
        (SMALL + field(length=10) + BIRTH, "a field of type mbi needs 11 bytes or more, not 10"),
        (SMALL + MBI + field("B", "x", 12, 8, "count", more='fill = "0"'), "can only be filled with blanks"),
        (SMALL + MBI + field("B", "x", 12, 8, "count", more='fill = ""'), "fill must be one ASCII character"),
        (SMALL + MBI + field("B", "x", 12, 8, "count", more='when_empty = "zeros"'), "only a date may be zeros"),
        (SMALL + MBI + field("B", "x", 12, 8, "yn"), "a field of type yn has 1 bytes, not 8"),
        (SMALL + MBI + field("B", "x", 12, 8, "code", more='values = { "123456789" = "long" }'), "does not fit into 8"),
        (
            SMALL + MBI + field("B", "x", 12, 8, "code", more='values = { "1" = "a" }\nwrite = { "01" = "2" }'),
            "none of the values 1",
        ),
        (SMALL + MBI + field("B", "x", 12, 8, "text", more='required_when = "often"'), "'often' is no condition"),
        (SMALL + MBI + field("B", "x", 12, 8, "text", more='required_when = "mbi == 1"'), "none of its codes"),
    ],
)
def test_a_fault_is_told_with_its_key(faults, text, fault):
    assert any(fault in found for found in faults(text)), faults(text)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("never", None),
        ("always", Condition("always")),
        ("a == 1|2", Condition("equal", "a", ("1", "2"))),
        ("a given", Condition("given", "a")),
        ("a missing", Condition("missing", "a")),
        ("a > 3", Condition("above", "a", least=3)),
    ],
)
def test_conditions(text, condition):
    assert parse_condition(text) == condition


@pytest.mark.parametrize("text", ["", "a > b", "a = 1", "a == ", "always ", "a or b"])
def test_what_is_no_condition(text):
    with pytest.raises(ValueError, match=re.escape("write never, always")):
        parse_condition(text)


def test_positions_follow_from_the_lengths_where_a_layout_says_so(tmp_path):
    added = 'length = 1\n[[fields]]\nelement = "D2"\nname = "middle_initial"\ntitle = "T"\nstart = 48\nlength = 2\ntype = "text"\n'
    facts = 'standing = "V"\nposition_standing = "V"\ncitation = "memo"\n'
    own = f'extends = "cms-mtm-2023"\npositions = "by_length"\n[[fields]]\nname = "safe_disposal"\n{added}{facts}'
    (tmp_path / "own.toml").write_text(own + '[[fields]]\nname = "first_name"\nlength = 20\n', encoding="utf-8")
    layout = load_layout(str(tmp_path / "own.toml"), LAYOUTS)
    places = {field.name: (field.start, field.end) for field in layout.fields}
    assert (places["first_name"], places["last_name"]) == ((18, 37), (38, 67))
    assert (places["middle_initial"], places["birth_date"]) == ((68, 69), (70, 77))
    assert (places["safe_disposal"], layout.record_length) == ((157, 157), 157)


def test_positions_are_given_or_by_length(faults):
    assert faults('positions = "guessed"\n' + SMALL + MBI + BIRTH) == [
        "small.toml: positions: 'guessed' is not known; write given or by_length"
    ]
