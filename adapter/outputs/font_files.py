"""Which letters a font file can show, read from its table ``cmap`` (OpenType 1.9, the subtables of format 4 and 12)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import error as StructError
from struct import unpack_from

from adapter.errors import ConfigError

UNICODE = {(0, 3), (0, 4), (0, 6), (3, 1), (3, 10)}  # platform and encoding of the subtables that map Unicode


def font_files(folder: str) -> list[Path]:
    """The font files in a folder, in order; none for ""."""
    return sorted(Path(folder).glob("*.[to]tf")) if folder else []


def code_points(path: Path) -> list[int]:
    """The code points that the font has a glyph for, in order. Raises ConfigError when the file is no font."""
    try:
        return sorted(set(_mapped(path.read_bytes())))
    except (StructError, ValueError):
        raise ConfigError(f"The font {path.name} cannot be read; give a .ttf or .otf file that maps Unicode") from None


def _mapped(font: bytes) -> Iterator[int]:
    start = _table(font, b"cmap")
    (number,) = unpack_from(">H", font, start + 2)
    records = [unpack_from(">HHI", font, start + 4 + 8 * n) for n in range(number)]
    subtables = {start + offset for platform, encoding, offset in records if (platform, encoding) in UNICODE}
    if not subtables:
        raise ValueError
    for subtable in subtables:
        (form,) = unpack_from(">H", font, subtable)
        if form == 12:
            yield from _format_12(font, subtable)
        elif form == 4:
            yield from _format_4(font, subtable)


def _table(font: bytes, name: bytes) -> int:
    """Where a table begins."""
    (number,) = unpack_from(">H", font, 4)
    for n in range(number):
        tag, _, offset, _ = unpack_from(">4sIII", font, 12 + 16 * n)
        if tag == name:
            return int(offset)
    raise ValueError


def _format_12(font: bytes, at: int) -> Iterator[int]:
    (groups,) = unpack_from(">I", font, at + 12)
    for n in range(groups):
        first, last, glyph = unpack_from(">III", font, at + 16 + 12 * n)
        yield from range(first + (glyph == 0), last + 1)


def _format_4(font: bytes, at: int) -> Iterator[int]:
    (twice,) = unpack_from(">H", font, at + 6)
    for n in range(0, twice, 2):
        (last,) = unpack_from(">H", font, at + 14 + n)
        (first,) = unpack_from(">H", font, at + 16 + twice + n)
        (delta,) = unpack_from(">H", font, at + 16 + 2 * twice + n)
        place = at + 16 + 3 * twice + n
        (offset,) = unpack_from(">H", font, place)
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = unpack_from(">H", font, place + offset + 2 * (code - first))[0] if offset else code
            if glyph and (glyph + delta) & 0xFFFF:
                yield code
