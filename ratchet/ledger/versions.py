"""Versions of a task's prompts: seen in the file, applied once, rolled back byte for byte, recovered after a crash."""

import json
import logging
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update

from ratchet.errors import AlreadyDecidedError, ConfigurationError, StaleBaseError
from ratchet.ledger.audit import append
from ratchet.ledger.prompt_file import write_atomically
from ratchet.prompting import TaskPrompt, TaskPrompts, content_hash, parse_prompts, with_component
from ratchet.store.database import Database, threaded
from ratchet.store.schema import now, versions
from ratchet.strict import read_text
from ratchet.tasks import Task

VersionRow = dict[str, Any]
log = logging.getLogger(__name__)


class Active(NamedTuple):
    """The prompts in force for a task."""

    number: int
    prompts: TaskPrompts


class Change(NamedTuple):
    """An approved change."""

    proposal_id: str
    component: str
    prompt: TaskPrompt
    base_version: int
    by: str
    reason: str
    numbers: dict[str, Any]


class Versions:
    """The version ledger of all tasks over one prompts file.

    Statuses: applying (the file is being written), active, superseded, rolled_back, undone (a crash or a person's edit
    came in between).
    """

    def __init__(self, database: Database, file: Path) -> None:
        self._database = database
        self._file = file

    @threaded
    def active(self, task: Task) -> Active:
        """The prompts of the file, noted as a version if they are new.

        A file that cannot be read is rebuilt from the active version; where there is none yet, the reader's error
        stands. A file that a person edited becomes a version of its own.
        """
        text = self._readable_text(task)
        components = _components(text, task, self._file)
        with self._database.read() as connection:
            row = _row_with_status(connection, task.name, "active")
            pending = _row_with_status(connection, task.name, "applying")
        if row is None or (row["hash"] != content_hash(components) and pending is None):
            row = self._observe(task, text, components)
        return Active(int(row["number"]), {name: TaskPrompt(**value) for name, value in row["components"].items()})

    @threaded
    def history(self, task: str) -> list[VersionRow]:
        """All versions of a task, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(versions).where(versions.c.task == task).order_by(versions.c.number))
            return [dict(row) for row in rows.mappings()]

    @threaded
    def apply(self, task: Task, change: Change) -> VersionRow:
        """Make an approved change the active version, exactly once per proposal.

        Raises:
            StaleBaseError: the active version is not the one the change was made for.
        """
        self._begin_apply(task, change)
        return self._finish_apply(task.name, change.proposal_id)

    @threaded
    def recover(self, task: Task) -> str | None:
        """Finish or undo an application that a crash interrupted; says what was done, None if there was none."""
        with self._database.read() as connection:
            pending = _row_with_status(connection, task.name, "applying")
        if pending is None:
            return None
        with self._database.read() as connection:
            base = _numbered(connection, task.name, pending["base_number"])
        current = self._components_or_none(task)
        known = [content_hash(value) for value in (pending["components"], base["components"] if base else None)]
        if current is None or content_hash(current) in known:
            self._finish_apply(task.name, pending["proposal_id"])
            return (
                f"{task.name}: version {pending['number']} was being applied when the process ended; it is active now"
            )
        with self._database.write() as connection:
            _set_status(connection, pending, "undone")
            append(
                connection, actor="recovery", action="undo", task=task.name, subject=f"version {pending['number']}",
                reason="the file was edited while the change was being applied",
            )  # fmt: skip
        return f"{task.name}: version {pending['number']} was undone, the prompts file was edited in between"

    @threaded
    def rollback(self, task: Task, to: int | None, by: str, reason: str) -> VersionRow:
        """Bring back an earlier version (the one before the active one if `to` is None) as a new version.

        Raises:
            ConfigurationError: there is no such version.
        """
        with self._database.write() as connection:
            current = _row_with_status(connection, task.name, "active")
            target = _target(connection, task.name, current, to)
            if current is None:
                raise ConfigurationError(f"{task.name} has no active version")
            text = self._rollback_text(task, current, target)
            row = _new_row(
                connection, task.name, target["components"], text, by=by, reason=reason, status="active",
                base=current["number"],
            )  # fmt: skip
            write_atomically(self._file, text)
            _set_status(connection, current, "rolled_back")
            connection.execute(insert(versions).values(row))
            append(
                connection, actor=by, action="rollback", task=task.name, subject=f"version {target['number']}",
                reason=reason, new_version=row["number"], hash=row["hash"],
            )  # fmt: skip
            return row

    def _rollback_text(self, task: Task, current: VersionRow, target: VersionRow) -> str:
        """The target's exact bytes where only this task's components differ since, else the file of today with them."""
        today = read_text(self._file) if self._file.is_file() else current["file_text"]
        if _others(today, task, self._file) == _others(target["file_text"], task, self._file):
            return str(target["file_text"])
        for name, value in target["components"].items():
            today = with_component(today, name, TaskPrompt(**value))
        return today

    def _begin_apply(self, task: Task, change: Change) -> None:
        with self._database.write() as connection:
            row = _of_proposal(connection, change.proposal_id)
            if row is not None:
                if row["status"] == "undone":
                    raise AlreadyDecidedError(f"proposal {change.proposal_id} was undone: {row['reason']}")
                return
            active = _row_with_status(connection, task.name, "active")
            if active is None or active["number"] != change.base_version:
                found = active["number"] if active else "none"
                raise StaleBaseError(
                    f"proposal {change.proposal_id} was made for version {change.base_version} of {task.name}, "
                    f"the active one is {found}; run `ratchet improve {task.name}` for a new proposal"
                )
            text = read_text(self._file)
            if content_hash(_components(text, task, self._file)) != active["hash"]:
                raise StaleBaseError(f"{self._file} was edited since the proposal was made; start a new cycle")
            text = with_component(text, change.component, change.prompt)
            components = active["components"] | {change.component: change.prompt.as_json()}
            row = _new_row(
                connection, task.name, components, text, by=change.by, reason=change.reason, status="applying",
                base=active["number"],
            )  # fmt: skip
            row |= {"proposal_id": change.proposal_id, "numbers": change.numbers}
            connection.execute(insert(versions).values(row))

    def _finish_apply(self, task: str, proposal_id: str) -> VersionRow:
        with self._database.write() as connection:  # the write lock is held while the file is replaced
            row = _of_proposal(connection, proposal_id)
            if row is None or row["status"] != "applying":
                if row is None:
                    raise StaleBaseError(f"proposal {proposal_id} has no version")
                return row
            write_atomically(self._file, row["file_text"])
            active = _row_with_status(connection, task, "active")
            if active is not None:
                _set_status(connection, active, "superseded")
            _set_status(connection, row, "active")
            append(
                connection, actor=row["by"], action="apply", task=task, subject=f"version {row['number']}",
                proposal=proposal_id, reason=row["reason"], numbers=row["numbers"], hash=row["hash"],
            )  # fmt: skip
            return row | {"status": "active"}

    def _readable_text(self, task: Task) -> str:
        try:
            text = read_text(self._file)
            _components(text, task, self._file)
            return text
        except ConfigurationError:
            if not _broken(self._file):
                raise  # a readable file of wrong shape is a person's: told, never touched
            return self._rebuild(task)

    def _rebuild(self, task: Task) -> str:
        """Write the active version's file again; what stood there is kept beside it under another name."""
        with self._database.write() as connection:
            row = _row_with_status(connection, task.name, "active")
            if row is None:
                return read_text(self._file)  # raises: there is nothing to rebuild from
            kept = None
            if self._file.exists():
                kept = self._file.with_name(f"{self._file.name}.broken-{now().replace(':', '')}")
                self._file.rename(kept)
            write_atomically(self._file, row["file_text"])
            append(
                connection, actor="recovery", action="rebuild", task=task.name, subject=self._file.name,
                reason="the prompts file was missing or broken", version=row["number"],
                kept=kept.name if kept else None,
            )  # fmt: skip
        log.warning(
            "%s was missing or broken and has been rebuilt from version %s of %s%s",
            self._file, row["number"], task.name, f"; the broken one is kept as {kept.name}" if kept else "",
        )  # fmt: skip
        return str(row["file_text"])

    def _components_or_none(self, task: Task) -> dict[str, Any] | None:
        try:
            return _components(read_text(self._file), task, self._file)
        except ConfigurationError:
            return None

    def _observe(self, task: Task, text: str, components: dict[str, Any]) -> VersionRow:
        with self._database.write() as connection:
            active = _row_with_status(connection, task.name, "active")
            if active is not None and active["hash"] == content_hash(components):
                return active
            reason = "edited in the file" if active else "as first found in the file"
            row = _new_row(
                connection, task.name, components, text, by="file", reason=reason, status="active",
                base=active["number"] if active else None,
            )  # fmt: skip
            if active is not None:
                _set_status(connection, active, "superseded")
            connection.execute(insert(versions).values(row))
            append(
                connection, actor="file", action="observe", task=task.name, subject=f"version {row['number']}",
                reason=reason, hash=row["hash"],
            )  # fmt: skip
            return row


