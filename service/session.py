"""An engine, its checkpointer and the compiled graphs, for the time of one command."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from graph import GraphName, compile_graph
from graph.checkpoints import open_saver
from ratchet.engine import Engine
from ratchet.settings import Settings
from ratchet.tasks import load_task, task_names

log = logging.getLogger(__name__)


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
    """Open everything, finish what a crash interrupted, and close everything at the end.

    Raises:
        ConfigurationError: a setting is wrong, or a database cannot be opened.
    """
    found = settings or Settings.load()
    engine = await Engine.open(found)
    try:
        await recover_versions(engine)
        async with open_saver(found.checkpoint_file()) as saver:
            yield Session(engine, saver)
    finally:
        await engine.close()


async def recover_versions(engine: Engine) -> None:
    """Finish or undo applications of changes that a crash interrupted."""
    for name in await asyncio.to_thread(task_names, engine.settings.tasks_dir):
        done = await engine.versions.recover(await asyncio.to_thread(load_task, engine.settings.tasks_dir, name))
        if done:
            log.warning("%s", done)


def thread_config(thread_id: str) -> dict[str, Any]:
    """The config that runs a graph in a thread."""
    return {"configurable": {"thread_id": thread_id}}
