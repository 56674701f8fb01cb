"""The federal floors cms-2022 to cms-2027: their figures, what a plan may change in them, and the limits that refuse a program."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from adapter.errors import MappingError
from adapter.mappings.checks import check_mappings, checked_files
from adapter.targeting.limits import load_limits
from adapter.targeting.program import load_program

MAPPINGS = Path(__file__).parents[3] / "mappings"
PROGRAMS = MAPPINGS / "programs"
WEAKEST = ("V", "P+", "P", "U")
# reference/cms-rules.md, section 1: threshold and its standing, standing of the list of core diseases, number of these.
YEARS = {
    2022: ("4696.00", "U", "U", 9),
    2023: ("4935.00", "V", "U", 9),
    2024: ("5330.00", "V", "U", 9),
    2025: ("1623.00", "V", "V", 10),
    2026: ("1276.00", "P+", "V", 10),
    2027: ("1340.00", "P", "V", 10),
}
RESPIRATORY = [
    {"name": "asthma", "title": "Asthma", "diseases": ["respiratory/asthma"]},
    {"name": "copd", "title": "COPD", "diseases": ["respiratory/copd"]},
    {"name": "other_lung", "title": "Other chronic lung disorders", "diseases": ["respiratory/other_lung"]},
]


@pytest.fixture
def own(tmp_path):
    """Loads a plan's own program: what it extends, its tables and keys, and its entries where it lists its own."""

    def load(base, tables, entries=()):
        lines = [f'extends = "{base}"']
        for name, keys in tables.items():
            lines += [f"[{name}]"] if name else []
            lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        for entry in entries:
            lines += ["[[chronic_diseases.entries]]", *(f"{key} = {json.dumps(value)}" for key, value in entry.items())]
        path = tmp_path / "acme.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return load_program(str(path), PROGRAMS)

    return load


def entries_of(year, *without):
    """The entries of a floor as a file lists them, less some."""
    listed = load_program(f"cms-{year}", PROGRAMS).chronic_diseases.entries
    return [
        {"name": entry.name, "title": entry.title, "diseases": entry.diseases}
        for entry in listed
        if entry.name not in without
    ]


@pytest.mark.parametrize("year", YEARS)
def test_a_floor_asks_for_the_most_that_a_plan_may_ask_for_at_or_above_the_threshold_of_its_year(year):
    program, (threshold, standing, _, _) = load_program(f"cms-{year}", PROGRAMS), YEARS[year]
    limits = load_limits(PROGRAMS).of(year)
    assert program.plan_year == year and str(year) in program.title and str(year) in program.version
    assert program.chronic_diseases.minimum == limits.minimum_diseases[1] == 3
    assert program.part_d_drugs.minimum == limits.minimum_drugs[1] == 8
    assert (program.drug_cost.threshold, program.drug_cost.standing) == (threshold, standing)
    assert program.drug_cost.comparator == ">="
    assert str(year) in program.drug_cost.source
    assert program.at_risk.statuses == ["AR"]
    assert program.snp_plans == []


@pytest.mark.parametrize("year", YEARS)
def test_a_floor_lists_each_core_disease_of_its_year_once(year):
    rule = load_program(f"cms-{year}", PROGRAMS).chronic_diseases
    assert (rule.standing, len(rule.entries)) == YEARS[year][2:]
    diseases = [disease for entry in rule.entries for disease in entry.diseases]
    assert sorted(diseases) == sorted(load_limits(PROGRAMS).of(year).core_diseases)
    assert ("hiv_aids" in diseases) == (year >= 2025)


@pytest.mark.parametrize("path", sorted(PROGRAMS.glob("cms-*.toml")), ids=lambda path: path.stem)
def test_a_floor_is_as_weak_as_the_weakest_of_its_criteria(path):
    program = load_program(path.stem, PROGRAMS)
    assert program.standing == max((table.standing for table in program.criteria.values()), key=WEAKEST.index)
    assert all(table.source for table in program.criteria.values())


