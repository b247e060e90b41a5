"""Pause for a person."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphInterrupt
from langgraph.types import interrupt

from nodes.state import State, ending
from ratchet.approval import answer_schema, approval_request, parse_answer
from ratchet.approval.door import StoredProposal, decide, stored_proposal
from ratchet.engine import Engine
from ratchet.errors import AlreadyDecidedError, AnswerError, ConfigurationError, RefusalError
from ratchet.proposers import edit_refusal
from ratchet.records import Decision, Proposal

_NO_ANSWER = object()
MAX_ROUNDS = 3
"""Proposals in one cycle: the first, and one for each rejection with feedback."""


async def request_approval(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Interrupt with the review; an answer that fits nothing, or an edit that must not be, is asked about again.

    Nothing has an effect before the interrupt returns, as the node runs again from its top then. It asks once: a
    refused answer leads back here by an edge, since LangGraph would replay it to a second interrupt of the same run.
    """
    try:
        stored = await stored_proposal(engine, str((state.get("proposal") or {}).get("id")))
    except RefusalError as error:
        return {"outcome": ending("conflict", str(error))}
    spent = await engine.store.replies.spent_by(stored.proposal.cycle_id)
    request = approval_request(stored.proposal, stored.validation, stored.diagnosis, spent, state.get("problem"))
    if stored.status != "pending":
        return _already(stored, _answer_given(request))
    answer = interrupt(request, response_schema=answer_schema())
    try:
        decision = await _understand(engine, stored.proposal, answer)
    except AnswerError as error:
        return {"problem": str(error), "decision": None}
    return await _decide(engine, stored, decision)


def _answer_given(request: dict[str, Any]) -> Any:
    """The answer that this run was resumed with; `_NO_ANSWER` where it was not, and nobody is asked."""
    try:
        return interrupt(request, response_schema=answer_schema())
    except GraphInterrupt:
        return _NO_ANSWER


def _already(stored: StoredProposal, answer: Any) -> State:
    """Nothing is left to ask: whoever answers otherwise is told who decided. Without an answer, or with the same one
    again, the decision in force goes on: its process may have ended before it took effect."""
    proposal, decision = stored.proposal, stored.decision
    if (
        decision is None
        or stored.status not in ("approved", "applied", "editing", "rejected")
        or not (answer is _NO_ANSWER or stored.is_altered or _is_same(answer, stored))
    ):
        how = stored.decided or "its change is no longer on the table"
        message = f"cycle {proposal.cycle_id}: {how}; it is {stored.status}"
        return {"outcome": ending("conflict", message, cycle_id=proposal.cycle_id)}
    update: State = {"decision": decision.model_dump(mode="json"), "problem": None, "outcome": None}
    if decision.type == "reject" and not _another_follows(proposal, decision):
        update["outcome"] = ending("rejected", f"it is closed: {stored.decided}", cycle_id=proposal.cycle_id)
    return update


def _is_same(answer: Any, stored: StoredProposal) -> bool:
    try:
        return parse_answer(answer, stored.proposal.after, stored.proposal.change_hash) == stored.decision
    except AnswerError:
        return False


def _another_follows(proposal: Proposal, decision: Decision) -> bool:
    return decision.type == "reject" and bool(decision.feedback) and proposal.round < MAX_ROUNDS


async def _understand(engine: Engine, proposal: Proposal, answer: Any) -> Decision:
    decision = parse_answer(answer, proposal.after, proposal.change_hash)
    if decision.type == "reject":
        return decision
    try:
        bench = await engine.workbench(proposal.task)
    except ConfigurationError as error:  # before the decision is taken: it could neither be applied nor taken back
        raise AnswerError(f"it cannot be applied as the files are now ({error}); mend that, or reject it") from error
    if decision.type == "edit" and decision.prompt is not None:
        refusal = edit_refusal(bench.task, bench.rules, proposal.before, decision.prompt)
        if refusal:
            raise AnswerError(f"the edited version {refusal}")
    return decision


async def _decide(engine: Engine, stored: StoredProposal, decision: Decision) -> State:
    """Take the decision; of several answers the first one counts, and the others are told whose it was."""
    proposal = stored.proposal
    again = _another_follows(proposal, decision)
    update: State = {"decision": decision.model_dump(mode="json"), "problem": None, "outcome": None}
    try:
        await decide(engine, proposal, decision, again=again)
    except AlreadyDecidedError as error:
        update["outcome"] = ending("conflict", str(error), cycle_id=proposal.cycle_id)
        return update
    if decision.type == "reject" and not again:
        update["outcome"] = ending("rejected", f"rejected by {decision.reviewer}", cycle_id=proposal.cycle_id)
    return update
