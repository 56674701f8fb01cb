"""Texts made fit for paper: one line without control characters, and for PDF only what the fonts can show.

PDF/UA-1 forbids characters without a glyph (ISO 14289-1, 7.21.8), so the compiler refuses a document that holds one; a name must
not be lost to that. HTML needs no such care: a browser has more fonts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

MISSING = "\u25a1"  # a white square, in place of what the fonts cannot show

# Control characters, private and unassigned places, line separators; marks that hide, reorder or join (zero-width, bidirectional).
_HIDDEN = re.compile(
    "[\\x00-\\x08\\x0e-\\x1f\\x7f-\\x9f\\u00ad\\u061c\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufe00-\\ufe0f\\ufeff"
    "\\ufff9-\\ufffc\\ud800-\\udfff\\ue000-\\uf8ff\\U000e0000-\\U000e0fff]"
)

_BLANKS = re.compile("[^\\S\\u00a0\\u202f]+")  # a blank that holds words together stays

Shown = Callable[[str], tuple[str, int]]


def clean(text: str) -> str:
    """``text`` on one line in Unicode's composed form, without what cannot be seen; may be empty."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", _HIDDEN.sub("", text))).strip(" ")


def ranges(coverage: str) -> list[tuple[int, int]]:
    """The ranges of code points that ``coverage`` names, one a line: ``0020-007E`` or ``25A1``."""
    pairs = (line.partition("-") for line in coverage.split())
    return [(int(first, 16), int(last or first, 16)) for first, _, last in pairs]


def shown_by(coverage: str) -> Shown:
    """The function that makes a text fit for fonts with ``coverage``: the text, and how many characters it lost.

    A character without a glyph is written by its compatible form where that can be shown (a full-width A as A), else as ``MISSING``.
    """
    known = ranges(coverage)
    absent = re.compile("[^" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in known) + "\\n]")

    def shown(text: str) -> tuple[str, int]:
        lost = 0

        def instead(match: re.Match[str]) -> str:
            nonlocal lost
            form = unicodedata.normalize("NFKC", match[0])
            if form != match[0] and not absent.search(form):
                return form
            lost += 1
            return MISSING

        return absent.sub(instead, text), lost

    return shown
