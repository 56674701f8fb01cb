"""Pictures as SVG, drawn here without a library: grouped bars and a matrix, readable in print, on a dark page and by ear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 900
LEFT = 210  # where bars and matrix begin; labels stand left of it
EDGE = 32
LONGEST_BAR = 560
BAR, GAP, BETWEEN = 16, 3, 14  # height of a bar, between two of one group, between groups
CELL_HEIGHT = 46
LONGEST_TITLE, LONGEST_NAME = 62, 105  # characters that fit on a line
# Okabe and Ito's colors, told apart by the color-blind; each bar has its figure beside it all the same.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
INK, FAINT, LINE = "#1b1f24", "#57606a", "#d0d7de"
STAYED, MOVED = (208, 215, 222), (224, 122, 47)  # tints of the matrix: grey where nothing changed


@dataclass(frozen=True)
class Bars:
    """One block of grouped bars: a heading, and per label one value of each series."""

    heading: str
    values: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Matrix:
    """How many went from one label by the first series (row) to another by the second (column)."""

    labels: Sequence[str]
    counts: Mapping[tuple[str, str], int]


def picture(
    title: str, subtitle: str, description: str, series: Sequence[str], blocks: Sequence[Bars], matrix: Matrix
) -> str:
    """An SVG document: title, legend of ``series``, the blocks of bars on one scale, and the matrix. Equal values give equal text."""
    parts = [_text(EDGE, 44, _short(title, LONGEST_TITLE), 22, weight="600"), _text(EDGE, 68, subtitle, 13, FAINT)]
    y = 96
    for place, name in enumerate(series):
        parts.append(_rect(EDGE, y - 11, 14, 14, COLORS[place % len(COLORS)]))
        parts.append(_text(EDGE + 22, y + 1, letter(place), 14, weight="600"))
        parts.append(_text(EDGE + 40, y + 1, _short(name, LONGEST_NAME), 14))
        y += 24
    largest = max((value for block in blocks for values in block.values.values() for value in values), default=0)
    for block in blocks:
        drawn, y = _bars(block, largest, y + 18)
        parts += drawn
    drawn, y = _matrix(matrix, y + 18)
    parts += drawn
    return _document(title, description, y + EDGE, parts)


def bars(title: str, description: str, block: Bars, whole: int) -> str:
    """An SVG document of one block of bars, to stand under a heading of a page, each with its share of ``whole``.

    The longest bar there can be is the whole. Equal values give equal text.
    """
    drawn, y = _bars(block, whole, 18, whole)
    return _document(title, description, y, drawn)


def _document(title: str, description: str, height: int, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        "aria-labelledby=\"title desc\" font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\">"
    )
    named = f'<title id="title">{escape(title)}</title>\n<desc id="desc">{escape(description)}</desc>'
    return "\n".join([head, named, _rect(0, 0, WIDTH, height, "#ffffff", radius=0), *parts, "</svg>", ""])


def _bars(block: Bars, largest: int, y: int, whole: int = 0) -> tuple[list[str], int]:
    parts, y = _heading(block.heading, y)
    for label, values in block.values.items():
        height = len(values) * (BAR + GAP) - GAP
        parts.append(_text(LEFT - 14, y + height / 2 + 5, label, 14, anchor="end"))
        for place, value in enumerate(values):
            top = y + place * (BAR + GAP)
            long = round(LONGEST_BAR * value / largest, 1) if largest else 0
            parts.append(_rect(LEFT, top, max(long, 1.5), BAR, COLORS[place % len(COLORS)], radius=2))
            share = f" ({value / whole * 100:.1f} %)" if whole else ""
            parts.append(_text(LEFT + long + 8, top + 13, f"{value:,}{share}", 13))
        y += height + BETWEEN
    return parts, y


def _matrix(matrix: Matrix, y: int) -> tuple[list[str], int]:
    parts, y = _heading(f"Moves from {letter(0)} to {letter(1)}", y)
    width = (WIDTH - EDGE - LEFT) // len(matrix.labels)
    parts.append(_text(LEFT + 2, y + 6, f"by {letter(1)} →", 13, FAINT))
    parts.append(_text(LEFT - 14, y + 28, f"by {letter(0)} ↓", 13, FAINT, anchor="end"))
    largest = max(matrix.counts.values(), default=0)
    for place, label in enumerate(matrix.labels):
        parts.append(_text(LEFT + (place + 0.5) * width, y + 28, label, 13, anchor="middle", weight="600"))
    y += 40
    for before in matrix.labels:
        parts.append(_text(LEFT - 14, y + CELL_HEIGHT / 2 + 5, before, 13, anchor="end", weight="600"))
        for place, after in enumerate(matrix.labels):
            parts += _cell(
                LEFT + place * width, y, width, matrix.counts.get((before, after), 0), largest, before == after
            )
        y += CELL_HEIGHT
    return parts, y


def _cell(x: int, y: int, width: int, count: int, largest: int, stayed: bool) -> list[str]:
    strength = (0.25 + 0.75 * count / largest) if count else 0
    tint = STAYED if stayed else MOVED
    color = "#%02x%02x%02x" % tuple(round(255 - (255 - part) * strength) for part in tint)  # noqa: UP031
    ink = FAINT if not count else INK
    box = _rect(x + 2, y + 2, width - 4, CELL_HEIGHT - 4, color, radius=4, line=LINE)
    return [
        box,
        _text(x + width / 2, y + CELL_HEIGHT / 2 + 6, f"{count:,}", 16, ink, "middle", "600" if count else "400"),
    ]


def _heading(text: str, y: int) -> tuple[list[str], int]:
    rule = f'<line x1="{EDGE}" y1="{y + 16}" x2="{WIDTH - EDGE}" y2="{y + 16}" stroke="{LINE}"/>'
    return [_text(EDGE, y + 6, text, 16, weight="600"), rule], y + 32


def letter(place: int) -> str:
    """The letter by which the series in that place is called, from A."""
    return chr(ord("A") + place)


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _text(
    x: float, y: float, text: str, size: int, color: str = INK, anchor: str = "start", weight: str = "400"
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{color}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )


def _rect(x: float, y: float, width: float, height: float, color: str, radius: int = 3, line: str = "") -> str:
    stroke = f' stroke="{line}"' if line else ""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius}" fill="{color}"{stroke}/>'
