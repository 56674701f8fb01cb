"""Texts for paper: what cannot be seen is gone, what the fonts cannot show is told, and the coverage is that of the fonts."""

from __future__ import annotations

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from adapter.documents.characters import MISSING, clean, ranges, scripts, shown_by

FONTS = Path(__file__).parents[3] / "adapter" / "documents" / "fonts"


@pytest.fixture(scope="module")
def shown():
    return shown_by((FONTS / "coverage.txt").read_text(encoding="ascii"))


@pytest.mark.parametrize("style", ["Regular", "Bold"])
def test_the_coverage_is_that_of_the_fonts(style):
    named = {code for a, b in ranges((FONTS / "coverage.txt").read_text(encoding="ascii")) for code in range(a, b + 1)}
    with TTFont(FONTS / f"LiberationSans-{style}.ttf") as font:
        assert set(font.getBestCmap()) == named


def test_the_license_of_the_fonts_lies_beside_them():
    text = (FONTS / "LICENSE").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in text
    assert "Reserved Font Name Liberation" in text
    assert "TERMINATION" in text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("", ""),
        ("  two\tlines\r\n of text ", "two lines of text"),
        ("n\u0303", "ñ"),  # composed
        ("a\u200bb\u200dc\ufeff", "abc"),  # zero width
        ("a\u202eb\u2066c", "abc"),  # bidirectional marks
        ("soft\u00adhyphen", "softhyphen"),
        ("nul\x00bell\x07", "nulbell"),
        ("5\u00a0mg", "5\u00a0mg"),  # held together
        ("#*_[$<\\`@", "#*_[$<\\`@"),  # nothing is escaped here
        ("שלום (5 mg)", "\u2068שלום (5 mg)\u2069"),  # set apart: it is read from right to left
        ("Ann \u202eعلي ", "\u2068Ann علي\u2069"),
    ],
)
def test_clean(text, cleaned):
    assert clean(text) == cleaned
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("text", "fit", "lost"),
    [
        ("ñ ½ µg ≥ 5 é", "ñ ½ µg ≥ 5 é", ""),
        ("😀!", f"{MISSING}!", "😀"),
        ("中文中", MISSING * 3, "中文中"),
        ("Ａ５", "A5", ""),  # full width: its compatible form
        ("ﬁne", "ﬁne", ""),
        (clean("שלום"), clean("שלום"), ""),
        ("بك", MISSING * 2, "بك"),
    ],
)
def test_what_the_fonts_cannot_show_is_a_square_and_told(shown, text, fit, lost):
    assert shown(text) == (fit, lost)


def test_more_fonts_show_more():
    shown = shown_by("0020-007E", [*map(ord, "中文"), 0x1F48A])
    assert shown("-]^ 中文💊字") == ("-]^ 中文💊□", "字")


def test_the_scripts_of_what_was_lost():
    assert scripts("中文بك😀💊ไ각ｶ") == ["ARABIC", "CJK", "HALFWIDTH", "HANGUL", "SYMBOL", "THAI"]
    assert scripts("") == []
