"""Opening graphs from Python."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from langgraph.graph.state import CompiledStateGraph

from graph.agent import build_agent
from graph.checkpoints import SqliteSaver, open_saver
from graph.improve import build_improve
from graph.serve import build_serve
from ratchet.config.settings import Settings
from ratchet.engine import Engine

GraphName = Literal["agent", "serve", "improve"]
BUILDERS: dict[str, Any] = {"agent": build_agent, "serve": build_serve, "improve": build_improve}
"""The graphs by name."""


def compile_graph(name: GraphName, engine: Engine, saver: Any = None) -> CompiledStateGraph[Any, None, Any, Any]:
    """The graph `name` over an engine that is open already."""

    async def provide() -> Engine:
        return engine

    compiled: CompiledStateGraph[Any, None, Any, Any] = BUILDERS[name](provide).compile(checkpointer=saver, name=name)
    return compiled


@dataclass(frozen=True)
class Session:
    """An engine and its checkpointer, over which any of the graphs can be compiled."""

    engine: Engine
    saver: SqliteSaver
    _compiled: dict[GraphName, Any] = field(default_factory=dict)

    def graph(self, name: GraphName) -> Any:
        """The compiled graph `name`, always the same one: compiling takes longer than a short run."""
        if name not in self._compiled:
            self._compiled[name] = compile_graph(name, self.engine, self.saver)
        return self._compiled[name]


@asynccontextmanager
async def open_session(settings: Settings | None = None) -> AsyncIterator[Session]:
    """Open everything, and close everything at the end.

    Raises:
        ConfigurationError: a setting is wrong, or a database cannot be opened.
    """
    found = settings or Settings.load()
    engine = await Engine.open(found)
    try:
        async with open_saver(found.checkpoint_file()) as saver:
            yield Session(engine, saver)
    finally:
        await engine.close()


@asynccontextmanager
async def open_graph(
    name: GraphName = "agent", settings: Settings | None = None
) -> AsyncIterator[CompiledStateGraph[Any, None, Any, Any]]:
    """The compiled graph `name` with its SQLite checkpointer, all connections closed at the end.

    Raises:
        ConfigurationError: a setting is wrong, or the database cannot be opened.
    """
    async with open_session(settings) as session:
        yield session.graph(name)
