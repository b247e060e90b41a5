"""Engines of event loops, and nodes with an engine."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from langgraph.errors import GraphInterrupt
from shop import SCRIPTS, Project

from graph.binding import ProcessEngine, bind
from nodes.state import State
from ratchet.config.settings import ROLES
from ratchet.engine import Engine
from ratchet.errors import ConfigurationError

Run = Callable[[Callable[[], Awaitable[Any]]], Any]


@pytest.fixture
def wal(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project as the environment names it; a file that is there as long as its database is open."""
    given = {
        "HOME": project.folder / "home",
        "TASKS_DIR": project.folder / "tasks",
        "RULES_FILE": project.rules_file,
        "PROMPTS_FILE": project.prompts_file,
        **{f"{role.upper()}_MODEL": f"scripted:{SCRIPTS}:{role}" for role in ROLES},
    }
    for name, value in given.items():
        monkeypatch.setenv(f"RATCHET_{name}", str(value))
    return project.folder / "home" / "ratchet.sqlite-wal"


@pytest.fixture
def provider(wal: Path) -> ProcessEngine:
    return ProcessEngine()


def run_and_abandon(main: Callable[[], Awaitable[Any]]) -> Any:
    """Run something in a loop that is closed without ending its tasks."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(main())
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


@pytest.fixture(params=[lambda main: asyncio.run(main()), run_and_abandon], ids=["ended", "abandoned"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    yield request.param
    gc.collect()


async def used(provider: ProcessEngine) -> "weakref.ref[Engine]":
    """The engine of the running loop, after it has used its database."""
    engine = await provider()
    await engine.workbench("shop")
    return weakref.ref(engine)


def test_a_loop_that_has_ended_leaves_neither_itself_nor_an_engine_nor_a_connection(
    provider: ProcessEngine, wal: Path, run: Run
) -> None:
    async def main() -> tuple[Any, Any, bool]:
        return weakref.ref(asyncio.get_running_loop()), await used(provider), wal.exists()

    for _ in range(2):
        loop, engine, was_open = run(main)
        gc.collect()
        assert (loop(), engine(), was_open, wal.exists()) == (None, None, True, False)


def test_an_engine_is_closed_before_its_loop_ends(provider: ProcessEngine, wal: Path) -> None:
    gc.disable()
    try:
        asyncio.run(used(provider))
        assert not wal.exists()
    finally:
        gc.enable()


def test_a_loop_keeps_its_engine_and_shares_it_with_no_other(provider: ProcessEngine) -> None:
    async def main() -> Engine:
        first, second = await asyncio.gather(provider(), provider())
        gc.collect()
        assert first is second is await provider()
        return first

    assert asyncio.run(main()) is not asyncio.run(main())


def test_a_loop_that_is_run_again_has_its_engine_still(provider: ProcessEngine) -> None:
    loop = asyncio.new_event_loop()
    first = loop.run_until_complete(used(provider))
    gc.collect()
    assert loop.run_until_complete(used(provider)) is first
    loop.run_until_complete(provider.close())
    loop.close()


def test_an_engine_is_there_without_anybody_who_holds_it(provider: ProcessEngine) -> None:
    async def main() -> None:
        engine = await used(provider)
        for _ in range(3):
            gc.collect()
            await asyncio.sleep(0)
        assert engine() is await provider()

    asyncio.run(main())


@pytest.mark.anyio
async def test_an_opening_that_failed_is_tried_again(provider: ProcessEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as wrong:
        wrong.setenv("RATCHET_MAX_CALLS", "many")
        results = await asyncio.gather(provider(), provider(), return_exceptions=True)
        assert [type(result) for result in results] == [ConfigurationError] * 2
    assert (await provider()).settings.max_calls == 600
    await provider.close()


@pytest.mark.anyio
async def test_a_caller_that_gives_up_does_not_end_the_opening(provider: ProcessEngine) -> None:
    giving_up, waiting = asyncio.create_task(provider()), asyncio.create_task(provider())
    await asyncio.sleep(0)
    giving_up.cancel()
    assert isinstance(await waiting, Engine)
    await provider.close()


@pytest.mark.anyio
async def test_close_ends_the_engine_of_this_loop_and_the_next_use_opens_another(
    provider: ProcessEngine, wal: Path
) -> None:
    await provider.close()
    engine = await used(provider)
    assert wal.exists()
    await provider.close()
    assert not wal.exists()
    await provider.close()
    assert await used(provider) is not engine
    await provider.close()
    assert not wal.exists()


@pytest.mark.anyio
async def test_close_while_the_engine_is_opened_leaves_no_connection(provider: ProcessEngine, wal: Path) -> None:
    opening = asyncio.create_task(provider())
    await asyncio.sleep(0)
    await provider.close()
    await asyncio.gather(opening, return_exceptions=True)
    del opening
    gc.collect()
    assert not wal.exists()


@pytest.mark.anyio
async def test_an_engine_does_not_keep_the_context_of_who_asked_first(provider: ProcessEngine) -> None:
    class Request:
        pass

    async def first(request: Request) -> None:
        ContextVar[Request]("request").set(request)
        await provider()

    request = Request()
    seen = weakref.ref(request)
    await asyncio.create_task(first(request))
    del request
    await asyncio.sleep(0.01)  # the loop still holds what it has called last
    gc.collect()
    assert seen() is None
    await provider.close()


async def node(state: State, config: Any, engine: Engine) -> State:
    """What it does."""
    return {"output": state["input"]}


def bound_to(engine: Engine, function: Any) -> Any:
    async def provide() -> Engine:
        return engine

    return bind(function, provide)


@pytest.mark.anyio
async def test_a_bound_node_is_called_with_the_engine_and_keeps_its_name(engine: Engine) -> None:
    bound = bound_to(engine, node)
    assert (bound.__name__, bound.__doc__) == ("node", "What it does.")
    assert await bound({"input": "x"}, {"configurable": {"thread_id": "T"}}) == {"output": "x"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "owner"),
    [(GraphInterrupt(), "me"), (ValueError("x"), ""), (asyncio.CancelledError(), ""), (KeyboardInterrupt(), "")],
)
async def test_a_node_that_ends_early_lets_its_cycle_go_unless_it_waits_for_a_person(
    engine: Engine, error: BaseException, owner: str
) -> None:
    async def fails(state: State, config: Any, engine: Engine) -> State:
        raise error

    await engine.store.cycles.claim("C", "shop", "shop", "agent", "T", {"owner": "me", "failures": []})
    await engine.store.cycles.claim("C-2", "other", "shop", "agent", "T-2", {"owner": "you", "failures": []})
    with pytest.raises(type(error)):
        await bound_to(engine, fails)({}, {"configurable": {"thread_id": "T"}})
    found = [(await engine.store.cycles.get(name) or {})["document"]["owner"] for name in ("C", "C-2")]
    assert found == [owner, "you"]
