"""Program files: what is misspelled, out of range or against the federal limits stops the run, each with file and key."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal

import pytest

from adapter.errors import MappingError
from adapter.jobs.targeting import default_day
from adapter.targeting.program import is_contract, is_plan, load_program, program_path
from tests.conftest import PROGRAMS

BASE = 'extends = "health-partners-2023"\n'


@pytest.fixture
def load(tmp_path):
    """The program of a file plan.toml with this text, in a folder of its own."""

    def of(text, name="plan.toml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_program(str(path), PROGRAMS)

    return of


def faults(call):
    with pytest.raises(MappingError) as raised:
        call()
    return [(fault.file, fault.place, fault.fault) for fault in raised.value.faults]


# ---- what is refused

DISEASES = "a plan may require 2 to 3 chronic diseases, not "
DRUGS = "a plan may require 2 to 8 covered Part D drugs, not "
CIRCLE = "the programs extend each other in a circle"

# title -> (text below extends, [(key, beginning of the fault)])
BAD = {
    "a key that there is none of": ("treshold = 1\n", [("", "there is no key called `treshold`; correct its spelling")]),
    "a nested key that there is none of": (
        "[drug_cost]\ntreshold = '1'\n",
        [("drug_cost", "there is no key called `treshold`; correct its spelling")],
    ),
    "a key in an entry": (
        "[[chronic_diseases.entries]]\nname = 'a'\ntitle = 'A'\ndisease = ['diabetes']\n",
        [("chronic_diseases.entries[0]", "there is no key called `disease`; correct its spelling")],
    ),
    "a table that there is none of": ("[drug_costs]\nx = 1\n", [("", "there is no key called `drug_costs`")]),
    "a number for a text": ("[drug_cost]\nthreshold = 4935.0\n", [("drug_cost.threshold", "Expected `str`, got `float`")]),
    "a text for a number": ("[part_d_drugs]\nminimum = '7'\n", [("part_d_drugs.minimum", "Expected `int`, got `str`")]),
    "a boolean for a number": ("[part_d_drugs]\nminimum = true\n", [("part_d_drugs.minimum", "Expected `int`, got `bool`")]),
    "a text for a list": ("snp_plans = 'H1234-003'\n", [("snp_plans", "Expected `array`, got `str`")]),
    "a list for a table": ("drug_cost = []\n", [("drug_cost", "Expected `object`, got `array`")]),
    "a choice that there is none of": ("[drug_cost]\ncomparator = '=>'\n", [("drug_cost.comparator", "Invalid enum value '=>'")]),
    "a window that there is none of": ("[part_d_drugs]\nwindow = 'last_year'\n", [("part_d_drugs.window", "Invalid enum value")]),
    "a source that there is none of": ("[part_d_drugs]\nsources = ['claims']\n", [("part_d_drugs.sources[0]", "Invalid enum")]),
    "no source of diseases": ("[chronic_diseases]\nsources = []\n", [("chronic_diseases.sources", "no source is named")]),
    "no source of drugs": ("[part_d_drugs]\nsources = []\n", [("part_d_drugs.sources", "no source is named")]),
    "an empty choice": ("[drug_cost]\nunpriced = ''\n", [("drug_cost.unpriced", "Invalid enum value ''")]),
    "a threshold in words": ("[drug_cost]\nthreshold = 'much'\n", [("drug_cost.threshold", "'much' is no amount")]),
    "an empty threshold": ("[drug_cost]\nthreshold = ''\n", [("drug_cost.threshold", "'' is no amount")]),
    "a threshold with a sign": ("[drug_cost]\nthreshold = '$4,935'\n", [("drug_cost.threshold", "'$4,935' is no amount")]),
    "a negative threshold": ("[drug_cost]\nthreshold = '-1'\n", [("drug_cost.threshold", "the threshold must be zero or more")]),
    "an endless threshold": ("[drug_cost]\nthreshold = 'Infinity'\n", [("drug_cost.threshold", "the threshold must be zero")]),
    "no number as threshold": ("[drug_cost]\nthreshold = 'NaN'\n", [("drug_cost.threshold", "the threshold must be zero")]),
    "a threshold in parts of a cent": ("[drug_cost]\nthreshold = '4935.005'\n", [("drug_cost.threshold", "'4935.005' is no amount in")]),
    "an absurd threshold": ("[drug_cost]\nthreshold = '1e99999'\n", [("drug_cost.threshold", "'1e99999' is no amount in dollars")]),
    "a plan without PBP": ("snp_plans = ['H1234']\n", [("snp_plans", "'H1234' is no contract-PBP; write it like H1234-003")]),
    "an empty plan": ("snp_plans = ['']\n", [("snp_plans", "'' is no contract-PBP")]),
    "two bad plans": (
        "snp_plans = ['x', 'H1234-003', 'H1234-3']\n",
        [("snp_plans", "'x' is no"), ("snp_plans", "'H1234-3' is no")],
    ),
    "one disease": ("[chronic_diseases]\nminimum = 1\n", [("chronic_diseases.minimum", DISEASES + "1 (42 CFR")]),
    "four diseases": ("[chronic_diseases]\nminimum = 4\n", [("chronic_diseases.minimum", DISEASES + "4 (42 CFR")]),
    "one drug": ("[part_d_drugs]\nminimum = 1\n", [("part_d_drugs.minimum", DRUGS + "1 (42 CFR")]),
    "nine drugs": ("[part_d_drugs]\nminimum = 9\n", [("part_d_drugs.minimum", DRUGS + "9 (42 CFR")]),
    "core diseases missing": ("plan_year = 2025\n", [("chronic_diseases.entries", "the core diseases alzheimers, esrd, hiv")]),
    "a year before there were limits": ("plan_year = 2005\n", [("plan_year", "no federal limits are known for 2005")]),
    "several faults at once": (
        "[part_d_drugs]\nminimum = 9\n[drug_cost]\nthreshold = 'x'\n[chronic_diseases]\nminimum = 4\n",
        [("drug_cost.threshold", "'x'"), ("chronic_diseases.minimum", "a plan"), ("part_d_drugs.minimum", "a plan")],
    ),
    "a duty that there is none of": (
        "[services.cmr_offers]\nwithin_days = 60\n",
        [("services", "there is no key called `cmr_offers`; correct its spelling")],
    ),
    "a deadline with a key that there is none of": (
        "[services.summary]\ndays = 14\n",
        [("services.summary", "there is no key called `days`; correct its spelling")],
    ),
    "a deadline in words": (
        "[services.summary]\nwithin_days = 'two weeks'\n",
        [("services.summary.within_days", "Expected `int`, got `str`")],
    ),
    "a number for a duty": ("[services]\ncmr = 1\n", [("services.cmr", "Expected `object`, got `int`")]),
    "quarters of another kind": ("[services.tmr]\nquarters = 'fiscal'\n", [("services.tmr.quarters", "Invalid enum value 'fiscal'")]),
    "a deadline of no day": (
        "[services.summary]\nwithin_days = 0\n",
        [("services.summary.within_days", "0 is no deadline; give 1 to 366")],
    ),
    "a deadline beyond the year": (
        "[services.cmr_offer]\nagain_within_months = 25\n[services.cmr]\ndays_before_year_end = -1\n",
        [
            ("services.cmr_offer.again_within_months", "25 is no deadline; give 1 to 24"),
            ("services.cmr.days_before_year_end", "-1 is no deadline; give 0 to 366"),
        ],
    ),
    "a second outreach that is over before it begins": (
        "[services.second_outreach]\nafter_days = 31\n",
        [("services.second_outreach.within_days", "the second outreach would be over before it begins")],
    ),
    "a choice of a setting of a deadline that there is none of": (
        "[services.tmr]\nstanding = 'V'\nchosen = ['quarter']\n",
        [("services.tmr.chosen", "'quarter' is no setting of this table")],
    ),
    "a choice of a setting that there is none of": (
        "[at_risk]\nstanding = 'U'\nchosen = ['flag_code']\n",
        [("at_risk.chosen", "'flag_code' is no setting of this table")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", BAD)
def test_a_bad_program_is_refused_with_file_and_key(load, title):
    text, expected = BAD[title]
    found = faults(lambda: load(BASE + text))
    assert [(file, place) for file, place, _ in found] == [("plan.toml", place) for place, _ in expected]
    for (_, _, fault), (_, begins) in zip(found, expected, strict=True):
        assert fault.startswith(begins)


def test_an_entry_that_stands_twice_is_refused(load):
    entry = "[[chronic_diseases.entries]]\nname = 'a'\ntitle = 'A'\ndiseases = ['{}']\n"
    diseases = ("diabetes", "hypertension", "chf", "dyslipidemia", "esrd")
    found = faults(lambda: load(BASE + "".join(entry.format(one) for one in diseases)))
    assert ("plan.toml", "chronic_diseases.entries", "the entry 'a' stands twice") in found


@pytest.mark.parametrize(
    "text", [b"x = ", b"= 1", b"\xff", b"a = 1\na = 2\n"], ids=["cut", "no key", "no UTF-8", "key twice"]
)
def test_what_is_no_toml_is_refused(load, text):
    [(file, place, fault)] = faults(lambda: load(text))
    assert (file, place) == ("plan.toml", "")
    assert fault.startswith("this is not valid TOML: ")


def test_a_program_that_lacks_a_key_is_refused(load):
    [(file, _, fault)] = faults(lambda: load("title = 'x'\n"))
    assert file == "plan.toml"
    assert fault.startswith("Object missing required field")


# ---- extends


def test_single_keys_change_and_the_others_stay(load, program_2023):
    program = load(BASE + 'snp_plans = ["S0001-001"]\n[drug_cost]\nthreshold = "4000"\n')
    assert program.name == "plan"
    assert program.snp_plans == ["S0001-001"]
    assert program.drug_cost.dollars == Decimal("4000.00")
    assert program.drug_cost.comparator == program_2023.drug_cost.comparator
    assert program.chronic_diseases == program_2023.chronic_diseases


def test_what_another_file_changed_no_citation_vouches_for(load, program_2023):
    program = load(BASE + "[part_d_drugs]\nminimum = 8\n")
    assert (program.standing, "minimum" in program.part_d_drugs.chosen) == ("U", True)
    assert "minimum" not in program_2023.part_d_drugs.chosen


def test_a_deadline_that_another_file_changed_no_citation_vouches_for(load, program_2023):
    services = load(BASE + "[services.cmr_offer]\nwithin_days = 30\n").services
    assert (services.cmr_offer.within_days, services.cmr_offer.chosen) == (30, ["within_days"])
    assert services.cmr_offer.source.startswith("plan.toml sets within_days; all else: CMS MTM guidance")
    assert services.cmr_offer.again_within_months == program_2023.services.cmr_offer.again_within_months
    assert services.tmr == program_2023.services.tmr


@pytest.mark.parametrize("text", [BASE, "extends = 'health-partners-2023'", BASE + "[drug_cost]\n"])
def test_nothing_changed_is_the_same_rules(load, program_2023, text):
    program = load(text)
    assert (program.drug_cost.dollars, program.part_d_drugs.minimum) == (
        program_2023.drug_cost.dollars,
        program_2023.part_d_drugs.minimum,
    )


def test_a_list_is_replaced_and_not_added_to(load):
    program = load(BASE + "[adherence_drug]\nmeasures = ['statins']\n")
    assert program.adherence_drug.measures == ["statins"]


def test_a_program_beside_goes_before_one_of_the_folder(load, tmp_path):
    shutil.copy(PROGRAMS / "health-partners-2023.toml", tmp_path / "base.toml")
    (tmp_path / "health-partners-2023.toml").write_text('extends = "base"\nversion = "beside"\n')
    assert load(BASE).version == "beside"


def test_a_program_may_extend_the_shipped_one_of_its_own_name(load):
    program = load(BASE + 'version = "own"\n', "health-partners-2023.toml")
    assert (program.name, program.version, program.plan_year) == ("health-partners-2023", "own", 2023)


def test_a_chain_is_followed(load, tmp_path):
    (tmp_path / "middle.toml").write_text(BASE + 'version = "m"\n[drug_cost]\nthreshold = "1"\n')
    program = load('extends = "middle"\n[drug_cost]\nthreshold = "2"\n')
    assert (program.version, program.drug_cost.dollars, program.plan_year) == ("m", Decimal("2.00"), 2023)


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ('extends = "a"\n', {"a": 'extends = "b"\n', "b": 'extends = "a"\n'}, ("a.toml", "extends", CIRCLE)),
        ('extends = "a"\n', {"a": 'extends = "plan"\n'}, ("plan.toml", "extends", CIRCLE)),
        ("extends = 5\n", {}, ("plan.toml", "extends", "the name of the program that is extended must be a string")),
        ("extends = ''\n", {}, ("programs", "", "no program is called ''")),
        ('extends = "nobody"\n', {}, ("programs", "", "no program is called 'nobody'; known are: cms-2022")),
        ('extends = "a"\n', {"a": "x ="}, ("a.toml", "", "this is not valid TOML")),
    ],
)  # fmt: skip
def test_what_cannot_be_extended_is_told(load, tmp_path, text, files, expected):
    for name, content in files.items():
        (tmp_path / f"{name}.toml").write_text(content)
    [(file, place, fault)] = faults(lambda: load(text))
    assert (file, place) == expected[:2]
    assert fault.startswith(expected[2])


# ---- names and files


@pytest.mark.parametrize("name", ["nobody", ""])
def test_a_name_that_no_program_has_is_told_with_those_that_are_known(name):
    [(file, _, fault)] = faults(lambda: program_path(name, PROGRAMS))
    assert file == "programs"
    assert "health-partners-2023" in fault


@pytest.mark.parametrize("name", ["none.toml", "folder/none", "/none/none.toml"])
def test_a_file_that_is_not_there_is_told(name):
    [(file, _, fault)] = faults(lambda: program_path(name, PROGRAMS))
    assert (file, fault) == (name, "there is no such program file; give a name or an existing .toml file")


def test_an_empty_folder_knows_none(tmp_path):
    [(_, _, fault)] = faults(lambda: program_path("x", tmp_path))
    assert fault.endswith("known are: none")


@pytest.mark.parametrize("path", sorted(PROGRAMS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_program_is_a_program(path):
    program = load_program(path.stem, PROGRAMS)
    assert program.name == path.stem
    assert (program.first_day, program.last_day) == (date(program.plan_year, 1, 1), date(program.plan_year, 12, 31))


@pytest.mark.parametrize(
    ("today", "day"),
    [
        (date(2023, 6, 15), date(2023, 6, 15)),
        (date(2023, 1, 1), date(2023, 1, 1)),
        (date(2023, 12, 31), date(2023, 12, 31)),
        (date(2022, 12, 31), date(2023, 1, 1)),
        (date(2026, 5, 1), date(2023, 12, 31)),
    ],
)
def test_the_day_of_the_decision_lies_in_the_plan_year(today, day):
    assert default_day("health-partners-2023", today) == day


@pytest.mark.parametrize(("text", "is_one"), [
    ("H1234", True), ("S0001", True), ("R9999", True), ("E1234", True), ("X1234", False), ("h1234", False), ("H123", False),
    ("H12345", False), ("H123A", False), ("", False), ("12345", False), (" H1234", False),
])  # fmt: skip
def test_a_contract_is_a_letter_and_four_digits(text, is_one):
    assert is_contract(text) is is_one


@pytest.mark.parametrize(("text", "is_one"), [
    ("H1234-003", True), ("H1234003", False), ("H1234-03", False), ("H1234-0003", False), ("H1234-", False), ("-003", False),
    ("H1234-00A", False), ("X1234-003", False), ("H1234-003-001", False), ("", False), ("H1234", False),
])  # fmt: skip
def test_a_plan_is_a_contract_and_three_digits(text, is_one):
    assert is_plan(text) is is_one
