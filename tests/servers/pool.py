"""One server of a kind for all pytest-xdist workers, whichever way the tests are distributed.

The mark xdist_group could keep all tests of a server on one worker, but pytest-xdist 3.8 silently ignores it under
pytest 9.2 (pytest-xdist issue 1386). So the worker that asks first starts the server, and stops it when no other
worker uses it any more; file locks in a folder of the run, which the system drops with the process, keep the account.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import IO

from tests.servers.launch import RunningServer, exclusive_lock


class ServerPool:
    """The servers that one process uses, some of which it started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._uses: list[IO[bytes]] = []
        self._started: dict[str, RunningServer] = {}

    def base_url(self, name: str, start: Callable[[], RunningServer]) -> str:
        """The address of the server of that name, started if no process of this run has it."""
        address = self._file(name, "url")
        with exclusive_lock(self._file(name, "lock")):
            if not address.exists():
                self._started[name] = start()
                address.write_text(self._started[name].base_url, encoding="ascii")
            use = self._file(name, "users").open("ab")
            self._uses.append(use)
            fcntl.flock(use, fcntl.LOCK_SH)
            return address.read_text(encoding="ascii")

    def close(self) -> None:
        """Stops what this process started, each when its last user has gone.

        All own uses end first: two processes that wait for each other's server would wait for ever.
        """
        for use in self._uses:
            use.close()
        for name, server in self._started.items():
            with exclusive_lock(self._file(name, "lock")):
                self._file(name, "url").unlink()
            with exclusive_lock(self._file(name, "users")):
                server.stop()

    def _file(self, name: str, kind: str) -> Path:
        return self.folder / f"{name}.{kind}"
