"""Writing ``task_prompts.json`` so that it is whole at every moment, also when the process is killed."""

import errno
import os
import re
import secrets
from pathlib import Path

from ratchet.config.files import real_path
from ratchet.errors import ConfigurationError
from ratchet.store.schema import now

_NO_RENAME = {errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS}
"""What a rename ends with where the file is a mount of its own, or its folder cannot be written."""


def check_writable(file: Path) -> None:
    """See beforehand whether the file can be replaced or, where it is a mount of its own, written in place. Blocks.

    Raises:
        ConfigurationError: neither can be done, with what to do.
    """
    target = real_path(file)
    try:
        with target.open("r+b"):
            return
    except FileNotFoundError:
        problem = None if os.access(target.parent, os.W_OK | os.X_OK) else "its folder cannot be written"
    except IsADirectoryError:
        problem = None  # what stands in the file's place is put aside
    except OSError as error:
        problem = error.strerror or str(error)
    if problem and not _can_be_replaced(target):
        raise ConfigurationError(
            f"{file} cannot be written ({problem}); nothing was changed. Make it writable, or set RATCHET_PROMPTS_FILE "
            "to a file that is"
        )


def _can_be_replaced(target: Path) -> bool:
    """Whether another file can take its place: a read-only file in a folder of one's own can be renamed over."""
    probe = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        probe.touch(exist_ok=False)
        probe.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def write_whole(file: Path, text: str, like: Path | None = None) -> None:
    """Replace the file's content: temporary file, fsync, rename, fsync of the folder.

    The mode of the file it replaces (or of `like`) is kept. Where no rename is possible, as with a file that is mounted
    into a container, it is written in place. A crash in between leaves a broken file, which is rebuilt from the
    database at the next start.

    Raises:
        ConfigurationError: it cannot be written at all.
    """
    target = real_path(file)
    try:
        _replace(target, text, like)
    except OSError as error:
        if error.errno not in _NO_RENAME:
            raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from error
        try:
            _write_in_place(target, text)
        except OSError as second:
            raise ConfigurationError(f"{file} cannot be written: {second.strerror}") from second


def _clear_left_over(target: Path) -> None:
    """Remove what a process that was killed has left beside the file. Whoever writes it holds the write lock of the
    database, so that nobody else is at it."""
    name = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{16}}\.tmp")
    for other in target.parent.iterdir():
        if name.fullmatch(other.name):
            other.unlink(missing_ok=True)


def _replace(target: Path, text: str, like: Path | None) -> None:
    _clear_left_over(target)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
        model = like or target
        if model.is_file():
            temporary.chmod(model.stat().st_mode & 0o7777)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _write_in_place(target: Path, text: str) -> None:
    with target.open("r+b") as stream:
        stream.write(text.encode())
        stream.truncate()
        stream.flush()
        os.fsync(stream.fileno())


def keep_aside(file: Path) -> Path | None:
    """Give a broken file (or a folder in its place) another name beside it; its new path, None where nothing is there.

    Where the file is a link, what it points to is renamed. One that is a mount of its own cannot be, and stays.
    """
    target = real_path(file)
    if not target.exists():
        return None
    try:
        return target.rename(target.with_name(f"{target.name}.broken-{now().replace(':', '')}"))
    except OSError as error:
        if error.errno in _NO_RENAME:
            return None
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
