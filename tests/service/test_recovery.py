"""Bringing back threads on a server that is made of a few routes; `test_dev_server.py` has a real one."""

import asyncio
import json
import logging
import os
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from desk import silent
from langgraph_sdk.client import LangGraphClient
from sqlalchemy import update

from graph.binding import process_engine
from ratchet.approval.door import decide, stored_proposal
from ratchet.cycles.owner import process_name
from ratchet.records import Decision
from ratchet.store.schema import proposals
from service import recovery as module
from service.loop import answer, improve
from service.recovery import recover, recovery
from service.session import Session

pytestmark = pytest.mark.anyio


class Server:
    """The threads of a server, and what was asked of it."""

    def __init__(self) -> None:
        self.threads: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.runs: list[tuple[str, Any]] = []
        self.status = "idle"
        self.conflict = False
        self.broken: set[str] = set()
        self.before_ready: Callable[[], Any] | None = None
        self.starting = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.path, json.loads(request.content or b"{}")
        self.asked.append(f"{request.method} {path}")
        if path == "/assistants/search":
            return await self._search()
        if path == "/threads":
            if body["thread_id"] in self.broken:
                return httpx.Response(500, json={"detail": "no"})
            self.threads.setdefault(body["thread_id"], {"graph": body["metadata"]["graph_id"]})
            return httpx.Response(200, json={"thread_id": body["thread_id"]})
        thread_id = path.split("/")[2]
        if not path.endswith("/runs"):
            return httpx.Response(200, json={"thread_id": thread_id, "status": self.status})
        if self.conflict:
            return httpx.Response(409, json={"detail": "busy"})
        self.runs.append((thread_id, body.get("input")))
        return httpx.Response(200, json={"run_id": "r"})

    async def _search(self) -> httpx.Response:
        if self.starting:
            self.starting -= 1
            raise httpx.ConnectError("not yet")
        if self.before_ready:
            await self.before_ready()
        return httpx.Response(200, json=[])


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[LangGraphClient]:
    transport = httpx.MockTransport(server)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as http:
        yield LangGraphClient(http)


async def waiting(session: Session) -> tuple[str, str]:
    result = await improve(session, "desk", silent)
    return str(result.cycle_id), str(result.thread_id)


async def thread_of(session: Session, cycle_id: str) -> str:
    row = await session.engine.store.cycles.get(cycle_id)
    assert row
    return row["thread_id"]


async def own(session: Session, owner: str) -> str:
    (cycle,) = await session.engine.store.cycles.select()
    await session.engine.store.cycles.record(cycle["id"], {"owner": owner})
    return cycle["thread_id"]


async def owner(session: Session) -> str:
    (cycle,) = await session.engine.store.cycles.select()
    return cycle["document"].get("owner", "")


async def test_without_open_cycles_the_server_is_left_alone(
    session: Session, server: Server, client: LangGraphClient
) -> None:
    cycle_id, _ = await waiting(session)
    await answer(session, cycle_id, {"type": "reject"})
    await recover(session, client)
    assert server.asked == []


async def test_thread_of_a_waiting_request_comes_back_under_its_id_and_graph(
    session: Session, server: Server, client: LangGraphClient
) -> None:
    _, thread_id = await waiting(session)
    await recover(session, client)
    assert server.threads == {thread_id: {"graph": "improve"}}
    assert server.runs == [(thread_id, None)]


@pytest.mark.parametrize("status", ["interrupted", "busy"])
async def test_thread_that_the_server_has_is_not_run_again(
    session: Session, server: Server, client: LangGraphClient, status: str
) -> None:
    await waiting(session)
    server.status = status
    await recover(session, client)
    assert server.runs == []


async def test_run_that_the_server_has_started_itself_is_no_error(
    session: Session, server: Server, client: LangGraphClient, caplog: pytest.LogCaptureFixture
) -> None:
    await waiting(session)
    server.conflict = True
    await recover(session, client)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_request_without_checkpoints_is_made_again_and_that_thread_comes_back(
    session: Session, server: Server, client: LangGraphClient
) -> None:
    cycle_id, thread_id = await waiting(session)
    await session.saver.adelete_thread(thread_id)
    await recover(session, client)
    again = await thread_of(session, cycle_id)
    assert again != thread_id
    assert list(server.threads) == [again]
    assert (await answer(session, cycle_id, {"type": "approve"}))["status"] == "applied"


