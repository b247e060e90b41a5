import json
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from shop import Project, shop_items

import nodes
from ratchet.engine import Engine
from ratchet.errors import ModelUnavailableError, RatchetError
from ratchet.llm import Fault

pytestmark = pytest.mark.anyio
CASE = shop_items()[0]
CONFIG: RunnableConfig = {"configurable": {"thread_id": "T"}}


def at(place: str) -> Any:
    return {"configurable": {"thread_id": "T"}, "metadata": {"langgraph_checkpoint_ns": place}}


async def stored(engine: Engine, run_id: str) -> Any:
    row = await engine.store.runs.get(run_id)
    assert row
    return row


async def test_execute_forgets_the_last_cycle(engine: Engine) -> None:
    state: Any = {"task": "shop", "input": "x", "cycle_id": "C-old", "failure_id": "F-old", "round": 2}
    update = await nodes.execute(state, CONFIG, engine)
    assert (update["cycle_id"], update["failure_id"], update["round"], update["outcome"]) == (None, None, 0, None)
    json.dumps(update)


async def test_execute_reuses_only_when_told(project: Project, engine: Engine) -> None:
    script = project.script("agent", "no")
    state: Any = {"task": "shop", "input": "x"}
    for reuse in (False, False, True, True):
        await nodes.execute(state, {"configurable": {"thread_id": "T", "reuse": reuse}}, engine)
    assert len(script.calls) == 2


async def test_run_is_stored_with_all_that_it_was_made_from(project: Project, engine: Engine) -> None:
    project.script("agent", "on the shelf")
    state: Any = {"task": "shop", "input": CASE["input"], "expected": "bin00x", "source": "ada"}

    update = await nodes.execute(state, CONFIG, engine)

    row = await stored(engine, update["run_id"])
    assert (row["task"], row["source"], row["version"], row["passed"]) == ("shop", "ada", 1, None)
    document = row["document"]
    assert (document["output"], document["expected"], document["thread_id"]) == ("on the shelf", "bin00x", "T")
    assert document["prompts"] == {"shop": {"prompt": "Answer the question."}}
    assert [step["kind"] for step in document["trace"]] == ["model"]


async def test_run_that_nobody_claims_is_its_threads_or_its_own(engine: Engine) -> None:
    state: Any = {"task": "shop", "input": "x"}

    threaded = await nodes.execute(state, CONFIG, engine)
    alone = await nodes.execute(state, {}, engine)

    assert (await stored(engine, threaded["run_id"]))["source"] == "T"
    assert (await stored(engine, alone["run_id"]))["source"] == alone["run_id"]


async def test_node_that_runs_again_makes_no_second_run(engine: Engine) -> None:
    state: Any = {"task": "shop", "input": "x"}

    places = ("execute:1", "execute:1", "execute:2")
    ids = [(await nodes.execute(state, at(place), engine))["run_id"] for place in places]

    assert ids[0] == ids[1] != ids[2]


async def test_refused_request_makes_a_run_with_a_problem(project: Project, engine: Engine) -> None:
    project.script("agent", Fault(400, body='{"error": {"message": "too long"}}'))

    update = await nodes.execute({"task": "shop", "input": "x"}, CONFIG, engine)

    assert update["output"] == ""
    problem = (await stored(engine, update["run_id"]))["document"]["problem"]
    assert problem is not None
    assert "too long" in problem["message"]


async def test_endpoint_that_does_not_answer_makes_no_run(project: Project, engine: Engine) -> None:
    project.script("agent", Fault(503))

    with pytest.raises(ModelUnavailableError):
        await nodes.execute({"task": "shop", "input": "x"}, at("execute:1"), engine)

    assert await engine.store.runs.recent("shop", per_source=9, limit=9) == []


@pytest.mark.parametrize("state", [{"task": "shop"}, {"task": "shop", "input": 7}, {"task": "gone", "input": "x"}])
async def test_input_that_cannot_be_run_is_refused_before_it_costs_anything(
    project: Project, engine: Engine, state: Any
) -> None:
    script = project.script("agent", "ok")

    with pytest.raises(RatchetError):
        await nodes.execute(state, CONFIG, engine)

    assert script.calls == []


async def test_run_in_a_thread_whose_request_waits_leads_back_to_it(engine: Engine) -> None:
    await engine.store.cycles.claim("C", "shop", "shop", "improve", "T", {"proposal": {"id": "C-P1"}})  # type: ignore[typeddict-item]
    state: Any = {"task": "shop", "input": "x"}

    assert "proposal" not in {key for key, value in (await nodes.execute(state, CONFIG, engine)).items() if value}
    await engine.store.cycles.record("C", {}, status="awaiting_approval")
    update = await nodes.execute(state, CONFIG, engine)

    assert (update["cycle_id"], update["proposal"]) == ("C", {"id": "C-P1"})
