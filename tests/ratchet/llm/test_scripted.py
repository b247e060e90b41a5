import json
from pathlib import Path
from typing import Any

import pytest
from shop import OpenEngine, Project

from ratchet.config import patterns
from ratchet.errors import ConfigurationError, ModelError
from ratchet.llm.scripted import load_script

pytestmark = pytest.mark.anyio
LINES = [
    {"match": "^hello", "reply": "hi"},
    {"match": "json", "reply": {"a": 1}},
    {"match": "POLITE", "reply": "please", "anywhere": True},
    {"match": r"(?<=i?n )\p{Lu}\w+", "reply": "a name"},
]


@pytest.fixture
def script_file(tmp_path: Path) -> Path:
    file = tmp_path / "script.json"
    file.write_text(json.dumps(LINES))
    return file


def said(*texts: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text} for text in texts]


async def test_script_file_answers_by_the_first_match(script_file: Path) -> None:
    script = await load_script(str(script_file))
    assert await script(said("hello json"), {}) == "hi"
    assert await script(said("say hello, json"), {}) == {"a": 1}
    assert await script(said("be POLITE", "go"), {}) == "please"
    assert await script(said("hello", "nothing"), {}) == ""
    assert await script(said("in Rome"), {}) == "a name"


async def test_script_file_is_a_model(open_engine: OpenEngine, script_file: Path) -> None:
    engine = await open_engine(agent_model=f"scripted:{script_file}")
    assert (await engine.models.reply("agent", said("some json"))).text == '{"a": 1}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"match": "a"}]', r"replies\[0\]\.reply is missing"),
        ('[{"match": "a", "reply": "b", "when": 1}]', r"unknown key replies\[0\]\.when"),
        ("[", "not JSON"),
        ('[{"match": "(", "reply": "b"}]', r"replies\[0\]\.match"),
    ],
)
async def test_script_file_that_is_wrong_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(ConfigurationError, match=rf"s\.json: {expected}"):
        await load_script(str(tmp_path / "s.json"))


@pytest.mark.parametrize("target", ["no_such_module:f", "json:nothing", "json", ":f", "..:f"])
async def test_script_that_cannot_be_imported_is_refused(target: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"'{target}' cannot be imported: .*; use module:function or FILE"):
        await load_script(target)


async def test_script_that_is_no_function_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"scripted model: 'math:pi' is no function"):
        await load_script("math:pi")


async def test_script_in_the_working_directory_is_found(open_engine: OpenEngine, tmp_path: Path) -> None:
    (tmp_path / "script_beside_the_project.py").write_text("def reply(messages, request):\n    return 'found'\n")
    engine = await open_engine(agent_model="scripted:script_beside_the_project:reply")
    assert (await engine.models.reply("agent", said("hello"))).text == "found"


@pytest.mark.parametrize(
    ("error", "told"), [(KeyError("no such item"), "KeyError: 'no such item'"), (SystemExit(3), "SystemExit: 3")]
)
@pytest.mark.parametrize("is_async", [False, True])
async def test_script_that_raises_is_told_as_such(
    project: Project, open_engine: OpenEngine, error: BaseException, told: str, is_async: bool
) -> None:
    def script(messages: Any, request: Any) -> Any:
        raise error

    async def later(messages: Any, request: Any) -> Any:
        raise error

    project.script("agent", later if is_async else script)
    engine = await open_engine(retries=3)
    with pytest.raises(ModelError, match=f"agent model .*: request refused .*the script raised {told}"):
        await engine.models.reply("agent", said("hello"))


async def test_script_file_whose_search_takes_too_long_says_which(
    open_engine: OpenEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.05)
    (tmp_path / "slow.json").write_text('[{"match": "^x", "reply": "a"}, {"match": "(a|aa)+$", "reply": "b"}]')
    engine = await open_engine(agent_model=f"scripted:{tmp_path}/slow.json")
    with pytest.raises(
        ModelError, match=r"the script raised PatternError: .*slow\.json: replies\[1\]: the pattern took"
    ):
        await engine.models.reply("agent", said("a" * 40 + "!"))