def test_every_year_has_its_floor():
    assert sorted(path.stem for path in PROGRAMS.glob("cms-*.toml")) == [f"cms-{year}" for year in YEARS]


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize(
    "table, asked, words",
    [
        ("chronic_diseases", 4, "2 to 3 chronic diseases, not 4"),
        ("chronic_diseases", 1, "2 to 3 chronic diseases, not 1"),
        ("part_d_drugs", 9, "2 to 8 covered Part D drugs, not 9"),
        ("part_d_drugs", 1, "2 to 8 covered Part D drugs, not 1"),
    ],
)
def test_a_minimum_outside_the_federal_range_is_refused_with_the_citation(own, year, table, asked, words):
    with pytest.raises(MappingError) as refused:
        own(f"cms-{year}", {table: {"minimum": asked}})
    (fault,) = refused.value.faults
    assert (fault.file, fault.place) == ("acme.toml", f"{table}.minimum")
    assert words in fault.fault
    assert "42 CFR 423.153(d)(2)(i)" in fault.fault


@pytest.mark.parametrize("table, lowest, highest", [("chronic_diseases", 2, 3), ("part_d_drugs", 2, 8)])
def test_a_minimum_at_either_end_of_the_federal_range_is_accepted(own, table, lowest, highest):
    for asked in (lowest, highest):
        assert own("cms-2025", {table: {"minimum": asked}}).criteria[table].minimum == asked


@pytest.mark.parametrize("year", [2025, 2026, 2027])
@pytest.mark.parametrize("entry", [entry["name"] for entry in entries_of(2025)])
def test_from_2025_no_core_disease_may_be_missing(own, year, entry):
    with pytest.raises(MappingError) as refused:
        own(f"cms-{year}", {}, entries_of(year, entry))
    (fault,) = refused.value.faults
    assert fault.place == "chronic_diseases.entries"
    assert "89 FR 30448" in fault.fault


def test_before_2025_five_of_the_nine_core_diseases_are_enough_and_four_are_not(own):
    entries = entries_of(2024)
    assert len(own("cms-2024", {}, entries[:5]).chronic_diseases.entries) == 5
    with pytest.raises(MappingError, match="at least 5 of 9 core diseases"):
        own("cms-2024", {}, entries[:4])


def test_the_parts_of_a_core_disease_may_be_entries_of_their_own(own):
    rule = own("cms-2025", {}, entries_of(2025, "respiratory_disease") + RESPIRATORY).chronic_diseases
    assert [entry.name for entry in rule.entries[-3:]] == ["asthma", "copd", "other_lung"]


@pytest.mark.parametrize("left_out", range(3))
def test_a_core_disease_that_lacks_a_part_is_missing(own, left_out):
    parts = [part for at, part in enumerate(RESPIRATORY) if at != left_out]
    with pytest.raises(MappingError, match="respiratory"):
        own("cms-2025", {}, entries_of(2025, "respiratory_disease") + parts)


def test_an_own_program_changes_single_keys_and_keeps_all_others(own):
    base = load_program("cms-2026", PROGRAMS)
    program = own("cms-2026", {"": {"snp_plans": ["H9999-004"]}, "part_d_drugs": {"minimum": 5, "count": "all"}})
    assert (program.name, program.plan_year, program.snp_plans) == ("acme", 2026, ["H9999-004"])
    assert (program.part_d_drugs.minimum, program.part_d_drugs.count) == (5, "all")
    assert program.part_d_drugs.window == base.part_d_drugs.window
    assert (program.drug_cost, program.chronic_diseases, program.at_risk) == (
        base.drug_cost,
        base.chronic_diseases,
        base.at_risk,
    )


def test_what_a_file_changes_without_a_source_is_its_own_choice(own):
    program = own("cms-2025", {"drug_cost": {"threshold": "1000.00", "method": "quarter"}})
    assert program.drug_cost.chosen == ["method", "unpriced", "orders_without_claims", "threshold"]
    assert program.drug_cost.source.startswith("acme.toml sets threshold, method; all else: CMS cost threshold of 2025")
    assert program.standing == "U"
    assert program.source.startswith("acme.toml, which extends: 42 CFR 423.153(d)(2)")


