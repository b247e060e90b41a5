"""Opening a graph from Python."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from langgraph.graph.state import CompiledStateGraph

from graph.agent import build_agent
from graph.checkpoints import open_saver
from graph.improve import build_improve
from graph.serve import build_serve
from ratchet.engine import Engine
from ratchet.settings import Settings

GraphName = Literal["agent", "serve", "improve"]
BUILDERS: dict[str, Any] = {"agent": build_agent, "serve": build_serve, "improve": build_improve}
"""The graphs by name."""


def compile_graph(name: GraphName, engine: Engine, saver: Any = None) -> CompiledStateGraph[Any, None, Any, Any]:
    """The graph `name` over an engine that is open already."""

    async def provide() -> Engine:
        return engine

    compiled: CompiledStateGraph[Any, None, Any, Any] = BUILDERS[name](provide).compile(checkpointer=saver, name=name)
    return compiled


@asynccontextmanager
async def open_graph(
    name: GraphName = "agent", settings: Settings | None = None
) -> AsyncIterator[CompiledStateGraph[Any, None, Any, Any]]:
    """The compiled graph `name` with its SQLite checkpointer, all connections closed at the end.

    Raises:
        ConfigurationError: a setting is wrong, or the database cannot be opened.
    """
    found = settings or Settings.load()
    engine = await Engine.open(found)
    try:
        async with open_saver(found.checkpoint_file()) as saver:
            yield compile_graph(name, engine, saver)
    finally:
        await engine.close()
