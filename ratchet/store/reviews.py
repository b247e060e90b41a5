"""The review queue: what cannot be fixed automatically and waits for a person."""

from typing import Any

from sqlalchemy import Connection, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from ratchet.concurrency import threaded
from ratchet.errors import AlreadyDecidedError
from ratchet.store.database import Database
from ratchet.store.schema import now, reviews

ReviewRow = dict[str, Any]
"""id, task, cycle_id, kind, status, document, created_at. ``document["answers"]`` holds the answers given so far."""


class Reviews:
    """Items by kind: capability, unstable, inconclusive, worse, refused, budget, evaluator, error.

    Statuses: open; once answered dismissed, corrected, retried, forced.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def add(self, review_id: str, task: str, cycle_id: str | None, kind: str, document: dict[str, Any]) -> None:
        """Put an item into the queue; the same id twice changes nothing."""
        row = {
            "id": review_id,
            "task": task,
            "cycle_id": cycle_id,
            "kind": kind,
            "status": "open",
            "document": document,
        }
        try:
            with self._database.write() as connection:
                connection.execute(insert(reviews).values(row | {"created_at": now()}))
        except IntegrityError:
            return

    @threaded
    def select(self, task: str | None = None, status: str = "open") -> list[dict[str, Any]]:
        """Items of that status, newest first."""
        query = select(reviews).where(reviews.c.status == status).order_by(reviews.c.created_at.desc())
        if task:
            query = query.where(reviews.c.task == task)
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @threaded
    def find(self, item_id: str) -> ReviewRow | None:
        """The item of that id, or of the cycle of that id."""
        query = select(reviews).where(or_(reviews.c.id == item_id, reviews.c.cycle_id == item_id)).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return dict(row) if row else None


def answer_item(connection: Connection, review_id: str, answer: dict[str, Any], status: str = "open") -> None:
    """Add an answer to an open item and set its status (``open``: it takes further answers).

    Raises:
        AlreadyDecidedError: the item is not open any more.
    """
    mine = reviews.c.id == review_id
    row = connection.execute(select(reviews).where(mine).with_for_update()).mappings().one()
    if row["status"] != "open":
        raise AlreadyDecidedError(f"review {row['cycle_id'] or review_id} is {row['status']} already")
    answers = [*row["document"].get("answers", []), answer]
    document = row["document"] | {"answers": answers}
    connection.execute(update(reviews).where(mine).values(status=status, document=document))


def set_item_status(connection: Connection, review_id: str, status: str) -> None:
    """Set an item's status, whatever it was."""
    connection.execute(update(reviews).where(reviews.c.id == review_id).values(status=status))
