"""Inputs from production as held-out cases, from the runs that bring them to the change that they prove."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from langgraph.types import Command
from shop import TASK, OpenEngine, Project, needs_requirement, shop_items

from graph import open_graph
from ratchet.errors import ModelUnavailableError
from ratchet.llm import Fault
from ratchet.tasks import stable_split

pytestmark = pytest.mark.anyio
MARKS = ("MARKIN", "MARKOUT")
Traffic = Callable[..., Awaitable[None]]


def questions(split: str, mark: str = "") -> list[dict[str, Any]]:
    """Runs of live traffic whose inputs belong to one split, each of another user."""
    made = [
        {
            "task": "shop",
            "input": f"Tell me about item{number:02d}, user {number}{mark and ' MARKIN'}",
            "expected": [f"bin{number:02d}x", f"{mark}{number}"],
            "source": f"user-{number}",
        }
        for number in range(40, 100)
    ]
    return [run for run in made if stable_split(run["input"]) == split]


TRAIN, HELD = questions("train"), questions("holdout", mark="MARKOUT")


@pytest.fixture
def traffic(invoke: Any) -> Traffic:
    """Serves runs of live traffic."""

    async def serve(*runs: dict[str, Any]) -> None:
        for run in runs:
            await invoke("serve", run, thread=run["source"])

    return serve


async def test_markers_of_inputs_that_rotate_in_reach_no_proposing_or_diagnosing_call(
    project: Project, invoke: Any, traffic: Traffic
) -> None:
    agent = project.script("agent", needs_requirement)
    analyst, optimizer = project.script("analyst", "no form"), project.script("optimizer", "Be brief and kind.")
    await traffic(*HELD[:10], *TRAIN[:5])
    agent.calls.clear()
    request = (await invoke("improve", {"task": "shop"}, min_sources=2))["__interrupt__"][0].value
    found = request["review"]["validation"]
    assert (found["proven"], found["production"] > 0) == (True, True)
    assert any("MARKIN" in difference["input"] for difference in found["wins"])
    assert f"{found['production']} of these from production" in request["action_requests"][0]["description"]
    assert analyst.calls
    assert optimizer.calls
    async with open_graph("improve", project.settings()) as graph:
        values = (await graph.aget_state({"configurable": {"thread_id": "ticket-1"}})).values
    beside = "\n".join(message["content"] for messages in agent.calls for message in messages[:-1])
    shown = json.dumps([values["candidates"], values["diagnosis"]])
    for mark in MARKS:
        assert mark not in analyst.seen + optimizer.seen + shown + beside


async def test_a_failure_that_is_worked_on_at_once_is_not_held_out_any_more(
    project: Project, invoke: Any, traffic: Traffic
) -> None:
    project.script("agent", needs_requirement)
    await traffic(*HELD[1:6])
    result = await invoke("agent", HELD[0])
    inputs = [case["input"] for case in result["__interrupt__"][0].value["review"]["validation"]["wins"]]
    assert HELD[0]["input"] not in inputs
    assert any("MARKIN" in text for text in inputs)


async def test_resumed_cycle_takes_the_same_cases_in_the_same_order(
    project: Project, invoke: Any, traffic: Traffic, open_engine: OpenEngine
) -> None:
    project.script("agent", needs_requirement)
    await traffic(*HELD[:5], *TRAIN[:5])
    engine = await open_engine()
    down = True

    def fails_at_the_gate(messages: list[dict[str, Any]], request: Any) -> Any:
        at_gate = down and "MARKIN" in messages[-1]["content"]
        return Fault(503) if at_gate else needs_requirement(messages, request)

    project.script("agent", fails_at_the_gate)
    with pytest.raises(ModelUnavailableError):
        await invoke("improve", {"task": "shop"})
    (cycle,) = await engine.store.cycles.select(task="shop")
    before = await engine.store.gate_cases.of_test(f"{cycle['id']}-P1")
    down = False
    await traffic(*HELD[5:12])
    result = await invoke("improve", None)
    after = await engine.store.gate_cases.of_test(f"{cycle['id']}-P1")
    assert len(before) == 25
    assert [row | {"seen": 0} for row in after] == before
    looked_at = [row["input"] for row in after if row["seen"]]
    assert looked_at == [row["input"] for row in after[: len(looked_at)]]
    found = result["__interrupt__"][0].value["review"]["validation"]
    assert [case["input"] for case in found["wins"]] == looked_at
    assert found["production"] == sum(row["run_id"] is not None for row in after[: len(looked_at)])


async def test_next_proposal_of_a_cycle_meets_the_cases_that_were_not_looked_at(
    project: Project, invoke: Any, open_engine: OpenEngine
) -> None:
    project.script("agent", needs_requirement)
    await invoke("agent", {"task": "shop", "input": shop_items()[0]["input"], "expected": "bin00x"})
    edit = {"type": "edit", "prompt": "Answer the question. Answer in at most 5 words. Be kind."}
    await invoke("agent", Command(resume=edit))
    engine = await open_engine()
    (cycle,) = await engine.store.cycles.select(task="shop")
    first = await engine.store.gate_cases.of_test(f"{cycle['id']}-P1")
    unseen = {row["case_id"] for row in first if not row["seen"]}
    second = await engine.store.gate_cases.of_test(cycle["document"]["proposal"]["id"])
    assert unseen
    assert second != first
    assert {row["case_id"] for row in second[: len(unseen)]} == unseen


async def test_production_alone_is_enough_to_prove_a_change_on(project: Project, invoke: Any, traffic: Traffic) -> None:
    project.script("agent", needs_requirement)
    project.write_task(cases=[case for case in shop_items() if case["split"] == "train"], documents={"a.md": "text"})
    await traffic(*HELD[:20], *TRAIN[:5])
    found = (await invoke("improve", {"task": "shop"}))["__interrupt__"][0].value["review"]["validation"]
    assert (found["proven"], found["production"]) == (True, found["after"]["n"])


async def test_none_comes_from_production_where_it_is_turned_off(
    project: Project, invoke: Any, traffic: Traffic
) -> None:
    project.script("agent", needs_requirement)
    project.write_task(toml=TASK + "\n[holdout]\nproduction = 0\n", cases=shop_items())
    await traffic(*HELD[:10], *TRAIN[:5])
    found = (await invoke("improve", {"task": "shop"}))["__interrupt__"][0].value["review"]["validation"]
    assert found["production"] == 0
