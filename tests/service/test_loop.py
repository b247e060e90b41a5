"""Driving the graphs, in process, with the scripted model."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ratchet.errors import AlreadyDecidedError, RatchetError
from ratchet.process import process_name
from ratchet.settings import ROLES, Settings
from service.loop import answer, improve
from service.session import Session, open_session

pytestmark = pytest.mark.anyio
APPROVE = {"type": "approve", "reviewer": "ada"}


@pytest.fixture
async def session(project: Path) -> AsyncIterator[Session]:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        home=project / "home",
        tasks_dir=project / "tasks",
        rules_file=project / "behavior_rules.json",
        prompts_file=project / "task_prompts.json",
        **{f"{role}_model": f"scripted:{project / 'script.json'}" for role in ROLES},  # type: ignore[arg-type]
    )
    async with open_session(settings) as opened:
        yield opened


@pytest.fixture
def stopped(session: Session) -> Any:
    """Runs `improve` and stops it at the first progress that says `words`."""

    async def run(words: str) -> None:
        def tell(text: str = "", **_: Any) -> None:
            if words in text:
                running.cancel()

        running = asyncio.create_task(improve(session, "desk", tell))
        with pytest.raises(asyncio.CancelledError):
            await running

    return run


def silent(text: str = "", **_: Any) -> None:
    """No progress is wanted."""


async def failures(session: Session, status: str | None = None) -> list[dict[str, Any]]:
    return await session.engine.store.failures.of_task("desk", status)


async def owner(session: Session) -> str:
    (cycle,) = await session.engine.store.cycles.select()
    return str(cycle["document"]["owner"])


async def test_collection_that_was_stopped_is_finished_and_serves_no_case_twice(session: Session, stopped: Any) -> None:
    await stopped("serving training cases")
    before = {row["source"] for row in await failures(session)}
    assert 0 < len(before) < 20

    assert (await improve(session, "desk", silent)).status == "awaiting_approval"

    found = Counter(row["source"] for row in await failures(session, "in_cycle"))
    assert len(found) == 20
    assert {found[source] for source in before} == {1}


async def test_failure_that_was_stopped_before_it_was_stored_is_found_again(
    session: Session, stopped: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, add = session.engine.store.failures, session.engine.store.failures.add

    async def dies(bundle: Any, group_key: str) -> None:
        if bundle.source == "case:c1":
            raise RatchetError("the process ends here")
        await add(bundle, group_key)

    with monkeypatch.context() as broken:
        broken.setattr(store, "add", dies)
        with pytest.raises(RatchetError):
            await improve(session, "desk", silent)
    await improve(session, "desk", silent)

    assert "case:c1" in {row["source"] for row in await failures(session)}


async def test_collection_begins_no_run_after_an_error_and_lets_those_under_way_end(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = [], []

    async def fails_once(session: Session, task: str, text: str, expected: Any, source: str, *, reuse: bool) -> None:
        begun.append(source)
        await asyncio.sleep(0.01 * len(begun))
        if source == begun[0]:
            raise RatchetError("the endpoint is down")
        ended.append(source)

    monkeypatch.setattr("service.loop.serve", fails_once)
    session.engine.settings = session.engine.settings.model_copy(update={"concurrency": 2})
    with pytest.raises(RatchetError, match="the endpoint is down"):
        await improve(session, "desk", silent)

    assert (len(begun), len(ended)) == (4, 3)


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
