import json
from pathlib import Path
from typing import Any

import pytest
from shop import OpenEngine

from ratchet.errors import ConfigurationError
from ratchet.llm.scripted import load_script

LINES = [
    {"match": "^hello", "reply": "hi"},
    {"match": "json", "reply": {"a": 1}},
    {"match": "POLITE", "reply": "please", "anywhere": True},
]


@pytest.fixture
def script_file(tmp_path: Path) -> Path:
    file = tmp_path / "script.json"
    file.write_text(json.dumps(LINES))
    return file


def said(*texts: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text} for text in texts]


def test_script_file_answers_by_the_first_match(script_file: Path) -> None:
    script = load_script(str(script_file))
    assert script(said("hello json"), {}) == "hi"
    assert script(said("say hello, json"), {}) == {"a": 1}
    assert script(said("be POLITE", "go"), {}) == "please"
    assert script(said("hello", "nothing"), {}) == ""


@pytest.mark.anyio
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
def test_script_file_that_is_wrong_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(ConfigurationError, match=rf"s\.json: {expected}"):
        load_script(str(tmp_path / "s.json"))


@pytest.mark.parametrize("target", ["no_such_module:f", "json:nothing", "json", ":f", "..:f"])
def test_script_that_cannot_be_imported_is_refused(target: str) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be imported .* use module:function or FILE\.json"):
        load_script(target)
