"""The review queue: what cannot be fixed automatically and waits for a person."""

from collections.abc import Sequence

from sqlalchemy import Connection, or_, select, update

from ratchet.concurrency import threaded
from ratchet.errors import AlreadyDecidedError, RatchetError
from ratchet.store.database import Database, fetch_row, fetch_rows, insert_once
from ratchet.store.documents import ReviewAnswer, ReviewDocument
from ratchet.store.rows import ReviewRow
from ratchet.store.schema import now, reviews
from ratchet.store.statuses import ReviewKind, ReviewStatus


class Reviews:
    """The items of all tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def add(self, review_id: str, task: str, cycle_id: str | None, kind: ReviewKind, document: ReviewDocument) -> None:
        """Put an item into the queue; the same id twice changes nothing."""
        row: ReviewRow = {
            "id": review_id,
            "task": task,
            "cycle_id": cycle_id,
            "kind": kind,
            "status": "open",
            "document": document,
            "created_at": now(),
        }
        with self._database.write() as connection:
            insert_once(connection, reviews, row)

    @threaded
    def select(self, task: str | None = None, status: ReviewStatus = "open") -> list[ReviewRow]:
        """Items of that status, newest first."""
        query = select(reviews).where(reviews.c.status == status).order_by(reviews.c.created_at.desc())
        if task:
            query = query.where(reviews.c.task == task)
        with self._database.read() as connection:
            return fetch_rows(connection, query, ReviewRow)

    @threaded
    def with_retry(self, cycle_ids: Sequence[str]) -> set[str]:
        """Which of these cycles have an item that a person answered with a retry."""
        query = select(reviews.c.cycle_id).where(reviews.c.cycle_id.in_(cycle_ids), reviews.c.status == "retried")
        with self._database.read() as connection:
            return set(connection.execute(query).scalars())

    @threaded
    def find(self, item_id: str) -> ReviewRow | None:
        """The item of that id, or of the cycle of that id."""
        query = select(reviews).where(or_(reviews.c.id == item_id, reviews.c.cycle_id == item_id))
        with self._database.read() as connection:
            return fetch_row(connection, query, ReviewRow)


def answer_item(connection: Connection, review_id: str, answer: ReviewAnswer, status: ReviewStatus = "open") -> None:
    """Add an answer to an open item and set its status (``open``: it takes further answers).

    Raises:
        AlreadyDecidedError: the item is not open any more.
    """
    mine = reviews.c.id == review_id
    row = fetch_row(connection, select(reviews).where(mine).with_for_update(), ReviewRow)
    if row is None:
        raise RatchetError(f"no review {review_id!r}; `ratchet inbox` lists what waits")
    if row["status"] != "open":
        raise AlreadyDecidedError(f"review {row['cycle_id'] or review_id} is {row['status']} already")
    answers = [*row["document"].get("answers", []), answer]
    document: ReviewDocument = {**row["document"], "answers": answers}
    connection.execute(update(reviews).where(mine).values(status=status, document=document))


def set_item_status(connection: Connection, review_id: str, status: ReviewStatus) -> None:
    """Set an item's status, whatever it was."""
    connection.execute(update(reviews).where(reviews.c.id == review_id).values(status=status))
