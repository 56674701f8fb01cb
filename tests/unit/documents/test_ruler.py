"""The ruler: the advances are those of the fonts; only a part that is wider than its line may break anywhere."""

from __future__ import annotations

import pytest
from fontTools.ttLib import TTFont

from adapter.documents.ruler import MAY_BREAK, UNITS, ruler
from tests.unit.documents.conftest import ROOT

FONTS = ROOT / "adapter" / "documents" / "fonts"


@pytest.fixture(scope="module")
def measure():
    return ruler((FONTS / "advances.txt").read_text(encoding="ascii"))


@pytest.mark.parametrize("style", ["Regular", "Bold"])
def test_the_advances_are_those_of_the_fonts(measure, style):
    known = measure.regular if style == "Regular" else measure.bold
    with TTFont(FONTS / f"LiberationSans-{style}.ttf") as font:
        names, advances = font.getBestCmap(), font["hmtx"]
        assert font["head"].unitsPerEm == UNITS
        assert {letter: advances[names[ord(letter)]][0] for letter in known} == known
    assert set(map(chr, range(0x20, 0x7F))) < set(known)


def test_widths_in_points(measure):
    assert measure.points("", 12) == 0
    assert measure.points("II", 2048 / 569) == pytest.approx(2)  # 569 units each
    assert measure.points("a", 12, bold=True) > 0
    assert measure.points("中", 10) == pytest.approx(7.5)


@pytest.mark.parametrize(
    ("text", "lines"),
    [("", 1), ("aaa", 1), ("aaaa aaaa", 2), ("aa aa aa aa", 2), ("aaaa aa aaa", 2), ("a" * 20, 4), ("a aaaaaaaa a", 4)],
)
def test_lines(measure, text, lines):
    """With an "a" of 10 points, a line of 56 takes "aa aa", two words with their space."""
    size = UNITS * 10 / measure.regular["a"]
    assert measure.points(" ", size) == pytest.approx(5, abs=0.01)
    assert measure.lines(text, size, 56) == lines


def test_only_what_is_too_wide_may_break(measure):
    size = UNITS * 10 / measure.regular["a"]
    plain = lambda text: measure.fitted(text, size, 100.001)  # noqa: E731  # a line of ten letters
    assert plain("aaaaaaaaaa aaa") == "aaaaaaaaaa aaa"
    assert plain("a" * 11) == MAY_BREAK.join("a" * 11)
    assert plain("aaaaaa-aaaaaa") == "aaaaaa-aaaaaa"  # a line may end behind the hyphen
    assert plain("aaaaaa/" + "a" * 11) == "aaaaaa/" + MAY_BREAK.join("a" * 11)
    assert plain("aaa " + "a" * 11 + " aaa") == f"aaa {MAY_BREAK.join('a' * 11)} aaa"
    assert plain("") == ""
