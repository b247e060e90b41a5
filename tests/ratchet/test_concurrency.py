import asyncio
import contextvars
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from shop import OpenEngine, Project

from ratchet.concurrency import Slots, end, for_each, gather, run_main, threaded, to_daemon_thread, to_thread
from ratchet.errors import EvaluationError
from ratchet.evaluators import python as python_criterion
from ratchet.evaluators.python import check_python
from ratchet.tasks.criteria import Python

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
HANGS = """
import asyncio, sys, threading
from ratchet.concurrency import run_main
from ratchet.evaluators import python as criterion

python_hangs = lambda **_: threading.Event().wait()
sys.modules["hanging"] = sys.modules["__main__"]
criterion.SECONDS = 0.1


async def six() -> None:
    asked = criterion.Python(name="c", kind="python", use="hanging:python_hangs")
    results = [criterion.check_python(asked, "in", "out", None) for _ in range(6)]
    print(await asyncio.gather(*results, return_exceptions=True), flush=True)


async def langchain() -> None:
    from langchain_core.runnables import RunnableLambda

    try:
        await asyncio.wait_for(RunnableLambda(lambda _: threading.Event().wait()).ainvoke(1), 0.1)
    except TimeoutError:
        print("given up", flush=True)

"""


@pytest.fixture
def hang() -> Iterator[Callable[..., bool]]:
    """A function that hangs until the test is over."""
    end = threading.Event()
    yield lambda **_: end.wait()
    end.set()


def criterion(project: Project, function: Any) -> Python:
    return Python(name="c", kind="python", use=project.add(f"f{id(function)}", function))


async def test_for_each_keeps_the_order_and_the_bound() -> None:
    running, most, told = 0, 0, []

    async def work(item: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001 * (5 - item))
        running -= 1
        return item * 10

    results = await for_each(range(5), work, 2, lambda done, total: told.append((done, total)))
    assert (results, most) == ([0, 10, 20, 30, 40], 2)
    assert told == [(done, 5) for done in range(1, 6)]


async def test_for_each_raises_the_first_error_as_it_is() -> None:
    async def work(item: int) -> int:
        raise ValueError(str(item))

    with pytest.raises(ValueError, match="0"):
        await for_each([0], work, 2)


async def test_gather_keeps_the_order() -> None:
    async def after(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    assert await gather(after(seconds) for seconds in (0.02, 0.0, 0.01)) == [0.02, 0.0, 0.01]


async def test_gather_ends_the_others_at_the_first_error_and_raises_it_as_it_is() -> None:
    ended = []

    async def wait(name: str) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append(name)

    async def fail() -> None:
        await asyncio.sleep(0)
        raise KeyError("this one")

    with pytest.raises(KeyError, match="this one"):
        await gather([wait("a"), fail(), wait("b")])
    assert sorted(ended) == ["a", "b"]


@pytest.mark.parametrize("error", [None, ValueError("late")])
async def test_end_waits_for_the_task_and_drops_its_error(error: Exception | None) -> None:
    ended = []

    async def beat() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0.01)
            ended.append(True)
            if error:
                raise error

    task = asyncio.create_task(beat())
    await asyncio.sleep(0)
    await end(task)
    assert (ended, task.done()) == ([True], True)


class Owner:
    """Says in which thread its methods run, and what they know of their caller."""

    @threaded
    def where(self, name: str, *, mark: str) -> tuple[str, str, str]:
        """The arguments, and the name of the thread."""
        return name, mark, threading.current_thread().name


async def test_threaded_methods_have_threads_of_their_own() -> None:
    name, mark, thread = await Owner().where("x", mark="y")
    assert (name, mark, thread.split("_")[0]) == ("x", "y", "store")
    assert (await to_thread(threading.current_thread)).name.startswith("ratchet")
    assert (await to_daemon_thread(threading.current_thread)).daemon


known = contextvars.ContextVar("known", default="nothing")


@pytest.mark.parametrize("call", [to_thread, to_daemon_thread])
async def test_threads_know_the_context_of_their_caller(call: Any) -> None:
    known.set("the caller")
    assert await call(known.get) == "the caller"


@pytest.mark.parametrize("call", [to_thread, to_daemon_thread])
async def test_threads_raise_what_their_function_raises(call: Any) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        await call(int, "x", base=10)


async def test_daemon_thread_hands_over_even_what_would_end_the_process() -> None:
    with pytest.raises(SystemExit):
        await to_daemon_thread(sys.exit, 3)
    with pytest.raises(RuntimeError, match=r"StopIteration\(\)"):
        await asyncio.wait_for(to_daemon_thread(next, iter(())), 5)


async def test_slots_bound_what_is_inside_and_begin_the_time_limit_there() -> None:
    slots, inside, most = Slots(2), 0, 0

    async def work() -> None:
        nonlocal inside, most
        async with slots.within(0.2):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.08)
            inside -= 1

    await gather(work() for _ in range(8))
    assert most == 2


async def test_slots_are_free_again_after_hangs_and_after_those_who_wait_gave_up(hang: Any) -> None:
    slots = Slots(1)

    async def use(function: Any, seconds: float = 0.05) -> Any:
        async with slots.within(seconds):
            return await to_daemon_thread(function)

    hung = asyncio.create_task(use(hang))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(use(hang, 30))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(TimeoutError):
        await hung
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await use(lambda: "done", 5) == "done"


async def test_slots_serve_several_event_loops(hang: Any) -> None:
    slots = Slots(1)

    async def use(function: Any, seconds: float) -> Any:
        async with slots.within(seconds):
            return await to_daemon_thread(function)

    hung = asyncio.create_task(use(hang, 0.3))
    await asyncio.sleep(0)
    assert await to_daemon_thread(run_main, use(lambda: "done", 5)) == "done"
    with pytest.raises(TimeoutError):
        await hung


async def test_store_answers_while_six_functions_of_a_user_hang(
    project: Project, open_engine: OpenEngine, hang: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await open_engine()
    monkeypatch.setattr(python_criterion, "SECONDS", 0.2)
    hanging = criterion(project, hang)
    hung = [asyncio.create_task(check_python(hanging, "in", "out", None)) for _ in range(6)]
    await asyncio.wait(hung)
    started = time.monotonic()
    assert await engine.store.runs.served_cases("shop", 1) == set()
    assert time.monotonic() - started < 1


async def test_functions_of_a_user_run_after_any_number_has_hung(
    project: Project, hang: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(python_criterion, "SECONDS", 0.2)
    hanging = criterion(project, hang)
    hung = [asyncio.create_task(check_python(hanging, "in", "out", None)) for _ in range(40)]
    results = await asyncio.gather(*hung, return_exceptions=True)
    assert {type(result) for result in results} == {EvaluationError}
    monkeypatch.setattr(python_criterion, "SECONDS", 5.0)
    assert await check_python(criterion(project, lambda **_: True), "in", "out", None) == (True, "")


@pytest.mark.parametrize(
    ("main", "said"),
    [
        ("asyncio.run(six())", "took longer than 0.1 s"),
        ("run_main(six())", "took longer than 0.1 s"),
        ("run_main(langchain())", "given up"),
    ],
)
def test_process_exits_at_once_while_functions_hang(main: str, said: str) -> None:
    program = [sys.executable, "-c", HANGS + main]
    with subprocess.Popen(program, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert said in process.stdout.readline().decode()
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
