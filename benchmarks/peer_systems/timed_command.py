"""The `ratchet` command, with what it did when: ``timed_command.py NOTES_FILE COMMAND...``.

Notes its seconds, from when its own modules are imported to its end, and each step that it reports as progress, with
the wall-clock time.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from service.cli import main
from service.commands import improving

steps: list[tuple[float, str]] = []


@contextmanager
def note_events(title: str, kept: str = "") -> Iterator[Any]:
    """Stands in for the progress bar, which shows nothing here."""

    def tell(text: str = "", done: int | None = None, total: int | None = None) -> None:
        if not steps or steps[-1][1] != text:
            steps.append((time.time(), text))

    yield tell


if __name__ == "__main__":
    notes_file = Path(sys.argv.pop(1))
    improving.progress = note_events
    started = time.perf_counter()
    try:
        main()
    finally:
        notes = {"inside": round(time.perf_counter() - started, 3), "steps": steps}
        notes_file.write_text(json.dumps(notes), encoding="utf-8")
