"""Giving nodes their engine."""

from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp

from ratchet.cycle import let_go, thread_of
from ratchet.engine import Engine, EngineProvider
from ratchet.state import State

Node = Callable[[State, RunnableConfig, Engine], Awaitable[State]]


def bind(node: Node, engine: EngineProvider) -> Any:  # LangGraph's own node protocol is private
    """`node` as LangGraph calls it, with the engine that `engine` provides at that moment."""

    async def bound(state: State, config: RunnableConfig) -> State:
        found = await engine()
        try:
            return await node(state, config, found)
        except GraphBubbleUp:  # an interrupt: the cycle waits, in nobody's hands
            raise
        except BaseException:  # whatever it was, cancelled included: this process works on the cycle no more
            await let_go(found, thread_of(config))
            raise

    bound.__name__ = node.__name__
    bound.__doc__ = node.__doc__
    return bound
