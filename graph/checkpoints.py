"""The SQLite checkpointer, for `langgraph dev` and for `open_graph`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from ratchet.settings import Settings


@asynccontextmanager
async def open_saver(file: Path) -> AsyncIterator[AsyncSqliteSaver]:
    """A saver over `file`, its tables made if need be."""
    await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
    async with AsyncSqliteSaver.from_conn_string(str(file)) as saver:
        await saver.setup()
        yield saver


@asynccontextmanager
async def checkpointer() -> AsyncIterator[AsyncSqliteSaver]:
    """What langgraph.json names: the saver of the settings in force."""
    settings = await asyncio.to_thread(Settings.load)
    async with open_saver(settings.checkpoint_file()) as saver:
        yield saver
