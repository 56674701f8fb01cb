"""Which letters a font can show: those that fontTools reads too; a font of the plan prints what the package's own lack."""

from __future__ import annotations

from datetime import date

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from adapter.documents.blocks import Lines, Paper, Section
from adapter.errors import ConfigError
from adapter.outputs.font_files import code_points, font_files
from adapter.outputs.press import FONTS, Press
from tests.unit.documents.conftest import text_of

MADE_UP = {0x41: "A", 0x4E2D: "zhong", 0x6587: "wen", 0x1F48A: "pill"}  # the last one asks for a subtable of format 12


def made_up(path, **names):
    """A font, each letter of it a square."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    glyphs = [".notdef", *MADE_UP.values()]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap(MADE_UP)
    builder.setupGlyf(dict.fromkeys(glyphs, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Made Up", "styleName": "Regular", **names})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


@pytest.fixture
def folder(tmp_path):
    """A folder with one made-up font."""
    made_up(tmp_path / "made-up.ttf", fullName="Made Up", psName="MadeUp")
    (tmp_path / "README.md").write_text("no font", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", ["LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"])
def test_the_code_points_of_the_fonts_of_the_package(name):
    with TTFont(FONTS / name) as font:
        assert code_points(FONTS / name) == sorted(font.getBestCmap())


def test_the_code_points_of_a_font_beyond_the_first_plane(folder):
    assert [path.name for path in font_files(str(folder))] == ["made-up.ttf"]
    assert code_points(folder / "made-up.ttf") == sorted(MADE_UP)


def test_no_folder_has_no_fonts():
    assert font_files("") == []


@pytest.mark.parametrize(
    "content", [b"", b"no font at all, but a text", b"\0\1\0\0\0\1" + b"\0" * 6 + b"cmap" + b"\xff" * 12]
)
def test_what_is_no_font_is_told(tmp_path, content):
    (tmp_path / "a.otf").write_bytes(content)
    with pytest.raises(ConfigError, match=r"^The font a\.otf cannot be read; give a \.ttf or \.otf file"):
        code_points(tmp_path / "a.otf")


def test_a_font_that_the_compiler_does_not_take_is_told(tmp_path):
    made_up(tmp_path / "nameless.ttf")
    with pytest.raises(
        ConfigError, match=r"^The compiler cannot use the font nameless\.ttf; take it out of the folder"
    ):
        Press(fonts=str(tmp_path))


def test_a_font_of_the_plan_prints_what_the_others_lack(folder):
    paper = Paper("pml", "en", "T", "", "{page}/{pages}", "", (Section((Lines(("Ann 中文 ไทย",)),)),))
    with Press() as bare, Press(fonts=str(folder)) as press:
        assert bare.data(paper, False)[1] == "中文ไทย"
        data, lost = press.data(paper, False)
        assert lost == "ไทย"
        assert "Ann 中文 □□□" in text_of(press.pdf(data, date(2026, 1, 1)))
        assert bare.fingerprint != press.fingerprint
