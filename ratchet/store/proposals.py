"""Proposals that were made: applied, lost, refused or rejected ones, so that the same idea is not paid for twice."""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from ratchet.concurrency import threaded
from ratchet.records import Decision
from ratchet.store.database import Database, fetch_row, fetch_rows, insert_once
from ratchet.store.documents import DecisionDocument, ProposalDocument
from ratchet.store.rows import FailedIdea, NewProposal, ProposalRow
from ratchet.store.schema import now, proposals
from ratchet.store.statuses import FAILED_IDEA, ProposalStatus


class Proposals:
    """The proposals of all tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def add(self, new: Sequence[NewProposal]) -> None:
        """Store proposals; one that is there already stays as it is."""
        with self._database.write() as connection:
            for proposal in new:
                add_proposal(connection, proposal)

    @threaded
    def mark(self, proposal_id: str, status: ProposalStatus, reason: str) -> None:
        """Set what became of a proposal."""
        with self._database.write() as connection:
            set_proposal_status(connection, proposal_id, status, reason)

    @threaded
    def status(self, proposal_id: str) -> ProposalStatus | None:
        """What became of a proposal; None where it is unknown."""
        with self._database.read() as connection:
            return proposal_status(connection, proposal_id)

    @threaded
    def get(self, proposal_id: str) -> ProposalRow | None:
        """The proposal of that id."""
        query = select(proposals).where(proposals.c.id == proposal_id)
        with self._database.read() as connection:
            return fetch_row(connection, query, ProposalRow)

    @threaded
    def last_rejected(self, cycle_id: str) -> ProposalRow | None:
        """The proposal of a cycle that a reviewer has rejected last."""
        query = select(proposals).where(proposals.c.cycle_id == cycle_id, proposals.c.status == "rejected")
        with self._database.read() as connection:
            rows = fetch_rows(connection, query, ProposalRow)
        return max(rows, key=round_of, default=None)

    @threaded
    def known(self, task: str, component: str, base_hash: str, without: str | None = None) -> list[FailedIdea]:
        """Ideas that did not make it from the prompt `base_hash`, oldest first; the proposal `without` is left out."""
        columns = (proposals.c.fingerprint, proposals.c.status, proposals.c.reason, proposals.c.document)
        query = (
            select(*columns)
            .where(
                proposals.c.task == task,
                proposals.c.component == component,
                proposals.c.status.in_(FAILED_IDEA),
                proposals.c.document["base_hash"].as_string() == base_hash,
                proposals.c.id != (without or ""),
            )
            .order_by(proposals.c.created_at, proposals.c.id)
        )
        with self._database.read() as connection:
            return fetch_rows(connection, query, FailedIdea)


def round_of(row: ProposalRow) -> int:
    """How many proposals the cycle had made with this one."""
    return int((row["document"].get("proposal") or {}).get("round", 1))


def add_proposal(connection: Connection, proposal: NewProposal) -> None:
    """Store a proposal; one that is there already stays as it is."""
    row: ProposalRow = {**proposal, "created_at": now()}
    insert_once(connection, proposals, row)


def proposal_status(connection: Connection, proposal_id: str) -> ProposalStatus | None:
    """What became of a proposal; None where it is unknown."""
    query = select(proposals.c.status).where(proposals.c.id == proposal_id)
    status: ProposalStatus | None = connection.execute(query).scalar()
    return status


def decision_document(decision: Decision, change_hash: str) -> DecisionDocument:
    """A decision as it is stored with its proposal."""
    return {
        "type": decision.type,
        "reviewer": decision.reviewer,
        "reason": decision.reason,
        "feedback": decision.feedback,
        "prompt": decision.prompt.model_dump(mode="json") if decision.prompt else None,
        "at": now(),
        "change_hash": change_hash,
    }


def take_decision(
    connection: Connection, proposal_id: str, status: ProposalStatus, decision: DecisionDocument
) -> DecisionDocument | None:
    """Give a pending proposal the `status` and the `decision` that it has from now on.

    Returns the decision in force, which is another one than the one given where somebody was faster; None where the
    proposal is unknown or not pending for another reason.
    """
    mine = proposals.c.id == proposal_id
    row = fetch_row(connection, select(proposals).where(mine).with_for_update(), ProposalRow)
    if row is None:
        return None
    if row["status"] != "pending":
        return row["document"].get("decision")
    document: ProposalDocument = {**row["document"], "decision": decision}
    reason = decision["reason"] or decision["feedback"]
    connection.execute(update(proposals).where(mine).values(status=status, reason=reason, document=document))
    return decision


def release_decision(connection: Connection, proposal_id: str) -> None:
    """Make a proposal pending again whose decision, a reviewer's own version, came to nothing."""
    mine = (proposals.c.id == proposal_id, proposals.c.status == "editing")
    row = fetch_row(connection, select(proposals).where(*mine).with_for_update(), ProposalRow)
    if row is not None:
        document = row["document"]
        document.pop("decision", None)
        connection.execute(update(proposals).where(*mine).values(status="pending", reason=None, document=document))


def set_proposal_status(connection: Connection, proposal_id: str, status: ProposalStatus, reason: str) -> None:
    """Set what became of a proposal."""
    connection.execute(update(proposals).where(proposals.c.id == proposal_id).values(status=status, reason=reason))
