"""Make the approved change the active version."""

from langchain_core.runnables import RunnableConfig

from nodes.state import State, ended
from ratchet.engine import Engine
from ratchet.errors import AlreadyDecidedError, StaleBaseError
from ratchet.live.apply import apply_proposal
from ratchet.records import Decision, Proposal, Validation


async def apply_change(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Apply exactly once, however often this node runs; a change whose base is gone is refused and said to be stale."""
    proposal = Proposal.model_validate(state["proposal"])
    validation = Validation.model_validate(state["validation"])
    decision = Decision.model_validate(state["decision"])
    try:
        version = await apply_proposal(engine, proposal, validation, decision)
    except (StaleBaseError, AlreadyDecidedError) as error:
        await engine.store.cycles.record(proposal.cycle_id, {"message": str(error)}, status="stale")
        await engine.store.proposals.mark(proposal.id, "stale", str(error))
        await engine.store.failures.leave_cycle(proposal.cycle_id, "open")
        return {"outcome": ended("stale", str(error), cycle_id=proposal.cycle_id)}
    message = f"version {version['number']} of {proposal.task} is active"
    return {"outcome": ended("applied", message, cycle_id=proposal.cycle_id, version=version["number"])}
