"""Making a change the active version, with all that follows from it in the store."""

from collections.abc import Sequence
from functools import partial

from ratchet.engine import Engine, Workbench
from ratchet.errors import StaleBaseError
from ratchet.gate import limit_vetoes
from ratchet.gate.bounds import Costs
from ratchet.gate.yardstick import new_yardstick
from ratchet.ledger import Change
from ratchet.proposers import edit_refusal
from ratchet.records import Decision, Proposal, Validation
from ratchet.store import Effect
from ratchet.store.cycles import record_progress
from ratchet.store.documents import CycleDocument, VersionNumbers
from ratchet.store.failures import mark_of_cycle, supersede_open
from ratchet.store.proposals import set_proposal_status
from ratchet.store.rows import VersionRow
from ratchet.store.statuses import OPEN_CYCLE, FailureStatus


async def apply_proposal(
    engine: Engine,
    proposal: Proposal,
    validation: Validation,
    decision: Decision,
    *,
    failures_were: tuple[FailureStatus, ...] = ("in_cycle",),
    also: Sequence[Effect] = (),
) -> VersionRow:
    """Apply a proposal exactly once, however often this is called.

    The cycle's failures that have one of the statuses `failures_were` become fixed; `also` as in `Versions.apply`.

    Raises:
        StaleBaseError: see `Versions.apply` and `obstacle`; nothing was changed.
        AlreadyDecidedError: see `Versions.apply`.
    """
    bench = await engine.workbench(proposal.task)
    if await engine.versions.of_proposal(proposal.id) is None and (why := obstacle(bench, proposal, validation)):
        raise StaleBaseError(f"proposal {proposal.id} {why}; run `ratchet improve {proposal.task}` for a new proposal")
    change = Change(
        proposal_id=proposal.id,
        component=proposal.component,
        prompt=proposal.after,
        base_version=proposal.base_version,
        by=decision.reviewer,
        reason=decision.reason or proposal.rationale,
        numbers=numbers(validation),
    )
    version = await engine.versions.apply(bench.task, change, also)
    await note_applied(engine, proposal, decision, version, failures_were)
    return version


def obstacle(bench: Workbench, proposal: Proposal, validation: Validation) -> str | None:
    """Why a change may not go live under today's rules, criteria, sources and limits; None where it may.

    One made for another version is the ledger's to refuse. The limits on cost bind what was proven, not what is forced.
    """
    if bench.version != proposal.base_version:
        return None
    refusal = edit_refusal(bench.task, bench.rules, proposal.before, proposal.after)
    if refusal:
        return f"cannot go live any more: it {refusal}"
    measure = new_yardstick(bench, validation)
    if measure:
        return f"is not proven any more: {measure} since"
    if validation.proven and validation.cost_before and validation.cost_after:
        above = limit_vetoes(bench.task.limits, Costs(validation.cost_before, validation.cost_after))
        return f"is above a limit that was set since: {above[0]}" if above else None
    return None


async def note_applied(
    engine: Engine,
    proposal: Proposal,
    decision: Decision,
    version: VersionRow,
    failures_were: tuple[FailureStatus, ...],
) -> None:
    """Note what a change that is live means for its proposal, its failures and its cycle; again changes nothing."""
    if await engine.store.proposals.status(proposal.id) == "applied":
        await _close_cycle(engine, proposal, decision, version)
        return  # failures of today are none of this change's
    reason = decision.reason or proposal.rationale
    await engine.store.transact(
        [
            partial(set_proposal_status, proposal_id=proposal.id, status="applied", reason=reason),
            partial(mark_of_cycle, cycle_id=proposal.cycle_id, status="fixed", was=failures_were),
            partial(supersede_open, task=proposal.task, component=proposal.component),
            partial(
                record_progress, cycle_id=proposal.cycle_id, document=_end_document(decision, version), status="applied"
            ),
        ]
    )


async def _close_cycle(engine: Engine, proposal: Proposal, decision: Decision, version: VersionRow) -> None:
    """End a cycle whose change is live and which is open all the same: a process that was late has opened it."""
    cycle = await engine.store.cycles.get(proposal.cycle_id)
    if cycle is not None and cycle["status"] in OPEN_CYCLE:
        await engine.store.cycles.record(cycle["id"], _end_document(decision, version), status="applied")


def _end_document(decision: Decision, version: VersionRow) -> CycleDocument:
    return {"decision": decision.model_dump(mode="json"), "version": version["number"]}


def numbers(validation: Validation) -> VersionNumbers:
    """What the ledger and the audit log keep of a validation."""
    return {
        "before": validation.before.rate,
        "after": validation.after.rate,
        "cases": validation.after.n,
        "won": len(validation.wins),
        "lost": len(validation.losses),
        "e_value": validation.e_value,
    }
