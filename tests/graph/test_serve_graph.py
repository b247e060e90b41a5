from typing import Any

import pytest
from shop import OpenEngine, Project, needs_context, shop_items

from ratchet.errors import ConfigurationError, ModelUnavailableError, UnknownTaskError
from ratchet.llm import Fault

pytestmark = pytest.mark.anyio
CASES = shop_items()


def case(number: int, **more: Any) -> dict[str, Any]:
    return {"task": "shop", "input": CASES[number]["input"], "expected": CASES[number]["expected"]} | more


async def test_serve_ends_with_a_passed_run(project: Project, invoke: Any, open_engine: OpenEngine) -> None:
    project.script("agent", "bin00x")
    result = await invoke("serve", case(0))
    assert (result["output"], result["evaluation"]["passed"], result["outcome"]["status"]) == ("bin00x", True, "passed")
    assert result["failure_id"] is None
    (tally,) = await (await open_engine()).store.runs.tallies("shop", 1)
    assert (tally.passed, tally.runs) == (True, 1)


async def test_serve_stores_a_failure_whole(project: Project, invoke: Any, open_engine: OpenEngine) -> None:
    result = await invoke("serve", case(0, source="customer 7"))
    assert result["outcome"]["status"] == "logged"
    engine = await open_engine()
    (row,) = await engine.store.failures.of_task("shop")
    assert (row["id"], row["status"], row["group_key"]) == (result["failure_id"], "open", "shop: correct")
    (bundle,) = await engine.store.failures.bundles([result["failure_id"]])
    rules = (await engine.workbench("shop")).rules
    assert (bundle.input, bundle.output, bundle.expected) == (CASES[0]["input"], "I do not know", "bin00x")
    assert (bundle.source, bundle.thread_id, bundle.version) == ("customer 7", "ticket-1", 1)
    assert (bundle.model, bundle.rules_hash) == ("scripted:scripts_of_this_test:agent", rules.hash)
    assert bundle.evaluation.problems == ["correct: does not contain 'bin00x'"]
    assert bundle.prompts["shop"].prompt == "Answer the question."
    assert [step.kind for step in bundle.trace] == ["model"]


async def test_serve_takes_the_thread_for_the_source(invoke: Any, open_engine: OpenEngine) -> None:
    await invoke("serve", case(0), thread="chat-9")
    (row,) = await (await open_engine()).store.failures.of_task("shop")
    assert row["source"] == "chat-9"


async def test_serve_without_an_expected_output_is_unscored(project: Project, invoke: Any) -> None:
    project.script("agent", "bin00x")
    result = await invoke("serve", {"task": "shop", "input": CASES[0]["input"]})
    assert (result["outcome"]["status"], result["evaluation"]["passed"]) == ("unscored", None)


async def test_serve_forgets_the_last_runs_expectation_in_a_used_thread(
    project: Project, invoke: Any, open_engine: OpenEngine
) -> None:
    project.script("agent", "nothing")
    await invoke("serve", case(0, source="customer 7"))
    result = await invoke("serve", {"task": "shop", "input": "Where is the cat?"})
    assert (result["outcome"]["status"], result["failure_id"]) == ("unscored", None)
    await invoke("serve", case(2))
    rows = await (await open_engine()).store.failures.of_task("shop")
    assert [row["source"] for row in rows] == ["customer 7", "ticket-1"]


async def test_serve_always_asks_the_model(project: Project, invoke: Any) -> None:
    script = project.script("agent", "bin00x")
    for _ in range(2):
        await invoke("serve", case(0))
    assert len(script.calls) == 2


async def test_serve_uses_the_prompt_of_the_file(project: Project, invoke: Any) -> None:
    project.script("agent", needs_context)
    project.write_prompts({"shop": {"prompt": "Answer.", "context": [{"source": "handbook"}]}})
    assert (await invoke("serve", case(0)))["outcome"]["status"] == "passed"


async def test_serve_raises_what_the_caller_can_act_on(project: Project, invoke: Any) -> None:
    with pytest.raises(UnknownTaskError, match=r"no task 'nope'"):
        await invoke("serve", case(0, task="nope"))
    project.script("agent", Fault(500))
    with pytest.raises(ModelUnavailableError):
        await invoke("serve", case(0))
    project.write_prompts({"other": "x"})
    with pytest.raises(ConfigurationError, match="no prompt for 'shop'"):
        await invoke("serve", case(0))


async def test_serve_says_which_cycle_a_failure_waits_for(waiting: Any, invoke: Any, project: Project) -> None:
    result = await invoke("serve", case(2), thread="other")
    assert result["outcome"]["cycle_id"] == waiting.request["review"]["id"]
    assert f"waits for cycle {result['outcome']['cycle_id']}" in result["outcome"]["message"]
