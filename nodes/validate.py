"""Race the candidates, and put the best one to the gate."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer

from nodes.state import State, ending, own_cycle
from ratchet.approval.door import StoredProposal, stored_proposal, take_back_edit
from ratchet.cycles.validation import Claim, Finding, validate_candidates, validate_edit
from ratchet.engine import Engine
from ratchet.errors import RefusalError
from ratchet.records import Candidate, CandidateResult, Decision, Diagnosis
from ratchet.store.rows import CycleRow
from ratchet.store.statuses import ReviewKind


async def validate(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Choose among the candidates and prove the best on held-out cases; a reviewer's own version goes to the gate at
    once.

    The state says no more than which cycle and which proposal are meant, as a client may write any of it. What the
    candidates are, and what the cause was, comes from the store.
    """
    writer = get_stream_writer()

    def report(**event: Any) -> None:
        writer({"step": "validate", **event})

    decision = state.get("decision")
    if decision and decision["type"] == "edit":
        stored, edit = await _edit_of(engine, state)
        first = stored.proposal
        finding = await validate_edit(engine, Claim(first.task, first.cycle_id, stored.diagnosis), first, edit, report)
        if not finding.proven:
            await take_back_edit(engine, first)
        return _of_edit(finding)
    row = await own_cycle(engine, state, config)
    proposed = row["document"].get("entrants") or {"round": 1, "feedback": "", "candidates": [], "refused": []}
    finding = await validate_candidates(
        engine,
        _claim_of(row),
        [Candidate.model_validate(candidate) for candidate in proposed["candidates"]],
        [CandidateResult.model_validate(result) for result in proposed["refused"]],
        report,
        round_number=proposed["round"],
        feedback=proposed["feedback"],
    )
    return {**_of_candidates(finding, row["id"]), "problem": None, "decision": None}


def _claim_of(row: CycleRow) -> Claim:
    return Claim(row["task"], row["id"], Diagnosis.model_validate(row["document"].get("diagnosis")))


async def _edit_of(engine: Engine, state: State) -> tuple[StoredProposal, Decision]:
    """The proposal that is on the table, and the reviewer's own version of it, as they are stored.

    Raises:
        RefusalError: nobody has answered it with a version of their own.
    """
    stored = await stored_proposal(engine, str((state.get("proposal") or {}).get("id")))
    if stored.decision is None or stored.status != "editing":
        raise RefusalError(f"proposal {stored.proposal.id} is {stored.status}: no version of a reviewer waits")
    return stored, stored.decision


def _of_candidates(finding: Finding, cycle_id: str) -> State:
    validation = finding.validation
    update = _update_of(finding)
    if finding.out_of_budget:
        update["outcome"] = ending("escalated", validation.reason, kind="budget", cycle_id=cycle_id)
    elif not finding.proven:
        kind: ReviewKind = "vetoed" if validation.verdict == "better" else validation.verdict
        update["outcome"] = ending("inconclusive", validation.reason, kind=kind, cycle_id=cycle_id)
    return update


def _of_edit(finding: Finding) -> State:
    """Where it is not proven the first proposal stays on the table, with a problem that says what was found."""
    reason = finding.validation.reason
    if finding.out_of_budget:
        return {"problem": f"the edited version could not be validated: {reason}", "decision": None}
    if not finding.proven:
        return {"problem": f"the edited version was not proven: {reason}", "decision": None}
    return {**_update_of(finding), "problem": None}


def _update_of(finding: Finding) -> State:
    proposal = finding.proposal
    return {
        "proposal": proposal.model_dump(mode="json") if proposal else None,
        "validation": finding.validation.model_dump(mode="json"),
    }
