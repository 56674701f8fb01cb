"""A program in sentences: every setting of every table stands in the text, so that a change of any changes what is read."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest

from adapter.targeting.description import WIDTH, description, reservations, sections
from adapter.targeting.program import Entry, Program, load_program

PROGRAMS = Path(__file__).parents[3] / "mappings" / "programs"
NAMES = sorted(path.stem for path in PROGRAMS.glob("*.toml"))
OTHER_TEXT = {"threshold": "1234.50"}  # a text that must be of a form; all others become "another"


def others(name: str, kind: Any, value: Any) -> Iterator[Any]:
    """Values that a setting could have instead: every other choice, another number, another text, other lists."""
    if get_origin(kind) is Literal:
        yield from (choice for choice in get_args(kind) if choice != value)
    elif kind is int:
        yield value + 1
    elif kind is str:
        yield OTHER_TEXT.get(name, "another")
    elif get_origin(kind) is list:
        yield from other_lists(name, get_args(kind)[0], value)
    elif issubclass(kind, msgspec.Struct):
        yield from changes(value)
    else:
        raise AssertionError(f"{name} is of a kind that this test does not change: {kind}")


def other_lists(name: str, kind: Any, value: list[Any]) -> Iterator[list[Any]]:
    if value:
        yield value[1:]
        yield [*value[:-1], *others_one(name, kind, value[-1])]
    if kind is str:
        yield [*value, "another"]
    elif get_origin(kind) is Literal:
        yield from ([*value, choice] for choice in get_args(kind) if choice not in value)
    else:
        yield from ([*value[:-1], changed] for changed in changes(value[-1]))


def others_one(name: str, kind: Any, value: Any) -> list[Any]:
    return [next(others(name, kind, value))]


def changes(table: msgspec.Struct) -> Iterator[msgspec.Struct]:
    """The table with one setting changed, at any depth, once for each other value."""
    for field in msgspec.structs.fields(table):
        for other in others(field.name, field.type, getattr(table, field.name)):
            yield msgspec.structs.replace(table, **{field.name: other})


def place(before: Any, after: Any) -> str:
    """Where two programs differ, for the name of a failing case."""
    for field in msgspec.structs.fields(before):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old != new:
            inner = f".{place(old, new)}" if isinstance(old, msgspec.Struct) else f" = {new!r}"
            return field.name + inner
    raise AssertionError("nothing was changed")


@pytest.mark.parametrize("name", NAMES)
def test_a_change_of_any_setting_changes_the_text(name):
    program = load_program(name, PROGRAMS)
    text = description(program)
    untold = [place(program, other) for other in changes(program) if description(other) == text]
    assert not untold


def test_any_two_values_of_a_setting_are_told_differently():
    program = load_program("health-partners-2023", PROGRAMS)
    texts: dict[str, str] = {}
    for other in changes(program):
        text = "\n".join(description(other))
        assert texts.setdefault(text, place(program, other)) == place(program, other)


def test_the_walk_reaches_every_setting_of_every_table():
    program = load_program("health-partners-2023", PROGRAMS)
    reached = {place(program, other).partition(" =")[0] for other in changes(program)}
    tables = {name: type(table) for name, table in program.criteria.items()}
    tables |= {f"services.{name}": type(table) for name, table in program.services.deadlines.items()}
    settings = {field.name for field in msgspec.structs.fields(Program)} - {*tables, "services"}
    settings |= {f"{name}.{field.name}" for name, kind in tables.items() for field in msgspec.structs.fields(kind)}
    assert reached == settings
    assert {field.name for field in msgspec.structs.fields(Entry)} == {"name", "title", "diseases"}


@pytest.mark.parametrize("name", NAMES)
def test_no_line_is_wider_than_the_page_and_no_word_is_lost(name):
    program = load_program(name, PROGRAMS)
    lines = description(program)
    assert max(map(len, lines)) <= WIDTH
    told = " ".join(" ".join(lines).split())
    for section in sections(program):
        assert section.title in told
        assert all(paragraph.removeprefix("- ") in told for paragraph in section.paragraphs)


def test_a_word_wider_than_the_page_is_not_broken():
    path = "/" + "folder" * 30 + "/maintenance.csv"
    program = msgspec.structs.replace(load_program("cms-2026", PROGRAMS), maintenance_list=path)
    assert any(path in line for line in description(program))


def told(name: str) -> str:
    return " ".join(" ".join(description(load_program(name, PROGRAMS))).split())


def test_the_program_of_health_partners_reads_as_its_page():
    text = told("health-partners-2023")
    assert "in force from 2023-01-01 to 2023-12-31" in text
    assert (
        "at least 3 chronic diseases, at least 7 covered Part D drugs, and a likely yearly drug cost more than $4,935.00"
        in text
    )
    assert "members of H1234-003 who take an adherence drug" in text
    assert "Asthma [asthma]: only asthma of respiratory" in text


def test_a_floor_reads_as_the_federal_rule():
    text = told("cms-2025")
    assert (
        "at least 3 chronic diseases, at least 8 covered Part D drugs, and a likely yearly drug cost at or above $1,623.00"
        in text
    )
    assert "Special Needs Plans: the program names none, so this door is shut." in text
    assert "HIV/AIDS [hiv_aids]: all codes of hiv_aids" in text
    assert "89 FR 30448" in text


def test_a_quarter_is_told_with_its_share_of_the_threshold():
    program = load_program("cms-2026", PROGRAMS)
    rule = msgspec.structs.replace(program.drug_cost, method="quarter")
    text = " ".join(description(msgspec.structs.replace(program, drug_cost=rule)))
    assert "quarter of the threshold ($319.00)" in text


def test_claims_that_prove_nothing_are_told_so():
    program = load_program("cms-2026", PROGRAMS)
    rule = msgspec.structs.replace(program.chronic_diseases, inpatient_claims=0, outpatient_claims=0)
    text = " ".join(description(msgspec.structs.replace(program, chronic_diseases=rule)))
    assert "Medical claims prove an entry by no number of claims" in text


GUIDANCE = [  # deadlines that stand in no regulation (reference/cms-rules.md 3)
    "Offer of the CMR: read in two secondary texts that do not depend on each other, not in the official one (P+)",
    "Second outreach: read in one secondary text, not in the official one (P)",
]


@pytest.mark.parametrize(
    "name, unread",
    [
        ("cms-2022", ["Chronic diseases: not verified (U)", "Drug cost: not verified (U)"]),
        ("cms-2024", ["Chronic diseases: not verified (U)"]),
        ("cms-2025", []),
        (
            "cms-2026",
            ["Drug cost: read in two secondary texts that do not depend on each other, not in the official one (P+)"],
        ),
        ("cms-2027", ["Drug cost: read in one secondary text, not in the official one (P)"]),
    ],
)
def test_a_program_tells_what_is_not_read_in_an_official_text(name, unread):
    *found, chosen = reservations(load_program(name, PROGRAMS))
    unread = [*unread, *GUIDANCE]
    assert len(found) == len(unread)
    assert all(sentence.startswith(start) for sentence, start in zip(found, unread, strict=True))
    assert chosen.startswith("Chosen by the program") and "drug_cost.method" in chosen


def test_a_program_that_rests_on_official_texts_alone_says_so():
    program = load_program("cms-2025", PROGRAMS)
    bare = {name: msgspec.structs.replace(table, chosen=[]) for name, table in program.criteria.items()}
    deadlines = program.services.deadlines.items()
    read = {name: msgspec.structs.replace(table, chosen=[], standing="V") for name, table in deadlines}
    bare["services"] = msgspec.structs.replace(program.services, **read)
    assert reservations(msgspec.structs.replace(program, **bare)) == ["Every setting is read in an official text."]


def test_the_description_does_not_change_the_program():
    program = load_program("cms-2026", PROGRAMS)
    before = msgspec.json.encode(program)
    assert isinstance(description, types.FunctionType) and description(program) == description(program)
    assert msgspec.json.encode(program) == before
