"""Objects of the user's own code, named as ``module:attribute`` in task.toml."""

import importlib
import sys
from pathlib import Path
from typing import Any

from ratchet.errors import ConfigurationError


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
    except Exception as error:  # importing runs the user's code, which may raise anything
        raise ConfigurationError(f"{where}: {path!r} cannot be imported: {error}") from error
