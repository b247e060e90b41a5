import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command
from shop import Project, needs_context, shop_items

from graph import open_graph

CASE = shop_items()[0]
INPUT = {"task": "shop", "input": CASE["input"], "expected": CASE["expected"]}
THREAD = {"configurable": {"thread_id": "ticket-1"}}


@pytest.fixture(scope="session")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return {"folder": tmp_path_factory.mktemp("frozen") / "home"}


class Waiting:
    """A cycle that waits for its approval: a context repair of the task `shop` in thread `ticket-1`."""

    def __init__(self, project: Project, request: dict[str, Any], home: Path) -> None:
        self.project = project
        self.request = request
        self.home = home

    async def answer(self, answer: Any) -> dict[str, Any]:
        async with open_graph("agent", self.project.settings()) as agent:
            result: dict[str, Any] = await agent.ainvoke(Command(resume=answer), THREAD)
            return result


@pytest.fixture
async def waiting(project: Project, frozen: dict[str, Any]) -> Waiting:
    """The cycle is made once; each test gets a copy of its databases."""
    home = project.folder / "home"
    project.script("agent", needs_context)
    if "request" not in frozen:
        async with open_graph("agent", project.settings()) as agent:
            result = await agent.ainvoke(INPUT, THREAD)
        frozen["request"] = result["__interrupt__"][0].value
        shutil.copytree(home, frozen["folder"])
    shutil.rmtree(home)
    shutil.copytree(frozen["folder"], home)
    return Waiting(project, frozen["request"], home)


Invoke = Callable[..., Any]


@pytest.fixture
def invoke(project: Project) -> Invoke:
    """Runs a graph once, in an opening of its own."""

    async def run(name: Any, value: Any, thread: str = "ticket-1", **overrides: Any) -> dict[str, Any]:
        async with open_graph(name, project.settings(**overrides)) as graph:
            result: dict[str, Any] = await graph.ainvoke(value, {"configurable": {"thread_id": thread}})
            return result

    return run
