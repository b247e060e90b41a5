"""Writing ``task_prompts.json`` so that it is whole at every moment, also when the process is killed."""

import contextlib
import os
import tempfile
from pathlib import Path


def write_atomically(file: Path, text: str) -> None:
    """Replace the file's content: temporary file, fsync, rename, fsync of the folder."""
    folder = file.resolve().parent
    descriptor, temporary = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
        if file.exists():
            os.chmod(temporary, file.stat().st_mode & 0o7777)
        os.replace(temporary, file.resolve())
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
