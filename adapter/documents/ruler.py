"""How wide texts are in the fonts of the papers: which words are longer than their line, and how many lines a header takes.

The compiler could measure too, but that costs a third of the time of a paper. Pair kerning is not known here; it only makes words
narrower. Letters beyond the table count as wide.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import ceil

UNITS = 2048  # of the fonts, to the em
UNKNOWN = 1536
REMEMBERED = 1 << 16  # words
MAY_BREAK = "\u200b"  # zero-width space: a line may end here
_PARTS = re.compile(r"[^-/]*[-/]?")  # a line may end behind a hyphen or a slash anyway


class Ruler:
    """The advances of letters in units, for each style. Words are measured once: papers repeat them."""

    def __init__(self, regular: dict[str, int], bold: dict[str, int]) -> None:
        self.regular = regular
        self.bold = bold
        self._widest = max(UNKNOWN, *regular.values(), *bold.values())
        self._units = lru_cache(REMEMBERED)(self._measured)

    def _measured(self, text: str, bold: bool) -> int:
        known = self.bold if bold else self.regular
        return sum(known.get(letter, UNKNOWN) for letter in text)

    def _surely(self, size: float, width: float) -> float:
        """How many letters surely fit in ``width`` points."""
        return width * UNITS / (size * self._widest)

    def points(self, text: str, size: float, bold: bool = False) -> float:
        """The width of the text in points."""
        return self._units(text, bold) * size / UNITS

    def lines(self, text: str, size: float, width: float, bold: bool = False) -> int:
        """How many lines of ``width`` points the text may take, words unbroken, filled as the compiler fills them; at least one."""
        if len(text) <= self._surely(size, width):
            return 1
        lines, used, space = 1, 0.0, self.points(" ", size, bold)
        for word in text.split(" "):
            wide = self.points(word, size, bold)
            if used and used + space + wide > width:
                lines, used = lines + 1, 0.0
            lines += max(0, ceil(wide / width) - 1)
            used += wide if not used else space + wide
        return lines

    def fitted(self, text: str, size: float, width: float, bold: bool = False) -> str:
        """The text where each part of a word that is wider than ``width`` points may break anywhere, and no other."""
        if max(map(len, text.split(" "))) <= self._surely(size, width):
            return text
        return " ".join(self._word(word, size, width, bold) for word in text.split(" "))

    def _word(self, word: str, size: float, width: float, bold: bool) -> str:
        if self.points(word, size, bold) <= width:
            return word
        parts = _PARTS.findall(word)
        return "".join(MAY_BREAK.join(part) if self.points(part, size, bold) > width else part for part in parts)


def ruler(advances: str) -> Ruler:
    """The ruler of a table with the code point and the advances of regular and bold on each line."""
    rows = [line.split() for line in advances.splitlines()]
    letters = [chr(int(code, 16)) for code, _, _ in rows]
    return Ruler(
        dict(zip(letters, (int(one) for _, one, _ in rows), strict=True)),
        dict(zip(letters, (int(one) for _, _, one in rows), strict=True)),
    )
