import json
import os
from pathlib import Path
from typing import Any

import pytest
from chat_server import Answer, ChatServer, completion
from shop import OpenEngine

from ratchet.config.settings import Settings
from ratchet.llm import parse_spec
from ratchet.llm.identity import identity_of

pytestmark = pytest.mark.anyio
ASKED: list[Any] = [{"role": "user", "content": "Capital of Peru?"}]


async def reply_of(open_engine: OpenEngine, **settings: Any) -> tuple[str, bool]:
    """What the agent says in a process of its own, and whether it was kept from before."""
    reply = await (await open_engine(**settings)).models.reply("agent", ASKED)
    return reply.text, reply.reused


async def test_another_endpoint_is_asked_anew(open_engine: OpenEngine) -> None:
    servers = [ChatServer(), ChatServer()]
    for server, answer in zip(servers, ("Cusco", "Lima"), strict=True):
        server.always(Answer(body=completion(answer)))
        await server.start()
    try:
        said = [
            await reply_of(open_engine, agent_model="openai:m", openai_base_url=server.url + slash)
            for server, slash in [(servers[0], ""), (servers[1], ""), (servers[0], "/"), (servers[1], "")]
        ]
    finally:
        for server in servers:
            await server.stop()
    assert said == [("Cusco", False), ("Lima", False), ("Cusco", True), ("Lima", True)]


async def test_script_file_with_another_content_is_asked_anew(open_engine: OpenEngine, tmp_path: Path) -> None:
    said = []
    for answer in ("Cusco", "Lima", "Lima", "Cusco"):
        (tmp_path / "s.json").write_text(json.dumps([{"match": ".", "reply": answer}]))
        said.append(await reply_of(open_engine, agent_model="scripted:s.json"))
    assert said == [("Cusco", False), ("Lima", False), ("Lima", True), ("Cusco", True)]


def test_script_module_is_told_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    for answer in ("Cusco", "Lima"):
        (tmp_path / "peru_script.py").write_text(f"def agent(messages, request):\n    return {answer!r}\n")
        found.append(identity_of(parse_spec("scripted:peru_script:agent"), Settings.load()))
    assert found[0] != found[1]


@pytest.mark.parametrize("target", ["no_such_module_of_anyone:f", "gone.json", "no_such.sub:f"])
def test_script_that_is_not_there_has_no_identity(target: str) -> None:
    assert identity_of(parse_spec(f"scripted:{target}"), Settings.load()) == ""


def test_model_file_is_told_by_its_size_and_time(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    spec, settings = parse_spec(f"local:{file}"), Settings.load()
    file.write_bytes(b"one")
    os.utime(file, (1, 1))
    first = identity_of(spec, settings)
    assert identity_of(spec, settings) == first
    os.utime(file, (2, 2))
    second = identity_of(spec, settings)
    file.write_bytes(b"other")
    os.utime(file, (2, 2))
    assert len({first, second, identity_of(spec, settings)}) == 3


def test_openai_itself_and_its_address_are_the_same() -> None:
    spec = parse_spec("openai:m")
    own = Settings.load(openai_base_url="https://api.openai.com/v1/")
    assert identity_of(spec, Settings.load()) == identity_of(spec, own)
