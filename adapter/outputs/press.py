"""The press of a run: what every paper is set with, laid ready once, and a compiler for each thread.

The compiler reads one template and, for each paper, its data; nothing is written to disk for it but the logo of the plan.
"""

from __future__ import annotations

import shutil
import threading
from datetime import date
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from adapter.documents.blocks import Paper
from adapter.documents.characters import ranges, shown_by
from adapter.documents.ruler import ruler
from adapter.documents.typst_data import typst_data
from adapter.errors import ConfigError
from adapter.outputs.font_files import code_points, font_files
from adapter.outputs.typesetter import TEMPLATE, VERSION, Apart, Typesetter, can_be_read, can_show

FOLDER = Path(__file__).resolve().parents[1] / "documents"
FONTS = FOLDER / "fonts"


class Press:
    """Makes PDFs; may be used by many threads at once, each of which gets a compiler of its own.

    ``logo`` is a picture, ``fonts`` a folder of more fonts for letters that those of the package lack; "" is none.
    """

    def __init__(self, logo: str = "", fonts: str = "") -> None:
        self.logo = f"logo{Path(logo).suffix.lower()}" if logo else ""
        self._fonts = [FONTS, *([Path(fonts)] if fonts else [])]
        coverage = (FONTS / "coverage.txt").read_text(encoding="ascii")
        self._shown = shown_by(coverage, _letters_of(fonts, coverage))
        self._ruler = ruler((FONTS / "advances.txt").read_text(encoding="ascii"))
        self._own = threading.local()
        self._setters: list[Typesetter | Apart] = []
        self._root = TemporaryDirectory(prefix="mtm-press-")
        try:
            self.fingerprint = self._set_up(Path(self._root.name), logo)
        except BaseException:
            self._root.cleanup()
            raise

    def _set_up(self, folder: Path, logo: str) -> str:
        """Lays template and logo into the folder that the compiler reads; the fingerprint of both."""
        shutil.copyfile(FOLDER / "templates" / TEMPLATE, folder / TEMPLATE)
        if logo:
            shutil.copyfile(logo, folder / self.logo)
            if not can_be_read(folder / self.logo, self._fonts):
                raise ConfigError(f"The logo {Path(logo).name} cannot be read as a picture; convert it and try again")
        return self._fingerprint(folder)

    def __enter__(self) -> Press:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for setter in self._setters:
            setter.close()
        self._root.cleanup()

    def data(self, paper: Paper, large_print: bool) -> tuple[str, str]:
        """What the template is given for the paper, and the characters of it that the fonts cannot show, each time that it stands."""
        return typst_data(paper, large_print, self.logo, self._shown, self._ruler)

    def pdf(self, data: str, on: date) -> bytes:
        """The PDF of what ``data`` made; equal data and day give equal bytes. Raises ConformanceError when it is not PDF/UA-1."""
        if not hasattr(self._own, "setter"):
            kind = Apart if getattr(self._own, "apart", False) else Typesetter
            self._own.setter = kind(Path(self._root.name), self._fonts)
            self._setters.append(self._own.setter)
        made: bytes = self._own.setter.pdf(data, on)
        return made

    def set_apart(self) -> None:
        """From now on this thread has its papers set in a process of its own, which starts with the first paper."""
        self._own.apart = True

    def _fingerprint(self, folder: Path) -> str:
        """A hash of all that shapes a PDF beside its data: template, logo, fonts, compiler."""
        fonts = [path for one in self._fonts for path in font_files(str(one))]
        digest = sha256(VERSION.encode())
        for path in (*sorted(folder.iterdir()), *fonts):
            digest.update(path.read_bytes())
        return digest.hexdigest()


def _letters_of(fonts: str, coverage: str) -> list[int]:
    """The code points of all fonts in a folder. Raises ConfigError for one that cannot be used."""
    own = {code for first, last in ranges(coverage) for code in range(first, last + 1)}
    found: list[int] = []
    for path in font_files(fonts):
        known = code_points(path)
        letter = next((chr(code) for code in known if code not in own and chr(code).isalpha()), "")
        if letter and not can_show(letter, [FONTS, path.parent]):
            raise ConfigError(f"The compiler cannot use the font {path.name}; take it out of the folder of fonts")
        found += known
    return found
