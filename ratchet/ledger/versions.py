"""Versions of a task's prompts: seen in the file, applied once, rolled back byte for byte, recovered after a crash."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from ratchet.concurrency import threaded
from ratchet.config.files import read_text
from ratchet.errors import AlreadyDecidedError, ConfigurationError, StaleBaseError
from ratchet.ledger import version_rows as rows
from ratchet.ledger.audit import append
from ratchet.ledger.contents import (
    components_or_none,
    is_gone,
    is_torn,
    lasting_problem,
    merge_components,
    own_components,
)
from ratchet.ledger.observe import observed_version
from ratchet.ledger.prompt_file import check_writable, keep_aside, write_whole
from ratchet.prompting import TaskPrompt, TaskPrompts, content_hash, with_component
from ratchet.store.database import Database, Effect
from ratchet.store.documents import VersionNumbers
from ratchet.store.rows import VersionRow
from ratchet.tasks import Task

log = logging.getLogger(__name__)
_ROLLBACK = "rollback:"


class Active(NamedTuple):
    """The prompts in force for a task."""

    number: int
    prompts: TaskPrompts
    problem: str | None = None
    """What is wrong with the prompts file; the prompts are then those of the database."""


class Change(NamedTuple):
    """An approved change."""

    proposal_id: str
    component: str
    prompt: TaskPrompt
    base_version: int
    by: str
    reason: str
    numbers: VersionNumbers


class Versions:
    """The version ledger of all tasks over one prompts file.

    A change becomes a row ``applying`` first; then, under the database's write lock, the file is replaced and the row
    becomes ``active``. Other statuses: superseded, rolled_back, undone (the file was edited in between, or another
    version became active).
    """

    def __init__(self, database: Database, file: Path) -> None:
        self._database = database
        self._file = file
        self._told = ""
        """The last problem of the file that was logged: it is told once, and with each run."""

    @threaded
    def problem(self) -> str | None:
        """Why the file cannot be read although versions are noted; logged where it is new."""
        with self._database.read() as connection:
            noted = bool(rows.active_rows(connection))
        problem = lasting_problem(self._file) if noted and not is_gone(self._file) else None
        return self._tell(problem)

    def _tell(self, problem: str | None) -> str | None:
        said = problem and (
            f"{problem}. The file is left alone, and the versions of the database are served until it is whole: mend "
            "it, or delete it to have it written anew"
        )
        if said and said != self._told:
            log.warning("%s", said)
        self._told = said or ""
        return said

    @threaded
    def active(self, task: Task) -> Active:
        """The prompts of the file, noted as a version if they are new.

        A file that cannot be read is left alone, and the active version served; where there is none yet, the reader's
        error stands. A file that a person edited becomes a version of its own.

        Raises:
            ConfigurationError: the file is of wrong shape, or cannot be read before anything was noted.
        """
        row, problem = observed_version(self._database, self._file, task)
        prompts = {name: TaskPrompt(**value) for name, value in row["components"].items()}
        return Active(int(row["number"]), prompts, self._tell(problem))

    @threaded
    def history(self, task: str) -> list[VersionRow]:
        """All versions of a task, oldest first."""
        with self._database.read() as connection:
            return rows.all_rows(connection, task)

    @threaded
    def of_number(self, task: str, number: int) -> VersionRow | None:
        """The version of a task with that number."""
        with self._database.read() as connection:
            return rows.row_of_number(connection, task, number)

    @threaded
    def of_proposal(self, proposal_id: str) -> VersionRow | None:
        """The version that a proposal became."""
        with self._database.read() as connection:
            return rows.of_proposal(connection, proposal_id)

    @threaded
    def apply(self, task: Task, change: Change, also: Sequence[Effect] = ()) -> VersionRow:
        """Make an approved change the active version, exactly once per proposal.

        `also` is written in the transaction that begins the change, and at every call: what it raises, or a base that
        is gone, leaves neither.

        Raises:
            StaleBaseError: the active version is not the one the change was made for, or the file was edited since,
                also where that happened after the change had begun.
            AlreadyDecidedError: the change was undone before.
            ConfigurationError: the file cannot be written; nothing was changed.
        """
        check_writable(self._file)
        self._refuse_unreadable()
        self._begin_apply(task, change, also)
        return self._finish(task, change.proposal_id)

    @threaded
    def rollback(
        self, task: Task, to: int | None, by: str, reason: str, only_if_active: int | None = None
    ) -> VersionRow:
        """Bring back an earlier version (the one that the active one came from if `to` is None) as a new version.

        Raises:
            ConfigurationError: there is no such version, or the file cannot be written; nothing was changed.
            StaleBaseError: another version than `only_if_active` is active, or became active meanwhile, or the file was
                edited meanwhile.
        """
        check_writable(self._file)
        self._refuse_unreadable()
        with self._database.write() as connection:
            current = rows.row_with_status(connection, task.name, "active")
            target = _target(connection, task.name, current, to)
            if only_if_active is not None and (current is None or current["number"] != only_if_active):
                raise StaleBaseError(f"version {only_if_active} of {task.name} is not active any more")
            number = len(rows.all_rows(connection, task.name)) + 1
            numbers: VersionNumbers = {"rolled_back_to": target["number"]}
            if current:
                numbers["rolled_back_from"] = current["number"]
            row = rows.add_row(
                connection, task.name, target["components"], target["file_text"], status="applying",
                base=target["base_number"], by=by, reason=reason, proposal_id=f"{_ROLLBACK}{task.name}:{number}",
                numbers=numbers,
            )  # fmt: skip
        return self._finish(task, str(row["proposal_id"]))

    @threaded
    def recover(self, task: Task) -> str | None:
        """Finish or undo the changes that a crash interrupted; says what was done, None if there were none."""
        with self._database.read() as connection:
            pending = rows.rows_with_status(connection, task.name, "applying")
        return "; ".join(self._recover_row(task, row) for row in pending) or None

    def _recover_row(self, task: Task, row: VersionRow) -> str:
        name = f"{task.name}: version {row['number']}"
        try:
            self._finish(task, str(row["proposal_id"]))
        except StaleBaseError as error:
            return f"{name} was undone: {error}"
        return f"{name} was being applied when the process ended; it is active now"

    def _refuse_unreadable(self) -> None:
        """Leave alone what a person may be at work on.

        Raises:
            ConfigurationError: the file is there and cannot be read.
        """
        problem = None if is_gone(self._file) else lasting_problem(self._file)
        if problem:
            raise ConfigurationError(f"{problem}; nothing was changed. Mend the file, or delete it, and try again")

    def _begin_apply(self, task: Task, change: Change, also: Sequence[Effect]) -> None:
        with self._database.write() as connection:
            for effect in also:
                effect(connection)
            row = rows.of_proposal(connection, change.proposal_id)
            if row is not None:
                if row["status"] == "undone":
                    raise AlreadyDecidedError(f"proposal {change.proposal_id} was undone, `ratchet audit` says why")
                return
            active = rows.row_with_status(connection, task.name, "active")
            if active is None or active["number"] != change.base_version:
                found = active["number"] if active else "none"
                raise StaleBaseError(
                    f"proposal {change.proposal_id} was made for version {change.base_version} of {task.name}, "
                    f"the active one is {found}; run `ratchet improve {task.name}` for a new proposal"
                )
            text = read_text(self._file)
            if content_hash(own_components(text, task, self._file)) != active["hash"]:
                raise StaleBaseError(f"{self._file} was edited since the proposal was made; start a new cycle")
            rows.add_row(
                connection, task.name, active["components"] | {change.component: change.prompt.as_json()},
                with_component(text, change.component, change.prompt), status="applying", base=active["number"],
                by=change.by, reason=change.reason, proposal_id=change.proposal_id, numbers=change.numbers,
            )  # fmt: skip

    def _finish(self, task: Task, proposal_id: str) -> VersionRow:
        """Replace the file and make an ``applying`` row active; a row that is active already is left as it is."""
        with self._database.write() as connection:  # held while the file is replaced
            row = rows.of_proposal(connection, proposal_id)
            if row is None:
                raise StaleBaseError(f"proposal {proposal_id} has no version")
            if row["status"] != "applying":
                return row
            active = rows.row_with_status(connection, task.name, "active")
            torn = self._is_torn(connection, row)
            obstacle = self._obstacle(task, row, active, torn)
            if obstacle is None:
                self._replace(connection, task.name, row, active, torn)
                return row | {"status": "active"}
            rows.set_status(connection, row, "undone")
            append(
                connection, actor="recovery", action="undo", task=task.name, subject=f"version {row['number']}",
                reason=obstacle,
            )  # fmt: skip
        raise StaleBaseError(f"{obstacle}; {'roll back again' if _is_rollback(row) else 'start a new cycle'}")

    def _is_torn(self, connection: Connection, row: VersionRow) -> bool:
        """Whether a crash ended the writing of this change in place."""
        olds = [item["file_text"] for item in rows.active_rows(connection)]
        try:
            return is_torn(self._file.read_bytes(), row["file_text"], olds)
        except OSError:
            return False

    def _obstacle(self, task: Task, row: VersionRow, active: VersionRow | None, torn: bool) -> str | None:
        """Why a change that has begun must not be finished: what it would overwrite.

        Raises:
            ConfigurationError: the file cannot be read, and not because a crash ended the writing of this change.
        """
        meanwhile = f"while version {row['number']} was being applied"
        if active is not None and _begun_over(row) not in (None, active["number"]):
            return f"version {active['number']} of {task.name} became active {meanwhile}"
        if torn or is_gone(self._file):
            return None
        problem = lasting_problem(self._file)
        if problem:
            raise ConfigurationError(f"{problem}; version {row['number']} of {task.name} waits until the file is whole")
        components = components_or_none(self._file, task)
        known = [row["hash"], active["hash"] if active else None]
        if components is None or content_hash(components) not in known:
            return f"{self._file} was edited {meanwhile}"
        return None

    def _replace(
        self, connection: Connection, task: str, row: VersionRow, active: VersionRow | None, torn: bool
    ) -> None:
        rolled_back = _is_rollback(row)
        text = row["file_text"] if torn else merge_components(row["file_text"], row["components"], self._file)
        kept = keep_aside(self._file) if self._file.is_dir() else None
        write_whole(self._file, text, like=kept)
        if active is not None:
            rows.set_status(connection, active, "rolled_back" if rolled_back else "superseded")
        rows.set_status(connection, row, "active", text)
        append(
            connection, actor=row["by"], action="rollback" if rolled_back else "apply", task=task,
            subject=f"version {row['number']}", proposal=row["proposal_id"], reason=row["reason"],
            numbers=row["numbers"], hash=row["hash"],
        )  # fmt: skip


def _is_rollback(row: VersionRow) -> bool:
    return str(row["proposal_id"]).startswith(_ROLLBACK)


def _begun_over(row: VersionRow) -> int | None:
    """Number of the version that was active when a change or a rollback began, None where that was not noted."""
    return row["numbers"].get("rolled_back_from") if _is_rollback(row) else row["base_number"]


def _target(connection: Connection, task: str, current: VersionRow | None, to: int | None) -> VersionRow:
    number = current["base_number"] if current and to is None else to
    target = rows.row_of_number(connection, task, number)
    if current is None or target is None or target["status"] in ("applying", "undone"):
        wanted = "earlier version" if to is None else f"version {to}"
        raise ConfigurationError(f"{task}: there is no {wanted} to go back to; see `ratchet history {task}`")
    if target["hash"] == current["hash"]:
        raise ConfigurationError(
            f"{task}: what version {target['number']} says is in force already, as version {current['number']}"
        )
    return target
