"""What commands print, and the one printer for it: one JSON object for programs, tables and lines for people.

Text of users and models goes to the terminal nowhere else. Whatever could steer a terminal, turn the direction of
writing or hide is shown as an escape, and so is what the terminal's encoding lacks. No markup is read from it.
"""

import io
import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from rich.box import Box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from service.machine import only_json

_PLAIN = "\x00-\x7f"
_JOINERS = "\u200c\u200d"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # controls; tab and line break are seen
    "|[\xad\u034f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]"
    "|[\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f\ud800-\udfff]"
    f"|(?<![^{_PLAIN}{_JOINERS}])[{_JOINERS}]|[{_JOINERS}](?![^{_PLAIN}{_JOINERS}])"
    f"|(?<=[{_SELECTORS}])[{_SELECTORS}]"
)
"""What is not seen, or moves what is seen. A joiner may stay between letters of scripts that need it, or in an emoji,
and so may one variation selector behind a character."""
_BREAKS = re.compile(f"[\t\n]|{HIDDEN.pattern}")
_BOX = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
LINE_SECONDS = 10.0
"""Between two lines on long work where there is no terminal."""
_LONGEST_ID = 24
"""Columns that an id takes in one line; longer ones, which users gave, are folded."""

Tell = Callable[..., None]
"""Called with ``text`` and, where it is known, ``done`` and ``total``."""


class InterruptError(Exception):
    """A person ended the command; the message says what is kept and how to go on."""


def visible(text: str) -> str:
    """`text` with what could steer a terminal or hide shown as an escape; tabs and line breaks stay."""
    return HIDDEN.sub(_escape, text.replace("\r\n", "\n"))


def one_line(text: object) -> str:
    """`visible` in one line, so that data cannot look like a line of its own."""
    return _BREAKS.sub(_escape, str(text))


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


class Printer(Console):
    """A console that shows no text as more than text, see `visible`."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False)

    def plain(self, text: str) -> str:
        """`visible`, with escapes for what the encoding of this console lacks."""
        return visible(text).encode(self.encoding, "backslashreplace").decode(self.encoding)

    def render_str(self, text: str, **options: Any) -> Text:
        """A string as rich lays it out: in a table, or printed by itself."""
        return super().render_str(self.plain(text), **options | {"markup": False, "emoji": False})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """All that is printed comes by here, also what was laid out as it is."""
        for segment in super().render(renderable, options):
            if segment.control or not HIDDEN.search(segment.text):
                yield segment
            else:
                yield Segment(visible(segment.text), segment.style)


out = Printer()
"""Results."""
err = Printer(stderr=True)
"""Progress, warnings and errors: never mixed into what a program reads."""


class LogHandler(logging.Handler):
    """Log records as lines on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one."""
        level = record.levelname.lower()
        err.print(words((f"{level}:", "bold"), f" {one_line(record.getMessage())}"), soft_wrap=True)
        if record.exc_info:
            trace = (self.formatter or logging.Formatter()).formatException(record.exc_info)
            err.print(cell(trace), soft_wrap=True)


def prepare_streams() -> None:
    """Let both streams show an escape for what their encoding lacks, whoever writes to them. Where whoever started the
    command has closed the output, it goes nowhere."""
    given: TextIO | None = sys.stdout
    if given is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush_output() -> None:
    """Write what is left to write now, where a failure can still be told. A reader that has gone away is none.

    Raises:
        OSError: it cannot be written. What is left is given up, so that Python does not try once more at its end.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError):
            raise


def cell(text: object, style: str = "") -> Text:
    """Foreign text as it is laid out: without colours of its own, line breaks kept."""
    return Text(out.plain(str(text)), style)


def line(text: object, style: str = "") -> Text:
    """Foreign text that has to stay in one line."""
    return Text(out.plain(one_line(text)), style)


def words(*parts: str | tuple[str, str]) -> Text:
    """Parts side by side, some with a style."""
    return Text.assemble(*(out.plain(part) if isinstance(part, str) else cell(*part) for part in parts))


class Grid(Table):
    """A table without frames, so that most of the width is for what it says, between a heading and a note."""

    def __init__(self, *columns: Column, title: str = "", spaced: bool = False) -> None:
        """`spaced`: blank lines between rows."""
        super().__init__(*columns, box=_BOX, show_edge=False, show_lines=spaced, pad_edge=False, padding=(0, 1, 0, 0))
        self.heading = title
        self.note = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Heading and note are as wide as the console, not as the table."""
        if self.heading:
            yield line(self.heading, "bold")
        yield from super().__rich_console__(console, options)
        if self.note:
            yield line(self.note, "italic")


def ids(name: str, shown: Iterable[str]) -> Column:
    """A column of ids: they are what the next command needs, so that none is ever cut."""
    return Column(name, no_wrap=all(len(text) <= _LONGEST_ID for text in shown), overflow="fold")


def whole(name: str, *, right: bool = False) -> Column:
    """A column of short texts that are never cut or wrapped: numbers, times, states."""
    return Column(name, no_wrap=True, overflow="fold", justify="right" if right else "left")


def wide(name: str) -> Column:
    """A column of foreign text, broken anywhere rather than cut."""
    return Column(name, overflow="fold")


def print_json(data: dict[str, Any]) -> None:
    """The one object a ``--json`` command prints. What could steer a terminal stands in it as JSON's own escapes."""
    text = json.dumps(data, ensure_ascii=not out.encoding.startswith("utf"), default=str)
    only_json.write(re.sub(f"[{_JOINERS}]|{HIDDEN.pattern}", _json_escape, text))


def _json_escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1] if found[0] != "\x7f" else "\\u007f"


@contextmanager
def progress(title: str, kept: str = "nothing was changed") -> Iterator[Tell]:
    """A progress bar on a terminal, elsewhere a line now and then. `kept`: what is said where a person ends it.

    Raises:
        InterruptError: a person ended it.
    """
    try:
        with _bar(title) if err.is_terminal else _lines(title) as tell:
            yield tell
    except KeyboardInterrupt as error:
        raise InterruptError(f"interrupted: {kept}") from error


@contextmanager
def _lines(title: str) -> Iterator[Tell]:
    """What takes long is told in a log too: a line every `LINE_SECONDS`, so that short work stays silent."""
    start = last = time.monotonic()

    def tell(text: str = "", done: int | None = None, total: int | None = None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < LINE_SECONDS:
            return
        last = now
        counts = f" {done or 0}/{total}" if total else ""
        err.print(line(f"{title}: {text}{counts}, {now - start:.0f} s"), soft_wrap=True)

    yield tell


@contextmanager
def _bar(title: str) -> Iterator[Tell]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, expand=True) as bar:
        task = bar.add_task(one_line(title), total=None)

        def tell(text: str = "", done: int | None = None, total: int | None = None) -> None:
            told = one_line(f"{title}: {text}" if text else title)
            bar.update(task, description=told, completed=done or 0, total=total)

        yield tell


def percent(rate: float | None) -> str:
    """A rate for people."""
    return "-" if rate is None else f"{100 * rate:.1f} %"


def shares(before: float | None, after: float | None) -> str:
    """A success rate before and after a change."""
    return "" if before is None and after is None else f"{percent(before)} -> {percent(after)}"


def entry(head: Text, rows: Iterable[tuple[str, object]]) -> RenderableType:
    """A heading and what belongs to it, a row for each name; long texts go on below themselves."""
    table = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 0))
    for name, text in rows:
        table.add_row(f"  {name}", cell(text))
    return Group(head, table)
