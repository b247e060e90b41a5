"""The checkpoint file under cancelled and failed writes."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Coroutine
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.base import empty_checkpoint

from graph.checkpoints import SqliteSaver, open_saver

pytestmark = pytest.mark.anyio


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints.sqlite"


@pytest.fixture
async def saver(file: Path) -> AsyncIterator[SqliteSaver]:
    async with open_saver(file) as opened:
        yield opened


def config_of(checkpoint_id: str | None = None) -> Any:
    return {"configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": checkpoint_id}}


def put(saver: SqliteSaver) -> Coroutine[Any, Any, Any]:
    return saver.aput(config_of(), empty_checkpoint(), {"source": "loop"}, {})


def put_writes(saver: SqliteSaver) -> Coroutine[Any, Any, Any]:
    return saver.aput_writes(config_of("c"), [("a", 1), ("b", 2)], "task")


def delete(saver: SqliteSaver) -> Coroutine[Any, Any, Any]:
    return saver.adelete_thread("t")


def write_elsewhere(file: Path) -> None:
    """Another connection writes at once; `database is locked` where a transaction was left open."""
    connection = sqlite3.connect(file, timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT OR REPLACE INTO writes VALUES ('other', '', 'c', 't', '', 0, 'a', 'json', '1')")
        connection.execute("COMMIT")
    finally:
        connection.close()


async def cancelled_at(saver: SqliteSaver, write: Coroutine[Any, Any, Any], step: int, *, times: int = 1) -> bool:
    """Cancel `write` while the connection works on its operation number `step`; whether it came that far."""
    original, begun = saver.conn._execute, 0

    async def counting(function: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal begun
        begun += 1
        if begun == step:
            for _ in range(times):
                asyncio.get_running_loop().call_soon(task.cancel)
        return await original(function, *args, **kwargs)

    task = asyncio.create_task(write)
    saver.conn._execute = counting  # type: ignore[method-assign]
    try:
        await asyncio.gather(task, return_exceptions=True)
    finally:
        saver.conn._execute = original  # type: ignore[method-assign]
    assert task.cancelled() is (begun >= step)
    return task.cancelled()


@pytest.mark.parametrize(("write", "least"), [(put, 3), (put_writes, 4), (delete, 5)])
async def test_a_write_that_is_cancelled_anywhere_locks_nobody_out(
    saver: SqliteSaver, file: Path, write: Any, least: int
) -> None:
    step = 1
    while await cancelled_at(saver, write(saver), step):
        await saver.aget_tuple(config_of())
        write_elsewhere(file)
        await put(saver)
        step += 1
    assert step > least


async def test_a_cancelled_write_has_committed_when_its_caller_goes_on(saver: SqliteSaver, file: Path) -> None:
    assert await cancelled_at(saver, put(saver), 1)
    elsewhere = sqlite3.connect(file)
    assert elsewhere.execute("SELECT COUNT(*) FROM checkpoints").fetchone() == (1,)
    elsewhere.close()


async def test_a_write_that_is_cancelled_twice_locks_nobody_out(saver: SqliteSaver, file: Path) -> None:
    assert await cancelled_at(saver, put_writes(saver), 2, times=2)
    await saver.aget_tuple(config_of())
    write_elsewhere(file)


async def test_a_write_that_failed_keeps_no_later_one_from_writing(saver: SqliteSaver, file: Path) -> None:
    await saver.conn.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await put(saver)
    other.execute("ROLLBACK")
    other.close()
    await saver.aget_tuple(config_of())
    write_elsewhere(file)
    await put(saver)


async def test_foreign_types_are_not_read_back_whatever_was_imported_first(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("langgraph.checkpoint.serde._msgpack.STRICT_MSGPACK_ENABLED", False)  # langgraph came first
    async with open_saver(file) as saver:
        read = saver.serde.loads_typed(saver.serde.dumps_typed(HTTPStatus.NOT_FOUND))

    assert type(read) is int
