"""Objects of the user's own code, named as ``module:attribute`` in task.toml."""

import importlib
import sys
from pathlib import Path
from typing import Any

from ratchet.concurrency import to_daemon_thread, user_calls
from ratchet.errors import ConfigurationError

SECONDS = 60.0
"""An import that takes longer is given up."""


def import_object(path: str, where: str) -> Any:
    """The object that `path` (``module:attribute``) names; modules in the working directory are found too.

    Raises:
        ConfigurationError: it cannot be imported; `where` says who asked for it.
    """
    module, _, attribute = path.partition(":")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        return getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:  # importing runs the user's code, which may raise anything
        raise ConfigurationError(f"{where}: {path!r} cannot be imported: {type(error).__name__}: {error}") from error


async def load_object(path: str, where: str) -> Any:
    """`import_object` from a coroutine.

    Raises:
        ConfigurationError: it cannot be imported within `SECONDS`.
    """
    try:
        async with user_calls.within(SECONDS):
            return await to_daemon_thread(import_object, path, where)
    except TimeoutError as error:
        raise ConfigurationError(f"{where}: the import of {path!r} took longer than {SECONDS:g} s") from error
