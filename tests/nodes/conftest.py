from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command
from shop import FailRuns, Project, needs_requirement

import nodes
from graph.binding import bind
from nodes.state import State
from ratchet.engine import Engine
from ratchet.records import Diagnosis


class Ran(NamedTuple):
    """What came of a node: the state after it, what it said of its progress, and the requests that wait."""

    state: dict[str, Any]
    told: list[str]
    requests: list[Any]


RunNode = Callable[..., Any]


@pytest.fixture
def run_node(engine: Engine) -> RunNode:
    """Runs one node in a graph of its own, as the real ones do: in a thread, bound to the engine."""
    saver = InMemorySaver()

    async def provide() -> Engine:
        return engine

    async def run(name: str, state: Any = None, *, thread: str = "T", answer: Any = None) -> Ran:
        builder = StateGraph(State)
        builder.add_node(name, bind(getattr(nodes, name), provide))
        builder.add_edge(START, name)
        builder.add_edge(name, END)
        graph = builder.compile(checkpointer=saver)
        config: Any = {"configurable": {"thread_id": thread}}
        given = Command(resume=answer) if answer is not None else state
        told = [event.get("text", "") async for event in graph.astream(given, config, stream_mode="custom")]
        reached = await graph.aget_state(config)
        return Ran(dict(reached.values), told, [interrupt.value for interrupt in reached.interrupts])

    return run


@pytest.fixture
def in_cycle(project: Project, engine: Engine, fail_runs: FailRuns) -> Any:
    """A cycle `C` of thread T, on two failures of runs that need a requirement; gives the state after its diagnosis."""

    async def make(category: str = "prompt", **document: Any) -> dict[str, Any]:
        project.script("agent", needs_requirement)
        ids = [failure.id for failure in await fail_runs(engine, 0, 2)]
        diagnosis = Diagnosis(category=category, component="shop", failures=ids, explanation="too long")  # type: ignore[arg-type]
        found = diagnosis.model_dump(mode="json")
        kept = {"failures": ids, "diagnosis": found, **document}
        await engine.store.cycles.claim("C", "shop", "shop", "improve", "T", kept)  # type: ignore[arg-type]
        await engine.store.failures.mark(ids, "in_cycle", "C")
        return {"task": "shop", "cycle_id": "C", "diagnosis": found}

    return make
