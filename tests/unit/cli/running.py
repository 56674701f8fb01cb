"""The command line run in this process just as it is run by name: the exit code, and what stands on each of its streams."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from adapter.cli.main import main


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one line on standard error that tells an expected fault."""
        [line] = self.err.splitlines()
        return line.removeprefix("mtm-adapter: ")


def run(*arguments: object) -> Ran:
    before, sys.argv = sys.argv, ["mtm-adapter", *map(str, arguments)]
    out, err = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        return Ran(int(end.code or 0), out.getvalue(), err.getvalue())
    finally:
        sys.argv = before
    raise AssertionError("the command line always exits with a code")