async def test_request_in_a_thread_of_no_uuid_moves_to_one_that_the_server_can_list(
    session: Session, server: Server, client: LangGraphClient
) -> None:
    cycle_id, _ = await waiting(session)
    await session.engine.store.cycles.move_to_thread(cycle_id, "improve", "improve-desk-1")
    await recover(session, client)
    (thread_id,) = server.threads
    assert str(uuid.UUID(thread_id)) == thread_id == await thread_of(session, cycle_id)


async def test_running_cycle_of_a_process_that_is_gone_is_taken_over_and_run(
    session: Session, stopped: Any, server: Server, client: LangGraphClient
) -> None:
    await stopped("diagnose")
    host = process_name().split(":")[0]
    thread_id = await own(session, f"{host}:999999:1")
    await recover(session, client)
    assert server.runs == [(thread_id, None)]
    assert await owner(session) == process_name()


async def test_running_cycle_of_a_process_at_work_is_left_alone(
    session: Session, stopped: Any, server: Server, client: LangGraphClient
) -> None:
    await stopped("diagnose")
    host = process_name().split(":")[0]
    at_work = f"{host}:{os.getppid()}:"
    await own(session, at_work)
    await recover(session, client)
    assert (server.asked, await owner(session)) == ([], at_work)


async def test_cycle_that_cannot_be_brought_back_is_told_let_go_and_keeps_no_other_away(
    session: Session, stopped: Any, server: Server, client: LangGraphClient, caplog: pytest.LogCaptureFixture
) -> None:
    await stopped("diagnose")
    (first,) = await session.engine.store.cycles.select()
    other = str(uuid.uuid4())
    await session.engine.store.cycles.claim("C-other", "desk", "elsewhere", "improve", other)
    server.broken = {first["thread_id"]}
    await recover(session, client)
    assert server.runs == [(other, None)]
    row = await session.engine.store.cycles.get(first["id"])
    assert row
    assert row["document"].get("owner") == ""
    assert f"thread {first['thread_id']} of cycle {first['id']} could not be brought back" in caplog.text


async def test_cycle_that_is_answered_meanwhile_is_not_brought_back(
    session: Session, server: Server, client: LangGraphClient
) -> None:
    cycle_id, _ = await waiting(session)

    async def reject() -> None:
        await answer(session, cycle_id, {"type": "reject"})

    server.before_ready = reject
    await recover(session, client)
    assert server.asked == ["POST /assistants/search"]


async def test_server_that_comes_up_slowly_is_waited_for(
    session: Session, server: Server, client: LangGraphClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, thread_id = await waiting(session)
    server.starting = 3
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    with monkeypatch.context() as fast:
        fast.setattr(module.asyncio, "sleep", sleep)
        await recover(session, client)
    assert (slept, list(server.threads)) == ([1, 1, 1], [thread_id])


async def test_recovery_looks_again_and_again_and_closes_the_engine(
    session: Session,
    server: Server,
    client: LangGraphClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = session.engine
    monkeypatch.setattr(module, "get_client", lambda: client)
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr("graph.binding.Settings.load", lambda: engine.settings)
    _, thread_id = await waiting(session)
    looks = 0

    async def breaks_first() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise ValueError("a fault nobody foresaw")

    server.before_ready = breaks_first
    async with recovery():
        for _ in range(500):
            if thread_id in server.threads and looks > 2:
                break
            await asyncio.sleep(0.02)
        opened = await process_engine()
    assert thread_id in server.threads
    assert "looking after open approvals failed" in caplog.text
    assert await process_engine() is not opened
    await process_engine.close()


@pytest.mark.parametrize(("seconds", "status"), [(60.0, "applied"), (0.0, "awaiting_approval")])
async def test_decision_that_took_no_effect_is_finished_once_its_process_must_have_ended(
    session: Session, server: Server, client: LangGraphClient, seconds: float, status: str
) -> None:
    cycle_id, _ = await waiting(session)
    stored = await stored_proposal(session.engine, f"{cycle_id}-P1")
    await decide(session.engine, stored.proposal, Decision(type="approve", reviewer="ada"))
    row = await session.engine.store.proposals.get(f"{cycle_id}-P1")
    assert row
    at = datetime.now(UTC) - timedelta(seconds=seconds)
    document = {**row["document"], "decision": {**row["document"]["decision"], "at": at.isoformat()}}
    with session.engine.store.database.write() as connection:
        connection.execute(update(proposals).where(proposals.c.id == row["id"]).values(document=document))

    await recover(session, client)

    (cycle,) = await session.engine.store.cycles.select()
    assert cycle["status"] == status
    assert bool(server.threads) is (status == "awaiting_approval")
