"""Several programs over one population: read once, each decided as by a screening of its own, drawn as a picture."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from adapter.config import Config
from adapter.engines.duckdb import Engine
from adapter.errors import ConfigError, MappingError
from adapter.jobs import targeting
from adapter.jobs.simulation import OUTCOMES, Simulating, account, counts, simulate, write_simulation
from adapter.outputs.chart import Bars, Matrix, picture

DEMO = Path(__file__).parents[3] / "fixtures" / "demo"
ROSTER = DEMO / "at-risk.csv"
AS_OF, TODAY = date(2023, 9, 30), date(2026, 5, 4)
SVG = "{http://www.w3.org/2000/svg}"
# Another plan year, fewer diseases and drugs, and no Flag is at-risk: every table that depends on the program differs.
OTHER = """
extends = "health-partners-2023"
title = "Fewer <diseases> & drugs"
plan_year = 2024
[chronic_diseases]
minimum = 2
[part_d_drugs]
minimum = 6
[drug_cost]
threshold = "4000.00"
[at_risk]
flag_codes = []
flag_texts = []
"""


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    path = tmp_path_factory.mktemp("programs") / "fewer.toml"
    path.write_text(OTHER)
    return str(path)


@pytest.fixture(scope="module")
def reads():
    return []


@pytest.fixture(scope="module")
def made(other, reads):
    read = Engine.read_ndjson

    def counted(engine, paths, shape, name=""):
        reads.extend(paths)
        return read(engine, paths, shape, name)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Engine, "read_ndjson", counted)
        return simulate(Simulating(str(DEMO), ["health-partners-2023", other], TODAY, AS_OF, at_risk=ROSTER), Config())


@pytest.fixture(scope="module")
def out(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    write_simulation(made, folder)
    return folder


def screened(program):
    with targeting.screened(targeting.Screening(str(DEMO), AS_OF, program, at_risk=ROSTER), Config()) as result:
        return {row["beneficiary"]: row for row in result.engine.records(result.targeting)}


@pytest.fixture(scope="module")
def alone(other):
    """Each program by a screening of its own."""
    return screened("health-partners-2023"), screened(other)


def test_the_source_is_read_once_for_all_programs(made, reads):
    assert len(made.runs) == 2
    assert {path.name for path in reads} >= {"Patient.ndjson", "Flag.ndjson", "ExplanationOfBenefit.ndjson"}
    assert max(Counter(reads).values()) == 1


def test_each_program_decides_as_in_a_screening_of_its_own(made, alone):
    for run, rows in zip(made.runs, alone, strict=True):
        assert run.outcomes == {name: sum(row["outcome"] == name for row in rows.values()) for name in OUTCOMES}
        assert run.doors == {name: sum(name in row["doors"].split(";") for row in rows.values()) for name in run.doors}
        assert run.reasons == {name: sum(row["reason_code"] == name for row in rows.values()) for name in run.reasons}
    assert made.runs[0].doors["at_risk"] > made.runs[1].doors["at_risk"]  # by the Flags that the second does not take


def test_the_moves_are_those_between_the_two_screenings(made, alone):
    first, second = alone
    pairs = Counter((first[who]["outcome"], second[who]["outcome"]) for who in first)
    assert made.matrix == {(before, after): pairs[before, after] for before in OUTCOMES for after in OUTCOMES}
    moved = [
        who for who in sorted(first) if any(first[who][name] != second[who][name] for name in ("outcome", "doors"))
    ]
    assert [row["beneficiary"] for row in made.moves] == moved
    for row in made.moves:
        before, after = first[row["beneficiary"]], second[row["beneficiary"]]
        assert (row["from"], row["to"], row["from_doors"], row["to_doors"]) == (
            before["outcome"], after["outcome"], before["doors"], after["doors"],
        )  # fmt: skip
        for change in row["changed_criteria"].split(";"):
            name, _, values = change.partition(" ")
            assert values == f"{before[f'{name}_outcome']} > {after[f'{name}_outcome']}"


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_the_files_hold_the_same(made, out):
    assert sorted(path.name for path in out.iterdir()) == [
        "counts.csv", "manifest.json", "matrix.csv", "moves.csv", "rejected.csv", "simulation.svg",
    ]  # fmt: skip
    assert [row | {"count": int(row["count"])} for row in rows_of(out / "counts.csv")] == counts(made)
    assert {(row["from"], row["to"]): int(row["count"]) for row in rows_of(out / "matrix.csv")} == made.matrix
    assert rows_of(out / "moves.csv") == [dict(row) for row in made.moves]
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["inputs"]["Patient.ndjson"]
    assert manifest["runs"][1]["program"] == {
        "name": "fewer",
        "version": made.runs[1].program.version,
        "plan_year": 2024,
    }
    assert {name: manifest[name] for name in account(made)} == account(made)


def test_the_files_are_the_same_bytes_again(made, out, tmp_path):
    write_simulation(made, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in out.iterdir()
    }


def test_the_picture_says_in_words_what_it_shows(made, out):
    root = ElementTree.fromstring((out / "simulation.svg").read_text())
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "title desc"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert (title.get("id"), description.get("id")) == ("title", "desc")
    assert title.text == "MTM targeting: health-partners-2023 and fewer"
    targeted = [run.outcomes["targeted"] for run in made.runs]
    assert f"health-partners-2023 as of 2023-09-30: {targeted[0]} targeted" in description.text
    assert f"{made.matrix['not_targeted', 'targeted']} from not targeted to targeted" in description.text
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert "Fewer <diseases> & drugs (fewer), as of 2023-09-30" in texts
    assert {"Targeted", "Core criteria", "01 Core criteria", "Moves from A to B", str(targeted[1])} <= set(texts)


def test_everything_lies_within_the_picture(out):
    root = ElementTree.fromstring((out / "simulation.svg").read_text())
    width, height = float(root.get("width")), float(root.get("height"))
    for box in root.iter(f"{SVG}rect"):
        x, y, wide, high = (float(box.get(name)) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= width
        assert 0 <= y <= y + high <= height
    for text in root.iter(f"{SVG}text"):
        long = len(text.text) * float(text.get("font-size")) * 0.62  # a wide letter of a sans-serif font, on average
        start = float(text.get("x")) - {"start": 0, "middle": long / 2, "end": long}[text.get("text-anchor")]
        assert 0 <= start <= start + long <= width, text.text


def test_a_picture_of_nothing_and_one_of_many_names_can_be_drawn():
    nothing = picture("t", "s", "d", ["one"], [Bars("b", {"x": [0]})], Matrix(["x"], {}))
    assert ElementTree.fromstring(nothing).tag == f"{SVG}svg"
    many = picture("n" * 99, "s", "d", ["m" * 200] * 8, [Bars("b", {"x": [1] * 8})], Matrix(["x"], {("x", "x"): 1}))
    assert "m" * 104 + "…" in many
    assert "n" * 61 + "…" in many


def test_one_program_has_nothing_to_be_compared_with():
    with pytest.raises(ConfigError, match="give --program twice or more"):
        simulate(Simulating(str(DEMO), ["health-partners-2023"], TODAY), Config())


def test_two_programs_of_one_name_could_not_be_told_apart():
    with pytest.raises(ConfigError, match="Two of the programs have the same name"):
        simulate(Simulating(str(DEMO), ["health-partners-2023"] * 2, TODAY), Config())


def test_an_unknown_program_is_refused_before_the_source_is_read():
    with pytest.raises(MappingError, match="no program is called"):
        simulate(Simulating("no-such-folder", ["health-partners-2023", "no-such"], TODAY), Config())
