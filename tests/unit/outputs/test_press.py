"""The press: a logo that is no picture, and faults of the compiler, are told without a word of a paper."""

from __future__ import annotations

from datetime import date

import pytest

from adapter.documents.blocks import Lines, Paper, Section
from adapter.errors import ConfigError, ConformanceError
from adapter.outputs.press import Press


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("logo.png", b"no picture"),
        ("logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0'),
    ],
    ids=["no picture", "cut off"],
)
def test_a_logo_that_cannot_be_shown_is_told_before_anything_is_printed(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=rf"^The logo {name} cannot be read as a picture; convert it and try again"):
        Press(str(tmp_path / name))


def test_what_is_not_pdf_ua_is_told_without_its_text():
    with Press() as press:
        block = Lines(("Secret name",))
        data, _ = press.data(Paper("pml", "en", "T", "", "{page}/{pages}", "", (Section((block,)),)), False)
    data = data.replace("name", "中")  # past the step that takes out what has no glyph
    with Press() as press, pytest.raises(ConformanceError) as raised:
        press.pdf(data, date(2026, 1, 1))
    assert str(raised.value).startswith("A paper cannot be set as PDF/UA-1: PDF/UA-1 error: the text")
    assert "中" not in str(raised.value)
    assert "Secret" not in str(raised.value)


def test_the_fingerprint_follows_the_logo(tmp_path, plan_logo):
    with Press() as bare, Press(plan_logo) as press, Press(plan_logo) as same:
        assert bare.fingerprint != press.fingerprint == same.fingerprint


@pytest.fixture
def plan_logo(tmp_path):
    path = tmp_path / "logo.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>', encoding="utf-8"
    )
    return str(path)