def _broken(file: Path) -> bool:
    """Whether the file is missing, a folder, not UTF-8, empty or not JSON."""
    try:
        json.loads(read_text(file))
    except (ConfigurationError, json.JSONDecodeError):
        return True
    return False


def _components(text: str, task: Task, file: Path) -> dict[str, Any]:
    prompts = parse_prompts(text, file)
    missing = [name for name in task.components if name not in prompts]
    if missing:
        raise ConfigurationError(f"{file}: no prompt for {missing[0]!r}, a component of the task {task.name}")
    return {name: prompts[name].as_json() for name in task.components}


def _others(text: str, task: Task, file: Path) -> dict[str, Any]:
    return {name: prompt.as_json() for name, prompt in parse_prompts(text, file).items() if name not in task.components}


def _target(connection: Connection, task: str, current: VersionRow | None, to: int | None) -> VersionRow:
    number = to if to is not None else (current or {}).get("base_number")
    target = _numbered(connection, task, number)
    if current is None or target is None or target["status"] in ("applying", "undone"):
        wanted = "earlier version" if to is None else f"version {to}"
        raise ConfigurationError(f"{task}: there is no {wanted} to go back to; see `ratchet history {task}`")
    return target


def _new_row(
    connection: Connection, task: str, components: dict[str, Any], text: str, *,
    by: str, reason: str, status: str, base: int | None,
) -> VersionRow:  # fmt: skip
    numbers = connection.execute(select(versions.c.number).where(versions.c.task == task)).scalars().all()
    return {
        "task": task,
        "number": max(numbers, default=0) + 1,
        "status": status,
        "hash": content_hash(components),
        "base_number": base,
        "proposal_id": None,
        "components": components,
        "file_text": text,
        "by": by,
        "reason": reason,
        "numbers": {},
        "applied_at": now(),
    }


def _row_with_status(connection: Connection, task: str, status: str) -> VersionRow | None:
    query = select(versions).where(versions.c.task == task, versions.c.status == status)
    row = connection.execute(query.order_by(versions.c.number.desc()).limit(1)).mappings().first()
    return dict(row) if row else None


def _numbered(connection: Connection, task: str, number: int | None) -> VersionRow | None:
    query = select(versions).where(versions.c.task == task, versions.c.number == number)
    row = connection.execute(query).mappings().first()
    return dict(row) if row else None


def _of_proposal(connection: Connection, proposal_id: str) -> VersionRow | None:
    row = connection.execute(select(versions).where(versions.c.proposal_id == proposal_id)).mappings().first()
    return dict(row) if row else None


def _set_status(connection: Connection, row: VersionRow, status: str) -> None:
    connection.execute(
        update(versions).where(versions.c.task == row["task"], versions.c.number == row["number"]).values(status=status)
    )
