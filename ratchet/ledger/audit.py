"""The audit log: append-only, each row carries the hash of the one before it."""

from typing import Any

from sqlalchemy import Connection, insert, select

from ratchet.concurrency import threaded
from ratchet.prompting import content_hash
from ratchet.store.database import Database, fetch_rows
from ratchet.store.rows import AuditRow
from ratchet.store.schema import audit, now

_FIELDS = ("at", "actor", "action", "task", "subject", "detail", "previous_hash")


def append(connection: Connection, *, actor: str, action: str, task: str, subject: str, **detail: Any) -> None:
    """Add a row inside the caller's write transaction, so that an effect and its record stand or fall together."""
    previous = connection.execute(select(audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).scalar()
    row = {
        "at": now(),
        "actor": actor,
        "action": action,
        "task": task,
        "subject": subject,
        "detail": detail,
        "previous_hash": previous or "",
    }
    connection.execute(insert(audit).values(row | {"hash": content_hash(row)}))


class Audit:
    """Reading and checking the audit log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def note(self, actor: str, action: str, task: str, subject: str, detail: dict[str, Any]) -> None:
        """Add a row in a transaction of its own."""
        with self._database.write() as connection:
            append(connection, actor=actor, action=action, task=task, subject=subject, **detail)

    @threaded
    def note_rules(self, rules_hash: str) -> bool:
        """Add a row where the rules differ from those noted last; says whether they have changed since."""
        with self._database.write() as connection:
            query = select(audit.c.subject).where(audit.c.action == "rules").order_by(audit.c.seq.desc()).limit(1)
            last = connection.execute(query).scalar()
            if last == rules_hash:
                return False
            reason = "the pinned rules have changed" if last else "the pinned rules as first found"
            append(connection, actor="file", action="rules", task="", subject=rules_hash, reason=reason)
            return last is not None

    @threaded
    def rows(self, task: str | None = None, limit: int = 1000) -> list[AuditRow]:
        """The newest rows, oldest first."""
        query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if task:
            query = query.where(audit.c.task == task)
        with self._database.read() as connection:
            return fetch_rows(connection, query, AuditRow)[::-1]

    @threaded
    def verify(self) -> list[str]:
        """One line per row that was changed, or before which rows are missing; empty where the chain is whole."""
        problems, previous = [], ""
        with self._database.read() as connection:
            for row in connection.execute(select(audit).order_by(audit.c.seq)).mappings():
                if row["previous_hash"] != previous:
                    problems.append(f"row {row['seq']}: a row before it was removed or changed")
                if row["hash"] != content_hash({name: row[name] for name in _FIELDS}):
                    problems.append(f"row {row['seq']}: its content was changed")
                previous = row["hash"]
        return problems
