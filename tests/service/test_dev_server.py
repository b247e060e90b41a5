"""A real `langgraph dev` process, driven over its SDK."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk import get_sync_client
from langgraph_sdk.client import SyncLangGraphClient

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

FAILING = {"task": "desk", "input": "What is the price of item001?", "expected": "101 coins"}
APPROVE = {"type": "approve", "reviewer": "ada"}


@pytest.fixture
def connect() -> Iterator[Callable[[Any], SyncLangGraphClient]]:
    clients: list[SyncLangGraphClient] = []

    def open_client(server: Any) -> SyncLangGraphClient:
        clients.append(get_sync_client(url=server.url))
        return clients[-1]

    yield open_client
    for client in clients:
        client.http.client.close()


def interrupt_of(client: SyncLangGraphClient, thread_id: str) -> dict[str, Any]:
    state = client.threads.get_state(thread_id)
    return state["interrupts"][0]["value"]


def run_to_interrupt(client: SyncLangGraphClient) -> str:
    thread_id = client.threads.create()["thread_id"]
    client.runs.wait(thread_id, "agent", input=FAILING)
    return thread_id


def test_dev_server_runs_agent_to_its_interrupt_and_applies_the_approved_change(
    project: Path, dev_server: Callable[[], Any], connect: Callable[[Any], SyncLangGraphClient]
) -> None:
    server = dev_server()
    client = connect(server)

    assert {assistant["graph_id"] for assistant in client.assistants.search()} == {"agent", "serve", "improve"}
    thread_id = run_to_interrupt(client)
    request = interrupt_of(client, thread_id)
    review = request["review"]
    assert request["action_requests"][0]["name"] == "apply_change"
    assert request["review_configs"][0]["allowed_decisions"] == ["approve", "edit", "reject"]
    assert "+[context] handbook" in review["diff"]
    assert review["validation"]["verdict"] == "better"
    assert review["validation"]["after"]["rate"] > review["validation"]["before"]["rate"]
    assert review["diagnosis"]["category"] == "context"
    assert review["validation"]["wins"]

    again = client.runs.wait(thread_id, "agent", command={"resume": {"type": "perhaps"}})
    assert "perhaps" in again["__interrupt__"][0]["value"]["problem"]
    result = client.runs.wait(thread_id, "agent", command={"resume": APPROVE})

    assert result["outcome"]["status"] == "applied"
    assert json.loads((project / "task_prompts.json").read_text())["desk"]["context"][0]["source"] == "handbook"
    warnings = [line for line in server.log.read_text().splitlines() if "[warning" in line and "ratchet" in line]
    assert warnings == []


def test_approval_survives_kill_9_of_the_server(
    project: Path, dev_server: Callable[[], Any], connect: Callable[[Any], SyncLangGraphClient]
) -> None:
    first = dev_server()
    thread_id = run_to_interrupt(connect(first))
    first.kill()

    client = connect(dev_server())
    deadline = time.monotonic() + 60
    listed: list[str] = []
    while thread_id not in listed and time.monotonic() < deadline:
        listed = [thread["thread_id"] for thread in client.threads.search(status="interrupted")]
        time.sleep(0.3)

    assert thread_id in listed
    assert interrupt_of(client, thread_id)["review"]["validation"]["proven"]
    result = client.runs.wait(thread_id, "agent", command={"resume": APPROVE})
    assert result["outcome"]["status"] == "applied"
    assert result["outcome"]["version"] == 2
    assert json.loads((project / "task_prompts.json").read_text())["desk"]["context"]
