"""A paper as a value: sections of blocks. What is shown stands here once; Typst and HTML only say how it looks.

A ``Text`` is a tuple of spans, so that nothing that is filled in is ever read as markup by anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Size = Literal["body", "intro", "cell", "small"]
TitleSize = Literal["title", "list_title", "heading"]


@dataclass(frozen=True)
class Span:
    """A run of text; ``link`` is the address that it leads to, or ""."""

    text: str
    bold: bool = False
    link: str = ""


Text: TypeAlias = tuple[Span, ...]


@dataclass(frozen=True)
class Letterhead:
    """Logo, name and address of the plan, and the date at the right."""

    lines: tuple[str, ...]
    date: str


@dataclass(frozen=True)
class Lines:
    """Short lines below each other: an address, or below a ``closing`` such as "Sincerely," and room to sign, who signs."""

    lines: tuple[str, ...]
    closing: str = ""


@dataclass(frozen=True)
class Heading:
    """A heading. ``level`` counts from 1; ``size`` is how large it is printed."""

    text: str
    level: int
    size: TitleSize


@dataclass(frozen=True)
class Paragraph:
    """Running text. One that is ``held`` is on one page with what follows, such as the closing of a letter."""

    text: Text
    size: Size = "body"
    held: bool = False


@dataclass(frozen=True)
class Items:
    """A list of texts, with numbers or bullets."""

    items: tuple[Text, ...]
    numbered: bool = False


@dataclass(frozen=True)
class Checks:
    """A cell of check boxes, each with its text."""

    items: tuple[str, ...]


Cell: TypeAlias = "str | Checks"


@dataclass(frozen=True)
class Table:
    """A table with a header that is repeated on each page. ``widths`` are shares of the line; ``blank`` rows are to fill in."""

    columns: tuple[str, ...]
    widths: tuple[float, ...]
    rows: tuple[tuple[Cell, ...], ...]
    blank: int = 0


@dataclass(frozen=True)
class Entry:
    """A label with what is known, and ``blank`` ruled lines to write on."""

    label: str
    values: tuple[str, ...] = ()
    blank: int = 0


@dataclass(frozen=True)
class Fields:
    """Labels and values side by side, in two columns."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Boxed:
    """A text in a ruled box at the foot of the page, in small print."""

    text: Text


Block: TypeAlias = Letterhead | Lines | Heading | Paragraph | Items | Table | Entry | Fields | Boxed


@dataclass(frozen=True)
class Section:
    """Pages of one orientation. ``header`` stands at the top of each, ``footer`` at the foot; either may be ""."""

    blocks: tuple[Block, ...]
    header: str = ""
    footer: str = ""
    landscape: bool = False


@dataclass(frozen=True)
class Paper:
    """A whole document. ``page`` tells "Page {page} of {pages}" in its language; ``fill_in`` names what is left to fill in."""

    kind: str
    language: str
    title: str
    author: str
    page: str
    fill_in: str
    sections: tuple[Section, ...]
    logo: str = ""  # what the logo shows, for those who do not see it; "" without a logo
