from typing import Any, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.graph import END, START, StateGraph
from shop import TASK, Project

from ratchet.errors import ConfigurationError, RatchetError

pytestmark = pytest.mark.anyio


def custom(project: Project, agent: Any) -> str:
    return TASK + f'[agent]\nuse = "{project.add("custom", agent)}"\n'


async def test_custom_callable_calls_components(project: Project, run: Any) -> None:
    project.script("agent", lambda messages, _: messages[0]["content"].split()[-1] + messages[-1]["content"])
    project.write_prompts({"shop": "one", "second": "two"})

    async def agent(text: str, call: Any) -> dict[str, str]:
        return {"output": await call("second", await call("shop", text))}

    toml = custom(project, agent).replace('["shop"]', '["shop", "second"]')
    found = await run("x", toml)
    assert found.output == "twoonex"
    assert [step.component for step in found.trace] == ["shop", "second"]


class Draft(TypedDict, total=False):
    input: str
    output: str


async def answer(state: Draft, config: RunnableConfig) -> Draft:
    return {"output": await config["configurable"]["call"]("shop", state["input"])}


async def test_custom_graph_finds_the_call_in_its_config(project: Project, run: Any) -> None:
    project.script("agent", "from the graph")
    builder = StateGraph(Draft)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    found = await run("x", custom(project, builder.compile()))
    assert (found.output, len(found.trace)) == ("from the graph", 1)


async def test_custom_runnable_is_run(project: Project, run: Any) -> None:
    assert (await run("x", custom(project, RunnableLambda(lambda state: state["input"] + "!")))).output == "x!"


@pytest.mark.parametrize("result", [None, 7, {}, {"output": None}, {"answer": "x"}, ["x"]])
async def test_custom_agent_that_returns_no_text_is_refused(project: Project, run: Any, result: Any) -> None:
    async def agent(text: str, call: Any) -> Any:
        return result

    with pytest.raises(RatchetError, match="the result is neither a string nor a mapping"):
        await run("x", custom(project, agent))


@pytest.mark.parametrize(
    ("error", "told"), [(KeyError("unexpected"), "KeyError: 'unexpected'"), (SystemExit(3), "SystemExit: 3")]
)
async def test_custom_agent_that_raises_is_told_as_such(
    project: Project, run: Any, error: BaseException, told: str
) -> None:
    async def agent(text: str, call: Any) -> Any:
        raise error

    with pytest.raises(RatchetError, match=f"custom raised {told}"):
        await run("x", custom(project, agent))


@pytest.mark.parametrize("agent", [lambda text, call: "x", object()])
async def test_custom_agent_that_cannot_be_run_is_refused(project: Project, run: Any, agent: Any) -> None:
    with pytest.raises(ConfigurationError, match="is neither a Runnable nor an async function"):
        await run("x", custom(project, agent))


async def test_custom_agent_that_cannot_be_imported_is_refused(project: Project, run: Any) -> None:
    (project.folder / "broken_agent.py").write_text("def f(:\n")
    with pytest.raises(ConfigurationError, match=r"agent\.use: 'no_such_module:f' cannot be imported"):
        await run("x", TASK + '[agent]\nuse = "no_such_module:f"\n')
    with pytest.raises(ConfigurationError, match=r"agent\.use: 'broken_agent:f' cannot be imported"):
        await run("x", TASK + '[agent]\nuse = "broken_agent:f"\n')


async def test_custom_agent_that_asks_for_an_unknown_component_is_told(project: Project, run: Any) -> None:
    async def agent(text: str, call: Any) -> Any:
        return await call("planner", text)

    with pytest.raises(ConfigurationError, match=r"no prompt for 'planner' \(there are: shop\)"):
        await run("x", custom(project, agent))
