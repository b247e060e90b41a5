import asyncio
import json
from typing import Any

import pytest
from langgraph.types import Command
from shop import Flickering, OpenEngine, Project, item_of, needs_context, needs_requirement, shop_items

from ratchet.engine import Engine
from ratchet.errors import RatchetError
from ratchet.store import Cycles

pytestmark = pytest.mark.anyio
CASES = shop_items()


def case(number: int, **more: Any) -> dict[str, Any]:
    return {"task": "shop", "input": CASES[number]["input"], "expected": CASES[number]["expected"]} | more


@pytest.fixture
def prompt(project: Project) -> Any:
    return lambda: json.loads(project.prompts_file.read_text())["shop"]


async def test_agent_that_passes_ends(project: Project, invoke: Any) -> None:
    project.script("agent", "bin00x")
    result = await invoke("agent", case(0))
    assert (result["output"], result["outcome"]["status"], result["diagnosis"]) == ("bin00x", "passed", None)


async def test_agent_that_lacks_a_requirement_is_asked_about_wording(project: Project, invoke: Any) -> None:
    project.script("agent", needs_requirement)
    request = (await invoke("agent", case(0)))["__interrupt__"][0].value
    assert request["review"]["strategy"] == "requirements"
    assert request["review"]["diff"].endswith("+Answer in at most 5 words.")


@pytest.mark.parametrize(("agent", "kind"), [("I do not know", "capability"), (Flickering, "unstable")])
async def test_agent_that_cannot_be_helped_is_escalated(
    project: Project, invoke: Any, open_engine: OpenEngine, agent: Any, kind: str
) -> None:
    project.script("agent", agent() if callable(agent) else agent)
    result = await invoke("agent", case(0))
    assert (result["outcome"]["status"], result["outcome"]["kind"]) == ("escalated", kind)
    store = (await open_engine()).store
    (review,) = await store.reviews.select("shop")
    assert (review["kind"], review["cycle_id"]) == (kind, result["outcome"]["cycle_id"])
    assert review["document"]["diagnosis"]["category"] == kind
    assert [row["status"] for row in await store.cycles.select()] == ["escalated"]
    assert [row["status"] for row in await store.failures.of_task("shop")] == ["escalated"]


async def test_change_that_cannot_be_proven_is_inconclusive(
    project: Project, invoke: Any, open_engine: OpenEngine
) -> None:
    def only_training(messages: Any, request: Any) -> str:
        return needs_context(messages, request) if int(item_of(messages)) % 2 == 0 else "no"

    project.script("agent", only_training)
    result = await invoke("agent", case(0))
    assert (result["outcome"]["status"], result["validation"]["verdict"]) == ("inconclusive", "inconclusive")
    store = (await open_engine()).store
    assert [row["kind"] for row in await store.reviews.select("shop")] == ["inconclusive"]
    base = (await (await open_engine()).workbench("shop")).prompts["shop"].hash
    assert len(await store.proposals.known("shop", "shop", base)) == 1


async def test_task_without_held_out_cases_proves_nothing(project: Project, invoke: Any) -> None:
    project.script("agent", needs_context)
    project.write_task(cases=[item | {"split": "train"} for item in CASES])
    result = await invoke("agent", case(0))
    assert (result["outcome"]["status"], result["validation"]["proven"]) == ("inconclusive", False)
    assert "no held-out cases" in result["outcome"]["message"]


async def test_budget_ends_the_cycle_and_is_not_exceeded(
    project: Project, invoke: Any, open_engine: OpenEngine
) -> None:
    script = project.script("agent", needs_context)
    result = await invoke("agent", case(0), max_calls=10)
    assert (result["outcome"]["status"], result["outcome"]["kind"]) == ("escalated", "budget")
    paid = (await (await open_engine()).store.replies.spent_by(result["outcome"]["cycle_id"])).calls
    assert paid <= 10
    assert len(script.calls) <= 11


async def test_improve_without_failures_has_nothing_to_do(invoke: Any) -> None:
    result = await invoke("improve", {"task": "shop"})
    assert result["outcome"]["status"] == "nothing_to_do"


async def test_improve_works_on_the_largest_group(project: Project, invoke: Any, open_engine: OpenEngine) -> None:
    for number, agent in ((0, "a b c d e f bin00x"), (2, "no"), (4, "no")):
        project.script("agent", agent)
        await invoke("serve", case(number), thread=f"run-{number}")
    project.script("agent", needs_context)
    result = await invoke("improve", {"task": "shop"}, thread="cycle")
    assert len(result["diagnosis"]["failures"]) == 2
    rows = await (await open_engine()).store.failures.of_task("shop")
    assert [row["status"] for row in rows] == ["open", "in_cycle", "in_cycle"]
    assert result["__interrupt__"][0].value["review"]["strategy"] == "retrieval"


