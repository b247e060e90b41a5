"""Propose changed prompts."""

from collections.abc import Sequence

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer

from nodes.state import State, ending, own_cycle
from ratchet.cycles.spending import charged_to
from ratchet.engine import Engine
from ratchet.errors import BudgetError
from ratchet.proposers import Proposer, Situation, own_proposers, propose, recall, remember, wording_strategies
from ratchet.records import Diagnosis
from ratchet.store.documents import EntrantsDocument
from ratchet.store.proposals import round_of
from ratchet.store.rows import CycleRow, ProposalRow


async def propose_variants(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Candidates for failures whose cause is the prompt, or for a reviewer's feedback."""
    return await propose_with(wording_strategies(engine.settings), "propose_variants", state, config, engine)


async def propose_with(
    built_in: Sequence[Proposer], step: str, state: State, config: RunnableConfig, engine: Engine
) -> State:
    """Candidates of `built_in` and of the task's own proposers for the cycle in `state`; none is a valid answer.

    They are noted with the cycle, where `validate` finds them: those in the state are for whoever looks at it.
    """
    row = await own_cycle(engine, state, config)
    rejected = await engine.store.proposals.last_rejected(row["id"])
    situation = await _situation(row, rejected, engine)
    proposers = (*built_in, *await own_proposers(situation.bench.task))
    get_stream_writer()({"step": step, "text": f"asking {', '.join(proposer.name for proposer in proposers)}"})
    try:
        async with charged_to(engine, row["id"]):
            proposed = await propose(proposers, situation, await recall(engine.store.proposals, situation))
    except BudgetError as error:
        return {"outcome": ending("escalated", str(error), kind="budget", cycle_id=row["id"])}
    await remember(engine.store.proposals, situation, row["id"], proposed.refused)
    found: EntrantsDocument = {
        "candidates": [candidate.model_dump(mode="json") for candidate in proposed.candidates],
        "refused": [refused.result.model_dump(mode="json") for refused in proposed.refused],
        "feedback": situation.feedback,
        "round": 1 if rejected is None else round_of(rejected) + 1,
    }
    await engine.store.cycles.record(row["id"], {"entrants": found})
    update: State = {"feedback": situation.feedback, "decision": None, "problem": None}
    return {**update, "candidates": found["candidates"], "refused": found["refused"], "round": found["round"]}


async def _situation(row: CycleRow, rejected: ProposalRow | None, engine: Engine) -> Situation:
    bench = await engine.workbench(row["task"])
    diagnosis = Diagnosis.model_validate(row["document"].get("diagnosis"))
    decision = rejected["document"].get("decision") if rejected else None
    return Situation(
        harness=engine,
        bench=bench,
        component=diagnosis.component,
        diagnosis=diagnosis,
        failures=await engine.store.failures.bundles(diagnosis.failures),
        feedback=(decision["feedback"] if decision else "") or row["document"].get("hint", ""),
    )
