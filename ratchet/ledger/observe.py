"""Reading the prompts file beside those who change it: what a person wrote becomes a version, nothing else does."""

import logging
from pathlib import Path
from typing import NamedTuple

from ratchet.config.files import read_text
from ratchet.errors import ConfigurationError
from ratchet.ledger import version_rows as rows
from ratchet.ledger.audit import append
from ratchet.ledger.contents import (
    components_or_none,
    is_gone,
    lasting_problem,
    own_components,
    patch,
    problem_of,
)
from ratchet.ledger.prompt_file import keep_aside, write_whole
from ratchet.prompting import content_hash
from ratchet.store.database import Database
from ratchet.store.rows import VersionRow
from ratchet.tasks import Task

log = logging.getLogger(__name__)


class Observed(NamedTuple):
    """The active version, and why the file does not say what is in force; None where it does."""

    row: VersionRow
    problem: str | None = None


def observed_version(database: Database, file: Path, task: Task) -> Observed:
    """The active version, after what stands in the file was noted as one if nobody has noted it yet. Blocks.

    A file that is gone is written anew from the active versions first. One that cannot be read is left alone, as a
    person may be at work on it: the active version is served from the database.

    Raises:
        ConfigurationError: the file is of wrong shape, or cannot be read before anything was noted.
    """
    known = _known_version(database, file, task)
    return Observed(known) if known else _note_version(database, file, task)


def _known_version(database: Database, file: Path, task: Task) -> VersionRow | None:
    """The active version where nothing has to be noted. The file may change at any moment: None is only a suspicion."""
    components = components_or_none(file, task)
    with database.read() as connection:
        row = rows.row_with_status(connection, task.name, "active")
        pending = rows.row_with_status(connection, task.name, "applying")
    if row is None or components is None:
        return None
    return row if pending or row["hash"] == content_hash(components) else None


def _note_version(database: Database, file: Path, task: Task) -> Observed:
    """Note what is new, unless the file cannot be read."""
    problem = lasting_problem(file)
    if problem and is_gone(file):
        try:
            _rebuild_if_gone(database, file)
            problem = problem_of(file)
        except ConfigurationError as error:
            problem = str(error)
    active = _active_row(database, task) if problem else None
    return Observed(active, problem) if active else Observed(_note_under_lock(database, file, task))


def _active_row(database: Database, task: Task) -> VersionRow | None:
    with database.read() as connection:
        return rows.row_with_status(connection, task.name, "active")


def _note_under_lock(database: Database, file: Path, task: Task) -> VersionRow:
    """Look again under the write lock, where no change can be applied in between, and note what is new."""
    with database.write() as connection:
        text = read_text(file)
        components = own_components(text, task, file)
        active = rows.row_with_status(connection, task.name, "active")
        pending = rows.row_with_status(connection, task.name, "applying")
        if active and (pending or active["hash"] == content_hash(components)):
            return active
        reason = "edited in the file" if active else "as first found in the file"
        row = rows.add_row(
            connection, task.name, components, text, status="active", base=active["number"] if active else None,
            by="file", reason=reason,
        )  # fmt: skip
        if active:
            rows.set_status(connection, active, "superseded")
        append(
            connection, actor="file", action="observe", task=task.name, subject=f"version {row['number']}",
            reason=reason, hash=row["hash"],
        )  # fmt: skip
        return row


def _rebuild_if_gone(database: Database, file: Path) -> None:
    """Write the file again from the active versions of all tasks; a folder in its place is kept beside it."""
    with database.write() as connection:
        active = rows.active_rows(connection)
        if not active or not is_gone(file):
            return
        text = str(active[-1]["file_text"])
        for row in active:
            text = patch(text, row["components"])
        kept = keep_aside(file)
        write_whole(file, text, like=kept)
        append(
            connection, actor="recovery", action="rebuild", task=active[-1]["task"], subject=file.name,
            reason="the prompts file was missing",
            versions={row["task"]: row["number"] for row in active},
            kept=kept.name if kept else None,
        )  # fmt: skip
    beside = f"; what was in its place is kept as {kept.name}" if kept else ""
    log.warning("%s was missing and has been written anew from the active versions%s", file, beside)
