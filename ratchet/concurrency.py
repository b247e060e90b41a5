"""Awaiting several things at once, and blocking methods from a coroutine."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

Args = ParamSpec("Args")
Item = TypeVar("Item")
Owner = TypeVar("Owner")
Result = TypeVar("Result")

Progress = Callable[[int, int], None]
"""Told (done, total) after each item."""
"""Told (done, total) after each item."""


async def gather(coroutines: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """The results in the order given; the first error ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(coroutine) for coroutine in coroutines]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


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


def threaded(
    method: Callable[Concatenate[Owner, Args], Result],
) -> Callable[Concatenate[Owner, Args], Awaitable[Result]]:
    """Make a blocking method awaitable: it runs in a thread, to its end even if the caller is cancelled."""

    @wraps(method)
    async def call(self: Owner, /, *args: Args.args, **kwargs: Args.kwargs) -> Result:
        return await asyncio.to_thread(method, self, *args, **kwargs)

    return call
