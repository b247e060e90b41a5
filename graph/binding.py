"""Giving nodes their engine."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp

from nodes.state import State, thread_of
from ratchet.concurrency import to_thread
from ratchet.config.settings import Settings
from ratchet.cycles.owner import at_work, let_go
from ratchet.engine import Engine

EngineProvider = Callable[[], Awaitable[Engine]]
"""Where a graph's nodes get their engine from."""


Node = Callable[[State, RunnableConfig, Engine], Awaitable[State]]


def bind(node: Node, engine: EngineProvider) -> Any:  # LangGraph's own node protocol is private
    """`node` as LangGraph calls it, with the engine that `engine` provides at that moment."""

    async def bound(state: State, config: RunnableConfig) -> State:
        found = await engine()
        try:
            async with at_work(found, thread_of(config)):
                return await node(state, config, found)
        except GraphBubbleUp:  # an interrupt: the cycle waits, in nobody's hands
            raise
        except BaseException:  # whatever it was, cancelled included: this process works on the cycle no more
            await let_go(found, thread_of(config))
            raise

    bound.__name__ = node.__name__
    bound.__doc__ = node.__doc__
    return bound


class ProcessEngine:
    """The engine of a server process: opened at the first use with the settings of that moment, one per event loop."""

    def __init__(self) -> None:
        self._engines: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[Engine]] = (
            weakref.WeakKeyDictionary()
        )

    async def __call__(self) -> Engine:
        """The engine of the running loop."""
        loop = asyncio.get_running_loop()
        opening = self._engines.get(loop)
        if opening is None or (opening.done() and (opening.cancelled() or opening.exception())):
            opening = self._engines[loop] = asyncio.create_task(_open_from_environment())
        return await asyncio.shield(opening)

    async def close(self) -> None:
        """Close the engine of the running loop, if there is one."""
        opening = self._engines.pop(asyncio.get_running_loop(), None)
        if opening is not None:
            await (await opening).close()


process_engine = ProcessEngine()
"""The provider of the graphs that a server loads by name. It opens nothing until a node asks."""


async def _open_from_environment() -> Engine:
    return await Engine.open(await to_thread(Settings.load))