def test_what_a_file_changes_with_standing_and_source_is_not_its_choice(own):
    said = {"threshold": "1300.00", "standing": "V", "source": "CMS memo, page 3"}
    program = own("cms-2027", {"": {"standing": "P", "source": "ours"}, "drug_cost": said})
    assert "threshold" not in program.drug_cost.chosen
    assert (program.drug_cost.standing, program.drug_cost.source) == ("V", "CMS memo, page 3")
    assert (program.standing, program.source) == ("P", "ours")


def test_a_choice_that_is_no_setting_is_refused(own):
    with pytest.raises(
        MappingError, match=r"drug_cost\.chosen: 'treshold' is no setting of this table; known are: thr"
    ):
        own("cms-2025", {"drug_cost": {"standing": "V", "chosen": ["treshold"]}})


@pytest.mark.parametrize("key, value", [("standing", "X"), ("chosen", "method"), ("source", 5)])
def test_a_provenance_of_another_form_is_refused_with_its_key(own, key, value):
    with pytest.raises(MappingError, match=rf"acme\.toml: drug_cost\.{key}: "):
        own("cms-2025", {"drug_cost": {"threshold": "1.00", key: value}})


@pytest.fixture
def copy(tmp_path):
    """A copy of the shipped mappings, and its limits with some text replaced."""
    folder = tmp_path / "mappings"
    shutil.copytree(MAPPINGS, folder)

    def changed(*replacements):
        path = folder / "limits" / "cms.toml"
        text = path.read_text(encoding="utf-8")
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")
        return [str(fault) for fault in check_mappings(folder)]

    return changed


def test_the_shipped_limits_and_programs_have_no_fault_and_are_among_the_checked_files():
    assert check_mappings(MAPPINGS) == []
    assert "limits/cms.toml" in checked_files(MAPPINGS)


def test_every_fault_of_the_limits_is_told_and_no_program_is_blamed_for_them(copy):
    assert copy(
        ("to_year = 2024", "to_year = 2012"),
        ("[2, 3]", "[3, 2]"),
        ("[2, 8]", "[0, 8]"),
        ('"hypertension", "mental_health"', '"diabetes", "gout"'),
        ("required_core_diseases = 5", "required_core_diseases = 9"),
        ('"other_lung"', '"lungs"'),
    ) == [
        "limits/cms.toml: limits.2013.to_year: the period ends before it begins; correct one of the years",
        "limits/cms.toml: limits.2013.minimum_diseases: this is no range; write the lowest and then the highest, from 1 on",
        "limits/cms.toml: limits.2013.minimum_drugs: this is no range; write the lowest and then the highest, from 1 on",
        "limits/cms.toml: limits.2013.core_diseases: a core disease stands twice; remove one",
        "limits/cms.toml: limits.2013.required_core_diseases: there are not as many core diseases; correct the number",
        "limits/cms.toml: limits.2025.from_year: the period before ends with 2012; begin with the year after it",
        "limits/cms.toml: limits.2013.core_diseases: 'gout' is no disease in mappings/conditions; known are: alzheimers,"
        " bone_arthritis, chf, diabetes, dyslipidemia, esrd, hiv_aids, hypertension, mental_health, respiratory",
        "limits/cms.toml: subgroups.respiratory: 'respiratory/lungs' is no subgroup of respiratory; known are: asthma,"
        " copd, other_lung, pulmonary_hypertension",
    ]


@pytest.mark.parametrize(
    "old, new", [("standing =", "standin ="), ("[2, 3]", "[2]"), ('title = "', 'title = "\udc80'), ("title", "title =")]
)
def test_limits_of_another_form_are_one_fault(tmp_path, old, new):
    shutil.copytree(MAPPINGS, tmp_path / "mappings")
    path = tmp_path / "mappings" / "limits" / "cms.toml"
    text = path.read_text(encoding="utf-8").replace(old, new, 1)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    (fault,) = check_mappings(tmp_path / "mappings")
    assert fault.file == "limits/cms.toml"
