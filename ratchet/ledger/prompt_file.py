"""Writing ``task_prompts.json`` so that it is whole at every moment, also when the process is killed."""

import os
import secrets
from pathlib import Path

from ratchet.store.schema import now


def write_atomically(file: Path, text: str, like: Path | None = None) -> None:
    """Replace the file's content: temporary file, fsync, rename, fsync of the folder.

    The mode of the file it replaces (or of `like`) is kept.
    """
    target = file.resolve()
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


def keep_aside(file: Path) -> Path | None:
    """Give a broken file (or a folder in its place) another name beside it; its new path, None where nothing is there.

    Where the file is a link, what it points to is renamed.
    """
    target = file.resolve()
    if not target.exists():
        return None
    return target.rename(target.with_name(f"{target.name}.broken-{now().replace(':', '')}"))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
