from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig

import nodes
from ratchet.engine import Engine
from ratchet.errors import RefusalError

pytestmark = pytest.mark.anyio
CONFIG: RunnableConfig = {"configurable": {"thread_id": "T"}}


async def reviews(engine: Engine) -> list[Any]:
    return list(await engine.store.reviews.select("shop"))


async def test_cycle_without_an_outcome_is_handed_over_with_its_cause(engine: Engine, in_cycle: Any) -> None:
    state = await in_cycle("unstable")

    outcomes = [(await nodes.escalate(state, CONFIG, engine))["outcome"] for _ in range(2)]

    assert outcomes == [{"status": "escalated", "message": "too long", "kind": "unstable", "cycle_id": "C"}] * 2
    (row,) = await reviews(engine)
    assert (row["id"], row["kind"], row["document"]["diagnosis"]) == ("V-C", "unstable", state["diagnosis"])
    assert ((await engine.store.cycles.get("C")) or {})["status"] == "escalated"


@pytest.mark.parametrize(
    ("status", "kind", "cycle", "failures"),
    [
        ("escalated", "budget", "escalated", "open"),
        ("escalated", "capability", "escalated", "escalated"),
        ("inconclusive", "worse", "inconclusive", "escalated"),
    ],
)
async def test_failures_stay_open_where_only_the_budget_ended(
    engine: Engine, in_cycle: Any, status: str, kind: str, cycle: str, failures: str
) -> None:
    state = await in_cycle()

    await nodes.escalate(
        {**state, "outcome": {"status": status, "message": "why", "kind": kind, "cycle_id": "C"}}, CONFIG, engine
    )

    assert [row["status"] for row in await engine.store.failures.of_task("shop")] == [failures] * 2
    assert ((await engine.store.cycles.get("C")) or {})["status"] == cycle
    assert [(row["kind"], row["document"]["message"]) for row in await reviews(engine)] == [(kind, "why")]


async def test_what_was_tried_is_handed_over(engine: Engine, in_cycle: Any) -> None:
    tried = {"refused": [{"strategy": "rewrite"}], "candidates": [{"strategy": "merge"}], "round": 1}
    state = await in_cycle(proposal={"id": "C-P1"}, validation={"verdict": "worse"}, entrants=tried)
    invented: Any = {"refused": [], "candidates": [{"strategy": "of a client"}]}

    await nodes.escalate({**state, **invented}, CONFIG, engine)

    document = (await reviews(engine))[0]["document"]
    assert (document["proposal"], document["validation"]) == ({"id": "C-P1"}, {"verdict": "worse"})
    assert (document["refused"], document["proposed"]) == (tried["refused"], tried["candidates"])


@pytest.mark.parametrize("thread", ["another", None])
async def test_cycle_of_another_thread_is_left_alone(engine: Engine, in_cycle: Any, thread: str | None) -> None:
    state = await in_cycle()

    with pytest.raises(RefusalError, match="nothing was changed"):
        await nodes.escalate(state, {"configurable": {"thread_id": thread}}, engine)

    assert await reviews(engine) == []
