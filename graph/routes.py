"""Where the graphs go next: pure functions of the state."""

from typing import Literal

from nodes.state import State

END: Literal["__end__"] = "__end__"


def route_after_evaluate(state: State) -> Literal["log_failure", "__end__"]:
    """A failed run is logged; a passed or undecided one ends here."""
    evaluation = state.get("evaluation") or {}
    return "log_failure" if evaluation.get("passed") is False else END


def route_after_evaluate_in_agent(state: State) -> Literal["log_failure", "request_approval", "__end__"]:
    """The same in `agent`, but a request that waits in the thread is put once more: a new run must not drop it."""
    route = route_after_evaluate(state)
    return "request_approval" if route == END and state.get("proposal") else route


def route_after_diagnose(
    state: State,
) -> Literal["propose_variants", "repair_context", "escalate", "request_approval", "__end__"]:
    """The cause decides, where none was found a person's hint; nothing to do, or another open cycle, ends here.

    Where the thread has a request that waits it is put once more.
    """
    outcome = state.get("outcome")
    if outcome:
        waits = "request_approval" if state.get("proposal") else END
        return "escalate" if outcome["status"] == "escalated" else waits
    category = (state.get("diagnosis") or {}).get("category")
    if category == "prompt" or (state.get("hint") and category != "context"):
        return "propose_variants"
    return "repair_context" if category == "context" else "escalate"


def route_after_proposing(state: State) -> Literal["validate", "escalate"]:
    """Candidates are validated; a used-up budget is escalated."""
    return "escalate" if state.get("outcome") else "validate"


def route_after_validate(state: State) -> Literal["request_approval", "apply_change", "escalate"]:
    """Only what is proven goes to a reviewer; a proven edit goes live, an unproven one is asked about again."""
    if state.get("problem"):
        return "request_approval"
    if state.get("outcome"):
        return "escalate"
    return "apply_change" if state.get("decision") else "request_approval"


def route_after_request_approval(
    state: State,
) -> Literal["request_approval", "apply_change", "validate", "propose_variants", "__end__"]:
    """Approved: apply. Edited: validate again. Rejected with feedback: propose again, unless the cycle has ended.

    An answer that was not understood is asked for again.
    """
    decision = state.get("decision") or {}
    if state.get("outcome"):
        return END
    if state.get("problem"):
        return "request_approval"
    if decision.get("type") == "approve":
        return "apply_change"
    return "validate" if decision.get("type") == "edit" else "propose_variants"
