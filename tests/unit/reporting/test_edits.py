"""The edits and the national figures as data: the shipped ones hold together, and a fault is told with its key."""

import pytest

from adapter.errors import MappingError
from adapter.reporting.checks import EDITS
from adapter.reporting.edits import load_edits
from adapter.reporting.national import load_national
from adapter.reporting.rates import RATES

from .conftest import LISTS


def test_every_edit_cites_its_rule_and_says_what_to_do():
    edits = load_edits("edits", LISTS, EDITS)
    assert len(edits.edits) == len(EDITS) > 50
    assert all(edit.citation and edit.remedy and edit.standing for edit in edits.edits.values())


def test_a_plan_changes_single_keys(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(
        'extends = "edits"\nversion = "own"\n[outliers]\nfewest = 11\n[edits.summary_late]\nseverity = "error"\n',
        encoding="utf-8",
    )
    edits, base = load_edits(str(own), LISTS, EDITS), load_edits("edits", LISTS, EDITS)
    assert (edits.version, edits.outliers.fewest, edits["summary_late"].severity) == ("own", 11, "error")
    assert edits.outliers.rate_change == base.outliers.rate_change
    assert edits["summary_late"].remedy == base["summary_late"].remedy and edits["missing"] == base["missing"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[edits.mising]\nseverity = "error"\n', "own.toml: edits.mising: no rule is called so; correct its name"),
        ('[edits.missing]\nseverity = "fatal"\n', "Invalid enum value 'fatal'"),
        ('[edits.missing]\nseverty = "off"\n', "unknown field `severty`"),
        ("[edits.summary_late]\ndays = 0\n", ".days: Expected `int` >= 1"),
        ("[outliers]\nfewest = 1.5\n", "outliers.fewest: Expected `int`, got `float`"),
    ],
)
def test_a_fault_is_told_with_its_key(tmp_path, text, fault):
    own = tmp_path / "own.toml"
    own.write_text('extends = "edits"\n' + text, encoding="utf-8")
    with pytest.raises(MappingError) as caught:
        load_edits(str(own), LISTS, EDITS)
    assert fault in str(caught.value)


def test_a_list_that_lacks_an_edit_is_refused(tmp_path):
    (tmp_path / "short.toml").write_text('title = "t"\n', encoding="utf-8")
    with pytest.raises(MappingError, match=r"edits\.missing: the edit is missing; set its severity to off"):
        load_edits("short", tmp_path, EDITS)
    with pytest.raises(MappingError, match="there is no such list of edits"):
        load_edits("none", tmp_path, EDITS)


def test_the_national_figures_name_year_and_source():
    national = load_national(LISTS / "national.toml", frozenset(RATES))
    assert all(figure.source and 2010 <= figure.year <= 2026 for figure in national.figures)
    assert {name: (one.year, one.share) for name in RATES if (one := national.latest(name))} == {
        "offered": (2014, 0.965), "received": (2014, 0.169), "tmr": (2014, 0.969),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("figure", "fault"),
    [
        ('rate = "offerd"\nyear = 2014\nshare = 0.5', "figures.1: 'offerd' is no rate; known are"),
        ('rate = "offered"\nyear = 2014\nshare = 96.5', "figures.1: share must be a fraction from 0 to 1"),
        ('rate = "offered"\nyear = 2014\nshares = 0.9', "unknown field `shares`"),
    ],
)
def test_a_figure_that_cannot_be_is_refused(tmp_path, figure, fault):
    path = tmp_path / "national.toml"
    path.write_text(
        f'title = "t"\nversion = "1"\nnote = "n"\n[[figures]]\n{figure}\nsource = "s"\nstanding = "P"\n',
        encoding="utf-8",
    )
    with pytest.raises(MappingError) as caught:
        load_national(path, frozenset(RATES))
    assert fault in str(caught.value)
