"""Serving training cases, in process, with the scripted model."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from desk import silent

from ratchet.errors import BudgetError, RatchetError
from service.loop import improve
from service.serving import ENOUGH_FAILURES, collect_failures, serve
from service.session import Session

pytestmark = pytest.mark.anyio


async def failures(session: Session) -> list[dict[str, Any]]:
    return await session.engine.store.failures.of_task("desk")


async def collected(session: Session) -> tuple[int, int]:
    """Collect; how many training cases were served, and how many failures there are."""
    bench = await session.engine.workbench("desk")
    await collect_failures(session, bench, silent)
    served = await session.engine.store.runs.served_cases("desk", bench.version)
    return len(served), len(await failures(session))


def know(project: Path, known: range) -> None:
    """Let the agent know the price of these items by itself."""
    script = project / "script.json"
    replies = [
        {"match": f"What is the price of item{number:03d}", "reply": f"{number + 100} coins"} for number in known
    ]
    script.write_text(json.dumps([*replies, {"match": "", "reply": "I do not know."}]))


@pytest.fixture
def allow_calls(session: Session, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets how many calls a cycle may pay for."""

    def allow(count: int) -> None:
        monkeypatch.setattr(session.engine, "settings", session.engine.settings.model_copy(update={"max_calls": count}))

    return allow


async def test_collection_ends_when_enough_have_failed(session: Session) -> None:
    assert await collected(session) == (ENOUGH_FAILURES, ENOUGH_FAILURES)
    assert await collected(session) == (ENOUGH_FAILURES, ENOUGH_FAILURES)


async def test_collection_goes_on_where_many_pass_and_serves_all_where_few_fail(
    project: Path, session: Session
) -> None:
    know(project, range(20))
    assert await collected(session) == (20, 10)
    assert await collected(session) == (20, 10)


async def test_collection_serves_a_case_whose_name_somebody_else_has_used(session: Session) -> None:
    for number in range(1, 40, 2):
        await serve(session, "desk", "Anything else?", "I do not know.", f"case:c{number}")
    assert await collected(session) == (20 + ENOUGH_FAILURES, ENOUGH_FAILURES)


async def test_collection_pays_for_no_more_than_a_cycle_may_and_goes_on_the_next_time(
    session: Session, allow_calls: Callable[[int], None]
) -> None:
    allow_calls(5)
    assert await collected(session) == (5, 5)
    allow_calls(600)
    assert await collected(session) == (ENOUGH_FAILURES, ENOUGH_FAILURES)


async def test_collection_without_any_calls_says_so(session: Session, allow_calls: Callable[[int], None]) -> None:
    allow_calls(0)
    with pytest.raises(BudgetError, match="raise RATCHET_MAX_CALLS"):
        await improve(session, "desk", silent)
    allow_calls(600)
    assert await collected(session) == (ENOUGH_FAILURES, ENOUGH_FAILURES)


async def test_collection_leaves_failures_of_live_runs_as_they_are(session: Session) -> None:
    await serve(session, "desk", "What is the price of item001?", "101 coins", "ada")
    await serve(session, "desk", "What is the price of item003?", "103 coins", "bob")
    assert (await collected(session))[1] == 2


@pytest.mark.alone
async def test_collection_that_was_stopped_is_finished_and_serves_no_case_twice(session: Session, stopped: Any) -> None:
    await stopped("serving training cases")
    await asyncio.sleep(1)  # a write that was under way goes on to its end in its thread
    before = {row["source"] for row in await failures(session)}
    assert 0 < len(before) < ENOUGH_FAILURES

    assert (await improve(session, "desk", silent)).status == "awaiting_approval"

    found = Counter(row["source"] for row in await failures(session))
    assert len(found) == ENOUGH_FAILURES
    assert set(found.values()) == {1}
    assert before <= set(found)


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

    monkeypatch.setattr("service.serving.serve", fails_once)
    session.engine.settings = session.engine.settings.model_copy(update={"concurrency": 2})
    with pytest.raises(RatchetError, match="the endpoint is down"):
        await improve(session, "desk", silent)

    assert (len(begun), len(ended)) == (4, 3)


DOWN = """
import pathlib


def judge(inputs, outputs, reference_outputs):
    if pathlib.Path("up").exists():
        return False
    raise OSError("the judge is down")
"""


async def test_cases_that_could_not_be_scored_are_told_and_served_again(
    project: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setattr("sys.path", [str(project), *sys.path])
    (project / "judge_that_is_down.py").write_text(DOWN)
    task = project / "tasks/desk/task.toml"
    text = task.read_text().replace('kind = "contains"', 'kind = "python"\nuse = "judge_that_is_down:judge"')
    task.write_text(text)

    result = await improve(session, "desk", silent)

    assert result.status == "unscored"
    assert "20 of 20 training cases served: the run could not be scored: correct: judge_that_is_down:judge raised" in (
        result.message
    )
    assert await collected(session) == (0, 0)
    (project / "up").touch()
    assert await collected(session) == (ENOUGH_FAILURES, ENOUGH_FAILURES)
