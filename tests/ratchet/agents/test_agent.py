from typing import Any, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.graph import END, START, StateGraph
from shop import TASK, Project, shop_items

from ratchet.engine import Engine
from ratchet.errors import ConfigurationError, RatchetError
from ratchet.prompting import TaskPrompt
from ratchet.records import AgentRun

pytestmark = pytest.mark.anyio


@pytest.fixture
def run(project: Project, engine: Engine) -> Any:
    async def one(text: str = "Where is item00 kept?", toml: str = TASK, **prompts: Any) -> AgentRun:
        project.write_task(toml=toml, cases=shop_items())
        bench = await engine.workbench("shop")
        forms = {name: TaskPrompt.model_validate(prompt) for name, prompt in prompts.items()}
        return await engine.run(bench, text, prompts=bench.prompts | forms)

    return one


def custom(project: Project, agent: Any) -> str:
    return TASK + f'[agent]\nuse = "{project.add("custom", agent)}"\n'


async def test_agent_is_one_model_call_with_its_trace(project: Project, run: Any) -> None:
    script = project.script("agent", "on the shelf")
    found = await run()
    assert found.output == "on the shelf"
    assert script.calls == [
        [
            {
                "role": "system",
                "content": "RULES (never break):\n- Never ask for a password.\nTASK:\nAnswer the question.",
            },
            {"role": "user", "content": "Where is item00 kept?"},
        ]
    ]
    (step,) = found.trace
    assert (step.kind, step.component, step.input, step.output) == ("model", "shop", script.calls[0], "on the shelf")
    assert found.tokens == step.input_tokens + step.output_tokens > 0


async def test_agent_fetches_documents_and_similar_cases(project: Project, run: Any) -> None:
    script = project.script("agent", "ok")
    context = [{"source": "handbook", "query": "{input} please", "top_k": 1}, {"source": "solved_cases", "top_k": 2}]
    found = await run("Where is item02 kept?", shop={"prompt": "Answer.", "context": context})
    (messages,) = script.calls
    assert messages[0]["content"].endswith("TASK:\nAnswer.\n\nThe answer is in this text:\nThe item02 is in bin02x.")
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert "item02" not in "".join(message["content"] for message in messages[1:-1])
    assert [(step.kind, step.input.get("query") if step.kind == "retrieval" else None) for step in found.trace] == [
        ("retrieval", "Where is item02 kept? please"),
        ("retrieval", "Where is item02 kept?"),
        ("model", None),
    ]


async def test_agent_shows_a_document_once(project: Project, run: Any) -> None:
    script = project.script("agent", "ok")
    context = [{"source": "handbook", "top_k": 1}, {"source": "handbook", "query": "item00", "top_k": 1}]
    await run(shop={"prompt": "Answer.", "context": context})
    assert script.seen.count("The item00 is in bin00x.") == 1


async def test_agent_with_an_unknown_source_is_a_configuration_error(run: Any) -> None:
    with pytest.raises(ConfigurationError, match="task shop: no context source 'gone'"):
        await run(shop={"prompt": "Answer.", "context": [{"source": "gone"}]})


async def test_variables_come_from_the_input_object(project: Project, run: Any) -> None:
    script = project.script("agent", "ok")
    toml = TASK.replace('components = ["shop"]', 'components = ["shop"]\nvariables = ["tone", "input"]')
    text = '{"tone": "{input} {prompt}", "other": 1}'
    await run(text, toml, shop={"prompt": "Be {tone}: {other} {input}"})
    assert script.calls[0][0]["content"].endswith("TASK:\nBe {input} {prompt}: {other} " + text)


@pytest.mark.parametrize("text", ["plain", '{"other": 1}', "[1]", "[" * 100_000])
async def test_variable_without_a_value_is_a_configuration_error(run: Any, text: str) -> None:
    toml = TASK.replace('components = ["shop"]', 'components = ["shop"]\nvariables = ["tone"]')
    with pytest.raises(ConfigurationError, match="task shop: no value for the variable 'tone'; the input has to be"):
        await run(text, toml)


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
