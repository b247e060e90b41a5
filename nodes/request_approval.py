"""Pause for a person."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import interrupt

from nodes.state import State, ended
from ratchet.approval import answer_schema, approval_request, parse_answer
from ratchet.engine import Engine
from ratchet.errors import AlreadyDecidedError, AnswerError
from ratchet.proposers import edit_refusal
from ratchet.records import Decision, Diagnosis, Proposal, Validation

MAX_ROUNDS = 3
"""Proposals in one cycle: the first, and one for each rejection with feedback."""


async def request_approval(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Interrupt with the review; an answer that fits nothing, or an edit that must not be, asks again with the reason.

    Nothing has an effect before the interrupt returns, as the node runs again from its top then.
    """
    proposal = Proposal.model_validate(state["proposal"])
    validation = Validation.model_validate(state["validation"])
    diagnosis = Diagnosis.model_validate(state["diagnosis"])
    spent = await engine.store.replies.spent_by(proposal.cycle_id)
    problem = state.get("problem")
    while True:
        request = approval_request(proposal, validation, diagnosis, spent, problem)
        answer = interrupt(request, response_schema=answer_schema())
        try:
            decision = await _understood(engine, proposal, answer)
            break
        except AnswerError as error:
            problem = str(error)
    again = decision.type == "reject" and bool(decision.feedback) and state.get("round", 1) < MAX_ROUNDS
    return await _decided(engine, proposal, decision, again)


async def _understood(engine: Engine, proposal: Proposal, answer: Any) -> Decision:
    decision = parse_answer(answer, proposal.after, proposal.change_hash)
    if decision.type == "edit" and decision.prompt is not None:
        bench = await engine.workbench(proposal.task)
        refusal = edit_refusal(bench.task, bench.rules, proposal.before, decision.prompt)
        if refusal:
            raise AnswerError(f"the edited version {refusal}")
    return decision


async def _decided(engine: Engine, proposal: Proposal, decision: Decision, again: bool) -> State:
    """Note the decision; of two answers given at once the first one counts. `again`: another proposal will follow."""
    update: State = {"decision": decision.model_dump(mode="json"), "problem": None}
    if decision.type == "edit":
        return update
    try:
        await engine.store.proposals.decide(
            proposal.id, "approved" if decision.type == "approve" else "rejected", decision.reason or decision.feedback
        )
    except AlreadyDecidedError as error:
        return {**update, "outcome": ended("conflict", str(error), cycle_id=proposal.cycle_id)}
    if decision.type == "reject":
        await _rejected(engine, proposal, decision, again)
        if not again:
            message = f"rejected by {decision.reviewer}"
            update["outcome"] = ended("rejected", message, cycle_id=proposal.cycle_id)
    return update


async def _rejected(engine: Engine, proposal: Proposal, decision: Decision, again: bool) -> None:
    answer = {"reason": decision.reason, "feedback": decision.feedback}
    await engine.audit.note(decision.reviewer, "reject", proposal.task, proposal.id, answer)
    if again:
        await engine.store.cycles.record(proposal.cycle_id, {}, status="running")
        return
    await engine.store.failures.leave_cycle(proposal.cycle_id, "open")
    await engine.store.cycles.record(
        proposal.cycle_id, {"decision": decision.model_dump(mode="json")}, status="rejected"
    )
