"""Hand over to people what cannot be fixed automatically."""

from typing import cast, get_args

from langchain_core.runnables import RunnableConfig

from nodes.state import OutcomeState, State, ending, own_cycle
from ratchet.cycles.silent import with_silent_roles
from ratchet.engine import Engine
from ratchet.store.documents import Dump, ReviewDocument
from ratchet.store.statuses import CycleStatus, ReviewKind


async def escalate(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Put the cycle into the review queue with everything attached, and close it.

    Failures on which only the budget ended stay open: the next cycle goes on with what is paid for.
    """
    row = await own_cycle(engine, state, config)
    cycle_id, kept = row["id"], row["document"]
    diagnosis, proposed = kept.get("diagnosis") or {}, kept.get("entrants")
    outcome = state.get("outcome") or _outcome(diagnosis, cycle_id)
    outcome = {**outcome, "message": with_silent_roles(outcome["message"], kept)}
    if row["status"] != "running":
        return {"outcome": outcome}  # a node that runs again; all of it was done before the status was set
    document: ReviewDocument = {
        "message": outcome["message"],
        "diagnosis": diagnosis or None,
        "proposal": kept.get("proposal"),
        "validation": kept.get("validation"),
        "refused": proposed["refused"] if proposed else [],
        "proposed": proposed["candidates"] if proposed else [],
    }
    kind = outcome.get("kind", "error")
    status: CycleStatus = "inconclusive" if outcome["status"] == "inconclusive" else "escalated"
    await engine.store.reviews.add(f"V-{cycle_id}", row["task"], cycle_id, kind, document)
    await engine.store.failures.leave_cycle(cycle_id, "open" if kind == "budget" else "escalated")
    await engine.store.cycles.record(cycle_id, {"message": outcome["message"]}, status=status)
    return {"outcome": outcome}


def _outcome(diagnosis: Dump, cycle_id: str) -> OutcomeState:
    category = diagnosis.get("category")
    kind: ReviewKind = cast(ReviewKind, category) if category in get_args(ReviewKind) else "error"
    return ending("escalated", str(diagnosis.get("explanation", "")), kind=kind, cycle_id=cycle_id)
