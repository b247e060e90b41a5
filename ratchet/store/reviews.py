"""The review queue: what cannot be fixed automatically and waits for a person."""

from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from ratchet.store.database import Database, threaded
from ratchet.store.schema import now, reviews


class Reviews:
    """Items by kind: capability, unstable, inconclusive, worse, refused, budget, evaluator, error."""

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
