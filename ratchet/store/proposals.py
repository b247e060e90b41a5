"""Proposals that were made: applied, lost, refused or rejected ones, so that the same idea is not paid for twice."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from ratchet.concurrency import threaded
from ratchet.errors import AlreadyDecidedError
from ratchet.store.database import Database, fetch_rows
from ratchet.store.rows import FailedIdea, NewProposal, ProposalRow
from ratchet.store.schema import now, proposals
from ratchet.store.statuses import FAILED_IDEA, ProposalStatus, ReviewerAnswer


class Proposals:
    """The proposals of all tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def add(self, new: Sequence[NewProposal]) -> None:
        """Store proposals; one that is there already stays as it is."""
        for proposal in new:
            row: ProposalRow = {**proposal, "created_at": now()}
            try:
                with self._database.write() as connection:
                    connection.execute(insert(proposals).values(row))
            except IntegrityError:
                continue

    @threaded
    def mark(self, proposal_id: str, status: ProposalStatus, reason: str) -> None:
        """Set what became of a proposal."""
        with self._database.write() as connection:
            connection.execute(
                update(proposals).where(proposals.c.id == proposal_id).values(status=status, reason=reason)
            )

    @threaded
    def status(self, proposal_id: str) -> ProposalStatus | None:
        """What became of a proposal; None where it is unknown."""
        with self._database.read() as connection:
            return _status(connection, proposal_id)

    @threaded
    def decide(self, proposal_id: str, status: ReviewerAnswer, reason: str) -> None:
        """Answer a pending proposal; giving the same answer again changes nothing.

        Raises:
            AlreadyDecidedError: the other answer was given before.
        """
        mine = proposals.c.id == proposal_id
        with self._database.write() as connection:
            found = _status(connection, proposal_id)
            if found == "pending":
                connection.execute(update(proposals).where(mine).values(status=status, reason=reason))
            elif found != status and not (found == "applied" and status == "approved"):
                raise AlreadyDecidedError(f"proposal {proposal_id} is {found or 'unknown'} already")

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


def _status(connection: Connection, proposal_id: str) -> ProposalStatus | None:
    query = select(proposals.c.status).where(proposals.c.id == proposal_id)
    status: ProposalStatus | None = connection.execute(query).scalar()
    return status
