"""Papers to PDF by Typst: PDF/UA-1, tagged, with the fonts of the package and no others.

The only module that knows Typst. The compiler reads one template and, for each paper, its data; nothing is written to disk for it
but the logo of the plan.
"""

from __future__ import annotations

import shutil
import threading
from datetime import UTC, date, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Literal

import typst

from adapter.documents.blocks import Paper
from adapter.documents.characters import shown_by
from adapter.documents.ruler import ruler
from adapter.documents.typst_data import typst_data
from adapter.errors import ConfigError, ConformanceError

FOLDER = Path(__file__).resolve().parents[1] / "documents"
TEMPLATE = "paper.typ"
STANDARD: Literal["ua-1"] = "ua-1"  # PDF/UA-1, ISO 14289-1: the compiler refuses a paper that does not conform


class Press:
    """Makes PDFs; may be used by many threads at once, each of which gets a compiler of its own."""

    def __init__(self, logo: str = "") -> None:
        self.logo = f"logo{Path(logo).suffix.lower()}" if logo else ""
        self._fonts = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[FOLDER / "fonts"]
        )
        self._shown = shown_by((FOLDER / "fonts" / "coverage.txt").read_text(encoding="ascii"))
        self._ruler = ruler((FOLDER / "fonts" / "advances.txt").read_text(encoding="ascii"))
        self._own = threading.local()
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
        fingerprint = self._fingerprint(folder)
        if logo:
            self._try_logo(logo)
        return fingerprint

    def __enter__(self) -> Press:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._root.cleanup()

    def data(self, paper: Paper, large_print: bool) -> tuple[str, int]:
        """What the template is given for the paper, and how many characters of it the fonts cannot show."""
        return typst_data(paper, large_print, self.logo, self._shown, self._ruler)

    def pdf(self, data: str, on: date) -> bytes:
        """The PDF of what ``data`` made; equal data and day give equal bytes. Raises ConformanceError when it is not PDF/UA-1."""
        try:
            made = self._compiler.compile(
                format="pdf",
                pdf_standards=[STANDARD],
                sys_inputs={"data": data},
                timestamp=datetime(on.year, on.month, on.day, tzinfo=UTC),
            )
        except typst.TypstError as error:
            raise ConformanceError(f"A paper cannot be set as PDF/UA-1: {_without_content(error)}") from None
        assert isinstance(made, bytes)  # noqa: S101  # one file is asked for, of one format
        return made

    @property
    def _compiler(self) -> typst.Compiler:
        """The compiler of this thread."""
        if not hasattr(self._own, "compiler"):
            folder = Path(self._root.name)
            self._own.compiler = typst.Compiler(
                input=folder / TEMPLATE, root=folder, font_paths=self._fonts, ignore_system_fonts=True
            )
        compiler: typst.Compiler = self._own.compiler
        return compiler

    def _try_logo(self, logo: str) -> None:
        tried = Path(self._root.name) / "logo.typ"
        tried.write_text(f'#image("{self.logo}", alt: "logo")', encoding="ascii")
        try:
            typst.compile(tried, root=tried.parent, font_paths=self._fonts, ignore_system_fonts=True, format="pdf")
        except typst.TypstError:
            raise ConfigError(
                f"The logo {Path(logo).name} cannot be read as a picture; convert it and try again"
            ) from None

    def _fingerprint(self, folder: Path) -> str:
        """A hash of all that shapes a PDF beside its data: template, logo, fonts, compiler."""
        files = [*sorted(path for path in folder.iterdir()), *sorted((FOLDER / "fonts").glob("*.ttf"))]
        digest = sha256(version("typst").encode())
        for path in files:
            digest.update(path.read_bytes())
        return digest.hexdigest()


def _without_content(error: typst.TypstError) -> str:
    """The message of the compiler without what it quotes: that may be the name of a person."""
    return "`".join(part for n, part in enumerate(error.message.split("`")) if n % 2 == 0).replace("``", "`…`")