async def test_improve_leaves_failures_on_held_out_cases_alone(project: Project, invoke: Any) -> None:
    await invoke("serve", case(1), thread="run")
    assert (await invoke("improve", {"task": "shop"}, thread="c"))["outcome"]["status"] == "nothing_to_do"


async def test_second_cycle_waits_for_the_first(waiting: Any, invoke: Any, project: Project) -> None:
    cycle_id = waiting.request["review"]["id"]
    result = await invoke("agent", case(2), thread="ticket-2")
    assert (result["outcome"]["status"], result["outcome"]["cycle_id"]) == ("waiting", cycle_id)
    result = await invoke("improve", {"task": "shop"}, thread="ticket-3")
    assert (result["outcome"]["status"], result["outcome"]["cycle_id"]) == ("waiting", cycle_id)
    assert (await waiting.answer(True))["outcome"]["status"] == "applied"


async def test_improve_after_a_rejection_in_the_same_thread_can_be_approved(
    project: Project, invoke: Any, prompt: Any
) -> None:
    project.script("agent", "no")
    await invoke("serve", case(0), thread="run")
    project.script("agent", needs_context)
    first = (await invoke("improve", {"task": "shop"}, thread="cycle"))["__interrupt__"][0].value["review"]
    assert (await invoke("improve", Command(resume=False), thread="cycle"))["outcome"]["status"] == "rejected"
    second = (await invoke("improve", {"task": "shop"}, thread="cycle"))["__interrupt__"][0].value["review"]
    assert second["change_hash"] != first["change_hash"]
    result = await invoke("improve", Command(resume=True), thread="cycle")
    assert result["outcome"]["status"] == "applied"
    assert prompt() == second["after"]


async def test_cycle_that_was_stopped_goes_on_without_paying_again(
    project: Project, invoke: Any, open_engine: OpenEngine
) -> None:
    project.script("agent", "no")
    await invoke("serve", case(0), thread="run")
    late = asyncio.Event()

    async def hangs_after_a_while(messages: Any, request: Any) -> str:
        if len(script.calls) > 12:
            late.set()
            await asyncio.sleep(30)
        return needs_context(messages, request)

    script = project.script("agent", hangs_after_a_while)
    stopped = asyncio.create_task(invoke("improve", {"task": "shop"}, thread="cycle"))
    await late.wait()
    stopped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped
    (cycle,) = await (await open_engine()).store.cycles.select()
    assert cycle["document"]["owner"] == ""
    paid = {json.dumps(messages) for messages in script.calls[:12]}
    script = project.script("agent", needs_context)
    assert (await invoke("improve", {"task": "shop"}, thread="cycle"))["__interrupt__"]
    again = [json.dumps(messages) for messages in script.calls]
    assert len(again) > 20
    assert len(paid.intersection(again)) <= 3
    assert len(await (await open_engine()).store.cycles.select()) == 1


async def test_cycle_that_ended_while_it_was_opened_still_has_its_failures(
    project: Project, invoke: Any, open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await invoke("serve", case(0), thread="run")
    project.script("agent", needs_context)

    async def dies(*_: Any) -> None:
        raise RatchetError("the process ends here")

    with monkeypatch.context() as broken:
        broken.setattr(Cycles, "record", dies)
        with pytest.raises(RatchetError):
            await invoke("improve", {"task": "shop"}, thread="cycle")
    assert (await invoke("improve", None, thread="cycle"))["__interrupt__"]
    store = (await open_engine()).store
    assert [row["status"] for row in await store.failures.of_task("shop")] == ["in_cycle"]
    assert len(await store.cycles.select()) == 1


async def test_proposing_and_diagnosing_models_never_see_a_held_out_case(project: Project, invoke: Any) -> None:
    mark = "HELDOUTMARK"
    cases = [item | {"input": item["input"] + (f" {mark}" if item["split"] == "holdout" else "")} for item in CASES]
    project.write_task(cases=cases)
    agent = project.script("agent", needs_requirement)
    analyst, optimizer = project.script("analyst", "no form"), project.script("optimizer", "Be brief and kind.")
    assert (await invoke("agent", case(0)))["__interrupt__"]
    assert analyst.calls
    assert optimizer.calls
    assert mark not in analyst.seen + optimizer.seen
    first_held_out = next(n for n, messages in enumerate(agent.calls) if mark in messages[-1]["content"])
    assert not any(mark in message["content"] for messages in agent.calls[:first_held_out] for message in messages)
    assert not any(mark in message["content"] for messages in agent.calls for message in messages[:-1])


async def test_engine_notices_a_changed_task(project: Project, engine: Engine) -> None:
    assert len((await engine.workbench("shop")).cases) == 40
    project.write_task(cases=CASES[:3])
    assert len((await engine.workbench("shop")).cases) == 3
