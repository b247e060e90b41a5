"""A request that the model refuses is a stored run with its error, and stops nothing else."""

from typing import Any

import pytest
from shop import OpenEngine, Project, needs_context, shop_items

from ratchet.llm import Fault

pytestmark = pytest.mark.anyio
CASES = shop_items()
REFUSED = Fault(400, body='{"error": {"message": "the content is not allowed", "code": "content_policy"}}')


async def test_refused_request_is_a_stored_failure(project: Project, invoke: Any, open_engine: OpenEngine) -> None:
    project.script("agent", REFUSED)
    result = await invoke("serve", {"task": "shop", "input": "Where is item02 kept?", "expected": "bin02x"})

    assert (result["output"], result["evaluation"]["passed"]) == ("", False)
    assert "not allowed" in result["evaluation"]["problems"][0]
    store = (await open_engine()).store
    row = await store.runs.get(result["run_id"])
    assert row is not None
    assert (row["passed"], row["document"]["problem"]["fault"]) == (0, "request")
    (failure,) = await store.failures.of_task("shop")
    assert failure["bundle"]["evaluation"]["problems"] == result["evaluation"]["problems"]


async def test_one_refused_case_leaves_the_others_to_work_on(project: Project, invoke: Any) -> None:
    def agent(messages: Any, request: Any) -> Any:
        return REFUSED if "item00" in messages[-1]["content"] else needs_context(messages, request)

    project.script("agent", agent)
    for number in (0, 2, 4, 6):
        case = CASES[number]
        await invoke("serve", {key: case[key] for key in ("input", "expected")} | {"task": "shop"}, thread=f"r{number}")
    result = await invoke("improve", {"task": "shop"}, thread="cycle")
    assert result["__interrupt__"][0].value["review"]["strategy"] == "retrieval"


@pytest.mark.parametrize(
    "value", [{"task": "shop", "input": None}, {"task": "shop"}, {"input": "x"}, {"task": "shop", "input": ["x"]}]
)
async def test_input_of_a_wrong_type_is_refused_before_anything_is_stored(
    project: Project, invoke: Any, open_engine: OpenEngine, value: Any
) -> None:
    agent = project.script("agent", "yes")
    with pytest.raises(RuntimeError, match="the run cannot be served"):
        await invoke("serve", value)
    assert agent.calls == []
    assert await (await open_engine()).store.runs.recent("shop", per_source=10, limit=10) == []
