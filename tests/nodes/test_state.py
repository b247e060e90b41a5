import json
from typing import Any, get_type_hints

import pytest

from nodes.state import FRESH, NO_THREAD, AgentInput, ImproveInput, State, ending, own_cycle, own_run, thread_of
from ratchet.engine import Engine
from ratchet.errors import RefusalError

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("config", "thread"),
    [
        ({"configurable": {"thread_id": "T"}}, "T"),
        ({"configurable": {"thread_id": 7}}, "7"),
        ({"configurable": {}}, None),
        ({}, None),
    ],
)
def test_thread_is_that_of_the_config(config: Any, thread: str | None) -> None:
    assert thread_of(config) == thread


def test_ending_holds_what_it_is_given() -> None:
    assert ending("stale", "too late", cycle_id="C") == {"status": "stale", "message": "too late", "cycle_id": "C"}


def test_a_new_run_or_cycle_inherits_nothing_but_its_input_and_itself() -> None:
    """Whatever else is in the state is of the last one in the thread."""
    given = get_type_hints(AgentInput).keys() | get_type_hints(ImproveInput).keys()

    assert get_type_hints(State).keys() - FRESH.keys() == given | {"run_id", "output"}
    json.dumps(FRESH)


async def test_own_run_is_one_of_this_thread(engine: Engine) -> None:
    await engine.store.runs.add("R-1", "shop", "s", run_of("T"), version=1)
    config: Any = {"configurable": {"thread_id": "T"}}

    assert (await own_run(engine, {"run_id": "R-1"}, config))["id"] == "R-1"
    for state, other in (({"run_id": "R-2"}, config), ({}, config), ({"run_id": "R-1"}, {})):
        with pytest.raises(RefusalError, match="is not one of this thread; nothing was changed"):
            await own_run(engine, state, other)  # type: ignore[arg-type]


def run_of(thread: str) -> Any:
    return {"thread_id": thread, "input": "x", "expected": None, "evaluation": None}


@pytest.mark.parametrize(("thread", "config"), [("T", {"configurable": {"thread_id": "T"}}), (NO_THREAD, {})])
async def test_own_cycle_is_one_that_this_thread_works_on(engine: Engine, thread: str, config: Any) -> None:
    await engine.store.cycles.claim("C", "shop", "shop", "improve", thread)

    assert (await own_cycle(engine, {"cycle_id": "C"}, config))["id"] == "C"
    with pytest.raises(RefusalError, match="cycle 'C' is not one that this thread works on"):
        await own_cycle(engine, {"cycle_id": "C"}, {"configurable": {"thread_id": "another"}})
    with pytest.raises(RefusalError, match="cycle 'None' is not one"):
        await own_cycle(engine, {}, config)


async def test_cycle_that_waits_for_a_person_is_nobodys_to_work_on(engine: Engine) -> None:
    await engine.store.cycles.claim("C", "shop", "shop", "improve", "T")
    await engine.store.cycles.record("C", {}, status="awaiting_approval")

    with pytest.raises(RefusalError, match="nothing was changed"):
        await own_cycle(engine, {"cycle_id": "C"}, {"configurable": {"thread_id": "T"}})
