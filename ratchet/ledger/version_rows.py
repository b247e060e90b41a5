"""Rows of the versions table."""

from typing import Any

from sqlalchemy import Connection, insert, select, update

from ratchet.prompting import content_hash
from ratchet.store.database import fetch_row, fetch_rows
from ratchet.store.documents import VersionNumbers
from ratchet.store.rows import VersionRow
from ratchet.store.schema import now, versions
from ratchet.store.statuses import VersionStatus


def row_with_status(connection: Connection, task: str, status: VersionStatus) -> VersionRow | None:
    """The newest version of a task with that status."""
    query = select(versions).where(versions.c.task == task, versions.c.status == status)
    return fetch_row(connection, query.order_by(versions.c.number.desc()), VersionRow)


def rows_with_status(connection: Connection, task: str, status: VersionStatus) -> list[VersionRow]:
    """The versions of a task with that status, oldest first."""
    query = select(versions).where(versions.c.task == task, versions.c.status == status)
    return fetch_rows(connection, query.order_by(versions.c.number), VersionRow)


_MOST = 2**31 - 1
"""What an integer column of every database holds."""


def row_of_number(connection: Connection, task: str, number: int | None) -> VersionRow | None:
    """The version of that number."""
    if number is None or not 0 < number <= _MOST:
        return None
    query = select(versions).where(versions.c.task == task, versions.c.number == number)
    return fetch_row(connection, query, VersionRow)


def of_proposal(connection: Connection, proposal_id: str) -> VersionRow | None:
    """The version that a proposal (or a rollback) became."""
    return fetch_row(connection, select(versions).where(versions.c.proposal_id == proposal_id), VersionRow)


def active_rows(connection: Connection) -> list[VersionRow]:
    """The active versions of all tasks, oldest first."""
    query = select(versions).where(versions.c.status == "active").order_by(versions.c.applied_at)
    return fetch_rows(connection, query, VersionRow)


def all_rows(connection: Connection, task: str) -> list[VersionRow]:
    """All versions of a task, oldest first."""
    query = select(versions).where(versions.c.task == task).order_by(versions.c.number)
    return fetch_rows(connection, query, VersionRow)


def add_row(
    connection: Connection, task: str, components: dict[str, Any], text: str, *, status: VersionStatus,
    base: int | None, by: str, reason: str, proposal_id: str | None = None, numbers: VersionNumbers | None = None,
) -> VersionRow:  # fmt: skip
    """Add a version under the task's next number."""
    taken = [row["number"] for row in all_rows(connection, task)]
    number = max(taken, default=0) + 1
    row: VersionRow = {
        "task": task,
        "number": number,
        "status": status,
        "hash": content_hash(components),
        "base_number": base,
        "proposal_id": proposal_id,
        "components": components,
        "file_text": text,
        "by": by,
        "reason": reason,
        "numbers": numbers or {},
        "applied_at": now(),
    }
    connection.execute(insert(versions).values(row))
    return row


def set_status(connection: Connection, row: VersionRow, status: VersionStatus, file_text: str | None = None) -> None:
    """Change a version's status and, where given, the text of the file it became."""
    values = {"status": status} | ({} if file_text is None else {"file_text": file_text})
    mine = (versions.c.task == row["task"], versions.c.number == row["number"])
    connection.execute(update(versions).where(*mine).values(values))
