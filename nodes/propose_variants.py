"""Propose changed prompts."""

from collections.abc import Sequence

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer

from nodes.state import State, ending
from ratchet.cycles.spending import charged_to
from ratchet.engine import Engine
from ratchet.errors import BudgetError
from ratchet.proposers import Proposer, Situation, own_proposers, propose, recall, remember, wording_strategies
from ratchet.records import Decision, Diagnosis


async def propose_variants(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Candidates for failures whose cause is the prompt, or for a reviewer's feedback."""
    return await propose_with(wording_strategies(engine.settings), "propose_variants", state, engine)


async def propose_with(built_in: Sequence[Proposer], step: str, state: State, engine: Engine) -> State:
    """Candidates of `built_in` and of the task's own proposers for the cycle in `state`; none is a valid answer."""
    cycle_id = str(state["cycle_id"])
    situation = await _situation(state, cycle_id, engine)
    proposers = (*built_in, *await own_proposers(situation.bench.task))
    get_stream_writer()({"step": step, "text": f"asking {', '.join(proposer.name for proposer in proposers)}"})
    try:
        async with charged_to(engine, cycle_id):
            proposed = await propose(proposers, situation, await recall(engine.store.proposals, situation))
    except BudgetError as error:
        return {"outcome": ending("escalated", str(error), kind="budget", cycle_id=cycle_id)}
    await remember(engine.store.proposals, situation, cycle_id, proposed.refused)
    return {
        "candidates": [candidate.model_dump(mode="json") for candidate in proposed.candidates],
        "refused": [refused.result.model_dump(mode="json") for refused in proposed.refused],
        "feedback": situation.feedback,
        "decision": None,
        "problem": None,
        "round": state.get("round", 0) + 1,
    }


async def _situation(state: State, cycle_id: str, engine: Engine) -> Situation:
    bench = await engine.workbench(state["task"])
    diagnosis = Diagnosis.model_validate(state["diagnosis"])
    decision = Decision.model_validate(state["decision"]) if state.get("decision") else None
    cycle = await engine.store.cycles.get(cycle_id)
    hint = cycle["document"].get("hint", "") if cycle else ""
    return Situation(
        harness=engine,
        bench=bench,
        component=diagnosis.component,
        diagnosis=diagnosis,
        failures=await engine.store.failures.bundles(diagnosis.failures),
        feedback=(decision.feedback if decision else "") or hint,
    )
