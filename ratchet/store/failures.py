"""The failures among the runs: what is known of each, its group, and what becomes of it."""

from collections.abc import Sequence
from typing import cast

from sqlalchemy import Connection, Text, and_, bindparam, func, or_, select, update

from ratchet.concurrency import threaded
from ratchet.records import FailureBundle
from ratchet.store.database import Database, fetch_rows, insert_once
from ratchet.store.documents import BundleDocument
from ratchet.store.rows import FailureRow
from ratchet.store.schema import failures
from ratchet.store.statuses import CLOSED_BY_PERSON, IN_HANDS, WAITING, FailureStatus
from ratchet.text import normal_form


class Failures:
    """The failed runs of all tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def add(self, bundle: FailureBundle, group_key: str) -> None:
        """Store a failure; storing it again changes nothing."""
        row: FailureRow = {
            "id": bundle.id,
            "run_id": bundle.run_id,
            "task": bundle.task,
            "component": bundle.component,
            "group_key": group_key,
            "status": "open",
            "cycle_id": None,
            "source": bundle.source,
            "bundle": cast(BundleDocument, bundle.model_dump(mode="json")),
            "created_at": bundle.created_at,
        }
        with self._database.write() as connection:
            insert_once(connection, failures, row)

    @threaded
    def of_task(self, task: str, status: FailureStatus | None = None, limit: int = 100_000) -> list[FailureRow]:
        """Rows of a task, oldest first."""
        query = select(failures).where(failures.c.task == task).order_by(failures.c.created_at).limit(limit)
        if status:
            query = query.where(failures.c.status == status)
        with self._database.read() as connection:
            return fetch_rows(connection, query, FailureRow)

    @threaded
    def bundles(self, ids: Sequence[str]) -> list[FailureBundle]:
        """The bundles of the given failures, oldest first."""
        query = select(failures.c.bundle).where(failures.c.id.in_(ids)).order_by(failures.c.created_at)
        with self._database.read() as connection:
            return [FailureBundle.model_validate(bundle) for bundle in connection.execute(query).scalars()]

    @threaded
    def select(self, ids: Sequence[str]) -> list[FailureRow]:
        """The rows of the given failures, oldest first."""
        query = select(failures).where(failures.c.id.in_(ids)).order_by(failures.c.created_at)
        with self._database.read() as connection:
            return fetch_rows(connection, query, FailureRow)

    @threaded
    def worked_on(self, task: str) -> set[str]:
        """The inputs, in normal form, of all failures that a cycle has ever worked on."""
        text = failures.c.bundle["input"].as_string()
        query = select(text).where(failures.c.task == task, failures.c.cycle_id.is_not(None))
        with self._database.read() as connection:
            inputs = connection.execute(query).scalars().all()
        return {normal_form(text) for text in inputs}

    @threaded
    def in_hands(self, task: str, since: str) -> dict[str, int]:
        """How many failures since that time are in a cycle or handed over to a person, by group."""
        query = (
            select(failures.c.group_key, func.count())
            .where(failures.c.task == task, failures.c.status.in_(IN_HANDS), failures.c.created_at >= since)
            .group_by(failures.c.group_key)
        )
        with self._database.read() as connection:
            return {key: int(count) for key, count in connection.execute(query)}

    @threaded
    def count_open(self, task: str) -> int:
        """How many failures of a task wait for a cycle."""
        query = select(func.count()).where(and_(failures.c.task == task, failures.c.status == "open"))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    @threaded
    def mark(self, ids: Sequence[str], status: FailureStatus, cycle_id: str | None = None) -> None:
        """Set the status of failures, see `mark_failures`, and the cycle they belong to."""
        with self._database.write() as connection:
            if cycle_id:
                connection.execute(update(failures).where(failures.c.id.in_(ids)).values(cycle_id=cycle_id))
            mark_failures(connection, ids, status)

    @threaded
    def leave_cycle(self, cycle_id: str, status: FailureStatus, was: Sequence[FailureStatus] = ("in_cycle",)) -> None:
        """Set the status of all failures that a cycle works on; those it let go before stay as they are."""
        with self._database.write() as connection:
            mark_of_cycle(connection, cycle_id, status, was)

    @threaded
    def of_cycle(self, cycle_id: str, ids: Sequence[str], limit: int = 1000) -> list[FailureRow]:
        """The failures that a cycle worked on last, and those of the given `ids`, oldest first."""
        mine = or_(failures.c.cycle_id == cycle_id, failures.c.id.in_(ids))
        query = select(failures).where(mine).order_by(failures.c.created_at).limit(limit)
        with self._database.read() as connection:
            return fetch_rows(connection, query, FailureRow)

    @threaded
    def cycles_waiting(self) -> set[str]:
        """The cycles that have left a failure to a person, and that no later cycle has taken it from."""
        query = select(failures.c.cycle_id).where(failures.c.status.in_(WAITING)).distinct()
        with self._database.read() as connection:
            return {cycle_id for cycle_id in connection.execute(query).scalars() if cycle_id}

    @threaded
    def regroup(self, assignments: dict[str, str]) -> None:
        """Refine the group keys of failures, given by id: a key may be extended, any other change is left out.

        So a failure that another process has given a group in the meantime stays in that one.
        """
        key = bindparam("new_key", type_=Text)
        query = (
            update(failures)
            .where(failures.c.id == bindparam("failure_id"))
            .where(func.substr(key, 1, func.length(failures.c.group_key)) == failures.c.group_key)
            .values(group_key=key)
        )
        values = [{"failure_id": failure, "new_key": key} for failure, key in assignments.items()]
        if values:
            with self._database.write() as connection:
                connection.execute(query, values)


def mark_failures(
    connection: Connection, ids: Sequence[str], status: FailureStatus, was: Sequence[FailureStatus] | None = None
) -> int:
    """Set the status of failures, where `was` is given only of those with such a status; says of how many.

    What a person has closed stays closed, unless the new status is a person's answer too.
    """
    query = update(failures).where(failures.c.id.in_(ids))
    if was:
        query = query.where(failures.c.status.in_(was))
    if status not in CLOSED_BY_PERSON:
        query = query.where(failures.c.status.not_in(CLOSED_BY_PERSON))
    return connection.execute(query.values(status=status)).rowcount


def mark_of_cycle(connection: Connection, cycle_id: str, status: FailureStatus, was: Sequence[FailureStatus]) -> None:
    """Set the status of those failures that a cycle worked on last and that have one of the statuses `was`."""
    mine = (failures.c.cycle_id == cycle_id, failures.c.status.in_(was))
    connection.execute(update(failures).where(*mine).values(status=status))


def supersede_open(connection: Connection, task: str, component: str) -> None:
    """Set aside the open failures of a component whose prompt has changed: they happened under the old one."""
    mine = (failures.c.task == task, failures.c.component == component, failures.c.status == "open")
    connection.execute(update(failures).where(*mine).values(status="superseded"))


def count_waiting(connection: Connection, cycle_id: str) -> int:
    """How many of the failures that a cycle worked on last wait for a person."""
    query = select(func.count()).where(failures.c.cycle_id == cycle_id, failures.c.status.in_(WAITING))
    return int(connection.execute(query).scalar_one())
