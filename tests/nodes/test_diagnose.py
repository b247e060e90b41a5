from typing import Any

import pytest
from shop import TASK, FailRuns, Flickering, Project, needs_context, needs_requirement, shop_items

from ratchet.cycles.owner import process_name
from ratchet.engine import Engine

pytestmark = pytest.mark.anyio
CANARY = '[canary]\ninput = "Where is item01 kept?"\noutput = "bin01x"\nexpected = "bin01x"\n'


@pytest.fixture
def failing(project: Project, engine: Engine, fail_runs: FailRuns) -> Any:
    """Open failures of the task, from an agent that lacks what its name says."""

    async def make(agent: Any = needs_requirement, *numbers: int) -> list[str]:
        project.script("agent", agent)
        return [failure.id for failure in await fail_runs(engine, *(numbers or (0, 2)))]

    return make


async def cycles(engine: Engine) -> list[Any]:
    return list(await engine.store.cycles.select(task="shop"))


async def test_cycle_is_opened_and_its_cause_found(engine: Engine, failing: Any, run_node: Any) -> None:
    ids = await failing()

    ran = await run_node("diagnose", {"task": "shop"})

    (row,) = await cycles(engine)
    assert (row["id"], row["graph"], row["thread_id"], row["status"]) == (
        ran.state["cycle_id"],
        "improve",
        "T",
        "running",
    )
    assert row["document"]["owner"] == process_name()
    assert row["document"]["failures"] == ids
    assert row["category"] == ran.state["diagnosis"]["category"] == "prompt"
    assert {failure["status"] for failure in await engine.store.failures.of_task("shop")} == {"in_cycle"}
    assert ran.told[0] == "experiments on 2 failed runs"


async def test_missing_document_is_found_to_be_the_cause(failing: Any, run_node: Any) -> None:
    await failing(needs_context)

    diagnosis = (await run_node("diagnose", {"task": "shop"})).state["diagnosis"]

    assert (diagnosis["category"], diagnosis["source"]) == ("context", "handbook")


async def test_runs_that_pass_when_repeated_are_unstable(failing: Any, run_node: Any) -> None:
    await failing(Flickering())

    assert (await run_node("diagnose", {"task": "shop"})).state["diagnosis"]["category"] == "unstable"


async def test_failure_that_was_just_logged_is_the_only_one(engine: Engine, failing: Any, run_node: Any) -> None:
    await failing()

    ran = await run_node("diagnose", {"task": "shop", "failure_id": "F-2"})

    assert ran.state["diagnosis"]["failures"] == ["F-2"]
    assert [row["graph"] for row in await cycles(engine)] == ["agent"]


async def test_node_that_runs_again_keeps_its_cycle(engine: Engine, failing: Any, run_node: Any) -> None:
    await failing()

    first = (await run_node("diagnose", {"task": "shop", "hint": "say it"})).state["cycle_id"]
    again = await run_node("diagnose", {"task": "shop"})

    assert again.state["cycle_id"] == first
    assert again.state["hint"] == "say it"
    assert len(await cycles(engine)) == 1


async def test_nothing_is_done_without_failures(engine: Engine, run_node: Any) -> None:
    outcome = (await run_node("diagnose", {"task": "shop"})).state["outcome"]

    assert outcome == {"status": "nothing_to_do", "message": "shop has no open failures"}
    assert await cycles(engine) == []


async def test_open_cycle_of_another_thread_has_the_right_of_way(engine: Engine, failing: Any, run_node: Any) -> None:
    await failing()
    await engine.store.cycles.claim("C", "shop", "shop", "improve", "other")

    outcome = (await run_node("diagnose", {"task": "shop"})).state["outcome"]

    assert (outcome["status"], outcome["cycle_id"]) == ("waiting", "C")
    assert {failure["status"] for failure in await engine.store.failures.of_task("shop")} == {"open"}


async def test_evaluator_that_passes_its_canary_is_not_trusted(project: Project, failing: Any, run_node: Any) -> None:
    await failing()
    project.write_task(toml=TASK + CANARY, cases=[{"input": "a", "expected": "b"}], documents={"a.md": "text"})

    ran = await run_node("diagnose", {"task": "shop"})

    assert (ran.state["outcome"]["status"], ran.state["outcome"]["kind"]) == ("escalated", "evaluator")
    assert not ran.state.get("diagnosis")


async def test_budget_that_ends_is_told(engine: Engine, failing: Any, run_node: Any) -> None:
    await failing()
    engine.settings = engine.settings.model_copy(update={"max_calls": 1})

    outcome = (await run_node("diagnose", {"task": "shop"})).state["outcome"]

    assert (outcome["status"], outcome["kind"]) == ("escalated", "budget")
    assert outcome["message"].startswith("the budget of 1 model call is used up")


async def test_cycle_turns_to_the_component_at_fault_unless_another_works_on_it(
    project: Project, engine: Engine, run_node: Any, fail_runs: FailRuns
) -> None:
    async def agent(text: str, call: Any) -> str:
        return str(await call("writer", await call("shop", text)))

    def answers(messages: list[dict[str, Any]], request: Any) -> str:
        if "TASK:\nRepeat it." in messages[0]["content"]:
            return str(messages[-1]["content"])
        return needs_requirement(messages, request)

    toml = TASK.replace('["shop"]', '["shop", "writer"]') + f'[agent]\nuse = "{project.add("custom", agent)}"\n'
    training = [case for case in shop_items() if case["split"] == "train"]
    project.write_task(toml=toml, cases=training[:2], documents={"a.md": "text"})
    project.write_prompts({"shop": "Answer the question.", "writer": "Repeat it."})
    project.script("agent", answers)
    await fail_runs(engine, 0, 1, component="writer")

    moved = await run_node("diagnose", {"task": "shop"})

    assert moved.state["diagnosis"]["component"] == "shop"
    assert [row["component"] for row in await cycles(engine)] == ["shop"]

    await fail_runs(engine, 0, id="F-3", run_id="R-3", component="writer")
    gave_way = await run_node("diagnose", {"task": "shop", "failure_id": "F-3"}, thread="other")

    assert gave_way.state["outcome"]["status"] == "waiting"
    assert sorted(row["status"] for row in await cycles(engine)) == ["gave_way", "running"]
    assert [row["status"] for row in await engine.store.failures.select(["F-3"])] == ["open"]
