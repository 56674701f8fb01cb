"""A paper as one HTML file that needs no other: language, headings, scopes of tables, and a style for print.

Every text is escaped; the page loads nothing and runs no script (its Content-Security-Policy says so too).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from adapter.documents.blocks import (
    Block,
    Boxed,
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
)

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root { font: 12pt/1.4 Arial, "Liberation Sans", Helvetica, sans-serif; color: #000; background: #fff; }
body { margin: 0 auto; max-width: 52rem; padding: 1rem; overflow-wrap: anywhere; }
body.large { font-size: 18pt; }
section + section { border-top: 1px solid #767676; margin-top: 2rem; padding-top: 1rem; }
h1, h2, h3 { line-height: 1.2; margin: 1.2em 0 .5em; break-after: avoid; }
.title { font-size: 1.33em; } .list_title { font-size: 1.5em; } .heading { font-size: 1.17em; }
.intro { font-size: 1.17em; } .large .intro { font-size: 1em; } .small { font-size: .84em; } .large .small { font-size: 1em; }
.top { font-weight: bold; } .foot { font-size: .84em; }
.logo { display: block; height: .6in; max-width: 100%; object-fit: contain; object-position: left; }
.held { break-inside: avoid; break-after: avoid; }
.sign { margin-top: 3em; }
table { border-collapse: collapse; width: 100%; margin: 1em 0; font-size: 1.08em; table-layout: fixed; } .large table { font-size: 1em; }
th, td { border: 1px solid #000; padding: .5em; text-align: left; vertical-align: top; font-weight: normal; }
thead { display: table-header-group; } thead th { background: #e6e6e6; font-weight: bold; } tr { break-inside: avoid; }
tr.blank td { height: 2em; }
ul.checks { list-style: none; margin: 0; padding: 0; } ul.checks li { margin: .3em 0; }
label { display: flex; gap: .6em; } input { flex: none; width: 1em; height: 1em; margin: .2em 0 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .4em 1em; } dt { font-weight: bold; } dd { margin: 0; }
.line { border-bottom: 1px solid #000; display: block; height: 1.6em; }
.boxed { border: 1px solid #000; padding: .5em; font-size: .75em; }
a { color: #0b3d91; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@page { size: letter; margin: 1in; } @page wide { size: letter landscape; margin: 1in; }
@media print {
  body { max-width: none; padding: 0; line-height: 1.3; } section + section { border: 0; margin: 0; padding: 0; break-before: page; }
  p, ul, ol, dl { margin: .5em 0; orphans: 2; widows: 2; } h1, h2, h3 { margin: .7em 0 .3em; } th, td { padding: .35em; }
  thead, .entry, .boxed, li { break-inside: avoid; } .foot, .sign { break-before: avoid; } .top { margin-top: 0; }
  section.wide { page: wide; } .boxed { font-size: 7pt; } .large .boxed { font-size: 12pt; }
}
"""


