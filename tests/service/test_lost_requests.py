"""Requests whose thread or checkpoints are gone: they are made again from the store."""

import uuid
from typing import Any

import pytest
from desk import silent

from service.loop import answer, improve
from service.requests import is_uuid, new_thread_id
from service.session import Session

pytestmark = pytest.mark.anyio
ADA = {"type": "approve", "reviewer": "ada"}
BOB = {"type": "reject", "reviewer": "bob"}


async def drop(session: Session, thread_id: str) -> None:
    await session.saver.adelete_thread(thread_id)


@pytest.mark.parametrize("reply", [ADA, BOB])
async def test_request_whose_checkpoints_are_gone_is_made_again(session: Session, reply: dict[str, str]) -> None:
    result = await improve(session, "desk", silent)
    await drop(session, str(result.thread_id))

    outcome = await answer(session, str(result.cycle_id), reply)

    assert outcome["status"] == {"approve": "applied", "reject": "rejected"}[reply["type"]]
    row = await session.engine.store.cycles.get(str(result.cycle_id))
    assert row is not None
    assert (row["status"], row["thread_id"] != result.thread_id) == (outcome["status"], True)


async def test_damaged_checkpoint_does_not_cost_the_request(session: Session) -> None:
    result = await improve(session, "desk", silent)
    await session.saver.conn.execute(
        "UPDATE checkpoints SET checkpoint = X'C1' WHERE thread_id = ?", (result.thread_id,)
    )
    await session.saver.conn.commit()
    assert (await answer(session, str(result.cycle_id), ADA))["status"] == "applied"


async def test_answer_goes_to_its_own_cycle_whatever_else_the_thread_asks(session: Session) -> None:
    first = await improve(session, "desk", silent)
    state = await session.graph("improve").aget_state({"configurable": {"thread_id": first.thread_id}})
    other = {**state.values, "cycle_id": "C-other", "proposal": None}
    await session.graph("improve").aupdate_state(
        {"configurable": {"thread_id": first.thread_id}}, other, as_node="diagnose"
    )
    assert (await answer(session, str(first.cycle_id), ADA))["cycle_id"] == first.cycle_id


async def test_running_cycle_without_checkpoints_goes_on_with_its_failures(session: Session, stopped: Any) -> None:
    await stopped("diagnose")
    (cycle,) = await session.engine.store.cycles.select()
    await drop(session, cycle["thread_id"])

    result = await improve(session, "desk", silent)

    assert (result.cycle_id, result.status) == (cycle["id"], "awaiting_approval")


async def test_threads_of_cycles_are_listed_by_the_server(session: Session) -> None:
    result = await improve(session, "desk", silent)
    assert str(uuid.UUID(str(result.thread_id))) == result.thread_id


ID = "0b5d3c5e-8a3a-4f0e-9a5e-2f3f0e1d2c3b"


@pytest.mark.parametrize("name", ["", "improve-desk-1", "0", "C-1234567890", ID.upper(), ID[:-1]])
def test_only_uuids_are_threads_of_the_server(name: str) -> None:
    assert not is_uuid(name)
    assert is_uuid(new_thread_id())
