"""Names as ASCII: what changes, what stays, what cannot be written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.reporting.names import ascii_name, is_changed, is_unwritable

CASES = [
    ("O'Brien", "O'Brien", False),
    ("O’Brien", "O'Brien", True),
    ("Smith-Jones", "Smith-Jones", False),
    ("Smith–Jones", "Smith-Jones", True),
    ("José", "Jose", True),
    ("José", "Jose", True),
    ("Nguyễn", "Nguyen", True),
    ("Łukasz Strauß", "Lukasz Strauss", True),
    ("Ægir Ørsted", "AEgir Orsted", True),
    ("de  la\tCruz ", "de la Cruz", False),
    ("St. John, Jr.", "St. John, Jr.", False),
    ("", "", False),
]


@pytest.mark.parametrize(("name", "written", "changed"), CASES)
def test_a_name_stays_recognizable(name, written, changed):
    assert ascii_name(name) == written
    assert is_changed(name) == changed
    assert not is_unwritable(name)


@pytest.mark.parametrize("name", ["李", "Иван", "a\x00b"])
def test_what_has_no_ascii_spelling_is_seen(name):
    assert "?" in ascii_name(name) and is_unwritable(name) and is_changed(name)


def test_a_question_mark_of_the_source_is_not_a_loss():
    assert not is_unwritable("Ana?")


@given(st.text())
def test_every_text_becomes_printable_ascii_once_and_for_all(text):
    written = ascii_name(text)
    assert all(" " <= character <= "~" for character in written)
    assert ascii_name(written) == " ".join(written.split())
