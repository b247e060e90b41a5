"""The approval request of a cycle: found in its thread, or made again from the store."""

import uuid
from typing import Any

import pytest
from desk import silent
from sqlalchemy import select

from ratchet.approval.door import decide, stored_proposal
from ratchet.errors import RefusalError
from ratchet.records import Decision
from ratchet.store.rows import CycleRow
from ratchet.store.schema import proposals
from service.loop import improve
from service.requests import CycleThread, finish, is_uuid, make_request_again, new_thread_id, running_thread
from service.requests import waiting_thread as find_waiting_thread
from service.serving import collect_failures
from service.session import Session, thread_config

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("thread_id", "fits"),
    [
        (str(uuid.UUID(int=7)), True),
        (uuid.UUID(int=7).hex, False),
        (f"{{{uuid.UUID(int=7)}}}", False),
        ("improve-desk-1a2b", False),
        ("", False),
    ],
)
def test_only_ids_that_the_server_can_list_are_uuids(thread_id: str, fits: bool) -> None:
    assert is_uuid(thread_id) == fits


def test_new_threads_can_be_listed_and_are_never_the_same() -> None:
    ids = {new_thread_id() for _ in range(5)}
    assert (len(ids), all(is_uuid(thread_id) for thread_id in ids)) == (5, True)


async def row_of(session: Session) -> CycleRow:
    (row,) = await session.engine.store.cycles.select()
    return row


async def waiting(session: Session) -> CycleRow:
    await improve(session, "desk", silent)
    return await row_of(session)


async def request_in(thread: CycleThread) -> dict[str, Any]:
    """What a thread asks a person, without what it has cost so far."""
    state = await thread.graph.aget_state(thread.config)
    (request,) = state.interrupts
    return dict(request.value)


async def test_request_is_found_in_its_own_thread(session: Session) -> None:
    row = await waiting(session)
    thread = await find_waiting_thread(session, row)
    assert (thread.id, (await row_of(session))["thread_id"]) == (row["thread_id"], row["thread_id"])
    assert (await request_in(thread))["review"]["id"] == row["id"]


async def test_request_that_is_made_again_asks_the_same_elsewhere(session: Session) -> None:
    row = await waiting(session)
    first = await request_in(CycleThread(session.graph("improve"), thread_config(row["thread_id"])))
    again = await make_request_again(session, row)
    assert again.id != row["thread_id"]
    assert (await row_of(session))["thread_id"] == again.id
    assert await request_in(again) == first


async def test_process_that_ended_just_before_it_asked_is_continued_in_its_thread(session: Session) -> None:
    row = await waiting(session)
    graph, config = session.graph("improve"), thread_config(row["thread_id"])
    values = (await graph.aget_state(config)).values
    await session.saver.adelete_thread(row["thread_id"])
    await graph.aupdate_state(config, values, as_node="validate")
    thread = await find_waiting_thread(session, row)
    assert thread.id == row["thread_id"]
    assert (await request_in(thread))["review"]["id"] == row["id"]


async def test_thread_that_asks_for_another_cycle_is_not_taken(session: Session) -> None:
    row = await waiting(session)
    other = {**row, "id": "C-other"}
    with pytest.raises(RefusalError):
        await find_waiting_thread(session, {**other, "document": {"proposal": {"id": "C-other-P1"}}})


async def test_proposal_that_is_not_stored_cannot_be_asked_for(session: Session) -> None:
    row = await waiting(session)
    with pytest.raises(RefusalError):
        await make_request_again(session, {**row, "document": {}})


@pytest.mark.parametrize("checkpoints", [True, False])
async def test_decision_whose_process_ended_takes_effect_once(session: Session, checkpoints: bool) -> None:
    row = await waiting(session)
    stored = await stored_proposal(session.engine, f"{row['id']}-P1")
    await decide(session.engine, stored.proposal, Decision(type="approve", reviewer="ada"))
    if not checkpoints:
        await session.saver.adelete_thread(row["thread_id"])
    outcome = await finish(session, row)
    assert (outcome["status"], outcome["cycle_id"], outcome["version"]) == ("applied", row["id"], 2)
    assert [version["number"] for version in await session.engine.versions.history("desk")] == [1, 2]


async def test_running_cycle_goes_on_in_its_thread(session: Session, stopped: Any) -> None:
    await stopped("diagnose")
    row = await row_of(session)
    thread, arguments = await running_thread(session, row)
    assert (thread.id, arguments) == (row["thread_id"], None)


@pytest.mark.parametrize("damage", ["deleted", "unreadable", "another task"])
async def test_running_cycle_whose_checkpoint_is_lost_starts_in_a_new_thread(
    session: Session, stopped: Any, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    await stopped("diagnose")
    row = await row_of(session)
    if damage == "deleted":
        await session.saver.adelete_thread(row["thread_id"])
    elif damage == "unreadable":
        await session.saver.conn.execute("UPDATE checkpoints SET checkpoint = X'C1'")
        await session.saver.conn.commit()
    else:
        row = {**row, "task": "other"}
    thread, arguments = await running_thread(session, row)
    assert thread.id != row["thread_id"]
    assert arguments == {"task": row["task"]}
    assert (await row_of(session))["thread_id"] == thread.id
    assert ("cannot be read" in caplog.text) == (damage == "unreadable")


@pytest.mark.parametrize("node", ["diagnose", "repair_context"])
async def test_process_that_ended_between_a_nodes_writes_and_its_checkpoint_goes_on_there(
    session: Session, monkeypatch: pytest.MonkeyPatch, node: str
) -> None:
    config = thread_config(str(uuid.uuid4()))
    with monkeypatch.context() as patch, pytest.raises(SystemError, match=node):
        await run_up_to(session, node, config, patch)
    row = await row_of(session)
    if row["status"] == "running":
        thread, arguments = await running_thread(session, row)
        assert (thread.id, arguments) == (config["configurable"]["thread_id"], None)
        await thread.graph.ainvoke(None, thread.config, durability="sync")
    assert (await find_waiting_thread(session, await row_of(session))).id
    (proposal,) = await stored_ids(session)
    assert proposal == f"{row['id']}-P1"


async def stored_ids(session: Session) -> list[str]:
    with session.engine.store.database.read() as connection:
        query = select(proposals.c.id).where(proposals.c.status == "pending")
        return [str(name) for name in connection.execute(query).scalars()]


async def run_up_to(session: Session, node: str, config: Any, patch: pytest.MonkeyPatch) -> None:
    """Run a cycle until a node has written; the checkpoint after it cannot be stored."""

    async def fails(*_: Any, **__: Any) -> Any:
        raise SystemError(node)

    await collect_failures(session, await session.engine.workbench("desk"), silent)
    stream = session.graph("improve").astream({"task": "desk"}, config, stream_mode="updates", durability="sync")
    async for update in stream:
        if node in update:
            patch.setattr(type(session.saver), "aput", fails)