def html(paper: Paper, large_print: bool = False, logo: str = "") -> str:
    """The paper as HTML. ``logo`` is the picture as a data URL, or "" without one."""
    tops = [
        block
        for section in paper.sections
        for block in section.blocks
        if isinstance(block, Heading) and block.level == 1
    ]
    alone = len(tops) == 1  # a document has one h1: its own title, or a hidden one above the titles of its sections
    hidden = "" if alone else f'<h1 class="hidden">{escape(paper.title)}</h1>'
    page = _Page(paper, logo, 0 if alone else 1)
    body = "".join(page.section(section) for section in paper.sections)
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(paper.language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="author" content="{escape(paper.author)}">\n<title>{escape(paper.title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n"
        f"<body{_class('large', large_print)}>\n<main>\n{hidden}{body}</main>\n</body>\n</html>\n"
    )


class _Page:
    """The blocks of one paper as HTML."""

    def __init__(self, paper: Paper, logo: str, deeper: int) -> None:
        self.paper = paper
        self.logo = logo
        self.deeper = deeper
        self.fill_in = f'<span class="hidden">({escape(paper.fill_in)})</span>'
        self.shown: Mapping[type[Any], Callable[[Any], str]] = {
            Letterhead: self.letterhead,
            Lines: self.lines,
            Heading: self.heading,
            Paragraph: self.paragraph,
            Items: self.items,
            Table: self.table,
            Entry: self.entry,
            Fields: self.fields,
            Boxed: self.boxed,
        }

    def section(self, section: Section) -> str:
        top = f'<p class="top">{escape(section.header)}</p>\n' if section.header else ""
        foot = f'<p class="foot">{escape(section.footer)}</p>\n' if section.footer else ""
        blocks = "".join(self.block(block) for block in section.blocks)
        return f"<section{_class('wide', section.landscape)}>\n{top}{blocks}{foot}</section>\n"

    def block(self, block: Block) -> str:
        return self.shown[type(block)](block) + "\n"

    def letterhead(self, block: Letterhead) -> str:
        picture = f'<img class="logo" src="{escape(self.logo)}" alt="{escape(self.paper.logo)}">' if self.logo else ""
        return f"{picture}<p>{_broken(block.lines)}</p><p>{escape(block.date)}</p>"

    def lines(self, block: Lines) -> str:
        closing = f"<p>{escape(block.closing)}</p>" if block.closing else ""
        return f"{closing}<p{_class('sign', bool(closing))}>{_broken(block.lines)}</p>"

    def heading(self, block: Heading) -> str:
        level = block.level + self.deeper
        return f'<h{level} class="{block.size}">{escape(block.text)}</h{level}>'

    def paragraph(self, block: Paragraph) -> str:
        return f'<p class="{block.size}{" held" if block.held else ""}">{_running(block.text)}</p>'

    def items(self, block: Items) -> str:
        kind = "ol" if block.numbered else "ul"
        return f"<{kind}>{''.join(f'<li>{_running(item)}</li>' for item in block.items)}</{kind}>"

    def table(self, block: Table) -> str:
        whole = sum(block.widths)
        cols = "".join(f'<col style="width:{share / whole:.1%}">' for share in block.widths)
        head = "".join(f'<th scope="col">{escape(label)}</th>' for label in block.columns)
        rows = "".join(f"<tr>{self.row(row)}</tr>" for row in block.rows)
        first = f"<td>{self.fill_in}</td>"
        blank = f'<tr class="blank">{first}{"<td></td>" * (len(block.columns) - 1)}</tr>' * block.blank
        return f"<table><colgroup>{cols}</colgroup><thead><tr>{head}</tr></thead><tbody>{rows}{blank}</tbody></table>"

    def row(self, row: Sequence[Any]) -> str:
        """The cells; the first names its row."""
        rest = "".join(f"<td>{_cell(cell)}</td>" for cell in row[1:])
        return f'<th scope="row">{_cell(row[0])}</th>{rest}'

    def entry(self, block: Entry) -> str:
        line = f'<span class="line">{self.fill_in}</span>'
        label = f"<strong>{escape(block.label)}</strong>"
        if len(block.values) > 1:
            items = "".join(f"<li>{escape(value)}</li>" for value in block.values)
            return f'<p class="held">{label}</p><ul>{items}</ul>{line * block.blank}'
        return f'<p class="entry">{label} {"".join(map(escape, block.values))}{line * block.blank}</p>'

    def fields(self, block: Fields) -> str:
        line = f'<span class="line">{self.fill_in}</span>'
        pairs = (
            f"<dt>{escape(label)}</dt><dd>{escape(value) if value.strip() else line}</dd>"
            for label, value in block.pairs
        )
        return f"<dl>{''.join(pairs)}</dl>"

    def boxed(self, block: Boxed) -> str:
        return f'<p class="boxed">{_running(block.text)}</p>'


def _cell(cell: Any) -> str:
    if isinstance(cell, Checks):
        items = (f'<li><label><input type="checkbox">{escape(item)}</label></li>' for item in cell.items)
        return f'<ul class="checks">{"".join(items)}</ul>'
    return escape(cell)


def _class(name: str, given: bool) -> str:
    return f' class="{name}"' if given else ""


def _broken(lines: Sequence[str]) -> str:
    return "<br>".join(map(escape, lines))


def _running(text: Sequence[Span]) -> str:
    return "".join(map(_span, text))


def _span(span: Span) -> str:
    shown = f"<strong>{escape(span.text)}</strong>" if span.bold else escape(span.text)
    return f'<a href="{escape(span.link)}">{shown}</a>' if span.link else shown
