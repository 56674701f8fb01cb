"""A paper as the JSON that ``templates/paper.typ`` reads. Texts go over as data only, so nothing in them can become Typst markup.

Sizes stand here, because what is kept together and where overlong words break depends on them; the template holds all other layout.
Those of CMS's Standardized Format are of one published template (CMS-10396, 2022 and later; standing P). Large print is 18 points and up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import msgspec

from adapter.documents.blocks import (
    Block,
    Checks,
    Entry,
    Fields,
    Heading,
    Items,
    Letterhead,
    Lines,
    Paper,
    Paragraph,
    Section,
    Span,
    Table,
    Text,
)
from adapter.documents.characters import Shown
from adapter.documents.ruler import Ruler

SIZES: Mapping[str, float] = {
    "body": 12, "intro": 14, "cell": 13, "small": 10, "boxed": 7,
    "title": 16, "list_title": 18, "heading": 14, "header": 12, "footer": 9,
}  # fmt: skip
LARGE_SIZES: Mapping[str, float] = {
    "body": 18, "intro": 18, "cell": 18, "small": 18, "boxed": 12,
    "title": 24, "list_title": 26, "heading": 21, "header": 18, "footer": 12,
}  # fmt: skip
INCH = 72.0  # points
LINE, LANDSCAPE_LINE = 6.5 * INCH, 9 * INCH
INSET = 7.0  # of a cell, at each side
MARKER = 2.2  # em that a number or bullet takes at the most
BOX = 1.4  # em that a check box takes
PAGE, LANDSCAPE_PAGE = 9 * INCH, 6.5 * INCH
KEPT = 0.54  # of the height of a page: a row that is taller may break
LEADING = 1.4  # em from one line to the next, on the large side


def typst_data(paper: Paper, large_print: bool, logo: str, shown: Shown, ruler: Ruler) -> tuple[str, str]:
    """The paper as JSON, and the characters that the fonts cannot show. ``logo`` is its file in the folder of the template, or ""."""
    sizes = LARGE_SIZES if large_print else SIZES
    upright = _Setter(sizes, LINE, PAGE, ruler)
    data = {
        "language": paper.language,
        "title": paper.title,
        "author": paper.author,
        "page": paper.page,
        "large": large_print,
        "sizes": sizes,
        "logo": {"file": logo, "alt": paper.logo} if logo else None,
        "sections": [
            (_Setter(sizes, LANDSCAPE_LINE, LANDSCAPE_PAGE, ruler) if section.landscape else upright).section(section)
            for section in paper.sections
        ],
    }
    return shown(msgspec.json.encode(data).decode())


@dataclass(frozen=True)
class _Setter:
    """Sets the blocks of one section: values of JSON, overlong words made to break."""

    sizes: Mapping[str, float]
    line: float
    page: float
    ruler: Ruler

    def section(self, section: Section) -> dict[str, Any]:
        size = self.sizes["header"]
        return {
            "header": self.ruler.fitted(section.header, size, self.line, bold=True),
            "header_lines": self.ruler.lines(section.header, size, self.line, bold=True),
            "footer": section.footer,
            "landscape": section.landscape,
            "blocks": [{"block": type(block).__name__, **self.block(block)} for block in section.blocks],
        }

    def block(self, block: Block) -> dict[str, Any]:
        """The fields of a block; those that are shown in a narrower line than others are set for it."""
        values = {field.name: getattr(block, field.name) for field in fields(block)}
        match block:
            case Letterhead():
                values["lines"] = self.texts(block.lines, "body", self.line * 0.55)
            case Lines():
                values["lines"] = self.texts(block.lines, "body", self.line)
            case Heading():
                values["text"] = self.ruler.fitted(block.text, self.sizes[block.size], self.line, bold=True)
            case Paragraph():
                values["text"] = self.running(block.text, block.size, self.line)
            case Items():
                values["items"] = [
                    self.running(item, "body", self.line - MARKER * self.sizes["body"]) for item in block.items
                ]
            case Entry():
                values["values"] = self.texts(block.values, "cell", self.line - MARKER * self.sizes["cell"])
            case Fields():
                share = 0.5 if self.sizes is LARGE_SIZES else 0.25  # large print has one pair in a line
                values["pairs"] = [
                    (label, *self.texts((value,), "body", self.line * share)) for label, value in block.pairs
                ]
            case Table():
                values |= self.table(block)
            case _:
                values["text"] = self.running(block.text, "boxed", self.line)
        return values

    def texts(self, texts: tuple[str, ...], size: str, width: float) -> list[str]:
        return [self.ruler.fitted(text, self.sizes[size], width) for text in texts]

    def running(self, text: Text, size: str, width: float) -> list[dict[str, Any]]:
        return [self.span(span, size, width) for span in text]

    def span(self, span: Span, size: str, width: float) -> dict[str, Any]:
        shown = span.text if span.link else self.ruler.fitted(span.text, self.sizes[size], width, span.bold)
        return {"text": shown, "bold": span.bold, "link": span.link}

    def table(self, table: Table) -> dict[str, Any]:
        """The cells of a table, and which of its rows are kept on one page."""
        whole, size = sum(table.widths), self.sizes["cell"]
        widths = [self.line * share / whole - 2 * INSET for share in table.widths]
        return {
            "columns": [
                self.ruler.fitted(label, size, width, bold=True)
                for label, width in zip(table.columns, widths, strict=True)
            ],
            "rows": [[self.cell(cell, width) for cell, width in zip(row, widths, strict=True)] for row in table.rows],
            "kept": [
                max(self.height(cell, width) for cell, width in zip(row, widths, strict=True)) <= KEPT * self.page
                for row in table.rows
            ],
        }

    def cell(self, cell: Any, width: float) -> Any:
        if isinstance(cell, Checks):
            return {"checks": self.texts(cell.items, "cell", width - BOX * self.sizes["cell"])}
        return self.ruler.fitted(cell, self.sizes["cell"], width)

    def height(self, cell: Any, width: float) -> float:
        """The height of a cell in points, on the large side."""
        size = self.sizes["cell"]
        if isinstance(cell, Checks):
            inner = width - BOX * size
            return sum((self.ruler.lines(item, size, inner) * LEADING + 0.6) * size for item in cell.items)
        return self.ruler.lines(cell, size, width) * LEADING * size
