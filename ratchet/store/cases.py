"""Cases that people approved from production. Those in a task's file are not in here."""

from typing import Any

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from ratchet.errors import ConfigurationError
from ratchet.store.database import Database, threaded
from ratchet.store.schema import cases

CaseRow = dict[str, Any]
"""task, id, input, expected, split, tags, origin (id of a failure, or None), approved_by, created_at."""


class Cases:
    """The approved cases of all tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def of_task(self, task: str) -> list[CaseRow]:
        """A task's approved cases, oldest first."""
        query = select(cases).where(cases.c.task == task).order_by(cases.c.created_at, cases.c.id)
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @threaded
    def stamp(self, task: str) -> tuple[int, str | None]:
        """Number of a task's approved cases and time of the newest: another stamp means other cases."""
        query = select(func.count(), func.max(cases.c.created_at)).where(cases.c.task == task)
        with self._database.read() as connection:
            count, newest = connection.execute(query).one()
            return int(count), newest


def stamp_of(rows: list[CaseRow]) -> tuple[int, str | None]:
    """The stamp of a task's cases as they were read, see `Cases.stamp`."""
    return len(rows), max((row["created_at"] for row in rows), default=None)


def insert_case(connection: Connection, row: CaseRow) -> None:
    """Add a case.

    Raises:
        ConfigurationError: one with this input is there already.
    """
    try:
        connection.execute(insert(cases).values(row))
    except IntegrityError as error:
        raise ConfigurationError(
            f"{row['task']}: a case with the input {row['input'][:80]!r} was approved before; "
            f"see `ratchet cases list {row['task']}`"
        ) from error
