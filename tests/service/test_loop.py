"""Driving the graphs, in process, with the scripted model."""

import os
from typing import Any

import pytest
from desk import silent

from ratchet.approval.door import decide, stored_proposal
from ratchet.cycles.owner import process_name
from ratchet.errors import AlreadyDecidedError, ConfigurationError
from ratchet.prompting import change_hash
from ratchet.records import Decision
from service import loop
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


async def test_approval_whose_process_ended_is_finished_by_the_next_improvement(session: Session) -> None:
    cycle_id = await decided(session, ADA)
    result = await improve(session, "desk", silent)
    assert (result.status, result.cycle_id) == ("applied", cycle_id)
    assert "ada approved it at" in result.message
    assert [row["number"] for row in await session.engine.versions.history("desk")] == [1, 2]


async def second_proposal(session: Session) -> str:
    """A cycle whose first proposal was rejected with feedback and whose second one waits."""
    cycle_id = str((await improve(session, "desk", silent)).cycle_id)
    first = (await stored_proposal(session.engine, f"{cycle_id}-P1")).proposal
    rejection = Decision(type="reject", reviewer="bob", feedback="be brief")
    await decide(session.engine, first, rejection, again=True)
    row = await session.engine.store.proposals.get(first.id)
    assert row
    after = first.after.model_copy(update={"prompt": "Answer the customer shortly."})
    change = {"id": f"{cycle_id}-P2", "round": 2, "after": after, "change_hash": change_hash(first.before, after)}
    proposal = first.model_copy(update=change).model_dump(mode="json")
    document: Any = {"proposal": proposal, "validation": row["document"]["validation"]}
    new: Any = {**row, "id": f"{cycle_id}-P2", "status": "pending", "document": {**row["document"], **document}}
    new["document"].pop("decision")
    await session.engine.store.proposals.add([new])
    await session.engine.store.cycles.record(cycle_id, document, status="awaiting_approval")
    return cycle_id


@pytest.mark.parametrize("reply", [ADA, {"type": "reject", "reviewer": "eve"}])
async def test_answer_to_a_proposal_that_was_followed_by_another_changes_nothing(
    session: Session, reply: dict[str, str]
) -> None:
    cycle_id = await second_proposal(session)
    for seen in (cycle_id, f"{cycle_id}-P1"):
        with pytest.raises(ConfigurationError, match=f"another proposal waits by now.*answer {cycle_id}-P2"):
            await answer(session, seen, reply)
    assert await session.engine.store.proposals.status(f"{cycle_id}-P2") == "pending"
    assert len(await session.engine.versions.history("desk")) == 1


async def test_proposal_is_answered_by_its_own_id(session: Session) -> None:
    cycle_id = await second_proposal(session)
    outcome = await answer(session, f"{cycle_id}-P2", ADA)
    assert (outcome["status"], outcome["cycle_id"]) == ("applied", cycle_id)
    bench = await session.engine.workbench("desk")
    assert bench.prompts["desk"].prompt == "Answer the customer shortly."


async def test_whoever_is_slower_in_the_same_thread_is_told(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    cycle_id = str((await improve(session, "desk", silent)).cycle_id)
    find = loop.waiting_thread

    async def overtaken(session: Session, row: Any) -> Any:
        thread = await find(session, row)
        monkeypatch.setattr(loop, "waiting_thread", find)
        await answer(session, cycle_id, BOB)
        return thread

    monkeypatch.setattr(loop, "waiting_thread", overtaken)
    with pytest.raises(AlreadyDecidedError, match="bob rejected it at"):
        await answer(session, cycle_id, ADA)
    assert len(await session.engine.versions.history("desk")) == 1
