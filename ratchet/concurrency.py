"""Awaiting several things at once, and blocking code: whose it is decides the threads it runs in.

The store has threads of its own, and so has other code of Ratchet's. Code of users, which may hang, runs in neither.
An event loop's own threads are left to LangChain, which runs synchronous parts of agents and retrievers there.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from concurrent.futures import Executor, Future, InvalidStateError, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from ratchet.errors import RatchetError

Args = ParamSpec("Args")
Item = TypeVar("Item")
Other = TypeVar("Other")
Owner = TypeVar("Owner")
Result = TypeVar("Result")

Progress = Callable[[int, int], None]
"""Told (done, total) after each item."""
THREADS = 8
"""Threads of the store, and as many for other code of Ratchet's; fewer than the database's connections."""


async def gather(coroutines: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """The results in the order given; the first error ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(coroutine) for coroutine in coroutines]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


async def both(one: Coroutine[Any, Any, Result], other: Coroutine[Any, Any, Other]) -> tuple[Result, Other]:
    """The results of two that differ in kind; the first error ends the other."""
    results: list[Any] = await gather([one, other])
    return results[0], results[1]


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end. An error it had is dropped: what it did was of use only until now."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)  # noqa: TID251


async def for_each(
    items: Sequence[Item], work: Callable[[Item], Awaitable[Result]], at_once: int, progress: Progress | None = None
) -> list[Result]:
    """The results of `work` in the items' order, at most `at_once` under way; the first error ends the others."""
    slots = asyncio.Semaphore(at_once)
    done = 0

    async def one(item: Item) -> Result:
        nonlocal done
        async with slots:
            result = await work(item)
        done += 1
        if progress:
            progress(done, len(items))
        return result

    return await gather(one(item) for item in items)


class Slots:
    """At most `count` at once, across all event loops of the process (an `asyncio.Semaphore` belongs to one)."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[Future[None]] = deque()
        self._lock = threading.Lock()

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        """A slot, and from then on a time limit. Waiting for the slot takes nothing off the limit.

        Raises:
            TimeoutError: what is inside took longer; the slot is free again, whatever a thread still does.
        """
        turn = self._queue()
        try:
            await asyncio.wrap_future(turn)
            async with asyncio.timeout(seconds):
                yield
        finally:
            if not turn.cancelled():
                self._leave()

    def _queue(self) -> Future[None]:
        turn: Future[None] = Future()
        with self._lock:
            if self._free:
                self._free -= 1
                turn.set_result(None)
            else:
                self._waiting.append(turn)
        return turn

    def _leave(self) -> None:
        with self._lock:
            while self._waiting:
                turn = self._waiting.popleft()
                if turn.set_running_or_notify_cancel():
                    turn.set_result(None)
                    return
            self._free += 1


class DaemonThreads(ThreadPoolExecutor):
    """Runs each call in a daemon thread of its own, for code that may hang and then must not keep the process alive.

    No thread can be ended from outside: a call that is given up (its future cancelled) goes on, unwatched. The base
    class is what event loops ask of an executor.
    """

    def submit(self, function: Callable[Args, Result], /, *args: Args.args, **kwargs: Args.kwargs) -> Future[Result]:
        """Call the function."""
        future: Future[Result] = Future()
        call = partial(function, *args, **kwargs)
        threading.Thread(target=_settle, args=(future, call), name="daemon", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for nothing: a call that hangs would be waited for for ever."""


def _settle(future: Future[Any], call: Callable[[], Any]) -> None:
    with suppress(InvalidStateError):  # it was given up meanwhile
        try:
            future.set_result(call())
        except StopIteration as error:  # no coroutine can be told of it: it would wait for ever
            future.set_exception(RuntimeError(repr(error)))
        except BaseException as error:  # also SystemExit: whoever waits decides what it ends
            future.set_exception(error)


user_calls = Slots(32)
"""For calls of users' code, which may hang."""
_store = ThreadPoolExecutor(THREADS, thread_name_prefix="store")
_ours = ThreadPoolExecutor(THREADS, thread_name_prefix="ratchet")
_daemons = DaemonThreads()


async def _call(executor: Executor, function: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(executor, partial(copy_context().run, function))


def threaded(
    method: Callable[Concatenate[Owner, Args], Result],
) -> Callable[Concatenate[Owner, Args], Awaitable[Result]]:
    """Make a method of the store's awaitable. Once begun it runs to its end, even if its caller is cancelled."""

    @wraps(method)
    async def call(self: Owner, /, *args: Args.args, **kwargs: Args.kwargs) -> Result:
        return await _call(_store, partial(method, self, *args, **kwargs))

    return call


async def to_thread(function: Callable[Args, Result], /, *args: Args.args, **kwargs: Args.kwargs) -> Result:
    """Call a function of Ratchet's that blocks, but is sure to end."""
    return await _call(_ours, partial(function, *args, **kwargs))


async def to_daemon_thread(function: Callable[Args, Result], /, *args: Args.args, **kwargs: Args.kwargs) -> Result:
    """Call code of others, which may hang; within `user_calls` if there may be many at once.

    Raises:
        Whatever it raises, SystemExit included; RuntimeError for StopIteration.
    """
    return await _call(_daemons, partial(function, *args, **kwargs))


def is_our_own(error: BaseException) -> bool:
    """Whether what came out of a user's code was not raised by it: it is being cancelled or closed.

    All else is the user's, also what is meant to end a process: ``sys.exit()``, ``KeyboardInterrupt`` (a real one ends
    the loop instead), or the outcomes of a test library.
    """
    if isinstance(error, GeneratorExit):
        return True
    if not isinstance(error, asyncio.CancelledError):
        return False
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop runs in this thread: nothing of ours is cancelled here
        return False
    return task is not None and task.cancelling() > 0


def run_main(main: Coroutine[Any, Any, Result]) -> Result:
    """`asyncio.run` in a loop whose own threads are daemons: a LangChain object that hangs keeps no process alive.

    Raises:
        RatchetError: a user's code wanted to end the process, whatever exit code it gave.
    """
    try:
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            return runner.run(main)
    except SystemExit as error:  # only a task that a user's code has begun can get it here
        raise RatchetError(
            f"code of yours called sys.exit({error.code!r}) in a task of its own, which ended the command; let it raise"
        ) from error


def _new_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_default_executor(DaemonThreads())
    return loop
