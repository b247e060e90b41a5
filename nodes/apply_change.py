"""Make the approved change the active version."""

from langchain_core.runnables import RunnableConfig

from ratchet.cycle import ended
from ratchet.engine import Engine
from ratchet.errors import AlreadyDecidedError, StaleBaseError
from ratchet.ledger import Change
from ratchet.records import Decision, Proposal, Validation
from ratchet.state import State


async def apply_change(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Apply exactly once, however often this node runs; a change whose base is gone is refused and said to be stale."""
    proposal = Proposal.model_validate(state["proposal"])
    decision = Decision.model_validate(state["decision"])
    bench = await engine.workbench(proposal.task)
    change = Change(
        proposal_id=proposal.id,
        component=proposal.component,
        prompt=proposal.after,
        base_version=proposal.base_version,
        by=decision.reviewer,
        reason=decision.reason or proposal.rationale,
        numbers=_numbers(Validation.model_validate(state["validation"])),
    )
    try:
        version = await engine.versions.apply(bench.task, change)
    except (StaleBaseError, AlreadyDecidedError) as error:
        await engine.store.cycles.record(proposal.cycle_id, {"message": str(error)}, status="stale")
        await engine.store.proposals.mark(proposal.id, "stale", str(error))
        await engine.store.failures.leave_cycle(proposal.cycle_id, "open")
        return {"outcome": ended("stale", str(error), cycle_id=proposal.cycle_id)}
    await engine.store.proposals.mark(proposal.id, "applied", change.reason)
    await engine.store.failures.leave_cycle(proposal.cycle_id, "fixed")
    await engine.store.failures.supersede(proposal.task, proposal.component)
    await engine.store.cycles.record(
        proposal.cycle_id, {"decision": state["decision"], "version": version["number"]}, status="applied"
    )
    message = f"version {version['number']} of {proposal.task} is active"
    return {"outcome": ended("applied", message, cycle_id=proposal.cycle_id, version=version["number"])}


def _numbers(validation: Validation) -> dict[str, object]:
    return {
        "before": validation.before.rate,
        "after": validation.after.rate,
        "cases": validation.after.n,
        "won": len(validation.wins),
        "lost": len(validation.losses),
        "e_value": validation.e_value,
    }
