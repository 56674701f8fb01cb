"""The files of mappings/measures are read strictly, and what is not read in an official text is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from adapter.errors import MappingError
from adapter.mappings.checks import checked_files
from adapter.measures.settings import CARE, CMR, CmrCompletion, Pdc, facts, load_settings, reservations, settings_faults

SHIPPED = Path(__file__).parents[3] / "mappings"


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(SHIPPED / "measures", tmp_path / "measures")
    return tmp_path


def edit(folder, name, old, new):
    path = folder / "measures" / f"{name}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def told(folder, diseases=("esrd",)):
    return [str(fault) for fault in settings_faults(folder, diseases)]


def test_the_shipped_files_have_no_fault_and_stand_in_the_order_they_are_told():
    assert told(SHIPPED) == []
    settings = load_settings(SHIPPED)
    assert list(settings.measures) == [CMR, "pdc_diabetes", "pdc_ras_antagonists", "pdc_statins"]
    rule = settings.measures[CMR]
    assert isinstance(rule, CmrCompletion)
    assert (rule.youngest.value, rule.least_days.value, rule.least_denominator.value) == (18, 60, 31)
    assert all(isinstance(settings.measures[name], Pdc) for name in list(settings.measures)[1:])


FAULTS = {
    "misspelled key": ("[youngest]", "[yungest]", "cmr_completion.toml: Object contains unknown field `yungest`; correct the file"),
    "missing standing": ('standing = "P+"', "", "cmr_completion.toml: youngest: Object missing required field `standing`"),
    "unknown standing": ('standing = "P+"', 'standing = "X"', "cmr_completion.toml: youngest.standing: Invalid enum value"),
    "no source": ('source = "PQA, MTM', 'source = " "  # "PQA, MTM', "cmr_completion.toml: youngest.source: this must not be empty"),
    "a number that cannot be": ("value = 60", "value = 400", "least_days.value: 400 is not between 0 and 366"),
    "text for a number": ("value = 60", 'value = "60"', "least_days.value: Expected `int`, got `str`"),
    "unknown reason": ('["01", "02", "03"]', '["01", "05"]', "reasons.value: '05' is not known here"),
    "unknown exclusion": ('value = ["hospice"]', 'value = ["hospise"]', "exclusions.value: 'hospise' is not known here"),
    "years the wrong way round": ("last_year = 2027", "last_year = 2021", "last_year: the last year lies before the first"),
    "another kind": ('kind = "cmr_completion"', 'kind = "cmr"', "Invalid value 'cmr'"),
    "no TOML": ("[youngest]", "[youngest", "this is not valid TOML"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "fault"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_told_with_its_file_and_key(folder, old, new, fault):
    edit(folder, CMR, old, new)
    (found,) = told(folder)
    assert found.startswith("measures/cmr_completion.toml")
    assert fault in found
    with pytest.raises(MappingError, match="cmr_completion"):
        load_settings(folder)


def test_all_faults_of_all_files_are_told_at_once(folder):
    edit(folder, CMR, "value = 60", "value = 400")
    edit(folder, "pdc_statins", "value = 80", "value = 101")
    edit(folder, CARE, 'set_by = ["071"]', 'set_by = ["71"]')
    edit(folder, CARE, '"eob-type|HOSPICE"', '"HOSPICE"')
    (folder / "measures" / "pdc_diabetes.toml").rename(folder / "measures" / "diabetes.toml")
    found = told(folder)
    assert len(found) == 5
    assert any("'71' does not fill its 3 bytes" in one for one in found)
    assert any("is no claim type" in one for one in found)
    assert any("a file of this kind is called pdc_diabetes.toml" in one for one in found)


def test_a_disease_that_no_list_knows(folder):
    assert told(folder, ("diabetes",)) == [
        "measures/care_status.toml: esrd.disease: 'esrd' is no disease in mappings/conditions; known are: diabetes"
    ]


def test_a_missing_file_stops_the_run(folder):
    (folder / "measures" / "pdc_statins.toml").unlink()
    with pytest.raises(MappingError, match=r"measures/pdc_statins\.toml: there is no such file"):
        load_settings(folder)
    assert told(folder) == []  # a plan's own folder need not hold every measure to be proved


def test_a_year_without_a_specification_is_refused():
    settings = load_settings(SHIPPED)
    assert settings.of_year(2027) is settings
    with pytest.raises(MappingError, match="is for 2022 to 2027, not 2031") as error:
        settings.of_year(2031)
    assert len(error.value.faults) == 4


def test_what_is_not_read_in_an_official_text_is_told():
    settings = load_settings(SHIPPED)
    assert reservations(CMR, settings.measures[CMR])[-1] == "cmr_completion: not verified (U): cmr_on_opt_out_day"
    for name, one in settings.measures.items():
        unread = {key for key, fact in facts(one) if fact.standing != "V"}
        sentences = " ".join(reservations(name, one))
        assert all(key in sentences for key in unread)
    assert "threshold" not in " ".join(reservations("pdc_statins", settings.measures["pdc_statins"]))


def test_check_mappings_names_the_files():
    assert {f"measures/{path.name}" for path in (SHIPPED / "measures").iterdir()} <= set(checked_files(SHIPPED))
