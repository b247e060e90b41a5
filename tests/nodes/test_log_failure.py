"""Storing a failure, and the way of a failing run to it."""

import os
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from shop import TASK, Project, shop_items

import nodes
from nodes.state import State
from ratchet.engine import Engine
from ratchet.errors import RefusalError

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


async def test_node_that_runs_again_stores_one_failure(engine: Engine, failed_run: Any) -> None:
    state = await failed_run()

    again = await nodes.log_failure(state, CONFIG, engine)

    assert again["failure_id"] == state["failure_id"] == "F-" + state["run_id"].removeprefix("R-")
    assert await engine.store.failures.count_open("shop") == 1


async def test_failure_is_of_the_component_that_spoke_last(project: Project, engine: Engine, failed_run: Any) -> None:
    async def agent(text: str, call: Any) -> str:
        await call("shop", text)
        return str(await call("writer", text))

    toml = TASK.replace('["shop"]', '["shop", "writer"]') + f'[agent]\nuse = "{project.add("custom", agent)}"\n'
    project.write_task(toml=toml, cases=[CASE])
    project.write_prompts({"shop": "a", "writer": "b"})

    await failed_run()

    (row,) = await engine.store.failures.of_task("shop")
    assert (row["component"], row["group_key"]) == ("writer", "writer: correct")


async def test_failure_waits_for_the_open_cycle_of_its_component(engine: Engine, failed_run: Any) -> None:
    await engine.store.cycles.claim("C-other", "shop", "writer", "improve", "other")
    assert (await failed_run())["outcome"]["cycle_id"] is None

    await engine.store.cycles.claim("C", "shop", "shop", "improve", "another")
    outcome = (await failed_run())["outcome"]

    assert (outcome["status"], outcome["cycle_id"]) == ("logged", "C")
    assert outcome["message"].endswith(" is stored and waits for cycle C")


async def test_run_that_passed_is_no_failure(project: Project, engine: Engine, failed_run: Any) -> None:
    project.script("agent", "bin00x")

    with pytest.raises(RefusalError, match="has not failed; nothing was stored"):
        await failed_run()

    assert await engine.store.failures.of_task("shop") == []
