"""Reading the prompts file beside those who change it: what a person wrote becomes a version, nothing else does."""

import logging
from pathlib import Path

from ratchet.config.files import read_text
from ratchet.errors import ConfigurationError
from ratchet.ledger import version_rows as rows
from ratchet.ledger.audit import append
from ratchet.ledger.contents import components_or_none, is_broken, own_components, patch, stays_broken
from ratchet.ledger.prompt_file import keep_aside, write_whole
from ratchet.prompting import content_hash
from ratchet.store.database import Database
from ratchet.store.rows import VersionRow
from ratchet.tasks import Task

log = logging.getLogger(__name__)


def observed_version(database: Database, file: Path, task: Task) -> VersionRow:
    """The active version, after what stands in the file was noted as one if nobody has noted it yet. Blocks.

    A file that is broken or missing is rebuilt from the active versions first.

    Raises:
        ConfigurationError: the file is of wrong shape, or missing or broken before anything was noted.
    """
    return _known_version(database, file, task) or _note_version(database, file, task)


def _known_version(database: Database, file: Path, task: Task) -> VersionRow | None:
    """The active version where nothing has to be noted. The file may change at any moment: None is only a suspicion."""
    components = components_or_none(file, task)
    with database.read() as connection:
        row = rows.row_with_status(connection, task.name, "active")
        pending = rows.row_with_status(connection, task.name, "applying")
    if row is None or components is None:
        return None
    return row if pending or row["hash"] == content_hash(components) else None


def _note_version(database: Database, file: Path, task: Task) -> VersionRow:
    """Look again under the write lock, where no change can be applied in between, and note what is new."""
    try:
        _rebuild_if_broken(database, file)
    except ConfigurationError as error:
        return _served_without_file(database, task, error)
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


def _served_without_file(database: Database, task: Task, error: ConfigurationError) -> VersionRow:
    """The active version, where the file is broken and cannot be written: told, and served from the database."""
    with database.read() as connection:
        active = rows.row_with_status(connection, task.name, "active")
    if active is None:
        raise error
    log.warning("%s is served from the database: %s", task.name, error)
    return active


def _rebuild_if_broken(database: Database, file: Path) -> None:
    """Write a broken file again from the active versions of all tasks; what stood there is kept beside it."""
    if not stays_broken(file):
        return
    with database.write() as connection:
        active = rows.active_rows(connection)
        if not active or not is_broken(file):
            return
        text = str(active[-1]["file_text"])
        for row in active:
            text = patch(text, row["components"])
        kept = keep_aside(file)
        write_whole(file, text, like=kept)
        append(
            connection, actor="recovery", action="rebuild", task=active[-1]["task"], subject=file.name,
            reason="the prompts file was missing or broken",
            versions={row["task"]: row["number"] for row in active},
            kept=kept.name if kept else None,
        )  # fmt: skip
    beside = f"; the broken one is kept as {kept.name}" if kept else ""
    log.warning("%s was missing or broken and has been rebuilt from the active versions%s", file, beside)
