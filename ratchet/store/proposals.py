"""Proposals that were made: applied, lost, refused or rejected ones, so that the same idea is not paid for twice."""

from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from ratchet.concurrency import threaded
from ratchet.errors import AlreadyDecidedError
from ratchet.store.database import Database
from ratchet.store.schema import now, proposals


class Proposals:
    """Statuses: pending, approved, applied, rejected, stale; refused and unproven ones never got to a reviewer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def add(self, rows: list[dict[str, Any]]) -> None:
        """Store proposals (id, cycle_id, task, component, strategy, fingerprint, status, reason, document)."""
        for row in rows:
            try:
                with self._database.write() as connection:
                    connection.execute(insert(proposals).values(row | {"created_at": now()}))
            except IntegrityError:
                continue

    @threaded
    def mark(self, proposal_id: str, status: str, reason: str) -> None:
        """Set what became of a proposal."""
        with self._database.write() as connection:
            connection.execute(
                update(proposals).where(proposals.c.id == proposal_id).values(status=status, reason=reason)
            )

    @threaded
    def status(self, proposal_id: str) -> str | None:
        """What became of a proposal; None where it is unknown."""
        with self._database.read() as connection:
            return connection.execute(select(proposals.c.status).where(proposals.c.id == proposal_id)).scalar()

    @threaded
    def decide(self, proposal_id: str, status: str, reason: str) -> None:
        """Turn a pending proposal into an approved or rejected one; giving the same answer again changes nothing.

        Raises:
            AlreadyDecidedError: the other answer was given before.
        """
        mine = proposals.c.id == proposal_id
        with self._database.write() as connection:
            found = connection.execute(select(proposals.c.status).where(mine)).scalar()
            if found == "pending":
                connection.execute(update(proposals).where(mine).values(status=status, reason=reason))
            elif found != status and not (found == "applied" and status == "approved"):
                raise AlreadyDecidedError(f"proposal {proposal_id} is {found or 'unknown'} already")

    @threaded
    def known(self, task: str, component: str, base_hash: str, without: str | None = None) -> list[dict[str, Any]]:
        """Ideas that did not make it from the prompt `base_hash`, oldest first: fingerprint, status, reason, document.
        The proposal `without` is left out."""
        columns = (proposals.c.fingerprint, proposals.c.status, proposals.c.reason, proposals.c.document)
        query = (
            select(*columns)
            .where(
                proposals.c.task == task,
                proposals.c.component == component,
                proposals.c.status.in_(("refused", "rejected", "unproven")),
                proposals.c.document["base_hash"].as_string() == base_hash,
                proposals.c.id != (without or ""),
            )
            .order_by(proposals.c.created_at, proposals.c.id)
        )
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]
