"""Bringing back, at the start of a server, the threads whose approvals were open when the last one died.

The checkpoints are in SQLite, but `langgraph dev` keeps its list of threads in memory and on disk only now and then.
After a kill the list may lack a thread; it is created again under its old id and graph, and its waiting node is run
again up to the interrupt, so that the thread is listed as interrupted and can be answered.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import ConflictError

from graph.binding import process_engine
from ratchet.cycles.owner import let_go, process_is_gone, process_name
from ratchet.engine import Engine
from ratchet.llm import close_embedded
from ratchet.store.rows import CycleRow

log = logging.getLogger(__name__)
TRIES = 60
"""Seconds to wait for the server to answer itself."""


@asynccontextmanager
async def recovered() -> AsyncIterator[None]:
    """Recover in the background while the server comes up and serves; close everything when it ends."""
    task = asyncio.create_task(_recover_or_log())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await process_engine.close()
        await asyncio.to_thread(close_embedded)


async def _recover_or_log() -> None:
    try:
        await recover(await process_engine())
    except Exception:  # the server has to come up whatever state the last one left
        log.exception("recovery after the start failed")


async def recover(engine: Engine) -> None:
    """Bring back the threads of open cycles."""
    rows = await engine.store.cycles.select(status=("awaiting_approval", "running"))
    me = await asyncio.to_thread(process_name)
    lost = [
        row
        for row in rows
        if row["status"] == "awaiting_approval" or await engine.store.cycles.take_over(row["id"], me, process_is_gone)
    ]
    if not lost:
        return
    client = get_client()
    await _until_ready(client)
    for row in lost:
        try:
            await _bring_back(client, row)
        except httpx.HTTPError:  # one thread that cannot be brought back must not keep the others away
            log.exception("thread %s of cycle %s could not be brought back", row["thread_id"], row["id"])
            await let_go(engine, row["thread_id"])


async def _until_ready(client: LangGraphClient) -> None:
    for _ in range(TRIES):
        try:
            await client.assistants.search(limit=1)
        except httpx.HTTPError:
            await asyncio.sleep(1)
        else:
            return
    log.error("the server does not answer itself; open approvals were not brought back")


async def _bring_back(client: LangGraphClient, row: CycleRow) -> None:
    thread_id = row["thread_id"]
    await client.threads.create(thread_id=thread_id, if_exists="do_nothing", graph_id=row["graph"])
    thread = await client.threads.get(thread_id)
    if thread["status"] in ("interrupted", "busy"):
        return
    try:
        await client.runs.create(thread_id, row["graph"], input=None, multitask_strategy="reject")
    except ConflictError:
        return  # the server has started to run it by itself
    log.info("thread %s of cycle %s is back", thread_id, row["id"])
