"""The name of a person as a file of ASCII bytes, or of another encoding, can hold it.

CMS's rule for letters outside ASCII was not found. The rule here (U) keeps a name recognizable and is told in a finding
each time: accents and other marks are dropped (José -> Jose), letters without a separable mark are spelled by the table
below, typographic apostrophes and hyphens become plain, blanks are single. Case, apostrophes and hyphens stay as they
are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pyarrow as pa

LETTERS = str.maketrans(
    {
        "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
        "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ħ": "h", "Ħ": "H", "ı": "i", "ŋ": "n", "Ŋ": "N",
        "‘": "'", "’": "'", "ʼ": "'", "ʻ": "'", "´": "'", "‐": "-", "‑": "-", "–": "-", "—": "-",
    }
)  # fmt: skip
UNWRITABLE = "?"


def ascii_name(text: str) -> str:
    """``text`` in printable ASCII: without marks, with single blanks; '?' stands for what cannot be written."""
    plain = unicodedata.normalize("NFKD", " ".join(text.split()).translate(LETTERS))
    kept = (character for character in plain if not unicodedata.combining(character))
    written = "".join(character if " " <= character <= "~" else UNWRITABLE for character in kept)
    return " ".join(written.split())  # a lone mark such as ¨ decomposes into a blank and the mark


def written_name(text: str, encoding: str = "ascii") -> str:
    """``text`` as a file of ``encoding`` can hold it: letters that it has stay, others are spelled as in ASCII."""
    plain = " ".join(text.split())
    if plain.isascii() and plain.isprintable():
        return plain
    if encoding == "ascii":
        return ascii_name(text)
    composed = unicodedata.normalize("NFC", plain)
    return " ".join("".join(c if _holds(encoding, c) else ascii_name(c) for c in composed).split())


def _holds(encoding: str, character: str) -> bool:
    if not character.isprintable():
        return False
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def is_changed(text: str, encoding: str = "ascii") -> bool:
    """Whether the file has another spelling than ``text``; more or fewer blanks are none."""
    return written_name(text, encoding) != unicodedata.normalize("NFC", " ".join(text.split()))


def is_unwritable(text: str, encoding: str = "ascii") -> bool:
    """Whether a character of ``text`` has no spelling in the file."""
    return written_name(text, encoding).count(UNWRITABLE) > text.count(UNWRITABLE)


def each_name(column: Any, function: Callable[[str], Any], kind: Any) -> Any:
    """``function`` of every value of a pyarrow string column, each distinct value computed once; NULL stays NULL."""
    coded = pa.chunked_array(column).combine_chunks().dictionary_encode()
    return pa.array([None if value is None else function(value) for value in coded.dictionary.to_pylist()], kind).take(
        coded.indices
    )
