"""Hand over to people what cannot be fixed automatically."""

from langchain_core.runnables import RunnableConfig

from nodes.state import OutcomeState, State, ended
from ratchet.engine import Engine


async def escalate(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Put the cycle into the review queue with everything attached, and close it.

    Failures on which only the budget ended stay open: the next cycle goes on with what is paid for.
    """
    cycle_id = str(state["cycle_id"])
    outcome = state.get("outcome") or _outcome(state, cycle_id)
    diagnosis = state.get("diagnosis") or {}
    document = {
        "message": outcome["message"],
        "diagnosis": diagnosis or None,
        "proposal": state.get("proposal"),
        "validation": state.get("validation"),
        "refused": state.get("refused", []),
        "proposed": state.get("candidates", []),
    }
    kind = outcome.get("kind", "capability")
    await engine.store.reviews.add(f"V-{cycle_id}", state["task"], cycle_id, kind, document)
    await engine.store.failures.leave_cycle(cycle_id, "open" if kind == "budget" else "escalated")
    await engine.store.cycles.record(cycle_id, {"message": outcome["message"]}, status=outcome["status"])
    return {"outcome": outcome}


def _outcome(state: State, cycle_id: str) -> OutcomeState:
    diagnosis = state.get("diagnosis") or {}
    category = diagnosis.get("category", "capability")
    return ended("escalated", str(diagnosis.get("explanation", "")), kind=category, cycle_id=cycle_id)
