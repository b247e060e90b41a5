"""What commands print: one JSON object for programs, tables and progress for people."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from service.machine import only_json

out = Console(markup=False, emoji=False)
"""Results. Names and outputs are printed as they are, also those that look like markup."""
err = Console(stderr=True, markup=False, emoji=False)
"""Progress, warnings and errors: never mixed into what a program reads."""

Tell = Callable[..., None]
"""Called with ``text`` and, where it is known, ``done`` and ``total``."""


def print_json(data: dict[str, Any]) -> None:
    """The one object a ``--json`` command prints."""
    only_json.write(json.dumps(data, ensure_ascii=False, default=str))


@contextmanager
def progress(title: str) -> Iterator[Tell]:
    """A progress bar on a terminal, nothing elsewhere."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(title, total=None)

        def tell(text: str = "", done: int | None = None, total: int | None = None) -> None:
            bar.update(task, description=f"{title}: {text}" if text else title, completed=done or 0, total=total)

        yield tell


def percent(rate: float | None) -> str:
    """A rate for people."""
    return "-" if rate is None else f"{100 * rate:.1f} %"
