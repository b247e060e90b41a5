from typing import Any

import pytest
from langgraph.types import Command
from shop import TASK, Project, item_of, needs_context, needs_document_and_requirement, shop_items

pytestmark = pytest.mark.anyio
CASE = shop_items()[0]
INPUT = {"task": "shop", "input": CASE["input"], "expected": CASE["expected"]}


async def test_cycle_of_two_rounds_proposes_one_change_with_both(
    project: Project, invoke: Any, open_engine: Any
) -> None:
    agent = project.script("agent", needs_document_and_requirement)
    result = await invoke("agent", INPUT)
    review = result["__interrupt__"][0].value["review"]
    assert review["strategy"] == "retrieval + requirements"
    assert review["after"] == {
        "prompt": "Answer the question.\nAnswer in at most 5 words.",
        "context": [{"source": "handbook", "top_k": 1}],
    }
    assert {candidate["round"] for candidate in review["candidates"]} == {1, 2}
    assert [candidate["round"] for candidate in review["candidates"] if candidate["status"] == "chosen"] == [2]
    assert (review["validation"]["before"]["rate"], review["validation"]["after"]["rate"]) == (0.0, 1.0)
    paid = len(agent.calls)
    result = await invoke("agent", Command(resume=True))
    assert result["outcome"]["status"] == "applied"
    assert len(agent.calls) == paid


def never_for_item_04(messages: Any, request: Any) -> str:
    return "no" if item_of(messages) == "04" else needs_context(messages, request)


async def fail_and_improve(project: Project, invoke: Any, max_calls: int) -> dict[str, Any]:
    """A cycle over three failures of which a document in the prompt mends two."""
    for number in (0, 2, 4):
        case = shop_items()[number]
        project.script("agent", "no")
        await invoke("serve", INPUT | {"input": case["input"], "expected": case["expected"]}, thread=f"run-{number}")
    project.script("agent", never_for_item_04)
    result: dict[str, Any] = await invoke("improve", {"task": "shop"}, thread="cycle", max_calls=max_calls)
    return result


async def test_cycle_whose_budget_ends_in_a_further_round_goes_on_to_the_gate(project: Project, invoke: Any) -> None:
    optimizer = project.script("optimizer", "Be brief.")
    review = (await fail_and_improve(project, invoke, max_calls=58))["__interrupt__"][0].value["review"]
    assert (review["strategy"], review["spent"]["calls"] <= 58) == ("retrieval", True)
    assert {candidate["round"] for candidate in review["candidates"]} == {1}
    assert optimizer.calls == []


async def test_further_rounds_leave_the_gate_all_repeats_of_every_case(project: Project, invoke: Any) -> None:
    project.write_task(toml=TASK + "\n[gate]\nrepeats = 3\n", cases=shop_items())
    optimizer = project.script("optimizer", "Be brief.")
    review = (await fail_and_improve(project, invoke, max_calls=94))["__interrupt__"][0].value["review"]
    assert (review["validation"]["repeats"]["count"], review["validation"]["after"]["n"]) == (3, 12)
    assert 3 * 2 * 12 < review["spent"]["calls"] <= 94
    assert optimizer.calls == []


def in_further_round(calls: list[list[dict[str, Any]]], base: str) -> list[str]:
    """The proposing calls that start from a prompt which holds `base`."""
    return [text for messages in calls if base in (text := messages[-1]["content"])]


async def test_hint_reaches_the_proposing_calls_of_a_further_round(project: Project, invoke: Any) -> None:
    project.script("agent", needs_document_and_requirement)
    failure = (await invoke("serve", INPUT, thread="run"))["failure_id"]
    optimizer = project.script("optimizer", "Be brief.")
    given = {"task": "shop", "failures": [failure], "hint": "mind the length"}
    result = await invoke("improve", given, thread="cycle")
    assert result["__interrupt__"][0].value["review"]["strategy"] == "retrieval + requirements"
    assert optimizer.calls  # in the second round only: the first one is retrieval's
    assert all("mind the length" in messages[-1]["content"] for messages in optimizer.calls)


async def test_feedback_reaches_the_proposing_calls_of_a_further_round(project: Project, invoke: Any) -> None:
    project.script("agent", needs_document_and_requirement)
    await invoke("agent", INPUT)
    optimizer = project.script("optimizer", "Be brief.")
    await invoke("agent", Command(resume={"type": "reject", "feedback": "say it in other words"}))
    further = in_further_round(optimizer.calls, "Answer in at most 5 words.")
    assert further
    assert all("say it in other words" in text for text in further)


async def test_feedback_does_not_outlive_its_cycle_in_a_used_thread(project: Project, invoke: Any) -> None:
    project.script("agent", needs_document_and_requirement)
    await invoke("agent", INPUT)
    await invoke("agent", Command(resume={"type": "reject", "feedback": "say it in other words"}))
    await invoke("agent", Command(resume={"type": "reject"}))
    optimizer = project.script("optimizer", "Be very brief.")
    await invoke("agent", INPUT | {"input": "Where is item02 kept?", "expected": "bin02x"})
    assert "say it in other words" not in optimizer.seen
