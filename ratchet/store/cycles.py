"""Improvement cycles: who works on what, so that at most one is open for a task and component."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, update
from sqlalchemy.exc import IntegrityError

from ratchet.concurrency import threaded
from ratchet.errors import RatchetError
from ratchet.records import Category, Verdict
from ratchet.store.database import Database, fetch_row, fetch_rows, insert_once
from ratchet.store.documents import CycleDocument
from ratchet.store.rows import CycleGraph, CycleRow
from ratchet.store.schema import cycles, now
from ratchet.store.statuses import OPEN_CYCLE, CycleStatus


class Cycles:
    """The cycles of all tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def claim(
        self,
        cycle_id: str,
        task: str,
        component: str,
        graph: CycleGraph,
        thread_id: str,
        document: CycleDocument | None = None,
    ) -> CycleRow:
        """Open the cycle `cycle_id` with `document`, or return the one open for this task and component instead.

        Compare the `id` of the row that comes back: another id means that the other cycle has the right of way.
        """
        time = now()
        row: CycleRow = {
            "id": cycle_id,
            "task": task,
            "component": component,
            "graph": graph,
            "thread_id": thread_id,
            "status": "running",
            "category": None,
            "verdict": None,
            "document": document or {},
            "beat_at": time,
            "created_at": time,
            "finished_at": None,
        }
        for _ in range(3):  # where writers do not wait for each other, the cycle in the way may just have ended
            with self._database.write() as connection:
                insert_once(connection, cycles, row, any_key=True)
                found = _one(connection, cycles.c.id == cycle_id) or _open_for(connection, task, component)
            if found:
                return found
        raise RatchetError(f"no cycle could be opened for {task}/{component}, try again")

    @threaded
    def move(self, cycle_id: str, component: str) -> CycleRow | None:
        """Turn an open cycle to another component; the open cycle that is in the way, if there is one."""
        try:
            with self._database.write() as connection:
                connection.execute(update(cycles).where(cycles.c.id == cycle_id).values(component=component))
        except IntegrityError:
            with self._database.read() as connection:
                mine = _one(connection, cycles.c.id == cycle_id)
                other = mine and _open_for(connection, mine["task"], component)
            if other is None:
                raise
            return other
        return None

    @threaded
    def take_over(self, cycle_id: str, owner: str, is_gone: Callable[[str, str], bool]) -> bool:
        """Make `owner` the process at work on a running cycle if the present one is gone, by its name and the time of
        its last beat. Of several that try at once one succeeds."""
        with self._database.write() as connection:
            row = _one(connection, cycles.c.id == cycle_id, cycles.c.status == "running")
            if row is None or not is_gone(str(row["document"].get("owner", "")), row["beat_at"]):
                return False
            values = {"document": row["document"] | {"owner": owner}, "beat_at": now()}
            connection.execute(update(cycles).where(cycles.c.id == cycle_id).values(values))
            return True

    @threaded
    def beat(self, thread_id: str) -> None:
        """Note that the process at work on the running cycle of a thread is alive."""
        mine = (cycles.c.thread_id == thread_id, cycles.c.status == "running")
        with self._database.write() as connection:
            connection.execute(update(cycles).where(*mine).values(beat_at=now()))

    @threaded
    def move_to_thread(self, cycle_id: str, graph: str, thread_id: str) -> None:
        """Let an open cycle go on in another thread, whose checkpoints belong to that graph."""
        mine = (cycles.c.id == cycle_id, cycles.c.status.in_(OPEN_CYCLE))
        with self._database.write() as connection:
            connection.execute(update(cycles).where(*mine).values(graph=graph, thread_id=thread_id))

    @threaded
    def get(self, cycle_id: str) -> CycleRow | None:
        """The cycle of that id."""
        with self._database.read() as connection:
            return _one(connection, cycles.c.id == cycle_id)

    @threaded
    def open_of_thread(self, thread_id: str) -> CycleRow | None:
        """The open cycle that runs in a thread."""
        with self._database.read() as connection:
            return _one(connection, cycles.c.thread_id == thread_id, cycles.c.status.in_(OPEN_CYCLE))

    @threaded
    def select(
        self, *, task: str | None = None, status: tuple[CycleStatus, ...] | None = None, limit: int = 1000
    ) -> list[CycleRow]:
        """Cycles, newest first."""
        query = select(cycles).order_by(cycles.c.created_at.desc()).limit(limit)
        if task:
            query = query.where(cycles.c.task == task)
        if status:
            query = query.where(cycles.c.status.in_(status))
        with self._database.read() as connection:
            return fetch_rows(connection, query, CycleRow)

    @threaded
    def record(
        self,
        cycle_id: str,
        document: CycleDocument,
        *,
        status: CycleStatus | None = None,
        category: Category | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        """Note progress, see `record_progress`, in a transaction of its own."""
        with self._database.write() as connection:
            record_progress(connection, cycle_id, document, status=status, category=category, verdict=verdict)


def record_progress(
    connection: Connection,
    cycle_id: str,
    document: CycleDocument,
    *,
    status: CycleStatus | None = None,
    category: Category | None = None,
    verdict: Verdict | None = None,
) -> None:
    """Note progress: `document` is merged into the stored one; a final status also sets the end time.

    A cycle that has ended is not opened again, whoever is late.

    Raises:
        RatchetError: there is no such cycle.
    """
    time = now()
    row = _one(connection, cycles.c.id == cycle_id)
    if row is None:
        raise RatchetError(f"no cycle {cycle_id!r}")
    values: dict[str, Any] = {"document": row["document"] | document, "beat_at": time}
    if category:
        values["category"] = category
    if verdict:
        values["verdict"] = verdict
    if status and not (status in OPEN_CYCLE and row["status"] not in OPEN_CYCLE):
        values |= {"status": status, "finished_at": None if status in OPEN_CYCLE else time}
    connection.execute(update(cycles).where(cycles.c.id == cycle_id).values(values))


def _open_for(connection: Connection, task: str, component: str) -> CycleRow | None:
    mine = (cycles.c.task == task, cycles.c.component == component)
    return _one(connection, *mine, cycles.c.status.in_(OPEN_CYCLE))


def _one(connection: Connection, *conditions: ColumnElement[bool]) -> CycleRow | None:
    return fetch_row(connection, select(cycles).where(*conditions), CycleRow)
