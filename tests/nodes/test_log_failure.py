"""Storing a failure, and the way of a failing run to it."""

import os
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from shop import TASK, Project, shop_items

import nodes
from nodes.state import State
from ratchet.engine import Engine

pytestmark = pytest.mark.anyio
CASE = shop_items()[0]
CONFIG: RunnableConfig = {"configurable": {"thread_id": "T"}}


@pytest.fixture
def failed_run(engine: Engine) -> Any:
    """Serves a run that fails, node by node as the graph does, and returns its last state."""

    async def run() -> State:
        state: Any = {"task": "shop", "input": CASE["input"], "expected": CASE["expected"]}
        for node in (nodes.execute, nodes.evaluate, nodes.log_failure):
            state |= await node(state, CONFIG, engine)
        return state  # type: ignore[no-any-return]

    return run


async def test_a_failing_run_looks_at_the_files_of_its_task_once(
    failed_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await failed_run()
    walk, looks = os.walk, 0

    def walking(folder: Any) -> Any:
        nonlocal looks
        looks += 1
        return walk(folder)

    monkeypatch.setattr(os, "walk", walking)
    await failed_run()
    assert looks == 1


async def test_an_edit_is_seen_by_the_next_run(project: Project, failed_run: Any) -> None:
    assert (await failed_run())["evaluation"]["problems"] == ["correct: does not contain 'bin00x'"]
    sure = '[[criteria]]\nname = "sure"\nkind = "contains"\nvalues = ["Certainly"]\n'
    project.write_task(toml=TASK + sure, cases=shop_items())
    problems = (await failed_run())["evaluation"]["problems"]
    assert problems == ["correct: does not contain 'bin00x'", "sure: does not contain 'Certainly'"]
