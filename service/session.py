"""An engine, its checkpointer and the compiled graphs, for the time of one command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from graph import GraphName, compile_graph
from graph.checkpoints import open_saver
from ratchet.engine import Engine
from ratchet.settings import Settings


@dataclass(frozen=True)
class Session:
    """What commands work with."""

    engine: Engine
    saver: AsyncSqliteSaver

    def graph(self, name: GraphName) -> Any:
        """The compiled graph `name`."""
        return compile_graph(name, self.engine, self.saver)


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


def thread_config(thread_id: str) -> dict[str, Any]:
    """The config that runs a graph in a thread."""
    return {"configurable": {"thread_id": thread_id}}
