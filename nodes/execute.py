"""Run the task's agent."""

import uuid

from langchain_core.runnables import RunnableConfig

from nodes.state import FRESH, State, thread_of
from ratchet.engine import Engine


async def execute(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Run the agent with the prompts in force; the reply is there when this node ends.

    With ``reuse`` set in the config a reply that was paid for before is taken: for known cases, never for live traffic.
    """
    bench = await engine.workbench(state["task"])
    repeat = 0 if config.get("configurable", {}).get("reuse") else None
    run = await engine.run(bench, state["input"], prompts=bench.prompts, repeat=repeat)
    return {
        **FRESH,
        **await _waiting_request(engine, thread_of(config)),
        "output": run.output,
        "run_id": f"R-{uuid.uuid4().hex[:12]}",
        "run": {
            "expected": state.get("expected"),
            "source": state.get("source") or thread_of(config),
            "version": bench.version,
            "rules_hash": bench.rules.hash,
            "model": str(engine.models.spec("agent")),
            "prompts": {name: bench.prompts[name].as_json() for name in bench.task.components},
            "output": run.output,
            "trace": [step.model_dump(mode="json") for step in run.trace],
            "seconds": run.seconds,
        },
    }


async def _waiting_request(engine: Engine, thread_id: str | None) -> State:
    """What leads back to the request that waits in this thread, once the new run is served: it must not get lost."""
    row = await engine.store.cycles.open_of_thread(thread_id) if thread_id else None
    if row is None or row["status"] != "awaiting_approval":
        return {}
    return {"cycle_id": row["id"], "proposal": row["document"]["proposal"]}
