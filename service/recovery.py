"""Bringing back, while a server runs, the threads whose approvals are open.

The checkpoints are in SQLite, but `langgraph dev` keeps its list of threads in memory and on disk only now and then.
After a kill the list may lack a thread, and it never has those of cycles that a command started. Such a thread is
created under its id and graph, and its waiting node is run again up to the interrupt. So it is listed as interrupted
and can be answered. A request whose checkpoint is gone is made again before that.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import ConflictError

from graph.binding import process_engine
from graph.checkpoints import open_saver
from ratchet.concurrency import end, to_thread
from ratchet.cycles.owner import let_go, process_is_gone, process_name
from ratchet.errors import RatchetError
from ratchet.llm import close_embedded
from ratchet.resolving import complete_all_forced
from ratchet.store.rows import CycleRow
from ratchet.store.statuses import OPEN_CYCLE
from service.requests import is_uuid, make_request_again, settle, waiting_thread
from service.session import Session

log = logging.getLogger(__name__)
TRIES = 60
"""Seconds to wait for the server to answer itself."""
EVERY_SECONDS = 15.0
"""Between two looks at the open cycles."""


@asynccontextmanager
async def recovery() -> AsyncIterator[None]:
    """Recover in the background while the server comes up and serves; close everything when it ends."""
    task = asyncio.create_task(_keep_recovering())
    try:
        yield
    finally:
        await end(task)
        await process_engine.close()
        await to_thread(close_embedded)


async def _keep_recovering() -> None:
    try:
        engine = await process_engine()
        async with open_saver(engine.settings.checkpoint_file()) as saver:
            session, client = Session(engine, saver), get_client()
            while True:
                try:
                    await recover(session, client)
                except Exception:  # it has to serve whatever state the last one left; the next round tries again
                    log.exception("looking after open approvals failed")
                await asyncio.sleep(EVERY_SECONDS)
    except Exception:  # told, and no reason for the server not to serve
        log.exception("open approvals are not looked after")


async def recover(session: Session, client: LangGraphClient) -> None:
    """Bring back the threads of open cycles that the server does not list, or whose request is gone."""
    await complete_all_forced(session.engine)
    cycles = session.engine.store.cycles
    lost = [row for row in await cycles.select(status=OPEN_CYCLE) if await _is_ours(session, row)]
    if lost:
        await _until_ready(client)
    for row in lost:
        try:
            await _bring_back(client, await _whole(session, row))
        except (httpx.HTTPError, RatchetError):  # one that cannot be brought back must not keep the others away
            log.exception("thread %s of cycle %s could not be brought back", row["thread_id"], row["id"])
            await let_go(session.engine, row["thread_id"])


async def _is_ours(session: Session, row: CycleRow) -> bool:
    """Whether nobody works on a cycle; one whose process is gone is taken over."""
    if row["status"] == "awaiting_approval":
        return True
    me = await to_thread(process_name)
    return await session.engine.store.cycles.take_over(row["id"], me, process_is_gone)


async def _whole(session: Session, row: CycleRow) -> CycleRow:
    """The cycle as it is now; the request of one that waits is in its thread, and the thread's id is a UUID."""
    if row["status"] != "awaiting_approval":
        return row
    if await settle(session, row, after=EVERY_SECONDS) is not None:
        log.info("the decision on cycle %s has taken effect", row["id"])
    elif not is_uuid(row["thread_id"]):
        await make_request_again(session, row)
    else:
        await waiting_thread(session, row)
    return await session.engine.store.cycles.get(row["id"]) or row


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
    if row["status"] not in OPEN_CYCLE or not is_uuid(thread_id):
        return
    await client.threads.create(thread_id=thread_id, if_exists="do_nothing", graph_id=row["graph"])
    thread = await client.threads.get(thread_id)
    if thread["status"] in ("interrupted", "busy"):
        return
    try:
        await client.runs.create(thread_id, row["graph"], input=None, multitask_strategy="reject")
    except ConflictError:
        return  # the server has started to run it by itself
    log.info("thread %s of cycle %s is back", thread_id, row["id"])
