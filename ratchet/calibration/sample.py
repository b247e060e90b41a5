"""A sample that is balanced and the same every time, and the work on many items at once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from itertools import chain, zip_longest
from typing import TypeVar

from ratchet.concurrent import together
from ratchet.prompting import content_hash
from ratchet.trial import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")


def balanced(items: Sequence[Item], kind: Callable[[Item], Hashable], text: Callable[[Item], str]) -> list[Item]:
    """`items` in an order of which every beginning is balanced: one of each kind in turn, each kind in the order of a
    hash of its texts. A longer beginning holds the shorter one, so what was paid for is used again."""
    kinds: dict[Hashable, list[Item]] = {}
    for item in sorted(items, key=lambda item: content_hash(text(item))):
        kinds.setdefault(kind(item), []).append(item)
    rows = zip_longest(*(kinds[key] for key in sorted(kinds, key=str)))
    return [item for item in chain.from_iterable(rows) if item is not None]


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

    return await together(one(item) for item in items)
