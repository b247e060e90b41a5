"""Run the task's agent."""

import hashlib
import uuid
from typing import Any

from langchain_core.runnables import RunnableConfig

from nodes.state import FRESH, State, thread_of
from ratchet.engine import Engine, Problem, Workbench, try_prompt
from ratchet.records import AgentRun
from ratchet.store.documents import ProblemDocument, RunDocument
from ratchet.tasks.run_input import RunInput, run_input


async def execute(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Run the agent with the prompts in force and store the run; the reply is there when this node ends.

    With ``reuse`` set in the config a reply that was paid for before is taken: for known cases, never for live traffic.
    A request that the model refuses, and a source that does not answer, make a run with an error. An endpoint that does
    not answer at all makes none: the caller asks again.
    """
    asked = run_input(state.get("task"), state.get("input"), state.get("expected"), state.get("source"))
    bench = await engine.workbench(asked.task)
    repeat = 0 if config.get("configurable", {}).get("reuse") else None
    run = await try_prompt(engine, bench, bench.prompts, asked.input, repeat)
    run_id = _run_id(config)
    document = _document(engine, bench, asked, run, thread_of(config))
    await engine.store.runs.add(run_id, bench.task.name, document["source"] or run_id, document, version=bench.version)
    return {
        **FRESH,
        **await _waiting_request(engine, thread_of(config)),
        "input": asked.input,
        "output": document["output"],
        "run_id": run_id,
    }


def _document(
    engine: Engine, bench: Workbench, asked: RunInput, run: AgentRun | Problem, thread_id: str | None
) -> RunDocument:
    problem: ProblemDocument | None = None
    if isinstance(run, Problem):
        problem = {"fault": run.fault, "message": run.message}
        run = AgentRun(output="", trace=[])
    return {
        "input": asked.input,
        "expected": asked.expected,
        "source": asked.source or thread_id,
        "thread_id": thread_id,
        "version": bench.version,
        "rules_hash": bench.rules.hash,
        "model": str(engine.models.spec("agent")),
        "prompts": {name: bench.prompts[name].as_json() for name in bench.task.components},
        "output": run.output,
        "problem": problem,
        "trace": [step.model_dump(mode="json") for step in run.trace],
        "seconds": run.seconds,
        "evaluation": None,
    }


def _run_id(config: RunnableConfig) -> str:
    """The same for a node that runs again after a crash, so that it is one run."""
    metadata: dict[str, Any] = config.get("metadata") or {}
    place = metadata.get("langgraph_checkpoint_ns")
    if not place:
        return f"R-{uuid.uuid4().hex[:12]}"
    return "R-" + hashlib.sha256(f"{thread_of(config)} {place}".encode()).hexdigest()[:12]


async def _waiting_request(engine: Engine, thread_id: str | None) -> State:
    """What leads back to the request that waits in this thread, once the new run is served: it must not get lost."""
    row = await engine.store.cycles.open_of_thread(thread_id) if thread_id else None
    if row is None or row["status"] != "awaiting_approval":
        return {}
    return {"cycle_id": row["id"], "proposal": row["document"]["proposal"]}
