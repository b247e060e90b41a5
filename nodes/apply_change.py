"""Make the approved change the active version."""

from langchain_core.runnables import RunnableConfig

from nodes.state import State, ending
from ratchet.approval.door import approved_proposal, check_unaltered, note_stale
from ratchet.engine import Engine
from ratchet.errors import AlreadyDecidedError, RefusalError, StaleBaseError
from ratchet.live.apply import apply_proposal


async def apply_change(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Apply exactly once, however often this node runs; a change whose base is gone is refused and said to be stale.

    The state gives no more than the id of a proposal, as a client may write any of it. What the change is, and who
    approved it, comes from the store.
    """
    proposal_id = str((state.get("proposal") or {}).get("id"))
    try:
        stored = await approved_proposal(engine, proposal_id)
    except RefusalError as error:
        return {"outcome": ending("conflict", str(error))}
    proposal, decision = stored.proposal, stored.decision
    assert decision is not None  # noqa: S101 - an approved proposal has one
    try:
        check_unaltered(stored)
        version = await apply_proposal(engine, proposal, stored.validation, decision)
    except (StaleBaseError, AlreadyDecidedError) as error:
        await note_stale(engine, proposal, str(error))
        return {"outcome": ending("stale", str(error), cycle_id=proposal.cycle_id)}
    message = f"version {version['number']} of {proposal.task} is active, {stored.decided}"
    if version["status"] != "active":
        message = f"version {version['number']} of {proposal.task} was applied before and is {version['status']} now"
    return {"outcome": ending("applied", message, cycle_id=proposal.cycle_id, version=version["number"])}
