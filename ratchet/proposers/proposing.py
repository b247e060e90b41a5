"""What both proposing nodes do: ask the strategies, guard what comes back, remember what was refused."""

from collections.abc import Sequence

from langgraph.config import get_stream_writer

from ratchet.cycle import cycle_meter, ended, refused_results
from ratchet.engine import Engine
from ratchet.errors import BudgetError
from ratchet.llm import metered
from ratchet.proposers import Proposed, Proposer, Situation, idea, propose, recall
from ratchet.records import Decision, Diagnosis
from ratchet.state import State


async def propose_with(proposers: Sequence[Proposer], step: str, state: State, engine: Engine) -> State:
    """Candidates of `proposers` for the cycle in `state`; none is a valid answer."""
    bench = await engine.workbench(state["task"])
    cycle_id = str(state["cycle_id"])
    diagnosis = Diagnosis.model_validate(state["diagnosis"])
    decision = Decision.model_validate(state["decision"]) if state.get("decision") else None
    hint = ((await engine.store.cycles.get(cycle_id)) or {"document": {}})["document"].get("hint", "")
    situation = Situation(
        engine=engine,
        bench=bench,
        component=diagnosis.component,
        diagnosis=diagnosis,
        failures=await engine.store.failures.bundles(diagnosis.failures),
        feedback=(decision.feedback if decision else "") or hint,
    )
    get_stream_writer()({"step": step, "text": f"asking {', '.join(proposer.name for proposer in proposers)}"})
    try:
        with metered(await cycle_meter(engine, cycle_id)):
            proposed = await propose(proposers, situation, await recall(situation))
    except BudgetError as error:
        return {"outcome": ended("escalated", str(error), kind="budget", cycle_id=cycle_id)}
    await _remember(engine, situation, cycle_id, proposed)
    return {
        "candidates": [candidate.model_dump(mode="json") for candidate in proposed.candidates],
        "refused": [result.model_dump(mode="json") for result in refused_results(proposed.refused)],
        "feedback": situation.feedback,
        "decision": None,
        "problem": None,
        "round": state.get("round", 0) + 1,
    }


async def _remember(engine: Engine, situation: Situation, cycle_id: str, proposed: Proposed) -> None:
    await engine.store.proposals.add(
        [
            {
                "id": f"{cycle_id}-{idea(situation.component, refused.candidate)[:12]}",
                "cycle_id": cycle_id,
                "task": situation.bench.task.name,
                "component": situation.component,
                "strategy": refused.candidate.strategy,
                "fingerprint": idea(situation.component, refused.candidate),
                "status": "refused",
                "reason": refused.reason,
                "document": {"base_hash": situation.prompt.hash, "prompt": refused.candidate.prompt.as_json()},
            }
            for refused in proposed.refused
        ]
    )
