"""Cases that people approved from production. Those in a task's file are not in here."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from ratchet.concurrency import threaded
from ratchet.errors import AlreadyDecidedError, ConfigurationError
from ratchet.store.database import Database, fetch_rows, insert_once
from ratchet.store.rows import CaseRow
from ratchet.store.schema import audit, cases
from ratchet.text import normal_form

Stamp = frozenset[tuple[str, str]]
"""Ids of a task's approved cases, each with the time at which it was approved."""
REMOVED = "remove_case"
"""Action of the audit row of a case that was removed; its detail has the case's input and split."""


class Cases:
    """The approved cases of all tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def of_task(self, task: str) -> list[CaseRow]:
        """A task's approved cases, oldest first."""
        query = select(cases).where(cases.c.task == task).order_by(cases.c.created_at, cases.c.id)
        with self._database.read() as connection:
            return fetch_rows(connection, query, CaseRow)

    @threaded
    def stamp(self, task: str) -> Stamp:
        """Another stamp means other cases, also where one was removed and one was added since."""
        query = select(cases.c.id, cases.c.created_at).where(cases.c.task == task)
        with self._database.read() as connection:
            return frozenset((case_id, time) for case_id, time in connection.execute(query))

    @threaded
    def trained_on(self, task: str) -> set[str]:
        """Inputs, in normal form, of the approved training cases that were removed: prompts may have been made from
        them."""
        query = select(audit.c.detail["input"].as_string()).where(
            audit.c.action == REMOVED, audit.c.task == task, audit.c.detail["split"].as_string() == "train"
        )
        with self._database.read() as connection:
            return {normal_form(text) for text in connection.execute(query).scalars()}


def stamp_of(rows: Sequence[CaseRow]) -> Stamp:
    """The stamp of a task's cases as they were read, see `Cases.stamp`."""
    return frozenset((row["id"], row["created_at"]) for row in rows)


def insert_case(connection: Connection, row: CaseRow) -> None:
    """Add a case.

    Raises:
        ConfigurationError: one with this input is there already.
    """
    if not insert_once(connection, cases, row, any_key=True):
        raise ConfigurationError(
            f"{row['task']}: a case with the input {row['input'][:80]!r} was approved before; "
            f"see `ratchet cases list {row['task']}`"
        )


def delete_case(connection: Connection, row: CaseRow) -> None:
    """Remove a case as it was read.

    Raises:
        AlreadyDecidedError: it is not there any more; one with its id that was approved since stays.
    """
    mine = (cases.c.task == row["task"], cases.c.id == row["id"], cases.c.created_at == row["created_at"])
    if not connection.execute(delete(cases).where(*mine)).rowcount:
        raise AlreadyDecidedError(f"{row['task']}: the case {row['id']!r} was removed just before")
