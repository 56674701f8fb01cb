"""A member, a plan and a desk for the tests of the papers: all made up, from fixtures/documents."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pypdfium2
import pytest

from adapter.documents import form
from adapter.documents.desk import Desk
from adapter.documents.papers import COMPOSERS
from adapter.documents.plan import load_plan
from adapter.documents.texts import load_texts
from adapter.outputs.press import Press

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "fixtures" / "documents"
TEXTS = ROOT / "mappings" / "documents"
ON = date(2026, 3, 11)


@pytest.fixture(scope="session")
def plan():
    return load_plan(EXAMPLES / "plan.toml")


@pytest.fixture(scope="session")
def facts():
    """All that is known of the example member."""
    return form.facts((EXAMPLES / "member.json").read_bytes(), "member.json")


@pytest.fixture(scope="session")
def desk(plan):
    def of(language="en", large_print=False, **changes):
        changed = plan.__class__(**{name: getattr(plan, name) for name in plan.__struct_fields__} | changes)
        return Desk(changed, load_texts(language, TEXTS), ON, large_print)

    return of


@pytest.fixture(scope="session")
def press(plan):
    with Press(plan.logo) as press:
        yield press


@pytest.fixture(scope="session")
def printed(press, desk):
    """The PDF of a paper of some facts."""

    def of(kind, facts, language="en", large_print=False):
        paper = COMPOSERS[kind](facts, desk(language, large_print))
        return press.pdf(press.data(paper, large_print)[0], ON)

    return of


def pages_of(pdf):
    """The text of each page, as it is copied out of a PDF; a hyphen at the end of a line is a hyphen."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        texts = []
        for page in document:
            text = page.get_textpage()
            texts.append(text.get_text_range().replace("\r\n", "\n").replace("\ufffe", "-"))
            text.close()
            page.close()
        return texts
    finally:
        document.close()


def text_of(pdf):
    """The text of a PDF without line ends and without the places where an overlong word may break."""
    return " ".join("\n".join(pages_of(pdf)).replace("\u200b", "").replace("\u00a0", " ").split())
