import asyncio
import hashlib
import threading
import time
from collections.abc import Iterator

import pytest
import regex

from ratchet.concurrency import gather
from ratchet.config import patterns
from ratchet.config.patterns import LONGEST, SECONDS, compiles, is_found
from ratchet.errors import PatternError

pytestmark = pytest.mark.anyio
HOSTILE = ("(a|aa)+$", "a" * 60 + "!")


@pytest.fixture
def busy() -> Iterator[None]:
    """Two threads that compute outside Python, as those of the embedded model do."""
    end = threading.Event()

    def compute() -> None:
        while not end.is_set():
            hashlib.pbkdf2_hmac("sha256", b"x", b"y", 20_000)

    threads = [threading.Thread(target=compute) for _ in range(2)]
    for thread in threads:
        thread.start()
    yield
    end.set()
    for thread in threads:
        thread.join()


def search_of(seconds: float) -> tuple[str, str]:
    """A pattern and a text that take at least so much processor time."""
    for length in range(16, 60):
        text = "a" * length + "!"
        started = time.thread_time()
        regex.search(HOSTILE[0], text)
        if time.thread_time() - started >= seconds:
            return HOSTILE[0], text
    raise AssertionError("regex has learnt to answer at once")


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [("b+", "abbc", True), ("^b", "abbc", False), (r"\p{Lu}\w+", "in Rome", True), ("(?<=a+)b", "aaab", True)],
)
async def test_is_found_searches_anywhere(pattern: str, text: str, found: bool) -> None:
    assert await is_found(pattern, text) is found


@pytest.mark.parametrize(("pattern", "text"), [HOSTILE, ("(a+)+$", "a" * 200_000 + "!")])
async def test_is_found_gives_up_a_search_and_the_loop_goes_on(pattern: str, text: str) -> None:
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    beating = asyncio.create_task(beat())
    started, spent = time.monotonic(), time.process_time()
    with pytest.raises(PatternError, match="the pattern took longer than 1 s"):
        await is_found(pattern, text)
    assert time.process_time() - spent >= SECONDS
    assert time.monotonic() - started < LONGEST + 5
    beating.cancel()
    assert beats > 20


async def test_is_found_counts_no_time_that_other_threads_take(busy: None) -> None:
    assert await is_found(*search_of(0.13)) is False


async def test_is_found_leaves_the_search_as_much_time_as_other_threads_take(monkeypatch: pytest.MonkeyPatch) -> None:
    given, search, long_search = [], regex.search, search_of(0.05)

    def noted(*args: object, timeout: float, **options: object) -> object:
        given.append(timeout)
        return search(*args, timeout=timeout, **options)

    monkeypatch.setattr(regex, "search", noted)
    await is_found(*long_search)
    quick, long = given
    assert (quick < 0.01, long >= SECONDS * (2 * patterns._CORES + 1)) == (True, True)


async def test_is_found_ends_where_others_leave_a_search_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "LONGEST", 0.1)
    monkeypatch.setattr(patterns, "_clock_of_this_thread", lambda: lambda: 0.0)
    with pytest.raises(PatternError, match="took longer"):
        await is_found(*HOSTILE)


async def test_is_found_answers_beside_searches_that_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.3)

    async def hopeless() -> None:
        with pytest.raises(PatternError):
            await is_found(*HOSTILE)

    async def harmless() -> None:
        assert await is_found(*search_of(0.02)) is False

    await gather([*(hopeless() for _ in range(patterns._CORES + 1)), harmless()])


async def test_is_found_takes_time_where_the_system_tells_no_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns.sys, "platform", "darwin")
    clock = patterns._clock_of_this_thread()
    first = clock()
    await asyncio.sleep(0.02)
    assert clock() - first >= 0.02


async def test_is_found_refuses_what_is_no_pattern() -> None:
    with pytest.raises(PatternError, match=r"the pattern is refused: missing \)"):
        await is_found("(", "abc")


def test_compiles_says_what_is_wrong() -> None:
    assert compiles("a") == "a"
    with pytest.raises(ValueError, match=r"not a regular expression: missing \)"):
        compiles("(")
