"""Regular expressions that people write in their files: checked when loaded, searched for with a time limit."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Annotated, Generic, TypeVar

import regex
from pydantic import AfterValidator

from ratchet.concurrency import Slots, to_daemon_thread
from ratchet.errors import PatternError

Result = TypeVar("Result")
SECONDS = 1.0
"""A search that takes more processor time is given up. What other threads and processes take does not count."""
LONGEST = 10.0
"""Seconds that a search may last even where others leave it no processor time."""
_QUICK = 0.005
"""Nearly all searches end within this time, and need no thread of their own."""
_CORES = os.cpu_count() or 1
_searches = Slots(_CORES)


def compiles(pattern: str) -> str:
    """`pattern`, if it is one.

    Raises:
        ValueError: with the parser's words on what is wrong.
    """
    try:
        regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(compiles)]
"""A key of a file that is a regular expression."""


async def is_found(pattern: str, text: str) -> bool:
    """Whether `text` has a match of `pattern`. A search that takes long does not hold up the event loop.

    Raises:
        PatternError: the search took too long, or the pattern is refused.
    """
    with suppress(TimeoutError):
        return _search(pattern, text, _QUICK)
    return await in_time(partial(search, pattern, text))


def search(pattern: str, text: str) -> bool:
    """`is_found` for code that `in_time` runs: what ends it there is given up here a little later."""
    return _search(pattern, text, SECONDS * 2 * (_CORES + 1))  # not before: others may be as busy


def _search(pattern: str, text: str, seconds: float) -> bool:
    """`regex` takes `seconds` as processor time of the whole process, so other busy threads shorten them."""
    try:
        return regex.search(pattern, text, timeout=seconds, concurrent=True) is not None
    except regex.error as error:
        raise PatternError(f"the pattern is refused: {error}") from error


async def in_time(work: Callable[[], Result]) -> Result:
    """The result of `work`, which searches for patterns, in a thread of its own.

    Raises:
        PatternError: it took too long.
    """
    try:
        async with _searches.within(LONGEST):
            return await _Watched(work).run()
    except TimeoutError as error:
        raise PatternError(f"the pattern took longer than {SECONDS:g} s") from error


class _Watched(Generic[Result]):
    """Work in a thread that is given up by that thread's processor time."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        self._clock: Callable[[], float] = lambda: 0.0

    async def run(self) -> Result:
        """What it returns.

        Raises:
            TimeoutError: its thread has worked for `SECONDS`.
        """
        task = asyncio.ensure_future(to_daemon_thread(self._timed_work))
        try:
            while (left := SECONDS - self._clock()) > 0:
                done, _ = await asyncio.wait([task], timeout=max(left, 0.01))
                if done:
                    return task.result()
            raise TimeoutError
        finally:
            task.cancel()

    def _timed_work(self) -> Result:
        self._clock = _clock_of_this_thread()
        return self._work()


def _clock_of_this_thread() -> Callable[[], float]:
    """Its processor time, for other threads to read; where the system does not tell it, the time that passes."""
    if sys.platform in ("darwin", "win32"):
        started = time.monotonic()
        return lambda: time.monotonic() - started
    number = time.pthread_getcpuclockid(threading.get_ident())

    def seconds() -> float:
        try:
            return time.clock_gettime(number)
        except OSError:  # the thread has just ended
            return 0.0

    return seconds
