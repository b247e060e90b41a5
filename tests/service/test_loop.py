"""Driving the graphs, in process, with the scripted model."""

import os
import uuid
from typing import Any

import pytest
from desk import silent

from ratchet.approval.door import decide, stored_proposal
from ratchet.cycles.owner import process_name
from ratchet.errors import AlreadyDecidedError
from ratchet.records import Decision
from service.loop import answer, improve
from service.session import Session

pytestmark = pytest.mark.anyio


async def owner(session: Session) -> str:
    (cycle,) = await session.engine.store.cycles.select()
    return str(cycle["document"]["owner"])


@pytest.mark.parametrize("words", ["diagnose", "repair_context", "validate"])
async def test_cycle_that_was_stopped_is_let_go_and_goes_on(session: Session, stopped: Any, words: str) -> None:
    await stopped(words)
    assert await owner(session) == ""

    assert (await improve(session, "desk", silent)).status == "awaiting_approval"
    assert len(await session.engine.store.cycles.select()) == 1


async def test_cycle_of_a_process_at_work_is_left_alone(session: Session, stopped: Any) -> None:
    await stopped("diagnose")
    (cycle,) = await session.engine.store.cycles.select()
    host = process_name().split(":")[0]
    await session.engine.store.cycles.record(cycle["id"], {"owner": f"{host}:{os.getppid()}:"})

    result = await improve(session, "desk", silent)

    assert (result.status, result.cycle_id) == ("running", cycle["id"])
    assert f"{host}:{os.getppid()}" in result.message
    assert await owner(session) == f"{host}:{os.getppid()}:"


async def test_cycle_of_a_process_that_is_gone_is_taken_over(session: Session, stopped: Any) -> None:
    await stopped("diagnose")
    (cycle,) = await session.engine.store.cycles.select()
    host, pid, start = process_name().split(":")
    await session.engine.store.cycles.record(cycle["id"], {"owner": f"{host}:{pid}:{int(start) - 1}"})

    assert (await improve(session, "desk", silent)).cycle_id == cycle["id"]
    assert await owner(session) == process_name()


ADA = {"type": "approve", "reviewer": "ada"}
BOB = {"type": "reject", "reviewer": "bob"}


async def decided(session: Session, reply: dict[str, str]) -> str:
    """A cycle whose decision was taken by a process that ended before it took effect."""
    cycle_id = str((await improve(session, "desk", silent)).cycle_id)
    stored = await stored_proposal(session.engine, f"{cycle_id}-P1")
    await decide(session.engine, stored.proposal, Decision.model_validate(reply))
    return cycle_id


async def test_approval_whose_process_ended_is_finished_and_told_to_whoever_answers_next(session: Session) -> None:
    cycle_id = await decided(session, ADA)

    with pytest.raises(AlreadyDecidedError, match=r"decided before: ada approved it at .*Z; it is applied now"):
        await answer(session, cycle_id, BOB)

    (applied,) = [row for row in await session.engine.audit.rows() if row["action"] in ("apply", "reject")]
    assert (applied["action"], applied["actor"]) == ("apply", "ada")
    assert [row["number"] for row in await session.engine.versions.history("desk")] == [1, 2]


async def test_same_answer_finishes_an_approval_and_hears_whose_it_was(session: Session) -> None:
    outcome = await answer(session, await decided(session, ADA), {"type": "approve", "reviewer": "eve"})
    assert outcome["status"] == "applied"
    assert "ada approved it at" in outcome["message"]
    assert (await session.engine.versions.history("desk"))[-1]["by"] == "ada"


async def test_rejection_takes_effect_with_the_decision(session: Session) -> None:
    cycle_id = await decided(session, BOB)
    (cycle,) = await session.engine.store.cycles.select()
    assert cycle["status"] == "rejected"
    assert await session.engine.store.failures.count_open("desk") > 0
    with pytest.raises(AlreadyDecidedError, match="it is rejected: bob rejected it at"):
        await answer(session, cycle_id, ADA)
    assert len(await session.engine.versions.history("desk")) == 1


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
