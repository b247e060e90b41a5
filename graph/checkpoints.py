"""The SQLite checkpointer, for `langgraph dev` and for `open_graph`."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, closing
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import aiosqlite
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from ratchet.concurrency import to_thread
from ratchet.config.settings import Settings
from ratchet.errors import ConfigurationError

P = ParamSpec("P")
T = TypeVar("T")
_TABLES = ("checkpoints", "writes")


def _whole(
    write: Callable[Concatenate["SqliteSaver", P], Awaitable[T]],
) -> Callable[Concatenate["SqliteSaver", P], Coroutine[Any, Any, T]]:
    """A write that ends before its caller goes on, even a cancelled one, and that is undone where it fails.

    All runs share one connection. A write that is left between its statement and its commit would keep its transaction
    open there. If it holds the lock, other connections are locked out. If it does not, a read pins it to an old state,
    in which every further write fails as "database is locked".
    """

    async def undone_on_failure(self: "SqliteSaver", /, *args: P.args, **kwargs: P.kwargs) -> T:
        async with self.writing:
            try:
                return await write(self, *args, **kwargs)
            except BaseException:
                async with self.lock:
                    await self.conn.rollback()
                raise

    @wraps(write)
    async def whole(self: "SqliteSaver", /, *args: P.args, **kwargs: P.kwargs) -> T:
        task = asyncio.create_task(undone_on_failure(self, *args, **kwargs))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise

    return whole


class SqliteSaver(AsyncSqliteSaver):
    """LangGraph's SQLite saver with the clean-up operations that a server asks for and the original lacks, and with
    writes that a cancelled or failed run does not leave half done."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        # Strict, also where langgraph was imported before the environment could say so.
        super().__init__(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        self.writing = asyncio.Lock()
        """Held from a write's first statement to its commit or rollback, so that nobody else commits a failed one."""

    @_whole
    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint."""
        return await super().aput(config, checkpoint, metadata, new_versions)

    @_whole
    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Save what a node has written since a checkpoint."""
        await super().aput_writes(config, writes, task_id, task_path)

    @_whole
    async def adelete_thread(self, thread_id: str) -> None:
        """Delete a thread's checkpoints and writes."""
        await super().adelete_thread(thread_id)

    async def adelete_for_runs(self, run_ids: Iterable[str]) -> None:
        """Delete the checkpoints that the given runs made, with their writes."""
        await self.setup()
        for run_id in run_ids:
            await self._change(
                "DELETE FROM {table} WHERE (thread_id, checkpoint_ns, checkpoint_id) IN "
                "(SELECT thread_id, checkpoint_ns, checkpoint_id FROM checkpoints "
                "WHERE json_extract(CAST(metadata AS TEXT), '$.run_id') = ?)",
                (str(run_id),),
            )

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Keep only the newest checkpoint of each thread and namespace; with ``delete``, none."""
        await self.setup()
        for thread_id in thread_ids:
            if strategy == "delete":
                await self.adelete_thread(str(thread_id))
                continue
            await self._change(
                "DELETE FROM {table} WHERE thread_id = ?1 AND (checkpoint_ns, checkpoint_id) NOT IN "
                "(SELECT checkpoint_ns, MAX(checkpoint_id) FROM checkpoints WHERE thread_id = ?1 "
                "GROUP BY checkpoint_ns)",
                (str(thread_id),),
            )

    @_whole
    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread's checkpoints and writes to another thread."""
        await self.setup()
        async with self.lock:
            for table in _TABLES:
                names = await self._columns(table)
                columns = ", ".join(names)
                values = ", ".join("?" if name == "thread_id" else name for name in names)
                await self.conn.execute(
                    f"INSERT OR REPLACE INTO {table} ({columns}) SELECT {values} FROM {table} WHERE thread_id = ?",  # noqa: S608
                    (target_thread_id, source_thread_id),
                )
            await self.conn.commit()

    @_whole
    async def _change(self, sql: str, values: tuple[str, ...]) -> None:
        """Run a statement on the writes first, then on the checkpoints it selects by, in one transaction."""
        async with self.lock:
            for table in reversed(_TABLES):
                await self.conn.execute(sql.format(table=table), values)
            await self.conn.commit()

    async def _columns(self, table: str) -> list[str]:
        async with self.conn.execute(f"PRAGMA table_info({table})") as cursor:
            return [str(row[1]) for row in await cursor.fetchall()]


@asynccontextmanager
async def open_saver(file: Path) -> AsyncIterator[SqliteSaver]:
    """A saver over `file`, its tables made if need be.

    Raises:
        ConfigurationError: the file cannot be opened, or is no database.
    """
    await to_thread(_check, file)
    async with aiosqlite.connect(str(file)) as connection:
        saver = SqliteSaver(connection)
        await saver.setup()
        yield saver


def _check(file: Path) -> None:
    """Open the file once by itself: aiosqlite leaves a thread behind where it cannot."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA schema_version")
    except (OSError, sqlite3.Error) as error:
        problem = f"checkpoints: {str(file)!r} cannot be opened: {error}"
        raise ConfigurationError(f"{problem}; RATCHET_HOME names its folder") from error


@asynccontextmanager
async def checkpointer() -> AsyncIterator[SqliteSaver]:
    """What langgraph.json names: the saver of the settings in force."""
    settings = await to_thread(Settings.load)
    async with open_saver(settings.checkpoint_file()) as saver:
        yield saver
