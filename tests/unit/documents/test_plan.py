"""The plan file: every fault at once, the logo beside it."""

from __future__ import annotations

import pytest

from adapter.documents.plan import load_plan
from adapter.errors import ConfigError
from tests.unit.documents.conftest import EXAMPLES

LEAST = """
name = "A Plan"
address = ["1 Street"]
phone = "1-800-555-0100"
tty = "711"
hours = {en = "always", es = "siempre"}
"""


@pytest.fixture
def load(tmp_path):
    def of(text):
        path = tmp_path / "plan.toml"
        path.write_text(text, encoding="utf-8")
        return load_plan(path)

    return of


def test_the_example_is_good(plan):
    assert plan.name == "Example Health Plan (HMO)"
    assert plan.logo == str((EXAMPLES / "logo.svg").resolve())
    assert plan.deactivation_kit


def test_the_least(load):
    made = load(LEAST)
    assert (made.logo, made.fax, made.blank_rows, made.deactivation_kit) == ("", "", 3, False)


def test_all_faults_at_once(load):
    with pytest.raises(ConfigError) as raised:
        load('nmae = "x"\naddress = "1 Street"\nphone = 800\nhours = {en = "x"}\n')
    assert str(raised.value).splitlines() == [
        "plan.toml: nmae: there is no such key; known are: name, address, phone, tty, hours, fax, provider, provider_title, "
        "organization, logo, logo_alt, fonts, material_id, deactivation_kit, blank_rows",
        "plan.toml: name: the key is missing; add it",
        "plan.toml: address: Expected `array`, got `str`; correct it",
        "plan.toml: phone: Expected `str`, got `int`; correct it",
        "plan.toml: tty: the key is missing; add it",
    ]


def test_all_faults_of_values_at_once(load):
    more = 'logo = "logo.gif"\nblank_rows = 41\nlogo_alt = {en = "x", fr = "y"}\n'
    with pytest.raises(ConfigError) as raised:
        load(LEAST.replace('"A Plan"', '" "').replace('"1 Street"', "").replace(', es = "siempre"', "") + more)
    assert str(raised.value).splitlines() == [
        "plan.toml: name: it is empty; fill it in",
        "plan.toml: address: it has no line, or an empty one; write one string a line",
        "plan.toml: hours.es: the text is missing; add it",
        "plan.toml: blank_rows: 41 is not 0 to 40",
        "plan.toml: logo_alt.es: the text is missing; add it",
        "plan.toml: logo_alt.fr: there are no papers in this language; known are: en, es",
        "plan.toml: logo: logo.gif is none of .svg, .png, .jpg, .jpeg; convert the picture",
    ]


def test_a_logo_that_is_not_there(load):
    with pytest.raises(ConfigError, match=r"plan\.toml: logo: there is no file logo\.png beside plan\.toml"):
        load(LEAST + 'logo = "logo.png"\nlogo_alt = {en = "x", es = "y"}\n')


def test_fonts_beside_the_file(load, tmp_path):
    with pytest.raises(
        ConfigError, match=r"plan\.toml: fonts: there is no folder fonts with \.ttf or \.otf files beside"
    ):
        load(LEAST + 'fonts = "fonts"\n')
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "a.otf").write_bytes(b"")
    assert load(LEAST + 'fonts = "fonts"\n').fonts == str((tmp_path / "fonts").resolve())


def test_no_file_and_no_toml(load, tmp_path):
    with pytest.raises(ConfigError, match="There is no plan file"):
        load_plan(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match=r"plan\.toml: this is not valid TOML"):
        load("name = ")
