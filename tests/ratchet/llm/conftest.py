from collections.abc import AsyncIterator
from typing import Any

import pytest
from chat_server import ChatServer, OpenModels
from shop import Project

from ratchet.llm import Models, Reply
from ratchet.llm.calling import Backoff


class KeptInMemory:
    """A reply store without a database."""

    def __init__(self) -> None:
        self.replies: dict[tuple[str, str], Reply] = {}

    async def get(self, request: str, measurement: str) -> Reply | None:
        return self.replies.get((request, measurement))

    async def put(self, request: str, role: str, reply: Reply, cycle_id: str | None, measurement: str) -> None:
        self.replies.setdefault((request, measurement), reply)


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    made = ChatServer()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def open_models(project: Project, server: ChatServer) -> AsyncIterator[OpenModels]:
    """Opens models whose agent is the server, with short waits before further tries."""
    opened: list[Models] = []

    def open_one(backoff: Backoff | None = None, **overrides: Any) -> Models:
        given = {"agent_model": "openai:m", "openai_base_url": server.url, "openai_api_key": "k", "retries": 2}
        opened.append(Models(project.settings(**(given | overrides)), KeptInMemory(), backoff or Backoff(first=0.01)))
        return opened[-1]

    yield open_one
    for models in opened:
        await models.close()
