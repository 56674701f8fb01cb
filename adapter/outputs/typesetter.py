"""One compiler of Typst: papers as PDF/UA-1, with the fonts of the package and no others of the system.

The only module that knows Typst. ``Typesetter`` works in this process, ``Apart`` in one of its own: the compiler spreads each paper
over all cores, which costs a third more than to set one paper on each core, so a batch uses one process for each core.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Literal

import msgspec
import typst

from adapter.errors import ConformanceError, SinkError

TEMPLATE = "paper.typ"
STANDARD: Literal["ua-1"] = "ua-1"  # PDF/UA-1, ISO 14289-1: the compiler refuses a paper that does not conform
VERSION = version("typst")
_START = "import sys; from adapter.outputs.typesetter import serve; serve(sys.argv[1], sys.argv[2:])"


class Ask(msgspec.Struct):
    """A paper to be set: its data and day."""

    data: str
    on: date


class Told(msgspec.Struct):
    """What became of it: so many bytes follow, or the fault."""

    size: int = 0
    fault: str = ""


class Typesetter:
    """A compiler that reads the template in ``folder`` and all fonts in ``fonts``; for one thread at a time."""

    def __init__(self, folder: Path, fonts: Sequence[Path]) -> None:
        self._compiler = typst.Compiler(
            input=folder / TEMPLATE, root=folder, font_paths=_known(fonts), ignore_system_fonts=True
        )

    def pdf(self, data: str, on: date) -> bytes:
        """The PDF of ``data``; equal data and day give equal bytes. Raises ConformanceError when it is not PDF/UA-1."""
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

    def close(self) -> None:
        """Nothing is held."""


class Apart:
    """A ``Typesetter`` in a process of its own, on one core; for one thread at a time. It ends with this process, however that ends."""

    def __init__(self, folder: Path, fonts: Sequence[Path]) -> None:
        paths = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(  # noqa: S603  # this interpreter and this module
            [sys.executable, "-P", "-c", _START, str(folder), *map(str, fonts)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths, "RAYON_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C is for the process that asks
        )

    @property
    def number(self) -> int:
        """The number of the process."""
        return self._process.pid

    def pdf(self, data: str, on: date) -> bytes:
        """As of ``Typesetter``. Raises SinkError when the process ended."""
        given, taken = self._process.stdin, self._process.stdout
        assert given is not None  # noqa: S101  # both are pipes
        assert taken is not None  # noqa: S101
        try:
            given.write(msgspec.json.encode(Ask(data, on)) + b"\n")
            given.flush()
            told = msgspec.json.decode(taken.readline() or b'{"fault":""}', type=Told)
            made = taken.read(told.size)
        except BrokenPipeError:
            told, made = Told(), b""
        if told.fault:
            raise ConformanceError(told.fault)
        if not made or len(made) < told.size:
            raise SinkError(
                f"A process that sets papers ended (code {self._process.wait()}); run the same command again, with fewer"
                " --workers when memory is short"
            )
        return made

    def close(self) -> None:
        """Ends the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                _close(stream)
        self._process.wait()


def serve(folder: str, fonts: Sequence[str]) -> None:
    """Sets the papers that are asked for on standard input, until it ends."""
    setter = Typesetter(Path(folder), [Path(one) for one in fonts])
    for line in sys.stdin.buffer:
        ask = msgspec.json.decode(line, type=Ask)
        try:
            made = setter.pdf(ask.data, ask.on)
            told = Told(len(made))
        except ConformanceError as error:
            made, told = b"", Told(fault=str(error))
        try:
            sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n" + made)
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # nobody asks any more; what is left to write goes nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return


def _close(stream: IO[bytes]) -> None:
    with suppress(BrokenPipeError):  # the process ended before it took what it was sent
        stream.close()


def can_be_read(picture: Path, fonts: Sequence[Path]) -> bool:
    """Whether the compiler can read the picture; text in it is set in the fonts of these folders."""
    return _is_set(f'#image("{picture.name}", alt: "logo")', fonts, picture.parent)


def can_show(letter: str, fonts: Sequence[Path]) -> bool:
    """Whether the compiler finds the letter in the fonts of these folders."""
    with TemporaryDirectory(prefix="mtm-press-") as folder:
        return _is_set(f'#set text(font: "Liberation Sans")\n{letter}', fonts, Path(folder))


def _is_set(text: str, fonts: Sequence[Path], folder: Path) -> bool:
    """Whether ``text`` can be set as PDF/UA-1; its file is laid into the folder for that and taken away again."""
    tried = folder / "tried.typ"
    tried.write_text(f'#set document(title: "tried")\n{text}', encoding="utf-8")
    try:
        known = _known(fonts)
        typst.compile(
            tried, root=folder, font_paths=known, ignore_system_fonts=True, format="pdf", pdf_standards=[STANDARD]
        )
    except typst.TypstError:
        return False
    finally:
        tried.unlink()
    return True


def _known(fonts: Sequence[Path]) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=list(fonts))


def _without_content(error: typst.TypstError) -> str:
    """The message of the compiler without what it quotes: that may be the name of a person."""
    return "`".join(part for n, part in enumerate(error.message.split("`")) if n % 2 == 0).replace("``", "`…`")
