import asyncio
from typing import Any

import pytest
from shop import TASK, Project

from ratchet.errors import ConfigurationError, SourceError

pytestmark = pytest.mark.anyio


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


async def test_source_that_hangs_is_given_up(project: Project, monkeypatch: pytest.MonkeyPatch, engine: Any) -> None:
    class Hanging:
        async def ainvoke(self, query: str) -> Any:
            await asyncio.sleep(30)

    monkeypatch.setattr("ratchet.agents.caller.FETCH_SECONDS", 0.05)
    path = project.add("retriever", Hanging())
    project.write_task(toml=TASK + f'[[context_sources]]\nname = "plug"\nkind = "python"\nuse = "{path}"\n',
                       cases='{"input": "a"}', documents={"a.md": "text"})  # fmt: skip
    project.write_prompts({"shop": {"prompt": "Answer.", "context": [{"source": "plug"}]}})
    bench = await engine.workbench("shop")
    with pytest.raises(SourceError, match="no answer within"):
        await engine.run(bench, "a", prompts=bench.prompts)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("true", "true"),
        ("null", "null"),
        ("1.0", "1.0"),
        ('["à", {"b": false}]', '["à", {"b": false}]'),
        ('"it\'s"', "it's"),
    ],
)
async def test_variables_stand_in_the_prompt_as_json(project: Project, run: Any, value: str, shown: str) -> None:
    script = project.script("agent", "ok")
    toml = TASK.replace('components = ["shop"]', 'components = ["shop"]\nvariables = ["tone"]')
    await run(f'{{"tone": {value}}}', toml, shop={"prompt": "Be <{tone}>"})
    assert script.calls[0][0]["content"].endswith(f"Be <{shown}>")
