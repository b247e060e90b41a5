"""Giving nodes their engine."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any
from weakref import WeakKeyDictionary, ref

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp

from nodes.state import State, thread_of
from ratchet.concurrency import end, to_thread
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
    """The engine of a server process: opened at the first use with the settings of that moment, one per event loop.

    An engine ends with its loop. So nothing here holds on to either: the loop keeps the task in which its engine lives.
    """

    def __init__(self) -> None:
        self._lives: WeakKeyDictionary[asyncio.AbstractEventLoop, ref[_Life]] = WeakKeyDictionary()

    async def __call__(self) -> Engine:
        """The engine of the running loop.

        Raises:
            ConfigurationError: a setting is wrong, or the database cannot be opened; the next call tries again.
        """
        loop = asyncio.get_running_loop()
        life = self._life_of(loop)
        if life is None or life.task.done():
            life = _Life(loop)
            self._lives[loop] = ref(life)
        return await asyncio.shield(life.opened)

    async def close(self) -> None:
        """Close the engine of the running loop, if there is one."""
        life = self._life_of(asyncio.get_running_loop())
        if life is not None:
            await end(life.task)

    def _life_of(self, loop: asyncio.AbstractEventLoop) -> "_Life | None":
        found = self._lives.get(loop)
        return found() if found else None


class _Life:
    """An engine from its opening to its closing, in a task of its loop and in nobody's context."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.opened: asyncio.Future[Engine] = loop.create_future()
        nobody = Context()
        self.task = loop.create_task(self._live(), name="engine", context=nobody)
        self.task.add_done_callback(lambda _: self.opened.cancel(), context=nobody)  # whoever waits is told of its end

    async def _live(self) -> None:
        try:
            engine = await _open_from_environment()
        except Exception as error:  # whatever it is, those who wait for the engine are told
            self.opened.set_exception(error)
            return
        self.opened.set_result(engine)
        try:
            await asyncio.sleep(math.inf)  # not an event: only a timer makes the loop keep this task
        except asyncio.CancelledError:  # `asyncio.run` ends all tasks before it closes the loop
            await engine.close()
            raise
        except GeneratorExit:  # the loop was closed without that, and nothing can be awaited any more
            engine.store.database.close()
            raise


process_engine = ProcessEngine()
"""The provider of the graphs that a server loads by name. It opens nothing until a node asks."""


async def _open_from_environment() -> Engine:
    return await Engine.open(await to_thread(Settings.load))
