"""Driving the graphs, in process, with the scripted model."""

import os
from typing import Any

import pytest
from desk import silent

from ratchet.cycles.owner import process_name
from ratchet.errors import AlreadyDecidedError
from service.loop import answer, improve
from service.session import Session

pytestmark = pytest.mark.anyio
APPROVE = {"type": "approve", "reviewer": "ada"}


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


@pytest.mark.parametrize("given", ["approved", "rejected"])
async def test_answer_that_was_noted_before_a_crash_stands_and_can_be_finished(session: Session, given: str) -> None:
    cycle_id = str((await improve(session, "desk", silent)).cycle_id)
    await session.engine.store.proposals.decide(f"{cycle_id}-P1", given, "")
    replies = {"approved": APPROVE, "rejected": {"type": "reject", "reviewer": "bob"}}
    other = next(reply for status, reply in replies.items() if status != given)

    with pytest.raises(AlreadyDecidedError, match=f"is {given} already"):
        await answer(session, cycle_id, other)

    outcome = await answer(session, cycle_id, replies[given])
    assert outcome["status"] == {"approved": "applied", "rejected": "rejected"}[given]
