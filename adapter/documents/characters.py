"""Texts made fit for paper: one line without control characters, and for PDF only what the fonts can show.

PDF/UA-1 forbids characters without a glyph (ISO 14289-1, 7.21.8), so the compiler refuses a document that holds one; a name must
not be lost to that. HTML needs no such care: a browser has more fonts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

MISSING = "\u25a1"  # a white square, in place of what the fonts cannot show

# Control characters, private and unassigned places, line separators; marks that hide, reorder or join (zero-width, bidirectional).
_HIDDEN = re.compile(
    "[\\x00-\\x08\\x0e-\\x1f\\x7f-\\x9f\\u00ad\\u061c\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufe00-\\ufe0f\\ufeff"
    "\\ufff9-\\ufffc\\ud800-\\udfff\\ue000-\\uf8ff\\U000e0000-\\U000e0fff]"
)

_BLANKS = re.compile("[^\\S\\u00a0\\u202f]+")  # a blank that holds words together stays

# The blocks of the scripts that are written from right to left, and the marks that let a text follow its own first letter (UAX #9).
_RIGHT_TO_LEFT = re.compile(
    "[\\u0590-\\u08ff\\ufb1d-\\ufdff\\ufe70-\\ufefc\\U00010800-\\U00010fff\\U0001e800-\\U0001efff]"
)
_ISOLATES = "\u2068", "\u2069"

Shown = Callable[[str], tuple[str, str]]


def clean(text: str) -> str:
    """``text`` on one line in Unicode's composed form, without what cannot be seen; may be empty.

    A text with letters that are written from right to left is set apart from what stands around it: else the "20" of
    "20 mg" in a Hebrew sentence would be shown on the other side of the sentence.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    seen = _BLANKS.sub(" ", unicodedata.normalize("NFC", _HIDDEN.sub("", text))).strip(" ")
    return f"{_ISOLATES[0]}{seen}{_ISOLATES[1]}" if not seen.isascii() and _RIGHT_TO_LEFT.search(seen) else seen


def ranges(coverage: str) -> list[tuple[int, int]]:
    """The ranges of code points that ``coverage`` names, one a line: ``0020-007E`` or ``25A1``."""
    pairs = (line.partition("-") for line in coverage.split())
    return [(int(first, 16), int(last or first, 16)) for first, _, last in pairs]


def shown_by(coverage: str, more: Iterable[int] = ()) -> Shown:
    """The function that makes a text fit for fonts with ``coverage`` and the code points ``more``: the text, and what it lost.

    A character without a glyph is written by its compatible form where that can be shown (a full-width A as A), else as ``MISSING``.
    """
    known = {code for first, last in ranges(coverage) for code in range(first, last + 1)}
    known.update(more, map(ord, _ISOLATES), (0x0A,))
    absent = re.compile("[^" + "".join(re.escape(chr(code)) for code in sorted(known)) + "]")

    def shown(text: str) -> tuple[str, str]:
        lost: list[str] = []

        def instead(match: re.Match[str]) -> str:
            form = unicodedata.normalize("NFKC", match[0])
            if form != match[0] and not absent.search(form):
                return form
            lost.append(match[0])
            return MISSING

        return absent.sub(instead, text), "".join(lost)

    return shown


def scripts(characters: str) -> list[str]:
    """What kinds of characters these are, letters by the first word of their Unicode names (CJK, ARABIC): no text of anybody."""
    return sorted(
        {re.split("[ -]", unicodedata.name(one, "OTHER"))[0] if _is_letter(one) else "SYMBOL" for one in characters}
    )


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM"
