"""The texts of the languages: complete, equal in what they fill in, of known standing; markup is read before anything is filled in."""

from __future__ import annotations

import re
import shutil
from datetime import date

import pytest

from adapter.documents.blocks import Span
from adapter.documents.texts import LANGUAGES, NEEDED, load_texts, spans
from adapter.errors import MappingError
from tests.unit.documents.conftest import TEXTS


@pytest.fixture(params=LANGUAGES)
def texts(request):
    return load_texts(request.param, TEXTS)


def test_each_text_stands_once_and_has_a_standing(texts):
    assert set(texts.texts) == set(NEEDED) == set(texts.standings)
    assert set(texts.unverified()) == {name for name in NEEDED if texts.standings[name] != "V"}


def test_the_labels_of_the_standardized_format():
    """reference/cms-rules.md section 4, standing P."""
    en, es = (load_texts(language, TEXTS).texts for language in ("en", "es"))
    for name, english, spanish in (
        ("to_do_title", "Recommended To-Do List", "Lista de Cosas por Hacer"),
        ("to_do_heading", "My To-Do List", "Mi Lista de Cosas por Hacer"),
        ("to_do_topic", "What we talked about:", "Acerca de lo que hablamos:"),
        ("to_do_action", "What I should do:", "Lo que debo hacer:"),
        ("prepared_on", "Prepared on: {date}", "Preparado el: {date}"),
        ("list_title", "Medication List", "Lista de Medicamentos"),
        ("list_medication", "Medication", "Medicamento"),
        ("list_how", "How I take it", "Cómo lo tomo"),
        ("list_why", "Why I use it", "Por qué lo tomo"),
        ("list_prescriber", "Prescriber", "Médico"),
        ("list_allergies", "Allergies:", "Alergias:"),
        ("list_side_effects", "Side effects I have had:", "Efectos secundarios que he tenido:"),
        ("list_other", "Other information:", "Otra información:"),
        ("list_notes", "My notes and questions:", "Mis notas y preguntas:"),
        (
            "disposal_title",
            "How to Safely Dispose of Unused Prescription Medications",
            "Cómo desechar de forma segura los medicamentos recetados no utilizados",
        ),
    ):
        assert (en[name], es[name]) == (english, spanish)


def test_both_languages_name_the_same_addresses():
    found = [
        sorted(address for text in load_texts(one, TEXTS).texts.values() for address in re.findall(r"<(\S+)>", text))
        for one in LANGUAGES
    ]
    assert found[0] == found[1]
    assert "https://www.deatakeback.com" in found[0]
    assert "https://apps2.deadiversion.usdoj.gov/pubdispsearch/spring/main?execution=e2s1" in found[0]
    assert "https://www.hhs.gov/opioids/prevention/safely-dispose-drugs/index.html" in found[0]


def test_dates():
    en, es = (load_texts(language, TEXTS) for language in ("en", "es"))
    assert (en.day(date(2026, 3, 5)), es.day(date(2026, 3, 5))) == ("March 5, 2026", "5 de marzo de 2026")
    assert [en.partial_day(on) for on in ("", "1950", "1950-12", "1950-12-31")] == [
        "",
        "1950",
        "December 1950",
        "December 31, 1950",
    ]
    assert es.partial_day("1950-12") == "diciembre de 1950"


def test_markup_of_the_file_is_read():
    assert spans("**Tip:** see <https://x.org/a?b=1> now") == (
        Span("Tip:", bold=True),
        Span(" see "),
        Span("https://x.org/a?b=1", link="https://x.org/a?b=1"),
        Span(" now"),
    )


def test_what_is_filled_in_is_never_markup(texts):
    hostile = "**x** <https://evil.org> {date} {0} {{"
    [span] = texts.text("salutation", name=hostile)
    assert hostile in span.text
    assert (span.bold, span.link) == (False, "")


@pytest.fixture
def changed(tmp_path):
    """The English file with something replaced, and the faults of loading it."""

    def faults(old, new):
        shutil.copytree(TEXTS, tmp_path / "texts")
        path = tmp_path / "texts" / "en.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(MappingError) as raised:
            load_texts("en", tmp_path / "texts")
        return [str(fault) for fault in raised.value.faults]

    return faults


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("to_do_title =", "to_do_titel =", "documents/en.toml: to_do_title: the text is missing; add it"),
        (
            "Dear {name}:",
            "Dear {nmae}:",
            "documents/en.toml: salutation: {nmae} is not filled in here; known are: name",
        ),
        ("Dear {name}:", "Dear member:", "documents/en.toml: salutation: the text does not name {name}; add it"),
        ("Dear {name}:", "Dear {name:", "documents/en.toml: salutation: the braces do not pair"),
        ('sign_off = "', 'salutation2 = "', "documents/en.toml: salutation2: no paper uses such a text"),
        ('"December"]', '"December", "Smarch"]', "documents/en.toml: format.months: there are 13 months"),
        ('standing = "P"', 'standing = "official"', "documents/en.toml: group[0].standing: "),
        ('source = "own wording"', "", "documents/en.toml: group[1].source: the key is missing; add it"),
        ('language = "en"', 'language = "es"', "documents/en.toml: language: the file is named en; say so here"),
        ("[format]", "[format", "en.toml: this is not valid TOML"),
    ],
)
def test_a_fault_of_the_file_is_told_with_its_key(changed, old, new, fault):
    assert any(told.startswith(fault) for told in changed(old, new))


def test_there_is_no_such_language():
    with pytest.raises(MappingError, match="there are no texts in 'fr'; known are: en, es"):
        load_texts("fr", TEXTS)
