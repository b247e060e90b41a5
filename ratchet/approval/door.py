"""The approval door: every answer, whatever its kind, first takes the one decision of its proposal.

It is taken in one transaction, together with all that follows from it at once, and it is bound to the change that the
reviewer saw. Whoever comes second hears who decided what and when. What is done afterwards believes this decision, as
it stands in the store, and nothing that a caller, a checkpoint or a model says.
"""

from functools import partial
from typing import NamedTuple

from pydantic import ValidationError
from sqlalchemy import Connection

from ratchet.concurrency import to_thread
from ratchet.cycles.owner import process_name
from ratchet.engine import Engine
from ratchet.errors import AlreadyDecidedError, RefusalError, StaleBaseError
from ratchet.ledger.audit import append
from ratchet.prompting import change_hash
from ratchet.records import Decision, Diagnosis, Proposal, Validation
from ratchet.store.cycles import record_progress
from ratchet.store.documents import DecisionDocument
from ratchet.store.failures import mark_of_cycle
from ratchet.store.proposals import decision_document, release_decision, set_proposal_status, take_decision
from ratchet.store.rows import ProposalRow
from ratchet.store.statuses import ProposalStatus

_STATUS: dict[str, ProposalStatus] = {"approve": "approved", "edit": "editing", "reject": "rejected"}
_DID = {"approve": "approved it", "edit": "answered with a version of their own", "reject": "rejected it"}


class StoredProposal(NamedTuple):
    """A proposal as the store has it, with the finding on it and the decision, if one was taken."""

    proposal: Proposal
    validation: Validation
    diagnosis: Diagnosis
    status: ProposalStatus
    decision: Decision | None
    decided: str
    """Who decided what and when, for a person; empty where nobody has."""
    decided_at: str = ""
    """When, as it is stored."""
    is_altered: bool = False
    """Whether it is another change now than the one that was decided on."""


async def stored_proposal(engine: Engine, proposal_id: str) -> StoredProposal:
    """The proposal of that id, which met the gate.

    Raises:
        RefusalError: there is none, or what is stored of it does not fit together.
    """
    row = await engine.store.proposals.get(proposal_id)
    cycle = await engine.store.cycles.get(row["cycle_id"]) if row else None
    if row is None or cycle is None:
        raise RefusalError(f"no proposal {proposal_id!r:.80} is stored; nothing was changed")
    document = row["document"] if "proposal" in row["document"] else cycle["document"]
    try:
        proposal = Proposal.model_validate(document["proposal"])
        validation = Validation.model_validate(document["validation"])
        diagnosis = Diagnosis.model_validate(cycle["document"]["diagnosis"])
    except (KeyError, ValidationError):
        raise _unfit(proposal_id) from None
    if proposal.id != proposal_id or proposal.change_hash != change_hash(proposal.before, proposal.after):
        raise _unfit(proposal_id)
    decided = _decision_of(row, proposal)
    return StoredProposal(
        proposal,
        validation,
        diagnosis,
        row["status"],
        _as_record(decided) if decided else None,
        sentence_of(decided) if decided else "",
        decided_at=decided["at"] if decided else "",
        is_altered=decided is not None and decided["change_hash"] != proposal.change_hash,
    )


def _as_record(decided: DecisionDocument) -> Decision:
    return Decision.model_validate({name: value for name, value in decided.items() if name in Decision.model_fields})


def _unfit(proposal_id: str) -> RefusalError:
    return RefusalError(
        f"what is stored of the proposal {proposal_id!r:.80} does not fit together; nothing was changed"
    )


def _decision_of(row: ProposalRow, proposal: Proposal) -> DecisionDocument | None:
    """The stored decision. Earlier releases kept of an approval no more than the status and the reason."""
    if "decision" in row["document"] or row["status"] not in ("approved", "applied"):
        return row["document"].get("decision")
    approval = Decision(type="approve", reason=row["reason"] or "")
    return decision_document(approval, proposal.change_hash) | {"at": row["created_at"]}


def sentence_of(decision: DecisionDocument) -> str:
    """A stored decision as a sentence for whoever comes second."""
    return f"{decision['reviewer']} {_DID[decision['type']]} at {decision['at'][:19]}Z"


async def approved_proposal(engine: Engine, proposal_id: str) -> StoredProposal:
    """The proposal, if its decision allows to make it live.

    Raises:
        RefusalError: it is unknown, or nobody has approved it.
    """
    stored = await stored_proposal(engine, proposal_id)
    if stored.decision is None or stored.status not in ("approved", "applied"):
        how = stored.decided or "nobody has approved it"
        raise RefusalError(f"proposal {proposal_id} is {stored.status}: {how}; nothing was changed")
    return stored


def check_unaltered(stored: StoredProposal) -> None:
    """See that a proposal is the change that was decided on.

    Raises:
        StaleBaseError: what is stored of it was altered afterwards.
    """
    if stored.is_altered:
        raise StaleBaseError(
            f"proposal {stored.proposal.id} was altered after {stored.decided}; nothing was changed, its failures are "
            "open again"
        )


async def decide(engine: Engine, proposal: Proposal, decision: Decision, *, again: bool = False) -> None:
    """Take the decision of a pending proposal; the same one twice (a node that ran again) changes nothing.

    A rejection ends the cycle and gives its failures back, unless another proposal will follow (`again`). While a
    reviewer's own version is validated the proposal is ``editing``.

    Raises:
        AlreadyDecidedError: another decision was taken before; says whose.
    """
    owner = await to_thread(process_name)
    document = decision_document(decision, proposal.change_hash)

    def take(connection: Connection) -> None:
        kept = take_decision(connection, proposal.id, _STATUS[decision.type], document)
        if kept is document:
            _follow(connection, proposal, decision, owner, again)
        elif kept is None or {**kept, "at": ""} != {**document, "at": ""}:
            raise AlreadyDecidedError(
                f"cycle {proposal.cycle_id}: {sentence_of(kept) if kept else 'its change is no longer on the table'}"
            )

    await engine.store.transact([take])


def _follow(connection: Connection, proposal: Proposal, decision: Decision, owner: str, again: bool) -> None:
    """What follows from a decision at once."""
    cycle_id = proposal.cycle_id
    if decision.type == "edit" or again:
        record_progress(connection, cycle_id, {"owner": owner}, status="running")
    elif decision.type == "reject":
        mark_of_cycle(connection, cycle_id, "open", ("in_cycle",))
        record_progress(connection, cycle_id, {"decision": decision.model_dump(mode="json")}, status="rejected")
    if decision.type == "reject":
        append(
            connection, actor=decision.reviewer, action="reject", task=proposal.task, subject=proposal.id,
            reason=decision.reason, feedback=decision.feedback,
        )  # fmt: skip


async def take_back_edit(engine: Engine, proposal: Proposal) -> None:
    """A reviewer's own version was not proven: the proposal is on the table again, and the cycle waits."""
    await engine.store.transact(
        [
            partial(release_decision, proposal_id=proposal.id),
            partial(record_progress, cycle_id=proposal.cycle_id, document={"owner": ""}, status="awaiting_approval"),
        ]
    )


async def note_stale(engine: Engine, proposal: Proposal, reason: str) -> None:
    """An approved change came too late: close its cycle, and give the failures back."""
    await engine.store.transact(
        [
            partial(set_proposal_status, proposal_id=proposal.id, status="stale", reason=reason),
            partial(mark_of_cycle, cycle_id=proposal.cycle_id, status="open", was=("in_cycle",)),
            partial(record_progress, cycle_id=proposal.cycle_id, document={"message": reason}, status="stale"),
        ]
    )
