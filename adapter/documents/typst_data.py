"""A paper as the JSON that ``templates/paper.typ`` reads. Texts go over as data only, so nothing in them can become Typst markup."""

from __future__ import annotations

from dataclasses import fields
from math import ceil
from typing import Any

import msgspec

from adapter.documents.blocks import Checks, Paper, Span, Table
from adapter.documents.characters import Shown

# Lines of print that surely fit on one page; a row that is estimated to be taller may break across pages.
KEPT_LINES, KEPT_LINES_LARGE = 18, 9
LETTERS_PER_INCH, LETTERS_PER_INCH_LARGE = 10, 7
LINE_INCHES, LINE_INCHES_LANDSCAPE = 6.5, 9.0
# Widths of bold letters of Arial in em, on the large side, and the points of a header: how many lines it may take.
NARROW, NARROW_EM, WIDE, WIDE_EM, CAPITAL_EM, OTHER_EM = " .,:;'-()iljtfrI|!\u00a0", 0.36, "mwMW@%", 0.94, 0.75, 0.6
HEADER_POINTS, HEADER_POINTS_LARGE = 11, 14


def typst_data(paper: Paper, large_print: bool, logo: str, shown: Shown) -> tuple[str, int]:
    """The paper as JSON, and how many characters the fonts cannot show. ``logo`` is its file in the folder of the template, or ""."""
    sections = []
    for section in paper.sections:
        blocks = [_block(block, large_print, section.landscape) for block in section.blocks]
        sections.append(
            {
                "header": section.header,
                "header_lines": header_lines(section.header, large_print, section.landscape),
                "footer": section.footer,
                "landscape": section.landscape,
                "blocks": blocks,
            }
        )
    data = {
        "language": paper.language,
        "title": paper.title,
        "author": paper.author,
        "page": paper.page,
        "large": large_print,
        "logo": {"file": logo, "alt": paper.logo} if logo else None,
        "sections": sections,
    }
    return shown(msgspec.json.encode(data).decode())


def header_lines(header: str, large_print: bool, landscape: bool) -> int:
    """How many lines the header takes at the most."""
    points = (HEADER_POINTS_LARGE if large_print else HEADER_POINTS) * sum(map(_em, header))
    return max(1, ceil(points / (72 * (LINE_INCHES_LANDSCAPE if landscape else LINE_INCHES))))


def _em(letter: str) -> float:
    if letter in NARROW:
        return NARROW_EM
    return WIDE_EM if letter in WIDE else CAPITAL_EM if letter.isupper() else OTHER_EM


def _block(block: Any, large_print: bool, landscape: bool) -> dict[str, Any]:
    values = {field.name: _value(getattr(block, field.name)) for field in fields(block)}
    if isinstance(block, Table):
        values["kept"] = [_is_kept(row, block.widths, large_print, landscape) for row in block.rows]
    return {"block": type(block).__name__, **values}


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_value(one) for one in value]
    if isinstance(value, Span):
        return {"text": value.text, "bold": value.bold, "link": value.link}
    return {"checks": list(value.items)} if isinstance(value, Checks) else value


def _is_kept(row: tuple[Any, ...], widths: tuple[float, ...], large_print: bool, landscape: bool) -> bool:
    """Whether the row is kept on one page: yes, unless it is so tall that it might not fit on one."""
    letters = LETTERS_PER_INCH_LARGE if large_print else LETTERS_PER_INCH
    line = (LINE_INCHES_LANDSCAPE if landscape else LINE_INCHES) / sum(widths) * letters
    tallest = max(
        sum(1 + len(text) // max(1, int(line * width)) for text in _texts(cell))
        for cell, width in zip(row, widths, strict=True)
    )
    return tallest <= (KEPT_LINES_LARGE if large_print else KEPT_LINES)


def _texts(cell: Any) -> tuple[str, ...]:
    return cell.items if isinstance(cell, Checks) else (cell,)
