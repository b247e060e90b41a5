"""Opening graphs from Python."""

from typing import Any

import pytest
from shop import Project, needs_context, shop_items

from graph import compile_graph, open_graph, open_session
from ratchet.engine import Engine
from ratchet.errors import ConfigurationError

pytestmark = pytest.mark.anyio
CASE = shop_items()[0]
INPUT = {"task": "shop", "input": CASE["input"], "expected": CASE["expected"]}


async def test_session_compiles_each_graph_once(project: Project) -> None:
    async with open_session(project.settings()) as session:
        agent, serve = session.graph("agent"), session.graph("serve")

        assert session.graph("agent") is agent
        assert serve is not agent
        assert [graph.name for graph in (agent, serve)] == ["agent", "serve"]
        assert agent.checkpointer.conn is serve.checkpointer.conn is session.saver.conn


async def test_graphs_of_a_session_share_engine_and_threads(project: Project) -> None:
    project.script("agent", needs_context)
    config: Any = {"configurable": {"thread_id": "ticket-1"}}
    async with open_session(project.settings()) as session:
        served = await session.graph("serve").ainvoke(INPUT, config)
        state = await session.graph("agent").aget_state(config)

    assert served["outcome"]["status"] == "logged"
    assert state.values["failure_id"] == served["failure_id"]


async def test_open_graph_takes_the_settings_of_the_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = project.settings()
    for name in ("home", "tasks_dir", "rules_file", "prompts_file", "agent_model", "judge_model"):
        monkeypatch.setenv(f"RATCHET_{name.upper()}", str(getattr(settings, name)))
    project.script("agent", needs_context)
    async with open_graph("serve") as serve:
        result = await serve.ainvoke(INPUT, {"configurable": {"thread_id": "t"}})

    assert result["outcome"]["status"] == "logged"


async def test_everything_is_closed_in_the_end(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_session(project.settings()) as session:
        pass

    with pytest.raises(ValueError, match="no active connection"):
        await session.saver.conn.execute("SELECT 1")


@pytest.mark.parametrize("content", [None, "no database" * 100])
async def test_engine_is_closed_where_the_checkpoints_cannot_be_opened(
    project: Project, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    closed = []
    close = Engine.close

    async def note(engine: Engine) -> None:
        closed.append(engine)
        await close(engine)

    monkeypatch.setattr(Engine, "close", note)
    file = project.folder / "home" / "checkpoints.sqlite"
    if content is None:
        file.mkdir()
    else:
        file.write_text(content)
    with pytest.raises(
        ConfigurationError, match=r"^checkpoints: '.*checkpoints\.sqlite' cannot be opened: .*; RATCHET_HOME"
    ):
        async with open_session(project.settings()):
            raise AssertionError("it was opened")

    assert len(closed) == 1


async def test_wrong_settings_open_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATCHET_RETRIES", "many")
    monkeypatch.setenv("RATCHET_HOME", str(project.folder / "new"))
    with pytest.raises(ConfigurationError, match="retries"):
        async with open_graph("agent"):
            raise AssertionError("it was opened")

    assert not (project.folder / "new").exists()


@pytest.mark.parametrize("name", ["agent", "serve", "improve"])
async def test_compiled_graph_has_no_checkpointer_unless_given_one(name: Any, engine: Engine) -> None:
    assert compile_graph(name, engine).checkpointer is None
