"""Standard output under ``--json``: one object, and nothing that other people's code prints."""

import os
import sys
from typing import TextIO


class OnlyJson:
    """Keeps standard output for our own object. Whatever else is written there goes to standard error.

    The file descriptor is turned too, so that C libraries and child processes are caught as well.
    """

    def __init__(self) -> None:
        self._kept: TextIO | None = None
        self._stdout = sys.stdout

    def choose(self, chosen: bool) -> bool:
        """For the option ``--json``: it begins while arguments are read, before anybody's code is loaded."""
        if chosen:
            self.begin()
        return chosen

    def begin(self) -> None:
        """From now on; a second time changes nothing."""
        if self._kept is not None:
            return
        self._stdout = sys.stdout
        self._stdout.flush()
        self._kept = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
        os.dup2(2, 1)
        sys.stdout = sys.stderr

    def end(self) -> None:
        """Give standard output back, for a process that runs several commands."""
        if self._kept is None:
            return
        sys.stdout = self._stdout
        sys.stdout.flush()
        self._kept.flush()
        os.dup2(self._kept.fileno(), 1)
        self._kept.close()
        self._kept = None

    def write(self, line: str) -> None:
        """Print a line of ours."""
        stream = self._kept or sys.stdout
        stream.write(line + "\n")
        stream.flush()


only_json = OnlyJson()
