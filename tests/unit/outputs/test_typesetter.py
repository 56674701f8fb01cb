"""The compiler in this process and in one of its own: equal papers, faults told, no process left."""

from __future__ import annotations

import os
import shutil
import signal
from datetime import date

import pytest

from adapter.documents.blocks import Lines, Paper, Section
from adapter.errors import ConformanceError, SinkError
from adapter.outputs.press import FOLDER, FONTS, Press
from adapter.outputs.typesetter import TEMPLATE, Apart, Typesetter

ON = date(2026, 3, 11)


@pytest.fixture
def folder(tmp_path):
    shutil.copyfile(FOLDER / "templates" / TEMPLATE, tmp_path / TEMPLATE)
    return tmp_path


@pytest.fixture
def apart(folder):
    setter = Apart(folder, [FONTS])
    yield setter
    setter.close()


def data(text="Ann Alpha"):
    with Press() as press:
        return press.data(Paper("pml", "en", "T", "", "{page}/{pages}", "", (Section((Lines((text,)),)),)), False)[0]


def test_a_process_apart_makes_equal_papers_one_after_the_other(apart, folder):
    here = Typesetter(folder, [FONTS])
    for text in ("Ann Alpha", "Zoë\u2028Ünal", "x" * 100_000):
        assert apart.pdf(data(text), ON) == here.pdf(data(text), ON)


def test_a_fault_of_one_paper_is_told_and_the_next_is_made(apart):
    with pytest.raises(
        ConformanceError, match=r"^A paper cannot be set as PDF/UA-1: PDF/UA-1 error: the text"
    ) as raised:
        apart.pdf(data().replace("Ann", "中"), ON)
    assert "Alpha" not in str(raised.value)
    assert apart.pdf(data(), ON).startswith(b"%PDF")


def test_a_process_that_was_killed_is_told(apart):
    apart.pdf(data(), ON)
    os.kill(apart.number, signal.SIGKILL)
    with pytest.raises(SinkError, match=r"ended \(code -9\); run the same command again, with fewer --workers"):
        apart.pdf(data("x" * 1_000_000), ON)


def test_a_process_ends_with_its_input_even_when_nobody_closes_it(folder):
    setter = Apart(folder, [FONTS])
    setter.pdf(data(), ON)
    setter.close()
    with pytest.raises(ProcessLookupError):
        os.kill(setter.number, 0)
